import { defaultRetryPolicy, type RetryPolicy } from './retry.js'

export interface RelaySettings {
  /** After a crash the dead process's lanes rest until its lease has run out, ms. */
  readonly leaseMs: number
  /** Deliveries in hand at one time, of each shore: the backlog of one never holds up the other. */
  readonly concurrency: number
  /** How many of those may be bulk. */
  readonly bulkConcurrency: number
  /** The longest sleep between looks at the store: work that another process made due is seen by then, ms. */
  readonly pollMs: number
  /** The shortest time between two looks after one that found nothing, ms. */
  readonly restMs: number
  /** How long `stop` lets deliveries in hand finish before they are broken off, ms. */
  readonly drainMs: number
  readonly retry: RetryPolicy
  /** How long a shore rests at first, ms. */
  readonly firstPauseMs: number
}

export const defaultRelaySettings: RelaySettings = {
  leaseMs: 15_000,
  concurrency: 64,
  bulkConcurrency: 32,
  pollMs: 1_000,
  // Far below what a person notices.
  restMs: 10,
  drainMs: 20_000,
  retry: defaultRetryPolicy,
  firstPauseMs: 5_000,
}
