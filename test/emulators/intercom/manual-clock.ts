import type { TwinClock } from '../../../src/emulators/clock.js'

export interface ManualClock extends TwinClock {
  /** Moves time on, waking sleepers in their order. */
  advance(ms: number): Promise<void>
  /** Resolves once somebody sleeps for exactly this long. */
  untilSleep(ms: number): Promise<void>
}

interface Sleeper {
  readonly ms: number
  readonly dueAt: number
  wake(): void
}

export function createManualClock(start: number): ManualClock {
  let now = start
  let sleepers: Sleeper[] = []
  let watchers: { ms: number; seen: () => void }[] = []
  return {
    now: () => now,
    sleep(ms, signal) {
      if (signal?.aborted) return Promise.resolve()
      return new Promise((resolve) => {
        const sleeper = {
          ms,
          dueAt: now + ms,
          wake() {
            sleepers = sleepers.filter((one) => one !== sleeper)
            signal?.removeEventListener('abort', sleeper.wake)
            resolve()
          },
        }
        sleepers.push(sleeper)
        signal?.addEventListener('abort', sleeper.wake, { once: true })
        for (const watcher of watchers) if (watcher.ms === ms) watcher.seen()
        watchers = watchers.filter((watcher) => watcher.ms !== ms)
      })
    },
    async advance(ms) {
      const until = now + ms
      for (;;) {
        const next = sleepers.filter(({ dueAt }) => dueAt <= until).sort((a, b) => a.dueAt - b.dueAt)[0]
        if (next === undefined) break
        now = Math.max(now, next.dueAt)
        next.wake()
        // What was woken goes on before time does.
        await new Promise((resolve) => setImmediate(resolve))
      }
      now = until
    },
    untilSleep(ms) {
      if (sleepers.some((sleeper) => sleeper.ms === ms)) return Promise.resolve()
      return new Promise((seen) => watchers.push({ ms, seen }))
    },
  }
}
