// Replays as jobs: those there were, the end of one, and taking one back.
import type { Context } from '../../cli/context.js'
import { type ExitCode, exitCodes } from '../../cli/exit-codes.js'
import type { DeliveryId } from '../../delivery.js'
import type { AuditEntry, AuditId, ReplayProgress } from '../../store/desk.js'
import type { Store } from '../../store/store.js'
import { actorOf } from '../actor.js'
import { dateTime } from '../times.js'
import { plural } from '../words.js'
import { deliveryName, jobName } from './names.js'
import { openOf, takenBack, watch } from './watch.js'

export interface JsonOption {
  readonly json: boolean
}

const mostListed = 20
const mostNamed = 100

async function find(store: Store, id: AuditId): Promise<AuditEntry | undefined> {
  return (await store.listAudit({ id, action: 'dlq.replay', limit: 1 }))[0]
}

function unknown({ io }: Context, id: AuditId): ExitCode {
  io.err(`There is no replay ${jobName(id)}. Those there were: sms-bridge dlq jobs`)
  return exitCodes.nothingMatched
}

/** Looks at a replay until its end. */
export async function watchJob(context: Context, id: AuditId, { json }: JsonOption): Promise<ExitCode> {
  const store = await context.store()
  try {
    const entry = await find(store, id)
    if (entry === undefined) return unknown(context, id)
    const { skipped } = entry.detail
    const missed = (typeof skipped === 'number' && skipped > 0) || takenBack(entry, await store.replayProgress(id)) > 0
    return await watch(context, store, id, { missed, json, extra: {} })
  } finally {
    await store.close()
  }
}

export async function jobs(context: Context, { json }: JsonOption): Promise<ExitCode> {
  const { io } = context
  const store = await context.store()
  try {
    const entries = await store.listAudit({ action: 'dlq.replay', limit: mostListed })
    const found = await Promise.all(
      entries.map(async (entry) => ({ entry, progress: await store.replayProgress(entry.id) })),
    )
    if (json) io.out(JSON.stringify({ schema_version: 1, jobs: found.map(toJson) }, null, 2))
    else if (found.length === 0) io.out('Nothing was replayed yet.')
    else {
      const head = ['JOB', 'BEGUN', 'BY', 'OPEN', 'DELIVERED', 'FAILED', 'OTHERS']
      io.out(await io.table(head, found.map(toRow)))
    }
    return exitCodes.ok
  } finally {
    await store.close()
  }
}

interface Found {
  readonly entry: AuditEntry
  readonly progress: ReplayProgress
}

function toRow({ entry, progress }: Found): string[] {
  const others = progress.suppressed + progress.discarded + takenBack(entry, progress)
  const counts = [openOf(progress), progress.delivered, progress.failed, others]
  return [jobName(entry.id), dateTime(entry.at), entry.actor, ...counts.map(String)]
}

function toJson({ entry, progress }: Found) {
  const { scheduled, inHand, delivered, suppressed, failed, discarded } = progress
  return {
    job: jobName(entry.id),
    at: entry.at,
    actor: entry.actor,
    scheduled,
    in_hand: inHand,
    delivered,
    suppressed,
    failed,
    discarded,
    taken_back: takenBack(entry, progress),
  }
}

/** What has not begun stays parked. */
export async function cancel(context: Context, id: AuditId, { json }: JsonOption): Promise<ExitCode> {
  const { io, env, clock } = context
  const store = await context.store()
  try {
    if ((await find(store, id)) === undefined) return unknown(context, id)
    const ids: DeliveryId[] = []
    for (let some = await store.cancelReplay(id); some.length > 0; some = await store.cancelReplay(id))
      ids.push(...some)
    ids.sort((a, b) => a - b)
    if (ids.length > 0) {
      const detail = { job: jobName(id), cancelled: ids.length, ids: ids.slice(0, mostNamed).map(deliveryName) }
      await store.writeAudit({ actor: actorOf(env), action: 'dlq.cancel', detail }, clock.now())
    }
    const { delivered, inHand } = await store.replayProgress(id)
    if (json) io.out(JSON.stringify({ schema_version: 1, job: jobName(id), cancelled: ids.length, delivered }, null, 2))
    else
      io.out(
        `${plural(ids.length, 'dead letter')} taken back, parked until you replay them; ${delivered} were delivered.`,
      )
    if (inHand > 0) io.err(`${inHand} had become ready already and go their way.`)
    return ids.length === 0 ? exitCodes.nothingMatched : exitCodes.ok
  } finally {
    await store.close()
  }
}
