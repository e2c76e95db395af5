import type { TwinClock } from '../clock.js'

const most = 30
const windowMs = 30_000

/** No more than 30 replies between the same two numbers within 30 seconds, whichever replies (docs/api/errors/14107). */
export interface LoopGuard {
  /** Counts the reply if it may go. */
  admits(from: string, to: string): boolean
}

export function createLoopGuard(clock: TwinClock): LoopGuard {
  const admitted = new Map<string, readonly number[]>()
  return {
    admits(from, to) {
      const pair = [from, to].sort().join('|')
      const now = clock.now()
      const recent = (admitted.get(pair) ?? []).filter((at) => now - at < windowMs)
      const admits = recent.length < most
      admitted.set(pair, admits ? [...recent, now] : recent)
      return admits
    },
  }
}
