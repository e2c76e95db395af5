// How long the two hops took, from the newest deliveries.
import type { DeliveryKind } from '../delivery.js'
import type { Asker } from './question.js'
import { newestTimes } from './questions.js'

export interface HopTimes {
  /** How many were measured. */
  readonly count: number
  /** Half of them took no longer, ms; undefined when there are none. */
  readonly p50Ms: number | undefined
  readonly p95Ms: number | undefined
}

export interface Hops {
  /** From the customer's text to the inbox. */
  readonly inbound: HopTimes
  /** From the agent's reply until it was handed over for sending. */
  readonly handedOver: HopTimes
  /** From the agent's reply until the network said that it arrived. */
  readonly arrived: HopTimes
}

/** How many ids are looked at from the newest backwards: about two thousand of each direction. */
const depth = 4_000

/** What reconciliation found or a person replayed is late for reasons of its own and does not count. */
export async function measureHops(tx: Asker, since: number, number: string | undefined): Promise<Hops> {
  const rows = (await newestTimes(tx, { depth, since })).filter((row) => number === undefined || row.number === number)
  const times = (kind: DeliveryKind, column: 'took' | 'arrived') =>
    timesOf(rows.filter((row) => row.kind === kind).flatMap((row) => row[column]?.split(' ').map(Number) ?? []))
  return {
    inbound: times('inbound-sms', 'took'),
    handedOver: times('agent-reply', 'took'),
    arrived: times('agent-reply', 'arrived'),
  }
}

function timesOf(times: readonly number[]): HopTimes {
  const sorted = times.toSorted((a, b) => a - b)
  /** The nearest rank: a time that was really taken. */
  const within = (share: number) => sorted[Math.max(0, Math.ceil(sorted.length * share) - 1)]
  return { count: sorted.length, p50Ms: within(0.5), p95Ms: within(0.95) }
}
