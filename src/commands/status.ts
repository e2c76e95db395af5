import type { Context } from '../cli/context.js'
import { type ExitCode, exitCodes } from '../cli/exit-codes.js'
import type { DeliveryKind } from '../delivery.js'
import { redact } from '../phone.js'
import type { DeliverySummary, Summary, Totals } from '../store/store.js'

export interface StatusOptions {
  readonly json: boolean
  readonly sinceMs: number
}

type Verdict = 'healthy' | 'degraded' | 'down'

const exitCodeOf = { healthy: exitCodes.ok, degraded: exitCodes.degraded, down: exitCodes.down } as const

/** Looks into the store, so it works whether `serve` runs or not. */
export async function status(context: Context, { json, sinceMs }: StatusOptions): Promise<ExitCode> {
  const store = await context.store()
  try {
    const now = context.clock.now()
    const summary = await store.summarize(now - sinceMs, now)
    const parked = await store.listDeliveries({ state: 'parked', limit: 10 })
    const verdict = judge(summary)
    if (json) context.io.out(JSON.stringify(toJson(summary, parked, verdict), null, 2))
    else await print(context, { summary, parked, verdict, now })
    return exitCodeOf[verdict]
  } finally {
    await store.close()
  }
}

function judge({ instances, pauses, parked }: Summary): Verdict {
  if (instances.length === 0) return 'down'
  return pauses.length > 0 || parked > 0 ? 'degraded' : 'healthy'
}

function totalsOf({ totals }: Summary, kind: DeliveryKind): Totals {
  const rows = totals.filter((row) => row.kind === kind)
  const sum = (key: keyof Totals) => rows.reduce((total, row) => total + row[key], 0)
  return {
    received: sum('received'),
    delivered: sum('delivered'),
    suppressed: sum('suppressed'),
    parked: sum('parked'),
    discarded: sum('discarded'),
    recovered: sum('recovered'),
  }
}

function toJson(summary: Summary, parked: readonly DeliverySummary[], verdict: Verdict) {
  return {
    schema_version: 1,
    verdict,
    inbound: totalsOf(summary, 'inbound-sms'),
    outbound: totalsOf(summary, 'agent-reply'),
    waiting: summary.waiting,
    oldest_waiting_at: summary.oldestWaitingAt ?? null,
    parked: summary.parked,
    dead_letters: parked.map(({ id, kind, number, attempts, receivedAt, reason, fault }) => ({
      id,
      kind,
      number,
      attempts,
      received_at: receivedAt,
      reason: reason ?? null,
      error: fault?.message ?? null,
    })),
    conflicts: summary.conflicts,
    failures: summary.failures.map(({ errorCode, count }) => ({ error_code: errorCode ?? null, count })),
    pauses: summary.pauses.map(({ shore, reason, pausedAt, until }) => ({ shore, reason, paused_at: pausedAt, until })),
    processes: summary.instances.map(({ id, startedAt, leaseUntil }) => ({
      id,
      started_at: startedAt,
      lease_until: leaseUntil,
    })),
  }
}

interface Found {
  readonly summary: Summary
  readonly parked: readonly DeliverySummary[]
  readonly verdict: Verdict
  readonly now: number
}

async function print({ io }: Context, { summary, parked, verdict, now }: Found): Promise<void> {
  const colour = await io.colour()
  const paint = { healthy: colour.green, degraded: colour.yellow, down: colour.red }[verdict]
  const running = summary.instances.length
  const who = running === 0 ? 'no serve is running' : `${running} serve running`
  io.out(`sms-bridge  ${paint(verdict.toUpperCase())}  ${who}`)
  for (const { shore, reason } of summary.pauses) io.out(`! ${shore} is paused: ${reason}`)
  const line = (label: string, value: string) => io.out(`${label.padEnd(15)}${value}`)
  line('texts in', inWords(totalsOf(summary, 'inbound-sms')))
  line('replies out', inWords(totalsOf(summary, 'agent-reply'), 'handed to Twilio'))
  const oldest = summary.oldestWaitingAt === undefined ? '' : `, oldest ${ago(now - summary.oldestWaitingAt)}`
  line('queue', `${summary.waiting} waiting${oldest}`)
  const failures = summary.failures.map(({ errorCode, count }) => `${errorCode ?? 'no code'} × ${count}`)
  if (failures.length > 0) line('not delivered', failures.join(' · '))
  if (summary.conflicts > 0) line('conflicting', `${summary.conflicts} (Twilio says both arrived and failed)`)
  if (parked.length === 0) return
  line('dead letters', `${summary.parked}${summary.parked > parked.length ? `, the newest ${parked.length}:` : ''}`)
  const rows = parked.map(({ id, kind, lane, number, receivedAt, reason, fault }) => [
    `d_${id}`,
    kind,
    number,
    redact(lane.split(':')[2] ?? ''),
    ago(now - receivedAt),
    reason ?? '',
    fault?.message ?? '',
  ])
  io.out(await io.table(['id', 'kind', 'number', 'customer', 'age', 'reason', 'error'], rows))
}

function inWords({ received, delivered, suppressed, parked }: Totals, done = 'delivered'): string {
  return `${received} received · ${delivered} ${done} · ${suppressed} suppressed · ${parked} parked`
}

function ago(ms: number): string {
  const seconds = Math.max(0, Math.round(ms / 1000))
  if (seconds < 60) return `${seconds}s`
  if (seconds < 3600) return `${Math.floor(seconds / 60)}m`
  return seconds < 86_400 ? `${Math.floor(seconds / 3600)}h` : `${Math.floor(seconds / 86_400)}d`
}
