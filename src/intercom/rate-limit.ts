// Intercom's limit: so many calls per fixed window of ten seconds, told with every answer.
import type { LimitRule } from '../store/store.js'
import type { LimitNews } from '../transport.js'

const windowMs = 10_000
/** How much later than its neighbour one call may reach Intercom than it left us. */
const jitterMs = 200
/** The lowest limit reported from the field (500 a minute): used until the first answer has told the real one. */
export const unknownLimit = 83

/**
 * The pace that never puts more than `limitPer10s` calls into any ten seconds, wherever the window begins, and still
 * uses 95 % of them: what may pass at once plus what is earned during one window (and its jitter) stays within it.
 */
export function ruleFor(limitPer10s: number): LimitRule {
  const burst = Math.max(1, Math.floor(0.02 * limitPer10s))
  const usual = (0.955 * limitPer10s) / windowMs
  if (burst + Math.floor(usual * (windowMs + jitterMs)) <= limitPer10s) return { perMs: usual, burst }
  // Below 39 a whole call more or less matters: one fewer than would be one too many.
  return { perMs: (0.99 * (limitPer10s - burst + 1)) / (windowMs + jitterMs), burst }
}

/** Reads one answer. `known` is the limit so far; undefined before the first answer. */
export function readRateLimit(
  status: number,
  headers: Headers,
  known: number | undefined,
  now: number,
): LimitNews & { readonly limit?: number } {
  const limit = countIn(headers, 'x-ratelimit-limit')
  const remaining = countIn(headers, 'x-ratelimit-remaining')
  const holdUntil = status === 429 ? resetAfterRefusal(headers, now) : resetWhenLow(headers, limit, remaining, now)
  return {
    ...(limit === undefined || limit === 0 || limit === known ? {} : { limit, rule: ruleFor(limit) }),
    ...(holdUntil === undefined ? {} : { holdUntil }),
  }
}

/** When calls may go again after a 429: the told reset, but their clock is not ours, so within one window from now. */
export function resetAfterRefusal(headers: Headers, now: number): number {
  const reset = countIn(headers, 'x-ratelimit-reset')
  return reset === undefined ? now + windowMs : Math.min(Math.max(reset * 1000, now + 1000), now + windowMs)
}

/** Other apps share the workspace's limit: when 1 % is left, the rest of the window is theirs. */
function resetWhenLow(headers: Headers, limit: number | undefined, remaining: number | undefined, now: number) {
  const reset = countIn(headers, 'x-ratelimit-reset')
  if (limit === undefined || remaining === undefined || reset === undefined) return undefined
  // A reset in the past belongs to a window that is over.
  if (remaining > limit / 100 || reset * 1000 <= now) return undefined
  return Math.min(reset * 1000, now + windowMs)
}

function countIn(headers: Headers, name: string): number | undefined {
  const text = headers.get(name)
  return text !== null && /^\d+$/.test(text) ? Number(text) : undefined
}
