// Knows which shores rest, and tells one that is down from one delivery that it cannot stomach.
import type { Clock } from '../clock.js'
import type { Shore } from '../delivery.js'
import { DeliveryError, describeError } from '../errors.js'
import type { Log } from '../log.js'
import type { ShorePause, Store } from '../store/store.js'
import { pauseMs } from './retry.js'

/** A shore that takes longer to answer a harmless question is taken to be down. */
const probeMs = 5_000

export interface ShoreWatchParts {
  readonly store: Pick<Store, 'pauseShore' | 'resumeShore' | 'pauses'>
  readonly clock: Clock
  readonly log: Log
  /**
   * Asks a shore a question that changes nothing. Resolves when it answered, with whatever but a server error;
   * rejects when not.
   */
  readonly probe: (shore: Shore, signal: AbortSignal) => Promise<void>
  readonly firstPauseMs: number
  /** There may be work again. */
  readonly onResumed: () => void
}

export class ShoreWatch {
  readonly #parts: ShoreWatchParts
  /** As last seen in the store. */
  #pauses = new Map<Shore, ShorePause>()
  /** Questions that are being asked: many deliveries may want to know the same. */
  readonly #asking = new Map<Shore, Promise<boolean>>()

  constructor(parts: ShoreWatchParts) {
    this.#parts = parts
  }

  async look(): Promise<void> {
    this.#pauses = new Map((await this.#parts.store.pauses()).map((pause) => [pause.shore, pause]))
  }

  /** A vendor answered a call, whatever it said: its shore is there. */
  answered(shore: Shore): void {
    if (!this.#pauses.has(shore)) return
    this.#pauses.delete(shore)
    const { store, log, onResumed } = this.#parts
    store.resumeShore(shore).then(
      (resumed) => {
        if (resumed) log.info('shore.resumed', { shore })
        onResumed()
      },
      (error: unknown) => log.warn('shore.not-resumed', { shore, error: describeError(error) }),
    )
  }

  /**
   * Before the one delivery that a pause lets through when it has run out: a question first, because a delivery that
   * gets no answer may have been made. Resolves with until when the shore rests on, epoch ms, or undefined when it is back.
   */
  async reopen(shore: Shore): Promise<number | undefined> {
    const pause = this.#pauses.get(shore)
    // Claimed before the pause began.
    if (pause !== undefined && pause.until > this.#parts.clock.now()) return pause.until
    if (pause === undefined || (await this.#answers(shore))) return undefined
    return this.#pause(shore, `${shore} still does not answer`)
  }

  /** Until when the shore rests, epoch ms, if this failure is the shore's and not the delivery's. */
  async pauseIfDown(error: unknown): Promise<number | undefined> {
    if (!(error instanceof DeliveryError) || error.shore === undefined) return undefined
    const shore = error.shore as Shore // clients name the shore they serve
    const noAnswer = !error.deferred && (error.status === undefined || error.status >= 500)
    if (!error.pausesShore && (!noAnswer || (await this.#answers(shore)))) return undefined
    return this.#pause(shore, error.message)
  }

  async #pause(shore: Shore, reason: string): Promise<number> {
    const { store, clock, log, firstPauseMs } = this.#parts
    const now = clock.now()
    const until = now + pauseMs(this.#pauses.get(shore)?.failures ?? 0, firstPauseMs)
    await store.pauseShore(shore, reason, until, now)
    await this.look()
    log.warn('shore.paused', { shore, reason, untilMs: until })
    return until
  }

  #answers(shore: Shore): Promise<boolean> {
    const asking = this.#asking.get(shore)
    if (asking !== undefined) return asking
    const asked = this.#ask(shore).finally(() => this.#asking.delete(shore))
    this.#asking.set(shore, asked)
    return asked
  }

  async #ask(shore: Shore): Promise<boolean> {
    const { clock, probe } = this.#parts
    const over = new AbortController()
    const late = new AbortController()
    void clock.sleep(probeMs, over.signal).then(() => late.abort())
    try {
      await probe(shore, late.signal)
      this.answered(shore)
      return true
    } catch {
      // Whoever asked has an error of their own to tell.
      return false
    } finally {
      over.abort()
    }
  }
}
