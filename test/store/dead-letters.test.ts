import { describe, expect, it } from 'vitest'
import type { Fault, NewDelivery, Settlement } from '../../src/delivery.js'
import type { DeadLetterFilter } from '../../src/store/desk.js'
import type { Store } from '../../src/store/store.js'
import { onEachEngine } from '../support/stores.js'
import { aDelivery, address, aFault, claimOne, contact, conversation, ours, sid, theirs } from './deliveries.js'

const refused: Fault = { message: 'twilio answered with 400', outcome: 'permanent', shore: 'twilio', code: '21211' }
const day = 86_400_000
const other = address('+15550100188')

function aReply(facts: Partial<NewDelivery<'agent-reply'>> & { readonly part: string }): NewDelivery<'agent-reply'> {
  const { part, ...rest } = facts
  return {
    kind: 'agent-reply',
    payload: {
      conversationId: conversation('100'),
      partId: part as NewDelivery<'agent-reply'>['payload']['partId'], // the tests' own
      author: { kind: 'admin', id: '401' },
      body: '<p>say "conversationId":"999" 📦 \ud83d</p>',
      attachments: [],
      writtenAt: 1_000,
    },
    dedupeKey: `intercom:part:${part}`,
    lane: `out:${ours}:${theirs}`,
    shore: 'twilio',
    priority: 'live',
    number: ours,
    rank: '',
    ...rest,
  }
}

const parked = (facts: Partial<Extract<Settlement, { state: 'parked' }>> = {}): Settlement => ({
  state: 'parked',
  reason: 'server-error',
  fault: aFault,
  ...facts,
})

/** Ingested at `now`, claimed and parked at once. */
async function park(store: Store, delivery: NewDelivery, settlement: Settlement, now: number): Promise<number> {
  await store.register('me', 1_000_000_000, now)
  const { id } = await store.ingest(delivery, now)
  const claimed = await claimOne(store, 'me', now)
  expect(claimed.delivery.id).toBe(id)
  expect(await store.settle(claimed, settlement, now)).toBe(true)
  return id
}

const all = (store: Store, filter: Partial<DeadLetterFilter> = {}) =>
  store.listDeadLetters({ state: 'parked', ...filter }, { after: 0, limit: 100 })
const idsOf = async (store: Store, filter: Partial<DeadLetterFilter> = {}) =>
  (await all(store, filter)).map(({ id }) => id)
const inLane = (who: string) => ({ lane: `in:${ours}:${who}` })
const totals = async (store: Store) => {
  const { totals: rows, parked: nowParked, waiting } = await store.summarize(0, 0)
  return rows.map(({ received, parked, discarded }) => ({ received, parked, discarded, nowParked, waiting }))
}

onEachEngine('dead letters', (subject) => {
  describe('are found', () => {
    const thread = { ours, theirs, replyTo: theirs, contactId: contact('c1'), conversationId: conversation('100') }

    it('by reason, code, customer, number, direction, time and conversation', async () => {
      const { store } = subject
      await store.saveThread(thread, 1)
      const first = await park(store, aDelivery(inLane(theirs)), parked(), 10)
      const second = await park(store, aDelivery(inLane(other)), parked({ reason: '21211', fault: refused }), 20)
      const third = await park(store, aReply({ part: '7' }), parked({ reason: '21211', fault: refused }), 30)
      expect(await idsOf(store)).toEqual([first, second, third])
      expect(await idsOf(store, { ids: [second, 999] })).toEqual([second])
      expect(await idsOf(store, { reason: '21211' })).toEqual([second, third])
      expect(await idsOf(store, { code: '21211', direction: 'in' })).toEqual([second])
      expect(await idsOf(store, { code: '999' })).toEqual([])
      expect(await idsOf(store, { theirs })).toEqual([first, third])
      expect(await idsOf(store, { number: ours })).toEqual([first, second, third])
      expect(await idsOf(store, { number: '+15550100002' })).toEqual([])
      expect(await idsOf(store, { direction: 'out' })).toEqual([third])
      expect(await idsOf(store, { since: 20 })).toEqual([second, third])
      expect(await idsOf(store, { until: 20 })).toEqual([first])
      expect(await idsOf(store, { settledSince: 21 })).toEqual([third])
      expect(await idsOf(store, { conversationId: conversation('100') })).toEqual([first, third])
      expect(await idsOf(store, { state: 'discarded' })).toEqual([])
      expect(
        (await store.listDeadLetters({ state: 'parked' }, { after: first, limit: 1 })).map(({ id }) => id),
      ).toEqual([second])
    })

    it('with their thread, their steps, their receipts and what stands in their way', async () => {
      const { store } = subject
      await store.saveThread(thread, 1)
      await store.optOut(ours, theirs, 'STOP', 5)
      await store.register('me', 1_000_000, 0)
      // Its thread was not known when it came, so neither its lane nor the books know our number.
      await store.ingest(aReply({ part: '7', lane: 'out:conversation:100', number: '' }), 10)
      const claimed = await claimOne(store, 'me', 10)
      await store.finishStep(claimed, 'texts', ['a', 'b'], 11)
      await store.beginStep(claimed, 'sms-0', 12)
      const { id } = claimed.delivery
      await store.settle(claimed, parked({ retryAt: 60_000, holdUntil: 90_000 }), 13)
      await store.saveReceipt({ messageSid: sid('SM1'), status: 'sent', ref: `${id}.0` }, 14)
      await store.saveReceipt({ messageSid: sid('SM2'), status: 'sent', ref: `${id}0.0` }, 14)
      const [found] = await all(store)
      expect(found).toMatchObject({
        id,
        direction: 'out',
        ours,
        theirs,
        conversationId: '100',
        sentAt: 1_000,
        receivedAt: 10,
        settledAt: 13,
        parkedAt: 13,
        retryAt: 60_000,
        reason: 'server-error',
        fault: aFault,
        optedOutSince: 5,
        behind: undefined,
        steps: { texts: { begunAt: 11, doneAt: 11, value: ['a', 'b'] }, 'sms-0': { begunAt: 12 } },
        receipts: [{ messageSid: 'SM1', ref: `${id}.0`, status: 'sent', errorCode: undefined, receivedAt: 14 }],
      })
      const story = await store.findDelivery(id)
      expect(story?.history).toEqual([{ endedAt: 13, state: 'parked', fault: aFault }])
      expect(story?.payload).toMatchObject({ partId: '7' })
      expect(await store.findDelivery(999)).toBe(undefined)
    })

    it('behind what goes first in their lane', async () => {
      const { store } = subject
      const { id: earlier } = await store.ingest(aDelivery({ ...inLane(theirs), rank: '1' }), 1)
      const { id: later } = await store.ingest(aDelivery({ ...inLane(theirs), rank: '2' }), 2)
      await store.ingest(aDelivery({ ...inLane(theirs), rank: '3' }), 3)
      await subject.place.sql(`update deliveries set state = 'parked' where id = ${later}`)
      expect((await all(store)).map(({ behind }) => behind)).toEqual([earlier])
    })

    it('counted by reason, code and direction', async () => {
      const { store } = subject
      await park(store, aDelivery(inLane(theirs)), parked({ retryAt: 900, holdUntil: 800 }), 10)
      await park(store, aDelivery(inLane(other)), parked({ retryAt: 700, holdUntil: 700 }), 20)
      await park(store, aReply({ part: '7' }), parked({ reason: '21211', fault: refused }), 30)
      expect(await store.deadLetterGroups({ state: 'parked' })).toEqual([
        {
          reason: 'server-error',
          code: undefined,
          direction: 'in',
          count: 2,
          oldestAt: 10,
          customers: 2,
          returning: 2,
          nextRetryAt: 700,
          fault: aFault,
        },
        {
          reason: '21211',
          code: '21211',
          direction: 'out',
          count: 1,
          oldestAt: 30,
          customers: 1,
          returning: 0,
          nextRetryAt: undefined,
          fault: refused,
        },
      ])
      expect(await store.deadLetterGroups({ state: 'parked', theirs: other })).toMatchObject([
        { count: 1, oldestAt: 20 },
      ])
    })
  })

  describe('replayed', () => {
    it('become ready at their time, in their old place, as if never tried, and count', async () => {
      const { store } = subject
      const id = await park(store, aDelivery(inLane(theirs)), parked(), 10)
      const replayId = await store.writeAudit({ actor: 'ada@desk', action: 'dlq.replay', detail: {} }, 100)
      const items = [{ id, at: 200, again: false }]
      expect(await store.scheduleReplay({ replayId, from: 'parked', items, now: 100 })).toEqual([id])
      expect(await store.nextDue()).toBe(200)
      expect(await store.requeue(199)).toBe(false)
      expect(await store.replayProgress(replayId)).toEqual({
        scheduled: 1,
        inHand: 0,
        delivered: 0,
        suppressed: 0,
        failed: 0,
        discarded: 0,
        nextAt: 200,
        lastAt: 200,
      })
      expect(await store.requeue(200)).toBe(true)
      expect(await store.replayProgress(replayId)).toMatchObject({ scheduled: 0, inHand: 1 })
      const claimed = await claimOne(store, 'me', 200)
      expect(claimed.delivery).toMatchObject({ id, attempts: 0, parkings: 0, replays: 1 })
      expect(claimed.delivery.parkedAt).toBe(undefined)
      await store.settle(claimed, parked(), 210)
      expect(await store.replayProgress(replayId)).toMatchObject({ scheduled: 0, inHand: 0, failed: 1 })
      expect(await totals(store)).toEqual([{ received: 1, parked: 1, discarded: 0, nowParked: 1, waiting: 0 }])
    })

    it('are passed over when they are ready by now, or replayed by somebody else', async () => {
      const { store } = subject
      const first = await park(store, aDelivery(inLane(theirs)), parked({ retryAt: 50, holdUntil: 50 }), 10)
      const second = await park(store, aDelivery(inLane(other)), parked(), 10)
      await store.requeue(50)
      const items = [first, second].map((id) => ({ id, at: 500, again: false }))
      expect(await store.scheduleReplay({ replayId: 1, from: 'parked', items, now: 60 })).toEqual([second])
      expect(await store.scheduleReplay({ replayId: 2, from: 'parked', items, now: 61 })).toEqual([])
      expect(await store.scheduleReplay({ replayId: 2, from: 'discarded', items, now: 61 })).toEqual([])
      expect((await store.replayProgress(1)).scheduled).toBe(1)
    })

    it('by two people at once are replayed by one of them', async () => {
      const { store } = subject
      const also = await subject.another()
      const ids: number[] = []
      for (let index = 0; index < 20; index += 1) {
        ids.push(await park(store, aDelivery(inLane(`+155501001${10 + index}`)), parked(), 10))
      }
      const items = ids.map((id) => ({ id, at: 500, again: false }))
      const [mine, yours] = await Promise.all([
        store.scheduleReplay({ replayId: 1, from: 'parked', items, now: 60 }),
        also.scheduleReplay({ replayId: 2, from: 'parked', items: items.toReversed(), now: 60 }),
      ])
      expect([...(mine ?? []), ...(yours ?? [])].sort((a, b) => a - b)).toEqual(ids)
      expect((await all(store)).map(({ replays }) => replays)).toEqual(ids.map(() => 1))
    })

    it('again forget what was begun without an end, and only that', async () => {
      const { store } = subject
      await store.register('me', 1_000_000, 0)
      await store.ingest(aReply({ part: '7' }), 10)
      const claimed = await claimOne(store, 'me', 10)
      await store.finishStep(claimed, 'sms-0', 'SM1', 11)
      await store.beginStep(claimed, 'sms-1', 12)
      await store.finishStep(claimed, 'sms-1:unanswered', undefined, 13)
      await store.settle(claimed, parked({ reason: 'unprovable' }), 14)
      const { id } = claimed.delivery
      await store.scheduleReplay({ replayId: 1, from: 'parked', items: [{ id, at: 20, again: true }], now: 20 })
      const [found] = await all(store)
      expect(Object.keys(found?.steps ?? {})).toEqual(['sms-0'])
    })

    it('can be called back until they are ready', async () => {
      const { store } = subject
      const first = await park(store, aDelivery(inLane(theirs)), parked(), 10)
      const second = await park(store, aDelivery(inLane(other)), parked(), 11)
      const items = [first, second].map((id, index) => ({ id, at: 100 + index, again: false }))
      await store.scheduleReplay({ replayId: 1, from: 'parked', items, now: 60 })
      await store.requeue(100)
      expect(await store.cancelReplay(1)).toEqual([second])
      expect(await store.requeue(200)).toBe(false)
      expect(await all(store)).toMatchObject([
        { id: second, replays: 0, replayId: undefined, retryAt: undefined, parkedAt: 11 },
      ])
      expect(await store.replayProgress(1)).toMatchObject({ scheduled: 0, inHand: 1 })
      expect(await store.cancelReplay(2)).toEqual([])
    })
  })

  describe('discarded', () => {
    const note = { because: 'spam', by: 'ada@desk' }

    it('take in what comes along with them, and nothing for what was passed over', async () => {
      const { store } = subject
      const id = await park(store, aDelivery(inLane(theirs)), parked(), 10)
      const also = new Map([id, 999].map((one) => [one, aDelivery({ lane: `told ${one}`, dedupeKey: `told:${one}` })]))
      expect(await store.discardDeadLetters([id, 999], note, 50, also)).toEqual([id])
      expect(await store.unseen([`told:${id}`, 'told:999'])).toEqual(['told:999'])
      expect(await totals(store)).toEqual([{ received: 2, parked: 0, discarded: 1, nowParked: 0, waiting: 1 }])
    })

    it('are out of the queue and in the books, and free the lane that waited for them', async () => {
      const { store } = subject
      const id = await park(store, aDelivery(inLane(theirs)), parked({ retryAt: 500, holdUntil: 600 }), 10)
      await store.ingest(aDelivery(inLane(theirs)), 20)
      expect(await store.nextDue()).toBe(500)
      expect(await store.claim({ instance: 'me', limit: 1, bulkLimit: 1, now: 499 })).toEqual([])
      expect(await store.discardDeadLetters([id, 999], note, 50)).toEqual([id])
      expect(await store.discardDeadLetters([id], note, 51)).toEqual([])
      expect(await store.nextDue()).toBe(50)
      expect(await all(store)).toEqual([])
      expect(await all(store, { state: 'discarded' })).toMatchObject([
        { id, reason: 'server-error', settledAt: 50, result: note, retryAt: undefined },
      ])
      expect(await totals(store)).toEqual([{ received: 2, parked: 0, discarded: 1, nowParked: 0, waiting: 1 }])
    })

    it('leave a back-off in their lane alone', async () => {
      const { store } = subject
      const id = await park(store, aDelivery({ ...inLane(theirs), rank: '1' }), parked(), 10)
      await store.ingest(aDelivery({ ...inLane(theirs), rank: '2' }), 20)
      const later = await claimOne(store, 'me', 20)
      await store.settle(later, { state: 'ready', runAt: 900, spent: true, fault: aFault }, 20)
      await store.discardDeadLetters([id], note, 50)
      expect(await store.nextDue()).toBe(900)
    })

    it('can be taken back for 30 days by a replay', async () => {
      const { store } = subject
      const id = await park(store, aDelivery(inLane(theirs)), parked(), 10)
      await store.discardDeadLetters([id], note, 50)
      const items = [{ id, at: 100, again: false }]
      const late = { replayId: 1, from: 'discarded', items, now: 50 + 30 * day } as const
      expect(await store.scheduleReplay(late)).toEqual([])
      expect(await store.scheduleReplay({ ...late, now: 49 + 30 * day })).toEqual([id])
      expect(await totals(store)).toEqual([{ received: 1, parked: 1, discarded: 0, nowParked: 1, waiting: 0 }])
      await store.requeue(100)
      expect((await claimOne(store, 'me', 100)).delivery).toMatchObject({ id, replays: 1 })
    })

    it('lose their words after 30 days, and their key never', async () => {
      const { store } = subject
      const delivery = aDelivery(inLane(theirs))
      await store.register('me', 1_000_000, 0)
      await store.ingest(delivery, 10)
      const claimed = await claimOne(store, 'me', 10)
      await store.finishStep(claimed, 'texts', ['words'], 10)
      await store.settle(claimed, parked(), 10)
      const { id } = claimed.delivery
      await store.discardDeadLetters([id], note, 50)
      expect(await store.purgeDiscarded(49 + 30 * day)).toBe(0)
      expect(await store.purgeDiscarded(50 + 30 * day)).toBe(1)
      expect(await store.purgeDiscarded(51 + 30 * day)).toBe(0)
      expect(await store.findDelivery(id)).toMatchObject({ state: 'discarded', payload: {}, steps: {}, sentAt: 10 })
      expect(await store.ingest(delivery, 99)).toEqual({ id, duplicate: true })
    })
  })

  it('know whether anybody delivers', async () => {
    const { store } = subject
    expect(await store.isServed(0)).toBe(false)
    await store.register('me', 100, 0)
    expect([await store.isServed(99), await store.isServed(100)]).toEqual([true, false])
  })
})

onEachEngine('the audit', (subject) => {
  it('keeps who did what, completes it with what came of it, and lists the newest first', async () => {
    const { store } = subject
    const first = await store.writeAudit({ actor: 'ada@desk', action: 'dlq.replay', detail: { items: 3 } }, 10)
    const second = await store.writeAudit({ actor: 'bo@desk', action: 'dlq.show', detail: { id: 7 } }, 20)
    await store.completeAudit(first, { scheduled: 2 })
    await store.completeAudit(999, { scheduled: 2 })
    const ada = { id: first, at: 10, actor: 'ada@desk', action: 'dlq.replay', detail: { items: 3, scheduled: 2 } }
    const bo = { id: second, at: 20, actor: 'bo@desk', action: 'dlq.show', detail: { id: 7 } }
    expect(await store.listAudit({ limit: 10 })).toEqual([bo, ada])
    expect(await store.listAudit({ limit: 1 })).toEqual([bo])
    expect(await store.listAudit({ limit: 10, action: 'dlq.replay' })).toEqual([ada])
    expect(await store.listAudit({ limit: 10, since: 11 })).toEqual([bo])
    expect(await store.listAudit({ limit: 10, id: first })).toEqual([ada])
  })
})

onEachEngine('a trace', (subject) => {
  const thread = { ours, theirs, replyTo: theirs, contactId: contact('c1'), conversationId: conversation('100') }

  async function aStory(store: Store) {
    await store.saveThread({ ...thread, conversationId: conversation('90') }, 1)
    await store.saveThread(thread, 2)
    const text = aDelivery({ ...inLane(theirs), dedupeKey: 'in:SMin' })
    await store.register('me', 1_000_000, 0)
    const { id: inbound } = await store.ingest(text, 10)
    await store.settle(await claimOne(store, 'me', 11), { state: 'delivered', result: { conversationId: '100' } }, 12)
    const { id: reply } = await store.ingest(aReply({ part: '7', lane: 'out:conversation:90', number: '' }), 20)
    await store.settle(await claimOne(store, 'me', 21), { state: 'delivered', result: {} }, 22)
    await store.saveReceipt({ messageSid: sid('SMout'), status: 'sent', ref: `${reply}.0` }, 23)
    await store.saveReceipt({ messageSid: sid('SMlone'), status: 'sent' }, 24)
    await store.ingest(aDelivery(inLane(other)), 30)
    return { inbound, reply }
  }
  const ids = (found: Awaited<ReturnType<Store['trace']>>) => found?.deliveries.map(({ id }) => id)

  it('of a customer or of any of their conversations tells both directions, in order', async () => {
    const { store } = subject
    const { inbound, reply } = await aStory(store)
    const found = await store.trace({ theirs }, 10)
    expect(found?.threads).toEqual([{ ours, theirs, conversationIds: ['90', '100'] }])
    expect(ids(found)).toEqual([inbound, reply])
    expect(found?.deliveries[0]).toMatchObject({ history: [{ endedAt: 12, state: 'delivered' }], settledAt: 12 })
    expect(found?.deliveries[1]?.receipts).toMatchObject([{ messageSid: 'SMout', status: 'sent' }])
    expect(ids(await store.trace({ theirs }, 1))).toEqual([reply])
    expect(ids(await store.trace({ conversationId: conversation('90') }, 10))).toEqual([inbound, reply])
  })

  it('of a text tells its own story alone', async () => {
    const { store } = subject
    const { inbound, reply } = await aStory(store)
    const text = (messageSid: string) => store.trace({ messageSid: sid(messageSid), dedupeKey: `in:${messageSid}` }, 10)
    expect(ids(await text('SMin'))).toEqual([inbound])
    expect(ids(await text('SMout'))).toEqual([reply])
    expect(await text('SMlone')).toMatchObject({ deliveries: [], receipts: [{ messageSid: 'SMlone', status: 'sent' }] })
    expect(await text('SMnone')).toBe(undefined)
  })

  it('of somebody unknown tells nothing', async () => {
    const { store } = subject
    await aStory(store)
    expect(await store.trace({ theirs: address('+15550100199') }, 10)).toBe(undefined)
    expect(await store.trace({ conversationId: conversation('7') }, 10)).toBe(undefined)
    expect(ids(await store.trace({ theirs: other }, 10))).toHaveLength(1)
  })
})
