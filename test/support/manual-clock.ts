import type { Clock } from '../../src/clock.js'

interface Sleeper {
  readonly at: number
  readonly wake: () => void
}

/** A clock that stands still until it is turned. */
export class ManualClock implements Clock {
  #now: number
  readonly #sleepers = new Set<Sleeper>()

  constructor(now = Date.UTC(2026, 10, 22, 12)) {
    this.#now = now
  }

  now(): number {
    return this.#now
  }

  sleep(ms: number, signal?: AbortSignal): Promise<void> {
    if (signal?.aborted) return Promise.resolve()
    return new Promise((resolve) => {
      const sleeper: Sleeper = {
        at: this.#now + ms,
        wake: () => {
          this.#sleepers.delete(sleeper)
          signal?.removeEventListener('abort', sleeper.wake)
          resolve()
        },
      }
      this.#sleepers.add(sleeper)
      signal?.addEventListener('abort', sleeper.wake, { once: true })
    })
  }

  /** The process was suspended: time has passed, and nobody has woken yet. */
  jump(ms: number): void {
    this.#now += ms
  }

  /** Turns the clock forward, waking sleepers in the order in which their time comes. */
  async advance(ms: number): Promise<void> {
    const until = this.#now + ms
    for (;;) {
      const next = [...this.#sleepers].sort((a, b) => a.at - b.at)[0]
      if (next === undefined || next.at > until) break
      this.#now = Math.max(this.#now, next.at)
      next.wake()
      // Let what was woken run up to its next sleep or its next real I/O.
      await new Promise((resolve) => setImmediate(resolve))
    }
    this.#now = until
  }
}

export interface Turn {
  readonly clock: ManualClock
  readonly stepMs: number
  /** Something that passes through the store: what the last turn set off there is over when it resolves. */
  readonly after: () => Promise<unknown>
}

/** Lets real I/O run until this holds, turning a clock where one is given. Fails after ten seconds of real time. */
export async function until(what: string, holds: () => boolean, turn?: Turn): Promise<void> {
  const deadline = Date.now() + 10_000
  while (!holds()) {
    if (Date.now() > deadline) throw new Error(`never: ${what}`)
    await turn?.clock.advance(turn.stepMs)
    for (let round = 0; round < 3; round += 1) await turn?.after()
    await new Promise((resolve) => setImmediate(resolve))
  }
}
