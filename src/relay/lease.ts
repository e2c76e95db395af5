import type { Clock } from '../clock.js'
import { describeError } from '../errors.js'
import type { Log } from '../log.js'
import type { InstanceId, Store } from '../store/store.js'
import { LeaseLost } from './effect.js'

export interface LeaseParts {
  readonly store: Store
  readonly clock: Clock
  readonly log: Log
  readonly leaseMs: number
  readonly newInstanceId: () => InstanceId
}

/** Keeps this process's lease alive and says when it may no longer act under it. */
export class Lease {
  readonly #parts: LeaseParts
  #instance: InstanceId
  #renewedAt = Number.NEGATIVE_INFINITY
  #onLost: () => Promise<void> = async () => {}
  #beating: Promise<void> = Promise.resolve()
  readonly #stopped = new AbortController()

  constructor(parts: LeaseParts) {
    this.#parts = parts
    this.#instance = parts.newInstanceId()
  }

  get instance(): InstanceId {
    return this.#instance
  }

  /** `onLost` must end everything begun under the old lease; only then is a new one taken. */
  async start(onLost: () => Promise<void>): Promise<void> {
    this.#onLost = onLost
    await this.#register()
    this.#beating = this.#beat()
  }

  /**
   * Throws when the lease is older than two thirds of its life. A call that is on the wire cannot be fenced at the
   * vendor, so nothing is sent so late that another process might already have taken the lane.
   */
  guard(instance: InstanceId): void {
    const age = this.#parts.clock.now() - this.#renewedAt
    if (instance !== this.#instance || age > (this.#parts.leaseMs * 2) / 3) throw new LeaseLost()
  }

  async stop(): Promise<void> {
    this.#stopped.abort()
    await this.#beating
    try {
      await this.#parts.store.unregister(this.#instance, this.#parts.clock.now())
    } catch (error) {
      // It runs out by itself.
      this.#parts.log.warn('lease.not-given-up', { error: describeError(error) })
    }
  }

  async #register(): Promise<void> {
    const now = this.#parts.clock.now()
    await this.#parts.store.register(this.#instance, this.#parts.leaseMs, now)
    this.#renewedAt = now
  }

  async #beat(): Promise<void> {
    const { store, clock, log, leaseMs, newInstanceId } = this.#parts
    const { signal } = this.#stopped
    while (!signal.aborted) {
      await clock.sleep(leaseMs / 3, signal)
      if (signal.aborted) return
      try {
        // Counted from before the write: what the store knows can only be later.
        const now = clock.now()
        if (await store.heartbeat(this.#instance, leaseMs, now)) {
          this.#renewedAt = now
          continue
        }
        log.warn('lease.lost', { instance: this.#instance })
        await this.#onLost()
        this.#instance = newInstanceId()
        await this.#register()
      } catch (error) {
        log.error('lease.heartbeat-failed', { error: describeError(error) })
      }
    }
  }
}
