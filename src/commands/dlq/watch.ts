// Watches a replay until everything in it has come to an end. Leaving changes nothing: the replay is rows.
import type { Context } from '../../cli/context.js'
import { type ExitCode, exitCodes } from '../../cli/exit-codes.js'
import type { AuditEntry, AuditId, ReplayProgress } from '../../store/desk.js'
import type { Store } from '../../store/store.js'
import { span } from '../words.js'
import { jobName } from './names.js'

const lookMs = 300
const barWidth = 20

export interface WatchOptions {
  /** Something was skipped before it began. */
  readonly missed: boolean
  readonly json: boolean
  /** More for the JSON. */
  readonly extra: object
}

export const notServed = (job: AuditId) =>
  `No serve is running: start it with sms-bridge serve and it works this off. Look again: sms-bridge dlq replay --job ${jobName(job)}`

export const openOf = ({ scheduled, inHand }: ReplayProgress) => scheduled + inHand
const closedOf = (progress: ReplayProgress) =>
  progress.delivered + progress.suppressed + progress.failed + progress.discarded

export async function watch(context: Context, store: Store, job: AuditId, options: WatchOptions): Promise<ExitCode> {
  const { io, clock } = context
  const stop = context.stopSignal()
  const name = jobName(job)
  let progress = await store.replayProgress(job)
  const spinner = openOf(progress) > 0 ? await io.spin(await inWords(store, job, progress, clock.now())) : undefined
  while (openOf(progress) > 0 && !stop.aborted) {
    if (!(await store.isServed(clock.now()))) {
      spinner?.stop()
      io.err(notServed(job))
      return exitCodes.relayNotReachable
    }
    await clock.sleep(lookMs, stop)
    progress = await store.replayProgress(job)
    spinner?.update(await inWords(store, job, progress, clock.now()))
  }
  spinner?.stop()
  if (openOf(progress) > 0) {
    io.err(`${name} goes on without this command. Look again: sms-bridge dlq replay --job ${name}`)
    io.err(`Take back what has not begun: sms-bridge dlq cancel ${name}`)
    return exitCodes.interrupted
  }
  if (options.json)
    io.out(JSON.stringify({ schema_version: 1, job: name, ...totalsJson(progress), ...options.extra }, null, 2))
  else io.out(`${name}: ${summary(progress)}`)
  if (progress.failed > 0 && !options.json) {
    io.err('What failed is parked again, for you alone: sms-bridge dlq list --each')
  }
  return options.missed || progress.failed > 0 || progress.discarded > 0 ? exitCodes.partlyFailed : exitCodes.ok
}

async function inWords(store: Store, job: AuditId, progress: ReplayProgress, now: number): Promise<string> {
  const closed = closedOf(progress)
  const all = closed + openOf(progress)
  const filled = Math.round((closed / Math.max(1, all)) * barWidth)
  const bar = '█'.repeat(filled) + '░'.repeat(barWidth - filled)
  const failed = progress.failed > 0 ? ` · ${progress.failed} failed` : ''
  const [pause] = await store.pauses()
  const left = progress.lastAt === undefined ? 0 : Math.max(0, progress.lastAt - now)
  const rest = pause === undefined ? `about ${span(left + 1_000)} left` : `${pause.shore} is paused (${pause.reason})`
  return `${jobName(job)}  ${bar}  ${closed}/${all}${failed} · ${rest}`
}

function totalsJson({ delivered, suppressed, failed, discarded, scheduled, inHand }: ReplayProgress) {
  return { totals: { delivered, suppressed, failed, discarded, scheduled, in_hand: inHand } }
}

function summary({ delivered, suppressed, failed, discarded }: ReplayProgress): string {
  const others = [
    ...(suppressed > 0 ? [`${suppressed} rightly not sent`] : []),
    ...(discarded > 0 ? [`${discarded} discarded`] : []),
  ]
  return [`${delivered} delivered`, ...others, `${failed} failed`].join(' · ')
}

/** What was scheduled and is in this replay no more: cancelled, or taken over by a later one. */
export function takenBack({ detail }: AuditEntry, progress: ReplayProgress): number {
  const { scheduled, items } = detail as { readonly scheduled?: number; readonly items?: number } // written by replay
  return Math.max(0, (scheduled ?? items ?? 0) - closedOf(progress) - openOf(progress))
}
