import type { TwinClock } from '../clock.js'

const windowMs = 10_000

/** One call's place in its window. */
export interface Passage {
  readonly allowed: boolean
  readonly headers: Readonly<Record<string, string>>
}

/** Intercom spreads the limit of a minute over fixed windows of ten seconds. */
export interface RateLimit {
  readonly message: string
  pass(): Passage
  /** What the headers say when nothing is left. */
  exhausted(): Passage
  hits(): number
}

export function createRateLimit(limit: number, clock: TwinClock): RateLimit {
  let window = 0
  let used = 0
  let hits = 0
  const passage = (allowed: boolean, remaining: number): Passage => ({
    allowed,
    headers: {
      'x-ratelimit-limit': String(limit),
      'x-ratelimit-remaining': String(remaining),
      'x-ratelimit-reset': String(((Math.floor(clock.now() / windowMs) + 1) * windowMs) / 1000),
    },
  })
  return {
    message: `Exceeded rate limit of ${limit} in 10_seconds`,
    hits: () => hits,
    exhausted: () => passage(false, 0),
    pass() {
      const current = Math.floor(clock.now() / windowMs)
      if (current !== window) {
        window = current
        used = 0
      }
      if (used >= limit) {
        hits += 1
        return passage(false, 0)
      }
      used += 1
      return passage(true, limit - used)
    },
  }
}
