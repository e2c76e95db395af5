import { expect, it } from 'vitest'
import { restoredMark } from '../../src/delivery.js'
import { onEachEngine } from '../support/stores.js'
import { aDelivery, aFault, claimAll, claimOne } from './deliveries.js'

const minuteMs = 60_000

onEachEngine('a store that was put back', (subject) => {
  it('parks what was under way until a person decides, its books in order', async () => {
    const { store } = subject
    await store.register('dead', minuteMs, 0)
    await store.ingest(aDelivery({ lane: 'comes back', dedupeKey: 'comes back' }), 0)
    const retry = { state: 'parked', reason: 'no-answer', fault: aFault, retryAt: 500, holdUntil: 400 } as const
    await store.settle(await claimOne(store, 'dead', 0), retry, 0)
    await store.ingest(aDelivery({ lane: 'in hand', dedupeKey: 'in hand' }), 0)
    await claimOne(store, 'dead', 0)
    await store.ingest(aDelivery({ lane: 'waits', dedupeKey: 'waits' }), 0)
    await store.takeDuty('reconcile:texts', 'dead', minuteMs, 0)

    expect(await store.takeUpRestored(1_000)).toEqual({ parked: 3 })
    const summary = await store.summarize(0, 1_000)
    expect([summary.waiting, summary.parked, summary.instances]).toEqual([0, 3, []])
    expect(summary.totals).toMatchObject([{ received: 3, parked: 3, delivered: 0 }])
    expect((await store.listDeliveries({ limit: 9 })).map(({ dedupeKey, reason }) => [dedupeKey, reason])).toEqual([
      ['waits', 'restored'],
      ['in hand', 'restored'],
      ['comes back', 'no-answer'],
    ])
    expect(await store.findMark(restoredMark)).toEqual({ at: 1_000, value: undefined })
    await store.register('new', minuteMs, 1_000)
    expect(await store.requeue(minuteMs)).toBe(false)
    expect(await claimAll(store, 'new', minuteMs)).toEqual([])
    expect(await store.nextDue()).toBe(undefined)
    expect(await store.takeDuty('reconcile:texts', 'new', minuteMs, 1_000)).toBe(true)
  })

  it('gives no id that was given since, and takes new deliveries as ever', async () => {
    const { store } = subject
    const first = await store.ingest(aDelivery(), 0)
    await store.takeUpRestored(1_000)
    const next = await store.ingest(aDelivery(), 1_000)
    expect(next.id).toBeGreaterThan(first.id + 1_000_000 - 1)
    await store.register('new', minuteMs, 1_000)
    expect((await claimOne(store, 'new', 1_000)).delivery.id).toBe(next.id)
  })

  it('that was empty gives no such id either', async () => {
    await subject.store.takeUpRestored(0)
    expect((await subject.store.ingest(aDelivery(), 0)).id).toBeGreaterThan(1_000_000)
  })
})
