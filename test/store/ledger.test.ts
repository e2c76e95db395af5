import { describe, expect, it } from 'vitest'
import type { Settlement, Shore } from '../../src/delivery.js'
import { onEachEngine } from '../support/stores.js'
import { aDelivery, aFault, claimAll, claimOne, ours } from './deliveries.js'

const delivered: Settlement = { state: 'delivered', result: { conversation: '77' } }
const retryAt = (runAt: number, spent = true): Settlement => ({ state: 'ready', runAt, spent, fault: aFault })

onEachEngine('the ledger', (subject) => {
  describe('ingest', () => {
    it('gives a new delivery an id and says it is no duplicate', async () => {
      const { id, duplicate } = await subject.store.ingest(aDelivery(), 1000)
      expect(duplicate).toBe(false)
      expect(id).toBeGreaterThan(0)
    })

    it('knows a delivery by its dedupe key, whatever else it says, and answers with the first id', async () => {
      const first = await subject.store.ingest(aDelivery({ dedupeKey: 'twilio:SM1' }), 1000)
      const again = await subject.store.ingest(aDelivery({ dedupeKey: 'twilio:SM1', lane: 'elsewhere' }), 2000)
      expect(again).toEqual({ id: first.id, duplicate: true })
    })

    it('tells calls made together apart: one of each key is new, the others are its duplicates', async () => {
      const a = aDelivery()
      const b = aDelivery()
      const answers = await Promise.all([a, b, a, a].map((delivery) => subject.store.ingest(delivery, 1000)))
      expect(answers.map(({ duplicate }) => duplicate)).toEqual([false, false, true, true])
      expect(answers[2]?.id).toBe(answers[0]?.id)
      expect(answers[3]?.id).toBe(answers[0]?.id)
      expect(answers[1]?.id).not.toBe(answers[0]?.id)
    })

    it('keeps every word of the payload', async () => {
      const { store } = subject
      const delivery = aDelivery({ number: ours })
      const payload = { ...delivery.payload, body: `quotes ' " \\ a null \u0000 and half an emoji \ud83d`, city: '' }
      await store.register('me', 1000, 0)
      await store.ingest({ ...delivery, payload }, 500)
      const { delivery: kept } = await claimOne(store, 'me', 500)
      expect(kept).toEqual({
        ...delivery,
        payload,
        id: kept.id,
        state: 'ready',
        attempts: 0,
        parkings: 0,
        replays: 0,
        receivedAt: 500,
        steps: {},
      })
    })

    it('lists the keys under which nothing has come to an end, in the order given', async () => {
      const { store } = subject
      await store.register('me', 9000, 0)
      await store.ingest(aDelivery({ dedupeKey: 'twilio:SM2', lane: 'a' }), 1000)
      const settled = await claimOne(store, 'me', 1000)
      await store.settle(settled, { state: 'suppressed', reason: 'nothing to send' }, 1000)
      await store.ingest(aDelivery({ dedupeKey: 'twilio:SM3', lane: 'b' }), 1000)
      expect(await store.unsettled(['twilio:SM9', 'twilio:SM2', 'twilio:SM3', 'twilio:SM1'], 1000)).toEqual([
        'twilio:SM9',
        'twilio:SM3',
        'twilio:SM1',
      ])
      expect(await store.unsettled([], 1000)).toEqual([])
      const held = await claimOne(store, 'me', 1000)
      const back = { reason: 'no-answer', fault: aFault, retryAt: 5000, holdUntil: 3000 }
      await store.settle(held, { state: 'parked', ...back }, 1000)
      expect(await store.unsettled(['twilio:SM3'], 2999)).toEqual(['twilio:SM3'])
      expect(await store.unsettled(['twilio:SM3'], 3000)).toEqual([])
    })

    it('lists what has not come to an end in a lane before a rank, in its order', async () => {
      const { store } = subject
      const ranked = (rank: string, lane = 'a') => aDelivery({ rank, lane, dedupeKey: `twilio:SM${lane}${rank}` })
      for (const one of [ranked('3'), ranked('1'), ranked('2'), ranked('0', 'b')]) await store.ingest(one, 1000)
      expect(await store.unsettledBefore('a', '3', 1000)).toEqual(['twilio:SMa1', 'twilio:SMa2'])
      await store.register('me', 9000, 0)
      const head = (await claimAll(store, 'me', 1000)).find(({ delivery }) => delivery.lane === 'a')
      if (head === undefined) throw new Error('nothing is due')
      const back = { reason: 'no-answer', fault: aFault, retryAt: 5000, holdUntil: 3000 }
      await store.settle(head, { state: 'parked', ...back }, 1000)
      expect(await store.unsettledBefore('a', '3', 2999)).toEqual(['twilio:SMa1', 'twilio:SMa2'])
      expect(await store.unsettledBefore('a', '3', 3000)).toEqual(['twilio:SMa2'])
      expect(await store.unsettledBefore('c', '3', 1000)).toEqual([])
    })

    it('spoils nobody else when one of the calls made together cannot be stored', async () => {
      const { store } = subject
      const impossible = aDelivery({ lane: 'c', number: null as unknown as string }) // what the types forbid
      const [good, bad, alsoGood] = await Promise.allSettled([
        store.ingest(aDelivery({ lane: 'a' }), 1000),
        store.ingest(impossible, 1000),
        store.ingest(aDelivery({ lane: 'b' }), 1000),
      ])
      expect([good.status, bad.status, alsoGood.status]).toEqual(['fulfilled', 'rejected', 'fulfilled'])
      const lanes = await subject.place.sql('select lane from lanes order by lane')
      expect(lanes.map(({ lane }) => lane)).toEqual(['a', 'b'])
      expect((await store.summarize(0, 1000)).waiting).toBe(2)
    })
  })

  describe('claim', () => {
    it('gives nothing to an instance that is not registered or whose lease has run out', async () => {
      const { store } = subject
      await store.ingest(aDelivery(), 0)
      expect(await claimAll(store, 'stranger', 0)).toEqual([])
      await store.register('me', 1000, 0)
      expect(await claimAll(store, 'me', 1000)).toEqual([])
      expect(await claimAll(store, 'me', 999)).toHaveLength(1)
    })

    it('gives one delivery of a lane at a time, in order of arrival', async () => {
      const { store } = subject
      await store.register('me', 1000, 0)
      const ids = []
      for (let i = 0; i < 3; i++) ids.push((await store.ingest(aDelivery(), 0)).id)
      const order = []
      for (let i = 0; i < 3; i++) {
        const claimed = await claimOne(store, 'me', 0)
        expect(await claimAll(store, 'me', 0)).toEqual([])
        order.push(claimed.delivery.id)
        await store.settle(claimed, delivered, 0)
      }
      expect(order).toEqual(ids)
      expect(await claimAll(store, 'me', 0)).toEqual([])
    })

    it('keeps the order of calls made together, whatever their keys', async () => {
      const { store } = subject
      await store.register('me', 1000, 0)
      const keys = Array.from({ length: 70 }, (_, i) => `key ${(i * 37) % 70}`)
      await Promise.all(keys.map((dedupeKey) => store.ingest(aDelivery({ dedupeKey }), 0)))
      const order = []
      for (const _ of keys) {
        const claimed = await claimOne(store, 'me', 0)
        order.push(claimed.delivery.dedupeKey)
        await store.settle(claimed, delivered, 0)
      }
      expect(order).toEqual(keys)
    })

    it('puts rank, compared byte by byte, before arrival', async () => {
      const { store } = subject
      await store.register('me', 1000, 0)
      const ranks = ['\u{1F600}', 'b', '\uFF01', 'B', 'b', 'a~', 'a']
      for (const rank of ranks) await store.ingest(aDelivery({ rank }), 0)
      const order = []
      for (const _ of ranks) {
        const claimed = await claimOne(store, 'me', 0)
        order.push(claimed.delivery.rank)
        await store.settle(claimed, delivered, 0)
      }
      expect(order).toEqual(['B', 'a', 'a~', 'b', 'b', '\uFF01', '\u{1F600}'])
    })

    it('takes live lanes before bulk ones, and no more bulk than allowed', async () => {
      const { store } = subject
      await store.register('me', 1000, 0)
      for (const lane of ['b1', 'b2', 'b3']) await store.ingest(aDelivery({ lane, priority: 'bulk' }), 0)
      for (const lane of ['l1', 'l2']) await store.ingest(aDelivery({ lane }), 5)
      const first = await store.claim({ instance: 'me', limit: 3, bulkLimit: 1, now: 5 })
      expect(first.map(({ delivery }) => delivery.lane)).toEqual(['l1', 'l2', 'b1'])
      expect(await store.claim({ instance: 'me', limit: 9, bulkLimit: 0, now: 5 })).toEqual([])
      const rest = await store.claim({ instance: 'me', limit: 9, bulkLimit: 9, now: 5 })
      expect(rest.map(({ delivery }) => delivery.lane)).toEqual(['b2', 'b3'])
    })

    it('lifts a bulk lane to live while somebody waits in it', async () => {
      const { store } = subject
      await store.register('me', 1000, 0)
      await store.ingest(aDelivery({ lane: 'a', priority: 'bulk' }), 0)
      await store.ingest(aDelivery({ lane: 'b', priority: 'bulk' }), 0)
      await store.ingest(aDelivery({ lane: 'b', priority: 'live' }), 1)
      const claimed = await store.claim({ instance: 'me', limit: 1, bulkLimit: 0, now: 1 })
      expect(claimed.map(({ delivery }) => [delivery.lane, delivery.priority])).toEqual([['b', 'bulk']])
    })

    it('takes the lanes that have waited longest, of either shore', async () => {
      const { store } = subject
      await store.register('me', 1000, 0)
      await store.ingest(aDelivery({ lane: 'c', shore: 'twilio' }), 3)
      await store.ingest(aDelivery({ lane: 'b', shore: 'intercom' }), 2)
      await store.ingest(aDelivery({ lane: 'a', shore: 'twilio' }), 1)
      const one = await store.claim({ instance: 'me', limit: 1, bulkLimit: 1, now: 5 })
      const two = await store.claim({ instance: 'me', limit: 1, bulkLimit: 1, now: 5 })
      expect([...one, ...two].map(({ delivery }) => delivery.lane)).toEqual(['a', 'b'])
    })

    it('takes of each shore at most what it is told, and leaves the other its places', async () => {
      const { store } = subject
      await store.register('me', 1000, 0)
      for (const lane of ['i1', 'i2', 'i3']) await store.ingest(aDelivery({ lane, shore: 'intercom' }), 0)
      await store.ingest(aDelivery({ lane: 'i4', shore: 'intercom', priority: 'bulk' }), 0)
      for (const lane of ['t1', 't2']) await store.ingest(aDelivery({ lane, shore: 'twilio' }), 5)
      const claim = async (limit: number, atMost: Partial<Record<Shore, number>>) => {
        const claimed = await store.claim({ instance: 'me', limit, bulkLimit: 9, atMost, now: 5 })
        return claimed.map(({ delivery }) => delivery.lane)
      }
      expect(await claim(2, { intercom: 1, twilio: 9 })).toEqual(['i1', 't1'])
      expect(await claim(9, { intercom: 0, twilio: 0 })).toEqual([])
      expect(await claim(9, { intercom: 2, twilio: -1 })).toEqual(['i2', 'i3'])
      expect(await claim(9, { intercom: 0 })).toEqual(['t2'])
      expect(await claim(9, { intercom: 9 })).toEqual(['i4'])
    })

    it('whose answer was lost is undone: what is in hand is kept, the rest is free', async () => {
      const { store } = subject
      await store.register('me', 1000, 0)
      await store.register('other', 1000, 0)
      const lanesOf = async (instance: string) =>
        (await claimAll(store, instance, 0)).map(({ delivery }) => delivery.lane)
      await store.ingest(aDelivery({ lane: 'theirs' }), 0)
      expect(await lanesOf('other')).toEqual(['theirs'])
      for (const lane of ['a', 'b', 'c']) await store.ingest(aDelivery({ lane }), 0)
      const [inHand] = await claimAll(store, 'me', 0)
      await store.release('me', ['a'])
      expect(await lanesOf('other')).toEqual(['b', 'c'])
      expect(inHand?.delivery.lane).toBe('a')
      expect(inHand && (await store.settle(inHand, retryAt(1), 0))).toBe(true)
      expect(await claimAll(store, 'me', 1)).toHaveLength(1)
      await store.release('me', [])
      expect((await claimOne(store, 'me', 1)).delivery.lane).toBe('a')
    })

    it('passes over lanes that a duplicate has woken, and puts them to sleep', async () => {
      const { store } = subject
      await store.register('me', 1000, 0)
      const told = Array.from({ length: 5 }, (_, i) => aDelivery({ lane: `told ${i}` }))
      for (const delivery of told) await store.ingest(delivery, 0)
      for (const claimed of await claimAll(store, 'me', 0)) await store.settle(claimed, delivered, 0)
      expect(await store.nextDue()).toBe(undefined)
      for (const delivery of told) await store.ingest(delivery, 1)
      await store.ingest(aDelivery({ lane: 'new' }), 2)
      expect(await store.nextDue()).toBe(1)
      const claimed = await store.claim({ instance: 'me', limit: 1, bulkLimit: 1, now: 2 })
      expect(claimed.map(({ delivery }) => delivery.lane)).toEqual(['new'])
      expect(await store.nextDue()).toBe(undefined)
    })
  })

  describe('settle', () => {
    it('takes in what comes along, or nothing when the lane is no longer ours', async () => {
      const { store } = subject
      await store.register('me', 5, 0)
      await store.ingest(aDelivery({ lane: 'a' }), 0)
      const mine = await claimOne(store, 'me', 0)
      const also = aDelivery({ lane: 'b' })
      await store.register('you', 9000, 10)
      await store.heartbeat('you', 9000, 10)
      expect(await store.settle(mine, delivered, 10, [also])).toBe(false)
      expect(await store.unseen([also.dedupeKey])).toEqual([also.dedupeKey])
      const theirs = await claimOne(store, 'you', 10)
      expect(await store.settle(theirs, delivered, 10, [also])).toBe(true)
      expect((await claimOne(store, 'you', 10)).delivery.dedupeKey).toBe(also.dedupeKey)
      const { totals } = await store.summarize(0, 10)
      expect(totals.reduce((sum, { received }) => sum + received, 0)).toBe(2)
    })

    it('writes nothing for a lane that is no longer ours', async () => {
      const { store } = subject
      await store.register('me', 10, 0)
      await store.register('other', 1000, 0)
      await store.ingest(aDelivery(), 0)
      const mine = await claimOne(store, 'me', 0)
      expect(await store.heartbeat('other', 1000, 10)).toBe(true)
      const theirs = await claimOne(store, 'other', 10)
      expect(await store.settle(mine, delivered, 10)).toBe(false)
      expect(await store.beginStep(mine, 'reply', 10)).toBe(false)
      expect(await store.finishStep(mine, 'reply', 1, 10)).toBe(false)
      expect(await store.dropStep(mine, 'reply')).toBe(false)
      expect(await store.settle(theirs, delivered, 10)).toBe(true)
    })

    it('takes one settlement per claim, even from the holder of the lane', async () => {
      const { store } = subject
      await store.register('me', 1000, 0)
      await store.ingest(aDelivery(), 0)
      await store.ingest(aDelivery(), 0)
      const first = await claimOne(store, 'me', 0)
      expect(await store.settle(first, delivered, 0)).toBe(true)
      await claimOne(store, 'me', 0)
      expect(await store.settle(first, delivered, 0)).toBe(false)
      expect(await claimAll(store, 'me', 0)).toEqual([])
    })

    it('holds the whole lane back while its head waits to be tried again', async () => {
      const { store } = subject
      await store.register('me', 10_000, 0)
      const { id } = await store.ingest(aDelivery(), 0)
      await store.settle(await claimOne(store, 'me', 0), retryAt(500), 0)
      await store.ingest(aDelivery(), 100)
      expect(await store.nextDue()).toBe(500)
      expect(await claimAll(store, 'me', 499)).toEqual([])
      const again = await claimOne(store, 'me', 500)
      expect([again.delivery.id, again.delivery.attempts]).toEqual([id, 1])
      await store.settle(again, delivered, 500)
      expect(await store.nextDue()).toBe(500)
    })

    it('lets an earlier-ranked latecomer go first and still honours the back-off behind it', async () => {
      const { store } = subject
      await store.register('me', 10_000, 0)
      await store.ingest(aDelivery({ rank: '2' }), 0)
      await store.settle(await claimOne(store, 'me', 0), retryAt(900), 0)
      await store.settle(await claimOne(store, 'me', 900), retryAt(5000), 900)
      await store.ingest(aDelivery({ rank: '1' }), 1000)
      const early = await claimOne(store, 'me', 5000)
      expect(early.delivery.rank).toBe('1')
      await store.settle(early, delivered, 5000)
      expect(await store.nextDue()).toBe(5000)
    })

    it('spends an attempt only when told to', async () => {
      const { store } = subject
      await store.register('me', 1000, 0)
      await store.ingest(aDelivery(), 0)
      await store.settle(await claimOne(store, 'me', 0), retryAt(1, false), 0)
      await store.settle(await claimOne(store, 'me', 1), retryAt(2, true), 1)
      await store.settle(await claimOne(store, 'me', 2), retryAt(3, false), 2)
      expect((await claimOne(store, 'me', 3)).delivery.attempts).toBe(1)
    })

    it('frees the lane for the next one when the head is parked or suppressed', async () => {
      const { store } = subject
      await store.register('me', 1000, 0)
      for (let i = 0; i < 3; i++) await store.ingest(aDelivery(), i)
      await store.settle(await claimOne(store, 'me', 5), { state: 'parked', reason: 'refused', fault: aFault }, 5)
      await store.settle(await claimOne(store, 'me', 5), { state: 'suppressed', reason: 'opted out' }, 6)
      expect((await claimOne(store, 'me', 6)).delivery.receivedAt).toBe(2)
    })

    it('wakes a lane whose next delivery arrived while its head was in hand', async () => {
      const { store } = subject
      await store.register('me', 1000, 0)
      await store.ingest(aDelivery(), 0)
      const head = await claimOne(store, 'me', 0)
      await store.ingest(aDelivery(), 1)
      expect(await store.nextDue()).toBe(undefined)
      await store.settle(head, delivered, 2)
      expect(await store.nextDue()).toBe(2)
    })

    it('writes one line of history per attempt', async () => {
      const { store, place } = subject
      await store.register('me', 1000, 0)
      await store.ingest(aDelivery(), 0)
      await store.settle(await claimOne(store, 'me', 0), retryAt(1), 0)
      await store.settle(await claimOne(store, 'me', 1), delivered, 1)
      const rows = await place.sql('select state, ended_at, fault from attempts order by ended_at')
      expect(rows.map((row) => [row.state, Number(row.ended_at), row.fault])).toEqual([
        ['ready', 0, JSON.stringify(aFault)],
        ['delivered', 1, null],
      ])
    })
  })

  describe('steps', () => {
    it('come back with the next claim: begun, done with what they made, or gone', async () => {
      const { store } = subject
      await store.register('me', 1000, 0)
      await store.ingest(aDelivery(), 0)
      const claimed = await claimOne(store, 'me', 0)
      expect(await store.beginStep(claimed, 'contact', 1)).toBe(true)
      expect(await store.finishStep(claimed, 'contact', { id: 'c1' }, 2)).toBe(true)
      expect(await store.beginStep(claimed, 'reply', 3)).toBe(true)
      expect(await store.beginStep(claimed, 'note', 4)).toBe(true)
      expect(await store.dropStep(claimed, 'note')).toBe(true)
      expect(await store.finishStep(claimed, 'tag', undefined, 5)).toBe(true)
      await store.settle(claimed, retryAt(6), 5)
      expect((await claimOne(store, 'me', 6)).delivery.steps).toEqual({
        contact: { begunAt: 1, doneAt: 2, value: { id: 'c1' } },
        reply: { begunAt: 3 },
        tag: { begunAt: 5, doneAt: 5 },
      })
    })

    it('survive the process that wrote them', async () => {
      const { store } = subject
      await store.register('me', 10, 0)
      await store.register('next', 1000, 0)
      await store.ingest(aDelivery(), 0)
      await store.beginStep(await claimOne(store, 'me', 0), 'send', 1)
      await store.heartbeat('next', 1000, 10)
      expect((await claimOne(store, 'next', 10)).delivery.steps).toEqual({ send: { begunAt: 1 } })
    })

    it('can be begun anew', async () => {
      const { store } = subject
      await store.register('me', 1000, 0)
      await store.ingest(aDelivery(), 0)
      const claimed = await claimOne(store, 'me', 0)
      await store.finishStep(claimed, 'send', 'SM1', 1)
      await store.beginStep(claimed, 'send', 2)
      await store.settle(claimed, retryAt(3), 2)
      expect((await claimOne(store, 'me', 3)).delivery.steps).toEqual({ send: { begunAt: 2 } })
    })
  })

  describe('leases', () => {
    it('end: the lanes of the dead are free again and their instance is forgotten', async () => {
      const { store } = subject
      await store.register('dead', 10, 0)
      await store.register('alive', 1000, 0)
      const { id } = await store.ingest(aDelivery(), 0)
      await claimOne(store, 'dead', 0)
      expect(await claimAll(store, 'alive', 9)).toEqual([])
      expect(await store.heartbeat('alive', 1000, 9)).toBe(true)
      expect(await claimAll(store, 'alive', 9)).toEqual([])
      expect(await store.heartbeat('alive', 1000, 10)).toBe(true)
      expect((await claimOne(store, 'alive', 10)).delivery.id).toBe(id)
      expect((await store.summarize(0, 10)).instances).toEqual([{ id: 'alive', startedAt: 0, leaseUntil: 1010 }])
    })

    it('cannot be extended once they have run out', async () => {
      const { store } = subject
      await store.register('me', 10, 0)
      expect(await store.heartbeat('me', 10, 9)).toBe(true)
      expect(await store.heartbeat('me', 10, 19)).toBe(false)
      expect(await store.heartbeat('me', 10, 19)).toBe(false)
      expect(await store.heartbeat('nobody', 10, 19)).toBe(false)
    })

    it('can be given up with everything held under them', async () => {
      const { store } = subject
      await store.register('me', 1000, 0)
      await store.register('other', 1000, 0)
      for (const lane of ['a', 'b']) await store.ingest(aDelivery({ lane }), 0)
      expect(await claimAll(store, 'me', 0)).toHaveLength(2)
      await store.unregister('me', 20)
      expect(await claimAll(store, 'me', 0)).toEqual([])
      expect(await claimAll(store, 'other', 0)).toHaveLength(2)
    })
  })

  describe('shores', () => {
    it('keep their lanes while they are paused, and only theirs', async () => {
      const { store } = subject
      await store.register('me', 1000, 0)
      await store.ingest(aDelivery({ lane: 'a', shore: 'intercom' }), 0)
      await store.ingest(aDelivery({ lane: 'b', shore: 'twilio' }), 0)
      await store.pauseShore('intercom', 'credentials refused', 100, 0)
      expect((await claimAll(store, 'me', 99)).map(({ delivery }) => delivery.lane)).toEqual(['b'])
      expect(await store.nextDue()).toBe(0)
    })

    it('are probed with one delivery at a time once the pause has run out, whoever asks', async () => {
      const { store } = subject
      await store.register('me', 1000, 0)
      await store.register('other', 1000, 0)
      for (const lane of ['a', 'b', 'c']) await store.ingest(aDelivery({ lane }), 0)
      await store.pauseShore('intercom', 'down', 100, 0)
      const [mine, yours] = await Promise.all([claimAll(store, 'me', 100), claimAll(store, 'other', 100)])
      const probes = [...mine, ...yours]
      expect(probes).toHaveLength(1)
      for (const probe of probes) await store.settle(probe, retryAt(101), 100)
      expect(await claimAll(store, 'me', 101)).toHaveLength(1)
    })

    it('work in full again when resumed', async () => {
      const { store } = subject
      await store.register('me', 1000, 0)
      for (const lane of ['a', 'b', 'c']) await store.ingest(aDelivery({ lane }), 0)
      await store.pauseShore('intercom', 'down', 100, 0)
      expect(await store.resumeShore('intercom')).toBe(true)
      expect(await store.resumeShore('intercom')).toBe(false)
      expect(await claimAll(store, 'me', 1)).toHaveLength(3)
    })

    it('count pauses in a row: what fails during one pause is the same failure', async () => {
      const { store } = subject
      await store.pauseShore('twilio', 'timeout', 100, 0)
      await store.pauseShore('twilio', 'reset', 90, 10)
      expect(await store.pauses()).toEqual([{ shore: 'twilio', reason: 'reset', pausedAt: 0, until: 100, failures: 1 }])
      await store.pauseShore('twilio', 'timeout', 300, 100)
      expect(await store.pauses()).toEqual([
        { shore: 'twilio', reason: 'timeout', pausedAt: 0, until: 300, failures: 2 },
      ])
      await store.resumeShore('twilio')
      expect(await store.pauses()).toEqual([])
    })
  })
})
