export interface Clock {
  /** Epoch milliseconds. */
  now(): number
  /** Resolves after `ms`; resolves early, without error, when the signal aborts. */
  sleep(ms: number, signal?: AbortSignal): Promise<void>
}

export const systemClock: Clock = {
  now: () => Date.now(),
  sleep(ms, signal) {
    if (signal?.aborted) return Promise.resolve()
    return new Promise((resolve) => {
      const done = () => {
        clearTimeout(timer)
        signal?.removeEventListener('abort', done)
        resolve()
      }
      const timer = setTimeout(done, Math.min(ms, 2 ** 31 - 1))
      signal?.addEventListener('abort', done, { once: true })
    })
  },
}

/** A computer's clock is corrected by less than this without anybody having set it, ms. */
const correctionMs = 1_000
/** What is on disk may be so much ahead of now when all is well: a lease that has not run out, ms. */
const leadMs = 60_000

export interface SteadyClockParts {
  /** Epoch ms, as the machine tells it. */
  readonly wall: () => number
  /** Ms since some moment, never set. */
  readonly elapsed: () => number
  /** The latest time known from before this process began, epoch ms. */
  readonly atLeast?: number
  /** The machine's clock was set back by so much, ms: from now on we are ahead of it until it has caught up. */
  readonly onSetBack: (ms: number) => void
}

/**
 * The machine's clock, but it never goes back: what is due at a time must not wait an hour more because the clock was
 * set back by one. It follows the machine's clock wherever that goes forward.
 */
export function createSteadyClock({ wall, elapsed, atLeast, onSetBack }: SteadyClockParts): Clock {
  let last = wall()
  let lastElapsed = elapsed()
  let ahead = 0
  if (atLeast !== undefined && atLeast > last + leadMs) {
    ahead = atLeast - last
    last = atLeast
    onSetBack(ahead)
  }
  return {
    sleep: systemClock.sleep,
    now() {
      const told = wall()
      const here = elapsed()
      const expected = last + (here - lastElapsed)
      lastElapsed = here
      if (told >= expected - correctionMs) {
        ahead = 0
      } else if (told + ahead < expected - correctionMs) {
        const by = expected - (told + ahead)
        ahead += by
        onSetBack(by)
      }
      last = Math.max(last, Math.round(told + ahead))
      return last
    },
  }
}
