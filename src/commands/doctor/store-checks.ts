// The store, its books, and the process that should be at work on it.
import { statfs } from 'node:fs/promises'
import { dirname, resolve } from 'node:path'
import { UserError } from '../../errors.js'
import { type Complaint, judge, running } from '../status-verdict.js'
import { plural, span } from '../words.js'
import { type Finding, failed, ok, warning } from './finding.js'
import type { Stage } from './stage.js'

const megabyte = 1_000_000
/** A WAL that cannot be folded in and a day of texts fit below; nothing else does. */
const littleBytes = 500 * megabyte
const noBytes = 50 * megabyte

export async function checkStore(stage: Stage): Promise<readonly Finding[]> {
  const id = 'store'
  const why = 'webhooks are answered only once they are in the store: without it nothing is relayed'
  try {
    const store = await stage.look()
    const damage = await store.findDamage()
    if (damage !== undefined) {
      const fix = 'stop serve, keep the file, and put a backup in its place: sms-bridge restore FILE'
      return [failed(id, { what: `the store is damaged: ${damage}`, why, fix, who: 'machine' })]
    }
  } catch (error) {
    if (!(error instanceof UserError)) throw error
    // Its words end with what to do.
    const [what = '', ...rest] = error.message.split(/(?<=\.) (?=[A-Z])/)
    const fix = rest.length > 0 ? rest.join(' ') : 'look at the disk, and at who may read and write the file'
    return [failed(id, { what: what.replace(/\.$/, ''), why, fix, who: 'machine' })]
  }
  const address = await stage.context.storeAddress()
  const path = /^sqlite:(?<path>.+)$/.exec(address)?.groups?.path
  if (path === undefined) return [ok(id, 'PostgreSQL answers, and has the tables of this version')]
  const { bavail, bsize } = await statfs(dirname(resolve(path)))
  return [judgeSpace(id, bavail * bsize)]
}

export function judgeSpace(id: string, freeBytes: number): Finding {
  const free = `${Math.floor(freeBytes / megabyte)} MB free`
  if (freeBytes >= littleBytes) return ok(id, `whole, of this version, ${free}`)
  const trouble = {
    what: `the disk of the store has only ${free}`,
    why: 'when it is full no webhook can be kept; vendors are told so, and try again for a while only',
    fix: 'free some space, or move the store: SMS_BRIDGE_STORE',
    who: 'machine',
  } as const
  return freeBytes < noBytes ? failed(id, trouble) : warning(id, trouble)
}

export async function checkServe(stage: Stage): Promise<readonly Finding[]> {
  const id = 'serve'
  const survey = await stage.survey()
  const alive = running(survey, stage.now)
  if (alive.length > 0) {
    const oldest = Math.min(...alive.map(({ startedAt }) => startedAt))
    return [ok(id, `${plural(alive.length, 'process', 'processes')}, up ${span(stage.now - oldest)}`)]
  }
  const [down] = judge(survey, stage.now).complaints
  return [
    failed(id, {
      what: down?.text ?? 'no serve is running',
      why: 'nothing is relayed, either way',
      fix: 'sms-bridge serve, or systemctl start sms-bridge',
      who: 'machine',
    }),
  ]
}

export async function checkLedger(stage: Stage): Promise<readonly Finding[]> {
  const id = 'ledger'
  const of = await complaintsOf(stage, ['unbalanced', 'missing', 'reconciliation'])
  if (of.length === 0) return [ok(id, 'every day balances, and the vendors know of nothing else')]
  const trouble = told(of, 'a text or a reply may be lost or sent twice, which must never be')
  return [of.every(({ code }) => code === 'reconciliation') ? warning(id, trouble) : failed(id, trouble)]
}

export async function checkQueue(stage: Stage): Promise<readonly Finding[]> {
  const id = 'queue'
  const of = await complaintsOf(stage, ['paused', 'backlog', 'dead-letters', 'conflicts'])
  if (of.length === 0) return [ok(id, 'nothing waits long, nothing is parked')]
  return [warning(id, told(of, 'customers or agents wait for these'))]
}

async function complaintsOf(stage: Stage, codes: readonly Complaint['code'][]): Promise<readonly Complaint[]> {
  return judge(await stage.survey(), stage.now).complaints.filter(({ code }) => codes.includes(code))
}

function told(complaints: readonly Complaint[], why: string) {
  const fix = [...new Set(complaints.map(({ next }) => next))].join('; ')
  return { what: complaints.map(({ text }) => text).join('; '), why, fix, who: 'machine' } as const
}
