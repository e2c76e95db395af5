import type { TwinClock } from '../../../src/emulators/clock.js'

interface Sleeper {
  readonly at: number
  wake(): void
}

/** A clock that moves only when told to, waking sleepers in the order of their times. */
export class ManualClock implements TwinClock {
  #now: number
  #sleepers: Sleeper[] = []

  constructor(now: number) {
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
          this.#sleepers = this.#sleepers.filter((one) => one !== sleeper)
          signal?.removeEventListener('abort', sleeper.wake)
          resolve()
        },
      }
      this.#sleepers.push(sleeper)
      signal?.addEventListener('abort', sleeper.wake, { once: true })
    })
  }

  async advance(ms: number): Promise<void> {
    const end = this.#now + ms
    for (;;) {
      await settle()
      const next = this.#sleepers.filter(({ at }) => at <= end).sort((a, b) => a.at - b.at)[0]
      if (next === undefined) break
      this.#now = Math.max(this.#now, next.at)
      next.wake()
    }
    this.#now = end
  }
}

/** Lets everything that follows from a woken sleeper fall asleep again. */
function settle(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve))
}
