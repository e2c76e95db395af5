// What `status` reads, on both engines: through its own reader, beside a store that is open.
import { chmodSync, cpSync, existsSync, mkdtempSync, rmSync, statSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, expect, it, onTestFinished } from 'vitest'
import type { NewDelivery } from '../../src/delivery.js'
import { openLook } from '../../src/store/look.js'
import { openStore } from '../../src/store/open.js'
import type { Store } from '../../src/store/store.js'
import type { Survey, SurveyRequest } from '../../src/store/survey.js'
import { onEachEngine, postgresFailure, postgresPlace, sqlitePlace } from '../support/stores.js'
import { aDelivery, address, aFault, claimAll, claimOne, conversation, ours, sid, theirs } from './deliveries.js'

const day = Date.UTC(2026, 10, 30)
const delivered = { state: 'delivered', result: {} } as const
const other = '+15550100002'

function aReply(
  facts: Partial<NewDelivery<'agent-reply'>> & { readonly dedupeKey: string },
): NewDelivery<'agent-reply'> {
  const payload = {
    conversationId: conversation('100'),
    partId: facts.dedupeKey,
    author: { kind: 'admin', id: '401' },
    body: '<p>It left this morning.</p>',
    attachments: [],
    writtenAt: day,
  } as unknown as NewDelivery<'agent-reply'>['payload'] // nobody reads it here
  const lane = `twilio:${facts.dedupeKey}`
  return { kind: 'agent-reply', payload, lane, shore: 'twilio', priority: 'live', number: ours, rank: '', ...facts }
}

onEachEngine('a survey', (subject) => {
  const look = async (request: Partial<SurveyRequest> = {}): Promise<Survey> => {
    const opened = await openLook(subject.place.url)
    try {
      return await opened.survey({ since: day, now: day + 1000, ...request })
    } finally {
      await opened.close()
    }
  }

  it('of an empty store is empty, and balances', async () => {
    const none = { count: 0, p50Ms: undefined, p95Ms: undefined }
    expect(await look()).toEqual({
      fromDay: '2026-11-30',
      sheets: [],
      wrongSheets: [],
      lastAt: {},
      texted: [],
      hops: { inbound: none, handedOver: none, arrived: none },
      queue: { ready: 0, oldestAt: undefined, retrying: 0, nextRetryAt: undefined, lanesHeld: 0 },
      deadLetters: [],
      failures: [],
      conflicts: [],
      pauses: [],
      limits: [],
      numbers: [],
      optOuts: { all: 0, recent: 0 },
      processes: [],
      marks: {},
    })
  })

  it('keeps a sheet for each day, number and kind: received is delivered, suppressed, parked, discarded or waiting', async () => {
    const { store } = subject
    await store.register('me', 10 ** 9, day)
    await store.ingest(aDelivery({ lane: 'a', recovered: true }), day - 1)
    for (const lane of ['b', 'c', 'd']) await store.ingest(aDelivery({ lane, number: other }), day + 1)
    await store.ingest(aReply({ dedupeKey: 'p1' }), day + 2)
    const claimed = await claimAll(store, 'me', day + 3)
    const of = (lane: string) => {
      const one = claimed.find(({ delivery }) => delivery.lane === lane)
      if (one === undefined) throw new Error(`${lane} was not due`)
      return one
    }
    await store.settle(of('a'), delivered, day + 4)
    await store.settle(of('b'), { state: 'parked', reason: '21211', fault: aFault }, day + 4)
    await store.settle(of('c'), { state: 'suppressed', reason: 'nothing to send' }, day + 4)
    const zero = { received: 0, delivered: 0, suppressed: 0, parked: 0, discarded: 0, recovered: 0, waiting: 0 }
    const { sheets, wrongSheets } = await look({ since: day - 1 })
    expect(sheets).toEqual([
      { ...zero, day: '2026-11-29', number: ours, kind: 'inbound-sms', received: 1, delivered: 1, recovered: 1 },
      { ...zero, day: '2026-11-30', number: ours, kind: 'agent-reply', received: 1, waiting: 1 },
      {
        ...zero,
        day: '2026-11-30',
        number: other,
        kind: 'inbound-sms',
        received: 3,
        suppressed: 1,
        parked: 1,
        waiting: 1,
      },
    ])
    expect(wrongSheets).toEqual([])
    const narrowed = await look({ number: other })
    expect(narrowed.sheets.map(({ number, received }) => [number, received])).toEqual([[other, 3]])
    expect((await look()).sheets.map(({ day: of }) => of)).toEqual(['2026-11-30', '2026-11-30'])
  })

  describe('of books that do not balance', () => {
    async function fourTexts(store: Store) {
      await store.register('me', 10 ** 9, day)
      const ids = []
      for (const lane of ['a', 'b', 'c', 'd']) ids.push((await store.ingest(aDelivery({ lane }), day + ids.length)).id)
      for (const one of await store.claim({ instance: 'me', limit: 2, bulkLimit: 2, now: day + 9 })) {
        await store.settle(one, delivered, day + 10)
      }
      return ids
    }

    it('names the delivery that was ended without an attempt', async () => {
      const ids = await fourTexts(subject.store)
      await subject.place.sql(`update deliveries set state = 'delivered' where id = ${ids[3]}`)
      const { wrongSheets } = await look()
      expect(wrongSheets).toMatchObject([
        {
          day: '2026-11-30',
          number: ours,
          received: 4,
          delivered: 2,
          waiting: 1,
          fault: { held: { delivered: 3, ready: 1 } },
        },
      ])
      expect(wrongSheets[0]?.fault?.ids).toEqual([ids[3]])
    })

    it('names the delivery that waits although it was delivered, and the one with more attempts than there are', async () => {
      const ids = await fourTexts(subject.store)
      await subject.place.sql(`update deliveries set state = 'ready' where id = ${ids[0]}`)
      await subject.place.sql(`update deliveries set attempts = 5 where id = ${ids[2]}`)
      expect((await look()).wrongSheets[0]?.fault?.ids).toEqual([ids[0], ids[2]])
    })

    it('says what the store holds when the missing delivery is gone and nothing can be named', async () => {
      const ids = await fourTexts(subject.store)
      await subject.place.sql(`delete from deliveries where id = ${ids[3]}`)
      expect((await look()).wrongSheets.map(({ fault }) => fault)).toEqual([
        { held: { delivered: 2, ready: 1 }, ids: [] },
      ])
    })

    it('sees a parked delivery that the books do not know, and one they know that is none', async () => {
      const { store, place } = subject
      const [, , third] = await fourTexts(store)
      await place.sql(`update deliveries set state = 'parked', reason = 'x' where id = ${third}`)
      expect((await look()).wrongSheets[0]?.fault).toEqual({
        held: { delivered: 2, parked: 1, ready: 1 },
        ids: [third],
      })
      await place.sql(`update totals set parked = parked + 1, received = received + 1`)
      await place.sql(`update deliveries set state = 'ready' where id = ${third}`)
      expect((await look()).wrongSheets[0]?.fault).toEqual({ held: { delivered: 2, ready: 2 }, ids: [] })
    })

    it('names twenty at most, and finds a day among many', async () => {
      const { store, place } = subject
      await store.register('me', 10 ** 9, day)
      for (let i = 0; i < 60; i++) await store.ingest(aDelivery({ lane: `l${i}` }), day + (i - 15) * 3_600_000)
      await place.sql(`update deliveries set state = 'delivered' where received_at >= ${day}`)
      const { wrongSheets } = await look({ now: day + 45 * 3_600_000 })
      expect(wrongSheets.map((sheet) => [sheet.day, sheet.fault?.held, sheet.fault?.ids.length])).toEqual([
        ['2026-11-30', { delivered: 24 }, 20],
        ['2026-12-01', { delivered: 21 }, 20],
      ])
    })

    it('looks at those of a month, however short a time is asked about', async () => {
      const ids = await fourTexts(subject.store)
      await subject.place.sql(`delete from deliveries where id = ${ids[3]}`)
      const later = await look({ since: day + 20 * 86_400_000, now: day + 21 * 86_400_000 })
      expect([later.sheets.length, later.wrongSheets.length]).toEqual([0, 1])
    })
  })

  it('measures both hops from the newest deliveries, without what was recovered or replayed', async () => {
    const { store, place } = subject
    await store.register('me', 10 ** 9, day)
    const deliverAfter = async (delivery: NewDelivery, ms: number) => {
      const { id } = await store.ingest(delivery, day)
      await store.settle(await claimOne(store, 'me', day), delivered, day + ms)
      return id
    }
    for (let i = 1; i <= 20; i++) await deliverAfter(aDelivery({ lane: `l${i}` }), i * 100)
    await deliverAfter(aDelivery({ lane: 'r', recovered: true }), 900_000)
    const replayed = await deliverAfter(aDelivery({ lane: 's' }), 800_000)
    await place.sql(`update deliveries set replays = 1 where id = ${replayed}`)
    const first = await deliverAfter(aReply({ dedupeKey: 'p1' }), 700)
    await deliverAfter(aReply({ dedupeKey: 'p2', number: other }), 9_000)
    await store.saveReceipt({ messageSid: sid('SM1'), status: 'delivered', ref: `${first}.0` }, day + 2_700)
    const { hops } = await look()
    expect(hops.inbound).toEqual({ count: 20, p50Ms: 1_000, p95Ms: 1_900 })
    expect(hops.handedOver).toEqual({ count: 2, p50Ms: 700, p95Ms: 9_000 })
    expect(hops.arrived).toEqual({ count: 1, p50Ms: 2_700, p95Ms: 2_700 })
    expect((await look({ number: other })).hops.handedOver).toEqual({ count: 1, p50Ms: 9_000, p95Ms: 9_000 })
    expect((await look({ since: day + 1 })).hops.inbound.count).toBe(0)
  })

  it('tells what waits, what is tried again and when, and which lanes are held', async () => {
    const { store } = subject
    await store.register('me', 10 ** 9, day)
    for (const lane of ['a', 'b', 'c']) await store.ingest(aDelivery({ lane }), day + 5)
    const [a, b] = await claimAll(store, 'me', day + 10)
    if (a === undefined || b === undefined) throw new Error('three were due')
    await store.settle(a, { state: 'ready', runAt: day + 5_000, spent: true, fault: aFault }, day + 20)
    const times = { retryAt: day + 60_000, holdUntil: day + 600_000 }
    await store.settle(b, { state: 'parked', reason: 'no-answer', fault: aFault, ...times }, day + 20)
    const { queue, deadLetters } = await look()
    expect(queue).toEqual({ ready: 2, oldestAt: day + 5, retrying: 1, nextRetryAt: day + 5_000, lanesHeld: 1 })
    expect(deadLetters).toEqual([
      { reason: 'no-answer', count: 1, oldestAt: day + 5, returning: 1, nextRetryAt: day + 60_000, fault: aFault },
    ])
    expect((await look({ number: other })).deadLetters).toEqual([])
  })

  it('counts receipts that told something new, and says when the last came', async () => {
    const { store } = subject
    const receipt = { messageSid: sid('SM1'), status: 'sent' } as const
    await store.saveReceipt(receipt, day + 1)
    await store.saveReceipt(receipt, day + 2)
    await store.saveReceipt({ ...receipt, status: 'delivered' }, day + 3)
    await store.saveReceipt(receipt, day + 4)
    expect((await look()).lastAt).toEqual({ receipt: day + 3 })
    const { totals } = await store.summarize(day, day)
    expect(totals.map(({ kind, number, received }) => [kind, number, received])).toEqual([['receipt', '', 2]])
  })

  it('narrows failures and conflicts to one number by the delivery the text belongs to', async () => {
    const { store } = subject
    const mine = (await store.ingest(aReply({ dedupeKey: 'p1' }), day)).id
    const theirOwn = (await store.ingest(aReply({ dedupeKey: 'p2', number: other }), day)).id
    const say = (id: string, ref: string | undefined, status: 'delivered' | 'failed', errorCode?: number) =>
      store.saveReceipt({ messageSid: sid(id), status, ...(ref && { ref }), ...(errorCode && { errorCode }) }, day + 1)
    await say('SM1', `${mine}.0`, 'failed', 30003)
    await say('SM2', `${mine}.10`, 'failed', 30003)
    await say('SM3', `${theirOwn}.0`, 'failed', 30007)
    await say('SM4', undefined, 'failed', 30008)
    await say('SM3', `${theirOwn}.0`, 'delivered')
    expect((await look()).failures.map(({ errorCode }) => errorCode)).toEqual([30003, 30007, 30008])
    const narrowed = await look({ number: ours })
    expect([narrowed.failures, narrowed.conflicts]).toEqual([[{ errorCode: 30003, count: 2 }], []])
    expect((await look({ number: other })).conflicts).toEqual(['SM3'])
  })

  it('shows a killed process as it left itself, and when one was stopped in order', async () => {
    const { store } = subject
    await store.register('killed', 15_000, day)
    await store.heartbeat('killed', 15_000, day + 5_000)
    await store.register('stopped', 15_000, day)
    await store.unregister('stopped', day + 7_000)
    const { processes, marks } = await look()
    expect(processes).toEqual([{ id: 'killed', startedAt: day, lastBeatAt: day + 5_000, leaseUntil: day + 20_000 }])
    expect(marks).toEqual({ 'serve-stopped': { at: day + 7_000, value: null } })
  })

  it('shows pauses, limits, numbers, opt-outs and marks as they are', async () => {
    const { store } = subject
    await store.pauseShore('twilio', 'down', day + 9, day)
    await store.takeLimit({ key: 'intercom', rule: { perMs: 1, burst: 10 }, cost: 5, maxWaitMs: 0, now: day + 1000 })
    await store.saveNumbers([{ number: ours, kind: 'local', state: 'elsewhere', detail: 'demo.twilio.com' }], day)
    await store.optOut(address(ours), theirs, 'STOP', day - 1)
    await store.optOut(address(other), theirs, 'STOP', day + 1)
    await store.setMark('reconcile:twilio', day, { checked: 3, recovered: 1, missing: [] })
    const { pauses, limits, numbers, optOuts, marks } = await look()
    expect(pauses).toEqual([{ shore: 'twilio', reason: 'down', pausedAt: day, until: day + 9, failures: 1 }])
    expect(limits).toEqual([{ key: 'intercom', free: 0.5 }])
    expect(numbers).toEqual([
      { number: ours, kind: 'local', state: 'elsewhere', detail: 'demo.twilio.com', checkedAt: day },
    ])
    expect(optOuts).toEqual({ all: 2, recent: 1 })
    expect(marks).toEqual({ 'reconcile:twilio': { at: day, value: { checked: 3, recovered: 1, missing: [] } } })
  })
})

describe('looking', () => {
  it.each([
    ['sqlite', sqlitePlace, undefined],
    ['postgres', postgresPlace, postgresFailure],
  ] as const)('makes and migrates nothing on %s', async (_, newPlace, failure) => {
    if (failure !== undefined) return
    const place = newPlace()
    onTestFinished(() => place.remove())
    if (place.engine === 'postgres') await expect(openLook(place.url)).rejects.toThrow('has no tables yet')
    else await expect(openLook(place.url)).rejects.toThrow('There is no store at')
    await (await openStore(place.url, { now: 0 })).close()
    await place.sql(`update meta set value = 1 where name = 'schema_version'`)
    await expect(openLook(place.url)).rejects.toThrow(
      'has schema version 1, older than this sms-bridge. Start the bridge of this version once: sms-bridge serve',
    )
  })

  it('needs no permission to write, whether a log stands beside the file or not', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'sms-bridge-look-'))
    const path = join(folder, 'store.sqlite')
    const store = await openStore(`sqlite:${path}`, { now: 0 })
    await store.ingest(aDelivery(), day)
    const copy = mkdtempSync(join(tmpdir(), 'sms-bridge-look-'))
    for (const ending of ['', '-wal']) cpSync(`${path}${ending}`, join(copy, `store.sqlite${ending}`))
    await store.close()
    expect(existsSync(`${path}-wal`)).toBe(false)
    for (const place of [folder, copy]) {
      const file = join(place, 'store.sqlite')
      chmodSync(file, 0o400)
      if (place === folder) chmodSync(place, 0o500)
      const before = statSync(file).mtimeMs
      const look = await openLook(`sqlite:${file}`)
      expect((await look.survey({ since: day, now: day })).queue.ready).toBe(1)
      await look.close()
      expect(statSync(file).mtimeMs).toBe(before)
      chmodSync(place, 0o700)
      rmSync(place, { recursive: true })
    }
  })
})
