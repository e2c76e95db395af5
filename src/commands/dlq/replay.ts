// Replays dead letters by rows: each gets the time at which it becomes ready again, and whoever delivers works them off.
// This command only plans, and watches.
import type { Context } from '../../cli/context.js'
import { type ExitCode, exitCodes } from '../../cli/exit-codes.js'
import type { DeliveryId } from '../../delivery.js'
import { UserError } from '../../errors.js'
import type { AuditId } from '../../store/desk.js'
import type { Store } from '../../store/store.js'
import { actorOf } from '../actor.js'
import { shortTime } from '../times.js'
import { plural } from '../words.js'
import { allOf, type FilterOptions, isNarrow, nothingMatches, toDetail, toFilter } from './filter.js'
import { customerOf, deliveryName, jobName } from './names.js'
import { type Planned, plan, schedule, type Verdict, verdicts } from './plan.js'
import { notServed, watch } from './watch.js'

export interface ReplayOptions {
  readonly filter: FilterOptions
  readonly all: boolean
  readonly dryRun: boolean
  readonly allowStale: boolean
  readonly sendAgain: boolean
  /** Deliveries per millisecond. */
  readonly perMs: number
  readonly yes: boolean
  readonly wait: boolean
  readonly json: boolean
}

/** So many are changed in one transaction. */
const mostTogether = 100
/** So many ids an entry of the audit names. */
const mostNamed = 100

export async function replay(context: Context, options: ReplayOptions): Promise<ExitCode> {
  const { io } = context
  if (!options.all && !isNarrow(options.filter)) {
    throw new UserError(
      'Say which dead letters: type a filter such as --reason server-error, or --all. What each of them would do: --dry-run',
    )
  }
  const store = await context.store()
  try {
    const planned = await planAll(context, store, options)
    if (planned.length === 0) {
      if (options.json) io.out(JSON.stringify({ schema_version: 1, items: [], totals: {} }, null, 2))
      io.err(nothingMatches)
      return exitCodes.nothingMatched
    }
    if (options.dryRun) return await showPlan(context, planned, options)
    const running = planned.filter(({ runs }) => runs)
    if (!options.json) for (const line of summaryOf(planned, options)) io.err(line)
    if (running.length === 0) {
      if (options.json) io.out(JSON.stringify({ schema_version: 1, job: null, ...planJson(planned) }, null, 2))
      return exitCodes.partlyFailed
    }
    if (!options.yes && !(await io.confirm(`Replay ${plural(running.length, 'dead letter')}?`, '--yes'))) {
      io.err('Nothing was changed.')
      return exitCodes.ok
    }
    const job = await begin(context, store, planned, options)
    return await follow(context, store, job, planned, options)
  } finally {
    await store.close()
  }
}

async function planAll(context: Context, store: Store, options: ReplayOptions): Promise<readonly Planned[]> {
  const { allowStale, sendAgain } = options
  const { holdMs: lateAfterMs } = await context.localConfig()
  const found = await allOf(store, await toFilter(context, options.filter))
  // Named one by one, discarded ones come back: that undoes a discard.
  if (options.filter.id !== undefined) {
    found.push(...(await allOf(store, await toFilter(context, options.filter, 'discarded'))))
  }
  const now = context.clock.now()
  return found.map((item) => plan(item, { allowStale, sendAgain, lateAfterMs, now }))
}

function countVerdicts(planned: readonly Planned[]): Partial<Record<Verdict, number>> {
  const counts: Partial<Record<Verdict, number>> = {}
  for (const { verdict } of planned) counts[verdict] = (counts[verdict] ?? 0) + 1
  return counts
}

const verdictWords: Readonly<Record<Verdict, string>> = {
  'would-send': 'to send',
  'already-done': 'already done',
  'looked-up-first': 'to look up first',
  'waits-behind': 'to send after what waits before them',
  'opted-out': 'skipped: opted out',
  'too-old': 'skipped: too old (--allow-stale)',
  unprovable: 'skipped: may have arrived (--send-again, when you looked and it did not)',
  'already-scheduled': 'skipped: being replayed already',
  gone: 'skipped: discarded more than 30 days ago',
}

function summaryOf(planned: readonly Planned[], { perMs }: ReplayOptions): string[] {
  const counts = countVerdicts(planned)
  const parts = verdicts.flatMap((verdict) => {
    const count = counts[verdict]
    return count === undefined ? [] : [`${count} ${verdictWords[verdict]}`]
  })
  const running = planned.filter(({ runs }) => runs).length
  const seconds = Math.ceil(Math.max(0, running - 1) / perMs / 1000)
  const pace = running === 0 ? '' : ` ${rateInWords(perMs)}, about ${seconds + 1} s.`
  return [`${plural(planned.length, 'dead letter')}: ${parts.join(' · ')}.${pace}`]
}

const rateInWords = (perMs: number) =>
  perMs >= 1 / 1000 ? `${+(perMs * 1000).toFixed(2)} a second` : `${+(perMs * 60_000).toFixed(2)} a minute`

function planJson(planned: readonly Planned[]) {
  const items = planned.map(({ item, verdict, words, runs }) => ({
    id: deliveryName(item.id),
    direction: item.direction,
    customer: customerOf(item),
    received_at: item.receivedAt,
    verdict,
    runs,
    words,
  }))
  return { plan: countVerdicts(planned), items }
}

async function showPlan(
  { io, clock }: Context,
  planned: readonly Planned[],
  options: ReplayOptions,
): Promise<ExitCode> {
  if (options.json) {
    io.out(JSON.stringify({ schema_version: 1, dry_run: true, ...planJson(planned) }, null, 2))
    return exitCodes.ok
  }
  const rows = planned.map(({ item, words }) => [
    deliveryName(item.id),
    item.direction,
    customerOf(item),
    shortTime(item.receivedAt, clock.now()),
    words,
  ])
  io.out(await io.table(['ID', 'DIR', 'CUSTOMER', 'RECEIVED', 'VERDICT'], rows))
  for (const line of summaryOf(planned, options)) io.err(`Plan: ${line}`)
  io.err('Nothing was changed.')
  return exitCodes.ok
}

interface Job {
  readonly id: AuditId
  readonly scheduled: number
  /** By now in another state, or replayed by somebody else. */
  readonly passedOver: readonly DeliveryId[]
}

async function begin(
  context: Context,
  store: Store,
  planned: readonly Planned[],
  options: ReplayOptions,
): Promise<Job> {
  const { env, clock } = context
  const running = planned.filter(({ runs }) => runs)
  const { allowStale, sendAgain, perMs } = options
  const ids = running.slice(0, mostNamed).map(({ item }) => deliveryName(item.id))
  const filter = toDetail(await toFilter(context, options.filter))
  const detail = { filter, verdicts: countVerdicts(planned), ids, allowStale, sendAgain, rate: rateInWords(perMs) }
  const skipped = planned.length - running.length
  const deed = { actor: actorOf(env), action: 'dlq.replay', detail: { ...detail, items: running.length, skipped } }
  const now = clock.now()
  const id = await store.writeAudit(deed, now)

  const byId = new Map(running.map((one) => [one.item.id, one]))
  const times = schedule(
    running.map(({ item }) => item),
    { startAt: now, everyMs: 1 / perMs },
  )
  const done = new Set<DeliveryId>()
  for (let start = 0; start < times.length; start += mostTogether) {
    const slice = times
      .slice(start, start + mostTogether)
      .map((one) => ({ ...one, again: byId.get(one.id)?.again ?? false }))
    for (const from of ['parked', 'discarded'] as const) {
      const items = slice.filter((one) => byId.get(one.id)?.item.state === from)
      const scheduled = await store.scheduleReplay({ replayId: id, from, items, now: clock.now() })
      for (const one of scheduled) done.add(one)
    }
  }
  await store.completeAudit(id, { scheduled: done.size })
  const passedOver = running.map(({ item }) => item.id).filter((one) => !done.has(one))
  return { id, scheduled: done.size, passedOver }
}

async function follow(
  context: Context,
  store: Store,
  job: Job,
  planned: readonly Planned[],
  options: ReplayOptions,
): Promise<ExitCode> {
  const { io, clock } = context
  const missed = planned.some(({ runs }) => !runs) || job.passedOver.length > 0
  if (job.passedOver.length > 0) {
    const names = job.passedOver.slice(0, mostNamed).map(deliveryName).join(', ')
    io.err(`Passed over, since they changed in the meantime: ${names}`)
  }
  const served = await store.isServed(clock.now())
  if (!served) io.err(notServed(job.id))
  if (options.wait && served && job.scheduled > 0) {
    return watch(context, store, job.id, { missed, json: options.json, extra: planJson(planned) })
  }
  const name = jobName(job.id)
  if (options.json) {
    io.out(JSON.stringify({ schema_version: 1, job: name, scheduled: job.scheduled, ...planJson(planned) }, null, 2))
  } else io.out(`${name}: ${job.scheduled} scheduled. Look: sms-bridge dlq replay --job ${name}`)
  if (!served) return exitCodes.relayNotReachable
  return missed ? exitCodes.partlyFailed : exitCodes.ok
}
