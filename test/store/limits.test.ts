import { describe, expect, it } from 'vitest'
import type { LimitRule, Store } from '../../src/store/store.js'
import { onEachEngine } from '../support/stores.js'

const perSecond: LimitRule = { perMs: 1 / 1000, burst: 1 }

onEachEngine('limits', (subject) => {
  const take = (facts: { now: number; rule?: LimitRule; cost?: number; maxWaitMs?: number; key?: string }) =>
    subject.store.takeLimit({ key: 'twilio', rule: perSecond, cost: 1, maxWaitMs: 0, ...facts })

  it('let the burst through at once and refuse what exceeds it, saying when to come back', async () => {
    const rule = { perMs: 1 / 1000, burst: 3 }
    for (let i = 0; i < 3; i++) expect(await take({ now: 0, rule })).toEqual({ granted: true, waitMs: 0 })
    expect(await take({ now: 0, rule })).toEqual({ granted: false, waitMs: 1000 })
    expect(await take({ now: 999, rule })).toEqual({ granted: false, waitMs: 1 })
    expect(await take({ now: 1000, rule })).toEqual({ granted: true, waitMs: 0 })
  })

  it('reserve places in the near future, one after the other, as far as asked and no further', async () => {
    expect(await take({ now: 0, maxWaitMs: 2500 })).toEqual({ granted: true, waitMs: 0 })
    expect(await take({ now: 0, maxWaitMs: 2500 })).toEqual({ granted: true, waitMs: 1000 })
    expect(await take({ now: 0, maxWaitMs: 2500 })).toEqual({ granted: true, waitMs: 2000 })
    expect(await take({ now: 0, maxWaitMs: 2500 })).toEqual({ granted: false, waitMs: 500 })
    expect(await take({ now: 500, maxWaitMs: 2500 })).toEqual({ granted: true, waitMs: 2500 })
  })

  it('charge what a call costs', async () => {
    expect(await take({ now: 0, cost: 1 })).toEqual({ granted: true, waitMs: 0 })
    expect(await take({ now: 0, cost: 3, maxWaitMs: 5000 })).toEqual({ granted: true, waitMs: 1000 })
    expect(await take({ now: 0, cost: 1, maxWaitMs: 5000 })).toEqual({ granted: true, waitMs: 4000 })
  })

  it('let through, once they are idle, a cost that no burst allows', async () => {
    expect(await take({ now: 0, cost: 10 })).toEqual({ granted: true, waitMs: 0 })
    expect(await take({ now: 9999, cost: 10 })).toEqual({ granted: false, waitMs: 1 })
    expect(await take({ now: 10_000, cost: 10 })).toEqual({ granted: true, waitMs: 0 })
  })

  it('are independent of each other', async () => {
    expect((await take({ now: 0, key: 'a' })).granted).toBe(true)
    expect((await take({ now: 0, key: 'b' })).granted).toBe(true)
    expect((await take({ now: 0, key: 'a' })).granted).toBe(false)
  })

  it('follow the rule the vendor told, from the very first call on', async () => {
    await subject.store.setLimitRule('twilio', { perMs: 1 / 10_000, burst: 2 }, 0)
    expect((await take({ now: 0 })).granted).toBe(true)
    expect((await take({ now: 0 })).granted).toBe(true)
    expect(await take({ now: 0 })).toEqual({ granted: false, waitMs: 10_000 })
    await subject.store.setLimitRule('twilio', { perMs: 1 / 100, burst: 1 }, 0)
    expect(await take({ now: 20_000 })).toEqual({ granted: true, waitMs: 0 })
    expect(await take({ now: 20_000 })).toEqual({ granted: false, waitMs: 100 })
  })

  it('follow a caller that changes its rule while the vendor is silent', async () => {
    await take({ now: 0 })
    expect(await take({ now: 1000, rule: { perMs: 1 / 5000, burst: 1 } })).toEqual({ granted: true, waitMs: 0 })
    expect(await take({ now: 1000, rule: { perMs: 1 / 5000, burst: 1 } })).toEqual({ granted: false, waitMs: 5000 })
  })

  it('let nothing through while they are held, and no more than the burst when that ends', async () => {
    await subject.store.holdLimit('twilio', 5000)
    await subject.store.holdLimit('twilio', 4000)
    expect(await take({ now: 1000 })).toEqual({ granted: false, waitMs: 4000 })
    expect(await take({ now: 1000, maxWaitMs: 4000 })).toEqual({ granted: true, waitMs: 4000 })
    expect(await take({ now: 5000 })).toEqual({ granted: false, waitMs: 1000 })
    expect(await take({ now: 6000 })).toEqual({ granted: true, waitMs: 0 })
  })

  it('tell how free they are', async () => {
    const rule = { perMs: 1 / 1000, burst: 4 }
    await subject.store.setLimitRule('never used', rule, 0)
    await take({ now: 0, rule, key: 'a' })
    for (let i = 0; i < 4; i++) await take({ now: 0, rule, key: 'b' })
    expect(await subject.store.limitHeadroom(0)).toEqual([
      { key: 'a', free: 0.75 },
      { key: 'b', free: 0 },
    ])
    expect(await subject.store.limitHeadroom(2000)).toEqual([
      { key: 'a', free: 1 },
      { key: 'b', free: 0.5 },
    ])
    await subject.store.holdLimit('a', 3000)
    expect((await subject.store.limitHeadroom(2000))[0]).toEqual({ key: 'a', free: 0 })
  })

  describe('shared by three processes', () => {
    /** When each of the calls that may go now or soon would go, asked by three stores in turn. */
    async function goTimes(stores: readonly Store[], rule: LimitRule, untilMs: number): Promise<number[]> {
      const times: number[] = []
      for (let now = 0; now < untilMs; now += 250) {
        for (let store = stores[0], i = 0; store !== undefined && i < 40; store = stores[++i % stores.length]) {
          const answer = await store.takeLimit({ key: 'intercom', rule, cost: 1, maxWaitMs: 500, now })
          if (!answer.granted) break
          times.push(now + answer.waitMs)
        }
      }
      return times
    }

    it('a burst of 20 and 63 per 10 s never passes 83 in any 10 s', async () => {
      const stores = [subject.store, await subject.another(), await subject.another()]
      const times = await goTimes(stores, { perMs: 63 / 10_000, burst: 20 }, 40_000)
      const inWindow = times.map((start) => times.filter((time) => time >= start && time < start + 10_000).length)
      expect(Math.max(...inWindow)).toBeLessThanOrEqual(83)
      expect(times.length).toBeGreaterThan(240)
    })
  })
})
