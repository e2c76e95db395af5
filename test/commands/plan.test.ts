import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { schedule } from '../../src/commands/dlq/plan.js'
import { shortTime } from '../../src/commands/times.js'

const item = (id: number, lane: string, rank: string, receivedAt: number) => ({ id, lane, rank, receivedAt })

describe('a replay’s times', () => {
  it('come one after the other at the rate, the oldest first', () => {
    const items = [item(1, 'a', '', 30), item(2, 'b', '', 10), item(3, 'c', '', 20)]
    expect(schedule(items, { startAt: 1_000, everyMs: 500 })).toEqual([
      { id: 2, at: 1_000 },
      { id: 3, at: 1_500 },
      { id: 1, at: 2_000 },
    ])
  })

  it('keep the order of a lane though what came later goes first in it', () => {
    const items = [item(1, 'a', '2', 10), item(2, 'b', '', 20), item(3, 'a', '1', 30)]
    expect(schedule(items, { startAt: 0, everyMs: 100 })).toEqual([
      { id: 3, at: 0 },
      { id: 2, at: 100 },
      { id: 1, at: 200 },
    ])
  })

  it('rise within every lane in its order, and hold each dead letter once, whatever the rate', () => {
    const some = fc.uniqueArray(
      fc.record({
        id: fc.integer({ min: 1, max: 500 }),
        lane: fc.constantFrom('a', 'b', 'c'),
        rank: fc.constantFrom('', '1', '2', 'é', '😀', '\uffff'),
        receivedAt: fc.integer({ min: 0, max: 50 }),
      }),
      { selector: ({ id }) => id, maxLength: 60 },
    )
    fc.assert(
      fc.property(some, fc.constantFrom(0, 0.1, 1, 500), (items, everyMs) => {
        const times = new Map(schedule(items, { startAt: 7, everyMs }).map(({ id, at }) => [id, at]))
        expect([...times.keys()].sort((a, b) => a - b)).toEqual(items.map(({ id }) => id).sort((a, b) => a - b))
        const rank = (text: string) => Buffer.from(text)
        const ordered = items.toSorted((a, b) => Buffer.compare(rank(a.rank), rank(b.rank)) || a.id - b.id)
        for (const lane of ['a', 'b', 'c']) {
          const at = ordered.filter((one) => one.lane === lane).map(({ id }) => times.get(id) ?? Number.NaN)
          expect(at.every((time, index) => time >= 7 && (index === 0 || time > (at[index - 1] ?? 0)))).toBe(true)
        }
      }),
    )
  })
})

it('a time of another day is told with its day', () => {
  const noon = new Date(2026, 10, 22, 12, 0).getTime()
  expect(shortTime(new Date(2026, 10, 22, 0, 5).getTime(), noon)).toBe('00:05')
  expect(shortTime(new Date(2026, 10, 21, 23, 59).getTime(), noon)).toBe('21 Nov 23:59')
})
