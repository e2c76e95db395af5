// When to try again, decided without effects.

import type { Fault, Settlement } from '../delivery.js'
import { DeliveryError, describeError } from '../errors.js'

export interface RetryPolicy {
  /** Waits between attempts, ms; one attempt more than this has entries, then the delivery is parked. */
  readonly waitsMs: readonly number[]
  /** Added at random, as a share of the wait, so that lanes that failed together do not return together. */
  readonly jitter: number
}

/** About eleven minutes in all: long enough for a deploy or a blip, short enough that a person hears of it. */
export const defaultRetryPolicy: RetryPolicy = {
  waitsMs: [1_000, 5_000, 15_000, 30_000, 60_000, 180_000, 360_000],
  jitter: 0.2,
}

/** The wait before the next attempt after `attempts` spent ones, or undefined when the budget is used up. */
export function nextWait(attempts: number, policy: RetryPolicy, random: () => number): number | undefined {
  const wait = policy.waitsMs[attempts - 1]
  return wait === undefined ? undefined : Math.round(wait * (1 + policy.jitter * random()))
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

export interface Failure {
  readonly error: unknown
  /** Attempts spent before this one. */
  readonly attempts: number
  readonly now: number
  readonly random: () => number
  readonly policy: RetryPolicy
  /** Set when the whole shore is paused: the attempt is not spent and waits until then. */
  readonly pausedUntil: number | undefined
}

/** How a failed attempt ends: again later, or parked for a person. */
export function judge({ error, attempts, now, random, policy, pausedUntil }: Failure): Settlement {
  const fault = toFault(error)
  if (pausedUntil !== undefined) return { state: 'ready', runAt: pausedUntil, spent: false, fault }
  const deferMs = error instanceof DeliveryError && error.deferred ? (error.retryAfterMs ?? 1_000) : undefined
  if (deferMs !== undefined) return { state: 'ready', runAt: now + deferMs, spent: false, fault }
  if (fault.outcome === 'permanent') return { state: 'parked', reason: fault.code ?? 'refused', fault }
  const wait = nextWait(attempts + 1, policy, random)
  if (wait === undefined) {
    const reason = fault.outcome === 'ambiguous' ? 'unconfirmed' : (fault.code ?? 'attempts used up')
    return { state: 'parked', reason, fault }
  }
  const atLeast = error instanceof DeliveryError ? (error.retryAfterMs ?? 0) : 0
  return { state: 'ready', runAt: now + Math.max(wait, atLeast), spent: true, fault }
}

/** How long a shore rests: `firstMs`, doubling to a minute. `failures` counts pauses in a row before this one. */
export function pauseMs(failures: number, firstMs: number): number {
  return Math.min(60_000, firstMs * 2 ** Math.min(failures, 10))
}
