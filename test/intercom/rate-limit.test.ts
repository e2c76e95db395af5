import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { readRateLimit, resetAfterRefusal, ruleFor } from '../../src/intercom/rate-limit.js'

/** When each of `count` calls may go if all are waiting: `burst` at once, then one each 1/perMs. */
function departures(limit: number, count: number): number[] {
  const { perMs, burst } = ruleFor(limit)
  return Array.from({ length: count }, (_, index) => Math.max(0, (index - burst + 1) / perMs))
}

/** The most of these that fall into any ten seconds. */
function busiestWindow(times: readonly number[]): number {
  const sorted = [...times].sort((a, b) => a - b)
  let first = 0
  let most = 0
  for (const [index, time] of sorted.entries()) {
    while ((sorted[first] ?? 0) <= time - 10_000) first += 1
    most = Math.max(most, index - first + 1)
  }
  return most
}

describe('the pace for a limit', () => {
  it('never puts more calls into ten seconds than allowed, whatever the wire does within 200 ms', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 1, max: 2500 }),
        fc.infiniteStream(fc.double({ min: 0, max: 200, noNaN: true })),
        (limit, delays) => {
          const arrivals = departures(limit, limit * 3 + 2).map((time) => time + Number(delays.next().value))
          expect(busiestWindow(arrivals)).toBeLessThanOrEqual(limit)
        },
      ),
    )
  })

  it('never does so when the wire holds back exactly the first calls', () => {
    for (let limit = 1; limit <= 300; limit += 1) {
      const arrivals = departures(limit, limit * 3).map((time) => (time === 0 ? 200 : time))
      expect(busiestWindow(arrivals), String(limit)).toBeLessThanOrEqual(limit)
    }
  })

  it('uses at least 95 % of what is allowed', () => {
    for (let limit = 1; limit <= 5000; limit += 1) {
      expect((ruleFor(limit).perMs * 10_000) / limit, String(limit)).toBeGreaterThanOrEqual(0.95)
    }
  })

  it('lets a fiftieth through at once, and one at the least', () => {
    expect([1, 83, 99, 100, 1666].map((limit) => ruleFor(limit).burst)).toEqual([1, 1, 1, 2, 33])
  })
})

describe('what an answer tells about the limit', () => {
  const now = 1_790_000_004_000
  const headers = (limit?: string, remaining?: string, reset?: string) =>
    new Headers(
      Object.entries({
        'x-ratelimit-limit': limit,
        'x-ratelimit-remaining': remaining,
        'x-ratelimit-reset': reset,
      }).flatMap(([name, value]) => (value === undefined ? [] : [[name, value] as [string, string]])),
    )

  it('is a new rule when it is another limit', () => {
    expect(readRateLimit(200, headers('166', '100', '1790000010'), undefined, now)).toEqual({
      limit: 166,
      rule: ruleFor(166),
    })
    expect(readRateLimit(200, headers('166', '100', '1790000010'), 166, now)).toEqual({})
  })

  it('is nothing when the headers are missing or senseless', () => {
    expect(readRateLimit(200, new Headers(), undefined, now)).toEqual({})
    expect(readRateLimit(200, headers('many', 'few', 'soon'), 83, now)).toEqual({})
    expect(readRateLimit(200, headers('0', '0'), 83, now)).toEqual({})
  })

  it('is a hold until the reset when 1 % is left', () => {
    expect(readRateLimit(200, headers('1666', '16', '1790000010'), 1666, now)).toEqual({ holdUntil: 1_790_000_010_000 })
    expect(readRateLimit(200, headers('1666', '17', '1790000010'), 1666, now)).toEqual({})
    expect(readRateLimit(200, headers('83', '0', '1790000010'), 83, now)).toEqual({ holdUntil: 1_790_000_010_000 })
  })

  it('of a window that is over holds nothing', () => {
    expect(readRateLimit(200, headers('83', '0', '1790000003'), 83, now)).toEqual({})
  })

  it('never holds longer than a window, whatever their clock says', () => {
    expect(readRateLimit(200, headers('83', '0', '1790009999'), 83, now)).toEqual({ holdUntil: now + 10_000 })
    expect(resetAfterRefusal(headers('83', '0', '1790009999'), now)).toBe(now + 10_000)
  })

  it('after a refusal holds at least a second, even if their clock is behind or silent', () => {
    expect(resetAfterRefusal(headers('83', '0', '1780000000'), now)).toBe(now + 1000)
    expect(resetAfterRefusal(headers('83', '0'), now)).toBe(now + 10_000)
  })
})
