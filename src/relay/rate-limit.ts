import type { Clock } from '../clock.js'
import type { Priority } from '../delivery.js'
import { DeliveryError, describeError } from '../errors.js'
import type { Log } from '../log.js'
import type { LimitRule, Store } from '../store/store.js'

/** A live call stands in line this long before its delivery is put back to wait, ms. */
const longestLine = 20_000

export interface LimitPass {
  readonly key: string
  readonly rule: LimitRule
  readonly cost: number
  readonly priority: Priority
  readonly signal: AbortSignal
}

/**
 * The rows in the store, turned into waiting. Live calls reserve a place in line; bulk takes only what is free now,
 * so that a line of live calls always goes first.
 */
export function createLimiter({ store, clock, log }: { store: Store; clock: Clock; log: Log }) {
  const learned = new Map<string, string>()
  // The call these came with has its answer already: a store that is away must not undo that.
  const write = (written: Promise<void>): Promise<void> =>
    written.catch((error: unknown) => log.warn('limit.not-written', { error: describeError(error) }))
  return {
    /** Resolves when the call may go. @throws DeliveryError, deferred, when the line is too long. */
    async pass({ key, rule, cost, priority, signal }: LimitPass): Promise<void> {
      const maxWaitMs = priority === 'live' ? longestLine : 0
      const { granted, waitMs } = await store.takeLimit({ key, rule, cost, maxWaitMs, now: clock.now() })
      if (!granted) {
        throw new DeliveryError(`the rate limit "${key}" is used up for ${Math.ceil(waitMs)} ms`, {
          outcome: 'transient',
          code: 'rate-limit',
          deferred: true,
          retryAfterMs: Math.ceil(waitMs),
        })
      }
      if (waitMs > 0) await clock.sleep(waitMs, signal)
    },
    /** The vendor's own word on its limit. */
    async learn(key: string, rule: LimitRule): Promise<void> {
      const text = `${rule.perMs}/${rule.burst}`
      if (learned.get(key) === text) return
      learned.set(key, text)
      await write(store.setLimitRule(key, rule, clock.now()))
    },
    /** Nothing passes before `until`, epoch ms. */
    async hold(key: string, until: number): Promise<void> {
      await write(store.holdLimit(key, until))
    },
  }
}
