import { describe, expect, it } from 'vitest'
import { onEachEngine } from '../support/stores.js'
import {
  aDelivery,
  address,
  aFault,
  claimAll,
  claimOne,
  contact,
  conversation,
  ours,
  sid,
  theirs,
} from './deliveries.js'

onEachEngine('what the store remembers', (subject) => {
  describe('threads', () => {
    const thread = { ours, theirs, replyTo: theirs, contactId: contact('c1'), conversationId: conversation('100') }

    it('are found by their two addresses and by their conversation', async () => {
      const { store } = subject
      await store.saveThread(thread, 1)
      expect(await store.findThread(ours, theirs)).toEqual(thread)
      expect(await store.findThreadOfConversation(conversation('100'))).toEqual(thread)
      expect(await store.findThread(theirs, ours)).toBe(undefined)
      expect(await store.findThreadOfConversation(conversation('101'))).toBe(undefined)
    })

    it('are known by every conversation they ever had', async () => {
      const { store } = subject
      await store.saveThread(thread, 1)
      const newer = { ...thread, conversationId: conversation('200'), contactId: contact('c2') }
      await store.saveThread(newer, 2)
      expect(await store.findThread(ours, theirs)).toEqual(newer)
      expect(await store.findThreadOfConversation(conversation('100'))).toEqual(newer)
      expect(await store.findThreadOfConversation(conversation('200'))).toEqual(newer)
    })

    it('of the same customer with two of our numbers are two', async () => {
      const { store } = subject
      const other = { ...thread, ours: address('+15550100002'), conversationId: conversation('300') }
      await store.saveThread(thread, 1)
      await store.saveThread(other, 1)
      expect(await store.findThread(ours, theirs)).toEqual(thread)
      expect(await store.findThreadOfConversation(conversation('300'))).toEqual(other)
    })
  })

  describe('contacts', () => {
    it('are remembered, replaced and forgotten, and only the one that is meant', async () => {
      const { store } = subject
      expect(await store.findContact(theirs)).toBe(undefined)
      await store.saveContact(theirs, contact('c1'), 1)
      await store.saveContact(theirs, contact('c2'), 2)
      expect(await store.findContact(theirs)).toBe('c2')
      expect([await store.isKnownContact(contact('c1')), await store.isKnownContact(contact('c2'))]).toEqual([
        false,
        true,
      ])
      await store.forgetContact(theirs, contact('c1'))
      expect(await store.findContact(theirs)).toBe('c2')
      await store.forgetContact(theirs, contact('c2'))
      expect(await store.findContact(theirs)).toBe(undefined)
    })

    it('can be looked for by one delivery at a time', async () => {
      const { store } = subject
      expect(await store.lockContact(theirs, 1, 100, 0)).toBe(true)
      expect(await store.lockContact(theirs, 2, 100, 99)).toBe(false)
      expect(await store.lockContact(theirs, 1, 200, 99)).toBe(true)
      expect(await store.findContact(theirs)).toBe(undefined)
      expect(await store.lockContact(theirs, 2, 300, 200)).toBe(true)
      expect(await store.lockContact(theirs, 1, 300, 200)).toBe(false)
    })

    it('are not looked for again once one is known', async () => {
      const { store } = subject
      expect(await store.lockContact(theirs, 1, 100, 0)).toBe(true)
      await store.saveContact(theirs, contact('c1'), 10)
      expect(await store.lockContact(theirs, 2, 100, 11)).toBe(false)
      await store.forgetContact(theirs, contact('c1'))
      expect(await store.lockContact(theirs, 2, 100, 12)).toBe(true)
    })

    it('of ten deliveries that ask at once, one is let through', async () => {
      const { store } = subject
      const answers = await Promise.all(Array.from({ length: 10 }, (_, by) => store.lockContact(theirs, by, 100, 0)))
      expect(answers.filter(Boolean)).toHaveLength(1)
    })
  })

  describe('receipts', () => {
    it('add up to a state, found by the SID and by our own reference', async () => {
      const { store } = subject
      await store.saveReceipt({ messageSid: sid('SM1'), status: 'sent', ref: '7.0' }, 1)
      const state = await store.saveReceipt({ messageSid: sid('SM1'), status: 'undelivered', errorCode: 30003 }, 2)
      const expected = {
        messageSid: 'SM1',
        ref: '7.0',
        status: 'undelivered',
        errorCode: 30003,
        conflict: false,
        updatedAt: 2,
      }
      expect(state).toEqual(expected)
      expect(await store.findReceipt(sid('SM1'))).toEqual(expected)
      expect(await store.findReceiptByRef('7.0')).toEqual(expected)
      expect(await store.findReceipt(sid('SM2'))).toBe(undefined)
      expect(await store.findReceiptByRef('7.1')).toBe(undefined)
    })

    it('that come late or twice change nothing', async () => {
      const { store } = subject
      await store.saveReceipt({ messageSid: sid('SM1'), status: 'delivered' }, 1)
      const before = await store.saveReceipt({ messageSid: sid('SM1'), status: 'sent' }, 2)
      expect(before).toEqual({
        messageSid: 'SM1',
        ref: undefined,
        status: 'delivered',
        errorCode: undefined,
        conflict: false,
        updatedAt: 2,
      })
      expect(await store.saveReceipt({ messageSid: sid('SM1'), status: 'delivered' }, 3)).toEqual(before)
    })

    it('may tell our reference only later', async () => {
      const { store } = subject
      await store.saveReceipt({ messageSid: sid('SM1'), status: 'sent' }, 1)
      await store.saveReceipt({ messageSid: sid('SM1'), status: 'sent', ref: '7.0' }, 2)
      expect((await store.findReceiptByRef('7.0'))?.messageSid).toBe('SM1')
    })

    it('of one text that come all at once are all counted', async () => {
      const { store } = subject
      const statuses = ['queued', 'sent', 'delivered', 'failed', 'read'] as const
      await Promise.all(statuses.map((status) => store.saveReceipt({ messageSid: sid('SM1'), status }, 1)))
      expect(await store.findReceipt(sid('SM1'))).toMatchObject({ status: 'read', conflict: true })
    })
  })

  describe('the summary', () => {
    const day = Date.UTC(2026, 10, 30)

    it('counts what came and how it ended, per number, kind and UTC day of its arrival', async () => {
      const { store } = subject
      await store.register('me', 10 ** 9, day - 1)
      await store.ingest(aDelivery({ lane: 'a', number: '+15550100001' }), day - 1)
      for (const lane of ['b', 'c', 'd']) await store.ingest(aDelivery({ lane, number: '+15550100002' }), day)
      const claimed = await claimAll(store, 'me', day)
      const [a, b, c] = ['a', 'b', 'c'].map((lane) => claimed.find(({ delivery }) => delivery.lane === lane))
      if (!a || !b || !c) throw new Error('all of them were due')
      await store.settle(a, { state: 'delivered', result: {} }, day)
      await store.settle(b, { state: 'parked', reason: 'refused', fault: aFault }, day)
      await store.settle(c, { state: 'suppressed', reason: 'opted out' }, day)
      const summary = await store.summarize(day - 1, day)
      const zero = { delivered: 0, suppressed: 0, parked: 0, discarded: 0, recovered: 0 }
      const none = { ...zero, kind: 'inbound-sms' }
      expect(summary.totals).toEqual([
        { ...none, day: '2026-11-29', number: '+15550100001', received: 1, delivered: 1, lastAt: day - 1 },
        { ...none, day: '2026-11-30', number: '+15550100002', received: 3, suppressed: 1, parked: 1, lastAt: day },
      ])
      expect((await store.summarize(day, day)).totals.map((row) => row.day)).toEqual(['2026-11-30'])
      expect([summary.waiting, summary.oldestWaitingAt, summary.parked]).toEqual([1, day, 1])
    })

    it('of an empty store is empty', async () => {
      expect(await subject.store.summarize(0, 0)).toEqual({
        totals: [],
        waiting: 0,
        oldestWaitingAt: undefined,
        parked: 0,
        pauses: [],
        instances: [],
        conflicts: 0,
        failures: [],
      })
    })

    it('names the running instances and the pauses, and no instance whose lease has run out', async () => {
      const { store } = subject
      await store.register('b', 1000, 5)
      await store.register('a', 10, 5)
      await store.pauseShore('twilio', 'down', 100, 5)
      const summary = await store.summarize(0, 15)
      expect(summary.instances).toEqual([{ id: 'b', startedAt: 5, leaseUntil: 1005 }])
      expect(summary.pauses).toEqual([{ shore: 'twilio', reason: 'down', pausedAt: 5, until: 100, failures: 1 }])
    })

    it('counts texts that finally failed by Twilio code, the most frequent first', async () => {
      const { store } = subject
      const say = (
        id: string,
        status: 'delivered' | 'undelivered' | 'failed',
        errorCode: number | undefined,
        at: number,
      ) => store.saveReceipt({ messageSid: sid(id), status, ...(errorCode === undefined ? {} : { errorCode }) }, at)
      await say('SM0', 'failed', 30001, 5)
      await say('SM1', 'undelivered', 30003, 10)
      await say('SM2', 'failed', 30003, 11)
      await say('SM3', 'failed', undefined, 12)
      await say('SM4', 'delivered', undefined, 13)
      expect((await store.summarize(10, 20)).failures).toEqual([
        { errorCode: 30003, count: 2 },
        { errorCode: undefined, count: 1 },
      ])
    })

    it('counts texts that Twilio says both arrived and failed', async () => {
      const { store } = subject
      for (const id of ['SM1', 'SM2']) await store.saveReceipt({ messageSid: sid(id), status: 'delivered' }, 10)
      await store.saveReceipt({ messageSid: sid('SM1'), status: 'undelivered', errorCode: 30003 }, 11)
      expect((await store.summarize(10, 20)).conflicts).toBe(1)
      expect((await store.summarize(12, 20)).conflicts).toBe(0)
    })

    it('lists deliveries newest first, of one state when asked', async () => {
      const { store } = subject
      await store.register('me', 1000, 0)
      const ids = []
      for (let i = 0; i < 4; i++) ids.push((await store.ingest(aDelivery({ lane: 'a', dedupeKey: `k${i}` }), i)).id)
      await store.settle(await claimOne(store, 'me', 4), { state: 'parked', reason: 'refused', fault: aFault }, 5)
      await store.settle(await claimOne(store, 'me', 5), { state: 'suppressed', reason: 'opted out' }, 6)
      await store.settle(await claimOne(store, 'me', 6), { state: 'ready', runAt: 9, spent: true, fault: aFault }, 7)
      const newest = ids.toReversed()
      expect((await store.listDeliveries({ limit: 3 })).map(({ id }) => id)).toEqual(newest.slice(0, 3))
      expect((await store.listDeliveries({ state: 'ready', limit: 9 })).map(({ id }) => id)).toEqual(newest.slice(0, 2))
      expect(await store.listDeliveries({ state: 'delivered', limit: 9 })).toEqual([])
      expect((await store.listDeliveries({ state: 'suppressed', limit: 9 })).map(({ reason }) => reason)).toEqual([
        'opted out',
      ])
      expect(await store.listDeliveries({ state: 'parked', limit: 9 })).toEqual([
        {
          id: ids[0],
          kind: 'inbound-sms',
          state: 'parked',
          lane: 'a',
          number: ours,
          dedupeKey: 'k0',
          attempts: 1,
          receivedAt: 0,
          settledAt: 5,
          runAt: undefined,
          reason: 'refused',
          fault: aFault,
        },
      ])
      expect((await store.listDeliveries({ state: 'ready', limit: 9 }))[1]).toMatchObject({
        runAt: 9,
        attempts: 1,
        fault: aFault,
      })
    })
  })
})
