// When to try again, decided without effects.

import { type Delivery, type Fault, type Settlement, staleAfterMs } from '../delivery.js'
import { DeliveryError, describeError, StoreError } from '../errors.js'

export interface RetryPolicy {
  /** Waits between the first attempts, ms; one attempt more than this has entries, then the delivery is parked. */
  readonly waitsMs: readonly number[]
  /** How long it stays parked before it is tried again by itself, ms: the first, the second time; the last for ever. */
  readonly parkedWaitsMs: readonly number[]
  /** Added at random, as a share of the wait, so that lanes that failed together do not return together. */
  readonly jitter: number
  /** How long a lane waits for a parked delivery that will be tried again, ms from when it was first parked. */
  readonly holdMs: number
}

const minuteMs = 60_000
const hourMs = 60 * minuteMs
const storeWaitMs = 1_000

/** Less than a minute of quick ones: a person hears of a fault early, and what comes later in the lane waits little. */
export const defaultRetryPolicy: RetryPolicy = {
  waitsMs: [1_000, 5_000, 15_000, 30_000],
  parkedWaitsMs: [minuteMs, 5 * minuteMs, 15 * minuteMs, hourMs, 3 * hourMs, 6 * hourMs],
  jitter: 0.2,
  holdMs: 10 * minuteMs,
}

const withJitter = (wait: number, { jitter }: RetryPolicy, random: () => number) =>
  Math.round(wait * (1 + jitter * random()))

/** The wait before the next attempt after `attempts` spent ones, or undefined when the budget is used up. */
export function nextWait(attempts: number, policy: RetryPolicy, random: () => number): number | undefined {
  const wait = policy.waitsMs[attempts - 1]
  return wait === undefined ? undefined : withJitter(wait, policy, random)
}

export function toFault(error: unknown): Fault {
  if (!(error instanceof DeliveryError)) return { message: describeError(error), outcome: 'transient' }
  return {
    message: error.message,
    outcome: error.outcome,
    ...(error.shore !== undefined && { shore: error.shore }),
    ...(error.code !== undefined && { code: error.code }),
    ...(error.status !== undefined && { status: error.status }),
  }
}

/** What judging needs to know of a delivery. */
export type Judged = Pick<Delivery, 'kind' | 'attempts' | 'parkings' | 'replays' | 'receivedAt' | 'parkedAt'>

export interface Failure {
  readonly error: unknown
  readonly delivery: Judged
  readonly now: number
  readonly random: () => number
  readonly policy: RetryPolicy
  /** Set when the whole shore is paused: the attempt is not spent and waits until then. */
  readonly pausedUntil: number | undefined
}

/** How a failed attempt ends: again later, or parked, for a while or for a person. */
export function judge(failure: Failure): Settlement {
  const { error, delivery, now, random, policy, pausedUntil } = failure
  const fault = toFault(error)
  if (pausedUntil !== undefined) return { state: 'ready', runAt: pausedUntil, spent: false, fault }
  // Nothing the delivery could help: it waits for the disk or the database.
  if (error instanceof StoreError) return { state: 'ready', runAt: now + storeWaitMs, spent: false, fault }
  if (error instanceof DeliveryError && error.unprovable) return park('unprovable', fault, failure)
  const deferMs = error instanceof DeliveryError && error.deferred ? (error.retryAfterMs ?? 1_000) : undefined
  if (deferMs !== undefined) return { state: 'ready', runAt: now + deferMs, spent: false, fault }
  if (fault.outcome === 'permanent') return { state: 'parked', reason: fault.code ?? 'refused', fault }
  const wait = delivery.parkings > 0 ? undefined : nextWait(delivery.attempts + 1, policy, random)
  if (wait === undefined) return park(reasonOf(fault), fault, failure)
  const atLeast = error instanceof DeliveryError ? (error.retryAfterMs ?? 0) : 0
  return { state: 'ready', runAt: now + Math.max(wait, atLeast), spent: true, fault }
}

/** What a person groups dead letters by: the vendor's own code where there is one. */
function reasonOf({ code, status, shore }: Fault): string {
  if (code !== undefined) return code
  if (shore === undefined) return 'bug'
  if (status === undefined) return 'no-answer'
  return status >= 500 ? 'server-error' : 'gateway'
}

/** It comes back by itself until it is stale; one that a person has replayed only when a person says so again. */
function park(reason: string, fault: Fault, { delivery, now, random, policy }: Failure): Settlement {
  const { kind, parkings, parkedAt = now, replays, receivedAt } = delivery
  const waits = policy.parkedWaitsMs
  const wait = waits[Math.min(parkings, waits.length - 1)]
  const retryAt = wait === undefined ? undefined : now + withJitter(wait, policy, random)
  if (retryAt === undefined || replays > 0 || retryAt > receivedAt + staleAfterMs[kind]) {
    return { state: 'parked', reason, fault }
  }
  return { state: 'parked', reason, fault, retryAt, holdUntil: parkedAt + policy.holdMs }
}

/** How long a shore rests: `firstMs`, doubling to a minute. `failures` counts pauses in a row before this one. */
export function pauseMs(failures: number, firstMs: number): number {
  return Math.min(minuteMs, firstMs * 2 ** Math.min(failures, 10))
}
