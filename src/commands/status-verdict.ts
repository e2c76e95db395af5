// What is wrong, one line each with what to type next. Pure.
import type { Survey } from '../store/survey.js'
import { canaryComplaints } from './status-canary.js'
import { ago, list, number, plural, span } from './words.js'

export type Verdict = 'healthy' | 'degraded' | 'down'

export interface Complaint {
  /** For scripts. */
  readonly code:
    | 'down'
    | 'paused'
    | 'unbalanced'
    | 'missing'
    | 'reconciliation'
    | 'backlog'
    | 'dead-letters'
    | 'conflicts'
    | 'number'
    | 'canary'
  readonly text: string
  readonly next: string
}

export interface Judged {
  readonly verdict: Verdict
  readonly complaints: readonly Complaint[]
}

type Sheet = Survey['sheets'][number]

const minuteMs = 60_000
/** Reconciliation runs every two minutes. */
const reconcileLateMs = 10 * minuteMs
const waitsLongMs = 5 * minuteMs

export const running = ({ processes }: Survey, now: number) => processes.filter(({ leaseUntil }) => leaseUntil > now)

export function judge(survey: Survey, now: number): Judged {
  const down = running(survey, now).length === 0
  const complaints = [
    ...(down ? [relayDown(survey, now)] : []),
    ...survey.pauses.map((pause) => paused(pause, now)),
    ...survey.wrongSheets.map(unbalanced),
    ...missing(survey),
    ...(down ? [] : reconciliationLate(survey, now)),
    ...(down || survey.pauses.length > 0 ? [] : backlog(survey, now)),
    ...deadLetters(survey),
    ...conflicts(survey),
    ...numbersElsewhere(survey),
    ...canaryComplaints(survey, now),
  ]
  return { verdict: down ? 'down' : complaints.length > 0 ? 'degraded' : 'healthy', complaints }
}

function relayDown({ processes, marks }: Survey, now: number): Complaint {
  const lastBeatAt = Math.max(...processes.map((process) => process.lastBeatAt))
  const stoppedAt = marks['serve-stopped']?.at
  // One that ended in order leaves no row; a row that is left is of one that was killed, or hangs.
  const since =
    processes.length > 0
      ? `last heartbeat ${ago(now - lastBeatAt)}`
      : stoppedAt === undefined
        ? 'it has never run on this store'
        : `stopped ${ago(now - stoppedAt)}`
  return { code: 'down', text: `relay DOWN, ${since}`, next: 'sms-bridge serve' }
}

const names: Readonly<Record<string, string>> = { twilio: 'Twilio', intercom: 'Intercom' }

function paused({ shore, reason, pausedAt, until }: Survey['pauses'][number], now: number): Complaint {
  const again = until > now ? `in ${span(until - now)}` : 'any moment'
  return {
    code: 'paused',
    text: `${names[shore]} paused for ${span(now - pausedAt)}: ${reason}; nothing is lost, it is tried again ${again}`,
    next: 'sms-bridge status --watch',
  }
}

const kinds = {
  'inbound-sms': 'texts in',
  'agent-reply': 'replies out',
  'reply-lookup': 'look-ups of replies',
  'reply-note': 'notes about replies',
  'away-text': 'automatic texts',
} as const

/** `received 5 = delivered 2 + suppressed 0 + …`, as the books have it. */
function unbalanced({ fault, ...sheet }: Sheet): Complaint {
  const { day, number, kind, received, delivered, suppressed, parked, discarded, waiting } = sheet
  const held = Object.entries(fault?.held ?? {}).map(([state, count]) => `${state} ${count}`)
  const ids = fault?.ids ?? []
  const books = `${received} received, ${delivered} delivered, ${suppressed} suppressed, ${parked} parked, ${discarded} discarded, ${waiting} waiting`
  const named = ids.length === 0 ? '' : `; look at ${list(ids.map((id) => `d_${id}`))}`
  return {
    code: 'unbalanced',
    text: `the books of ${kinds[kind]}, ${number || 'no number'}, ${day} do not balance: ${books}, but the store holds ${list(held) || 'none'}${named}`,
    next: 'sms-bridge status --json, and report it',
  }
}

/** What reconciliation wrote down about one vendor; undefined until it has run. */
export function reconciled({ marks }: Survey, vendor: 'twilio' | 'intercom') {
  const mark = marks[`reconcile:${vendor}`]
  if (mark === undefined) return undefined
  const { value } = mark
  const found = typeof value === 'object' && value !== null && 'missing' in value ? value.missing : []
  // The mark itself stays where it is while something is missing.
  const at = typeof value === 'object' && value !== null && 'at' in value ? value.at : mark.at
  return { at: typeof at === 'number' ? at : mark.at, missing: Array.isArray(found) ? found.map(String) : [] }
}

const vendors = ['twilio', 'intercom'] as const

function missing(survey: Survey): Complaint[] {
  return vendors.flatMap((vendor) => {
    const ids = reconciled(survey, vendor)?.missing ?? []
    if (ids.length === 0) return []
    const what = vendor === 'twilio' ? plural(ids.length, 'text') : plural(ids.length, 'reply', 'replies')
    return [
      {
        code: 'missing' as const,
        text: `${what} known to ${names[vendor]} and not to us: ${list(ids.slice(0, 5))}${ids.length > 5 ? ' …' : ''}`,
        next: 'sms-bridge reconcile',
      },
    ]
  })
}

/** A serve that has just started has its time, and a shore that is paused is left alone. */
function reconciliationLate(survey: Survey, now: number): Complaint[] {
  const startedAt = Math.min(...running(survey, now).map((process) => process.startedAt))
  return vendors.flatMap((vendor) => {
    const ranAt = reconciled(survey, vendor)?.at
    const late = now - Math.max(ranAt ?? 0, startedAt) > reconcileLateMs
    if (!late || survey.pauses.some(({ shore }) => shore === vendor)) return []
    const last = ranAt === undefined ? 'has never run' : `last ran ${ago(now - ranAt)}`
    const text = `reconciliation with ${names[vendor]} ${last}, every 2m is usual`
    return [{ code: 'reconciliation' as const, text, next: 'sms-bridge reconcile --dry-run' }]
  })
}

function backlog({ queue }: Survey, now: number): Complaint[] {
  if (queue.oldestAt === undefined || now - queue.oldestAt <= waitsLongMs) return []
  const text = `the oldest of ${plural(queue.ready, 'waiting delivery', 'waiting deliveries')} came ${ago(now - queue.oldestAt)}`
  return [{ code: 'backlog', text, next: 'sms-bridge status --watch' }]
}

function deadLetters({ deadLetters: letters }: Survey): Complaint[] {
  const count = letters.reduce((sum, one) => sum + one.count, 0)
  if (count === 0) return []
  const returning = letters.reduce((sum, one) => sum + one.returning, 0)
  const back = returning === 0 ? '' : `, of which ${number(returning)} will be tried again without you`
  return [{ code: 'dead-letters', text: `${plural(count, 'dead letter')}${back}`, next: 'sms-bridge dlq list' }]
}

function conflicts({ conflicts: sids }: Survey): Complaint[] {
  const [first] = sids
  if (first === undefined) return []
  const text = `${plural(sids.length, 'text')} both arrived and failed, says Twilio`
  return [{ code: 'conflicts', text, next: `sms-bridge trace ${first}` }]
}

/** Those that customers have texted through this bridge: the account may have others that never were its business. */
function numbersElsewhere({ numbers, texted }: Survey): Complaint[] {
  return numbers
    .filter(({ state }) => state !== 'ours' && state !== 'unlisted')
    .filter(({ number, state }) => texted.includes(number) || state === 'wrong-method')
    .map(({ number, state, detail }) => ({
      code: 'number',
      text: `texts to ${number} do not come here: ${detail ?? state}`,
      next: 'point the number at this bridge’s /webhooks/twilio/sms, then sms-bridge reconcile',
    }))
}
