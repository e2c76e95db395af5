import { describe, expect, it, onTestFinished } from 'vitest'
import { startBridge } from '../../src/bridge.js'
import { systemClock } from '../../src/clock.js'
import { freePort } from '../../src/commands/sandbox-world.js'
import type { Sweep } from '../../src/flows/reconcile-intake.js'
import type { MessageSid } from '../../src/message.js'
import { openStore } from '../../src/store/open.js'
import { sdk, serviceWith } from '../emulators/twilio/twins.js'
import { openTestBridge } from '../support/temp.js'
import {
  customer,
  otherCustomer,
  ours,
  oursToo,
  type TestBridge,
  type TestBridgeOptions,
} from '../support/test-bridge.js'

const hour = 3_600_000

/** A world whose clocks all go wrong by as much, so that hours can pass. */
function timeTraveller() {
  const time = { shiftMs: 0 }
  const now = () => systemClock.now() + time.shiftMs
  const bridgeClock = { now, sleep: systemClock.sleep }
  // Intercom tries a failed webhook again after a minute: here after a tenth of a second.
  const sleep: typeof systemClock.sleep = (ms, signal) => systemClock.sleep(ms > 10_000 ? 100 : ms, signal)
  const options = {
    clock: async () => bridgeClock,
    twilio: { clock: bridgeClock },
    intercom: { clock: { now, sleep }, indexLagMs: 0 },
  }
  return { time, options }
}

const openWorld = (options: Partial<TestBridgeOptions> = {}) =>
  openTestBridge({ ...options, intercom: { indexLagMs: 0, ...options.intercom } })

const inboxShows = ({ intercom }: TestBridge) =>
  intercom
    .conversations()
    .map(({ source, parts }) => [
      source.body,
      ...parts
        .filter(({ author, body }) => ['user', 'lead'].includes(author.type) && body !== null)
        .map(({ body }) => body),
    ])

const phoneShows = ({ twilio }: TestBridge, phone = customer) =>
  twilio
    .handset(phone)
    .filter(({ direction }) => direction === 'outbound-api')
    .map(({ body }) => body)

const countsOf = ({ numbers }: Sweep) =>
  numbers.map(({ number, checked, known, recovered, missing }) => [number, checked, known, recovered.length, missing])

const recoveredIn = async ({ store }: TestBridge) => {
  const { totals } = await store().summarize(0, systemClock.now())
  return totals.reduce((sum, { recovered }) => sum + recovered, 0)
}

const asked = ({ twilio }: TestBridge, path: string) =>
  Object.entries(twilio.requestCounts()).find(([name]) => name.endsWith(path))?.[1] ?? 0

/** A bridge with one open conversation. */
async function conversing(options: Partial<TestBridgeOptions> = {}) {
  const world = await openWorld(options)
  world.twilio.text({ from: customer, to: ours, body: 'Hello' })
  await world.settled()
  const id = world.intercom.conversations()[0]?.id ?? ''
  return { world, inbox: world.intercom.inbox, id }
}

describe('texts that no webhook brought', () => {
  it('arrive, once and in order, and are counted as recovered', async () => {
    const world = await openWorld()
    world.twilio.text({ from: customer, to: ours, body: 'one' })
    await world.settled()
    world.twilio.faults.webhooks.add('drop')
    for (const body of ['two', 'three', 'four']) world.twilio.text({ from: customer, to: ours, body })
    world.twilio.text({ from: otherCustomer, to: oursToo, body: 'other' })
    const { texts } = await world.reconcile()
    expect(countsOf(texts)).toEqual([
      [ours, 4, 1, 3, []],
      [oursToo, 1, 0, 1, []],
    ])
    await world.settled()
    expect(inboxShows(world)).toEqual([['<p>one</p>', '<p>two</p>', '<p>three</p>', '<p>four</p>'], ['<p>other</p>']])
    expect(await recoveredIn(world)).toBe(4)
    expect(countsOf((await world.reconcile()).texts)).toEqual([
      [ours, 4, 4, 0, []],
      [oursToo, 1, 1, 0, []],
    ])
    await world.settled()
    expect(world.intercom.conversations()).toHaveLength(2)
    expect(await recoveredIn(world)).toBe(4)
  })

  it('arrive with their pictures named', async () => {
    const world = await openWorld()
    world.twilio.faults.webhooks.add('drop')
    const media = [{ contentType: 'image/png', data: new Uint8Array([1]) }]
    const { sid } = world.twilio.text({ from: customer, to: ours, body: 'look', media })
    await world.reconcile()
    await world.settled()
    expect(inboxShows(world)).toEqual([[`<p>look<br>[attachment: image/png, see message ${sid} in Twilio]</p>`]])
    const url = world.attempts[0]?.delivery.payload
    expect(url).toMatchObject({
      media: [{ contentType: 'image/png', url: expect.stringContaining(`/${sid}/Media/ME`) }],
    })
  })

  it('are left to their webhook while it may be on its way', async () => {
    const world = await openWorld({ visibleAfterMs: 2_000 })
    // Held back for a second.
    world.twilio.faults.webhooks.add('reorder')
    world.twilio.text({ from: customer, to: ours, body: 'Hello', geo: { city: 'DENVER' } })
    const { texts } = await world.reconcile()
    expect(countsOf(texts)).toEqual([[ours, 1, 1, 0, []]])
    await world.settled()
    expect(await recoveredIn(world)).toBe(0)
    expect(world.intercom.contacts()[0]?.customAttributes).toEqual({ city: 'DENVER' })
  })

  it('and that Twilio has not listed yet come with the next sweep', async () => {
    const world = await openWorld({ twilio: { listLagMs: 300 } })
    world.twilio.faults.webhooks.add('drop')
    world.twilio.text({ from: customer, to: ours, body: 'Hello' })
    expect(countsOf((await world.reconcile()).texts)).toEqual([])
    const recovered = await world.eventually('it is listed', async () => {
      const { texts } = await world.reconcile()
      return texts.numbers.length > 0 && texts
    })
    expect(countsOf(recovered)).toEqual([[ours, 1, 0, 1, []]])
  })

  it('of numbers whose texts go elsewhere, or nowhere, are left alone', async () => {
    const world = await openWorld()
    const { twilio, config } = world
    const { accountSid, authTokens } = config.twilio
    const account = sdk(twilio, accountSid, authTokens[0], accountSid)
    twilio.setSmsUrl(ours, 'https://other.example.com/sms?token=secret')
    const service = await serviceWith(account, [oursToo], {})
    for (const to of [ours, oursToo]) twilio.text({ from: customer, to, body: 'not for us' })
    await twilio.idle()
    expect(countsOf((await world.reconcile()).texts)).toEqual([])
    expect((await world.store().listNumbers()).map(({ checkedAt, ...state }) => state)).toEqual([
      { number: ours, kind: 'long-code', state: 'elsewhere', detail: 'its texts go to https://other.example.com/sms' },
      {
        number: oursToo,
        kind: 'long-code',
        state: 'drops-inbound',
        detail: `Messaging Service ${service}: no inbound URL, so its texts are lost`,
      },
    ])
    await account.messaging.v1.services(service).update({ useInboundWebhookOnNumber: true })
    twilio.setSmsUrl(ours, '')
    await world.restart()
    await world.reconcile()
    expect((await world.store().listNumbers()).map(({ number, state }) => [number, state])).toEqual([
      [ours, 'no-url'],
      [oursToo, 'ours'],
    ])
  })

  it('of a number that was given to somebody else since the last sweep are left alone', async () => {
    const { world } = await conversing()
    await world.reconcile()
    world.twilio.setSmsUrl(ours, 'http://127.0.0.1:9/sms')
    world.twilio.text({ from: customer, to: ours, body: 'not for us' })
    await world.twilio.idle()
    expect(countsOf((await world.reconcile()).texts)).toEqual([[ours, 2, 1, 0, []]])
    expect(countsOf((await world.reconcile()).texts)).toEqual([])
    await world.settled()
    expect(inboxShows(world)).toEqual([['<p>Hello</p>']])
  })

  it('are looked for with one request for each number while nothing is missing', async () => {
    const { world } = await conversing()
    await world.reconcile()
    const before = world.twilio.requestCounts()
    await world.reconcile()
    const after = Object.entries(world.twilio.requestCounts()).filter(([name, count]) => count !== before[name])
    expect(after.map(([name, count]) => [name, count - (before[name] ?? 0)])).toEqual([
      ['GET /2010-04-01/Accounts/{sid}/Messages.json', 2],
    ])
  })

  it('are found by the numbers in our books where the key may not read the account’s', async () => {
    const { world } = await conversing()
    world.twilio.faults.arm('refuse-credentials', { path: /IncomingPhoneNumbers/ })
    world.twilio.faults.webhooks.add('drop')
    world.twilio.text({ from: customer, to: ours, body: 'lost' })
    expect(countsOf((await world.reconcile()).texts)).toEqual([[ours, 2, 1, 1, []]])
    expect(await world.store().listNumbers()).toMatchObject([{ number: ours, kind: 'unknown', state: 'unlisted' }])
    await world.settled()
    expect(inboxShows(world)).toEqual([['<p>Hello</p>', '<p>lost</p>']])
  })

  it('are asked for again when a sweep fails half-way, and what it took in is not taken twice', async () => {
    const world = await openWorld()
    const mark = async () => (await world.store().findMark('reconcile:twilio'))?.at
    await world.reconcile()
    const before = await mark()
    world.twilio.faults.webhooks.add('drop')
    world.twilio.text({ from: customer, to: ours, body: 'one' })
    world.twilio.text({ from: otherCustomer, to: oursToo, body: 'two' })
    let lists = 0
    const end = world.twilio.subscribe((event) => {
      if (event.type !== 'request' || !event.path.endsWith('Messages.json')) return
      lists += 1
      if (lists === 1) world.twilio.faults.arm('error-before', { times: 1, path: /Messages\.json$/ })
    })
    await expect(world.reconcile({ atOnce: true })).rejects.toThrow('twilio answered GET')
    end()
    expect(await mark()).toBe(before)
    const { texts } = await world.reconcile({ atOnce: true })
    expect(countsOf(texts)).toEqual([
      [ours, 1, 1, 0, []],
      [oursToo, 1, 0, 1, []],
    ])
    expect(await mark()).toBeGreaterThanOrEqual(before ?? Number.POSITIVE_INFINITY)
    await world.settled()
    expect(inboxShows(world)).toEqual([['<p>one</p>'], ['<p>two</p>']])
  })

  it('and that cannot be taken in are named, and looked for until they can be', async () => {
    const world = await openWorld()
    world.twilio.faults.webhooks.add('drop')
    const media = [{ contentType: 'image/png', data: new Uint8Array([1]) }]
    const { sid } = world.twilio.text({ from: customer, to: ours, body: 'odd', media })
    world.twilio.text({ from: otherCustomer, to: ours, body: 'even' })
    const store = world.store()
    const reconcile = async () => (await world.reconcile({ atOnce: true })).texts
    const { ingest } = store
    store.ingest = async (delivery, now) => {
      if (delivery.dedupeKey === `twilio:${sid}`) throw new Error('a row that no engine takes')
      return ingest(delivery, now)
    }
    expect(countsOf(await reconcile())).toEqual([[ours, 2, 0, 1, [sid]]])
    expect(await store.findMark('reconcile:twilio')).toMatchObject({
      value: { checked: 2, recovered: 1, missing: [sid] },
    })
    store.ingest = ingest
    expect(countsOf(await reconcile())).toEqual([[ours, 2, 1, 1, []]])
    expect(await store.findMark('reconcile:twilio')).toMatchObject({ value: { checked: 2, recovered: 1, missing: [] } })
  })
})

describe('replies that no webhook brought', () => {
  it('arrive, once and in order, though Intercom sends no webhooks at all', async () => {
    const { world, inbox, id } = await conversing()
    world.intercom.faults.webhooks.add('drop')
    for (const body of ['one', 'two', 'three']) inbox.reply(id, `<p>${body}</p>`)
    expect(countsOf((await world.reconcile()).replies)).toEqual([[ours, 3, 0, 3, []]])
    await world.settled()
    expect(phoneShows(world)).toEqual(['one', 'two', 'three'])
    inbox.reply(id, '<p>four</p>', { and: 'close' })
    expect(countsOf((await world.reconcile()).replies)).toEqual([[ours, 4, 3, 1, []]])
    await world.settled()
    expect(phoneShows(world)).toEqual(['one', 'two', 'three', 'four'])
    expect(await recoveredIn(world)).toBe(4)
  })

  it('are left to their webhook while it may be on its way', async () => {
    const { world, inbox, id } = await conversing({ visibleAfterMs: 2_000 })
    world.intercom.faults.webhooks.add('reorder')
    inbox.reply(id, '<p>Hi</p>')
    world.intercom.subscribe((event) => {
      // The sweep has read the conversation: now the webhook is let go.
      if (event.type !== 'request' || event.path !== `/conversations/${id}`) return
      world.intercom.faults.webhooks.clear()
      void world.intercom.idle()
    })
    expect(countsOf((await world.reconcile()).replies)).toEqual([[ours, 1, 1, 0, []]])
    await world.settled()
    expect(phoneShows(world)).toEqual(['Hi'])
    expect(await recoveredIn(world)).toBe(0)
  })

  it('are for customers alone: no note, no bot, nothing of other channels', async () => {
    const { world, inbox, id } = await conversing()
    world.intercom.faults.webhooks.add('drop')
    inbox.note(id, '<p>private</p>')
    inbox.botReply(id, '<p>I am a bot</p>')
    const stranger = inbox.createContact({ role: 'user', email: 'x@example.com' })
    const made = await fetch(`${world.intercom.url}/conversations`, {
      method: 'POST',
      headers: {
        authorization: 'Bearer fake-access-token',
        accept: 'application/json',
        'content-type': 'application/json',
      },
      body: JSON.stringify({ from: { type: 'user', id: stranger.id }, body: 'in the messenger' }),
    })
    const { conversation_id: other } = (await made.json()) as { conversation_id: string }
    inbox.reply(other, '<p>to the messenger</p>')
    expect(countsOf((await world.reconcile()).replies)).toEqual([])
    await world.settled()
    expect(phoneShows(world)).toEqual([])
  })

  it('are bots’ words too where they are relayed, but not what bots said before', async () => {
    const { time, options } = timeTraveller()
    const { world, inbox, id } = await conversing(options)
    world.intercom.faults.webhooks.add('drop')
    inbox.botReply(id, '<p>before</p>')
    await world.reconcile()
    Object.assign(world.config, { relayBots: true })
    await world.restart()
    time.shiftMs += 60_000
    await world.reconcile()
    inbox.botReply(id, '<p>after</p>')
    time.shiftMs += 60_000
    await world.reconcile()
    await world.settled()
    expect(phoneShows(world)).toEqual(['after'])
  })
})

describe('when it was down for hours', () => {
  it('everything that was written meanwhile arrives once and in order as soon as it is back', async () => {
    const { time, options } = timeTraveller()
    time.shiftMs = -5 * hour
    const world = await openTestBridge({ ...options, reconcileEveryMs: 10 * hour })
    const { twilio, intercom } = world
    twilio.text({ from: customer, to: ours, body: 'before' })
    await world.settled()
    const id = intercom.conversations()[0]?.id ?? ''
    await world.eventually('a mark of both', async () => {
      const marks = await Promise.all(
        ['reconcile:twilio', 'reconcile:intercom'].map((name) => world.store().findMark(name)),
      )
      return marks.every((mark) => mark !== undefined)
    })
    await world.stopBridge()
    for (const [index, body] of ['one', 'two', 'three'].entries()) {
      time.shiftMs = (index - 4) * hour
      twilio.text({ from: customer, to: ours, body })
      intercom.inbox.reply(id, `<p>re ${body}</p>`)
      await Promise.all([twilio.idle(), intercom.idle()])
    }
    time.shiftMs = 0
    await world.startBridge()
    await world.eventually('all is there', () => phoneShows(world).length === 3)
    await world.settled()
    expect(inboxShows(world)).toEqual([
      [
        '<p>before</p>',
        ...['one', 'two', 'three'].map((body) => expect.stringMatching(`delayed, sent .*\\] ${body}</p>`)),
      ],
    ])
    expect(phoneShows(world)).toEqual(
      ['one', 'two', 'three'].map((body) => expect.stringMatching(`delayed, sent .*\\] re ${body}$`)),
    )
    expect(await recoveredIn(world)).toBe(6)
    const metrics = await (await fetch(`${world.bridge().url}/metrics`)).text()
    expect(metrics).toContain('sms_bridge_recovered_total{source="twilio-sms"} 3')
    expect(metrics).toContain('sms_bridge_recovered_total{source="intercom"} 3')
  })
})

describe('what became of our texts', () => {
  it('is asked of Twilio when no status callback told, and again later while it is open', async () => {
    const { world, inbox, id } = await conversing()
    world.twilio.faults.webhooks.add('drop')
    world.twilio.setFate(customer, 30003)
    inbox.reply(id, '<p>lost</p>')
    await world.settled()
    world.twilio.setFate(otherCustomer, 'no-receipt')
    world.twilio.faults.webhooks.clear()
    world.twilio.text({ from: otherCustomer, to: ours, body: 'Hello' })
    await world.settled()
    inbox.reply(world.intercom.conversations()[1]?.id ?? '', '<p>open</p>')
    await world.settled()
    const [lost, open] = world.twilio.messages().filter(({ direction }) => direction === 'outbound-api')
    const sids = [lost?.sid, open?.sid] as MessageSid[] // the twin's own words
    for (const sid of sids) await world.store().pollAgain(sid, 1)
    expect((await world.reconcile({ dryRun: true })).receipts).toEqual({ due: 2, told: 0 })
    expect((await world.reconcile()).receipts).toEqual({ due: 2, told: 1 })
    expect(await world.store().findReceipt(sids[0] ?? ('' as MessageSid))).toMatchObject({
      status: 'undelivered',
      errorCode: 30003,
    })
    expect(await world.store().textsToPoll(systemClock.now() + 59 * 60_000, 10)).toEqual([])
    const due = await world.store().textsToPoll(systemClock.now() + hour, 10)
    expect(due.map(({ messageSid, status }) => [messageSid, status])).toEqual([[sids[1], 'sent']])
  })
})

describe('a text of ours that Twilio cannot be asked about', () => {
  it('lets the others go first next time', async () => {
    const { world } = await conversing()
    const store = world.store()
    const sids = ['1', '2'].map((digit) => `SM${digit.repeat(32)}` as MessageSid) // nobody’s
    for (const sid of sids) await store.saveReceipt({ messageSid: sid, status: 'sent' }, 1)
    world.twilio.faults.arm('error-before', { times: 1, path: /Messages\/SM/ })
    await expect(world.reconcile()).rejects.toThrow('with 500, code 20500')
    const due = async () => (await store.textsToPoll(systemClock.now(), 10)).map(({ messageSid }) => messageSid)
    expect(await due()).toEqual(sids.slice(1))
    // Deleted at Twilio: nobody will ever know.
    expect((await world.reconcile()).receipts).toEqual({ due: 1, told: 0 })
    expect(await due()).toEqual([])
    expect((await store.textsToPoll(systemClock.now() + 10 * hour, 10)).map(({ messageSid }) => messageSid)).toEqual([
      sids[0],
    ])
  })
})

describe('a dry run', () => {
  it('tells what is missing and changes nothing', async () => {
    const { world, inbox, id } = await conversing()
    await world.reconcile()
    world.twilio.faults.webhooks.add('drop')
    world.intercom.faults.webhooks.add('drop')
    const { sid } = world.twilio.text({ from: customer, to: ours, body: 'lost' })
    const part = inbox.reply(id, '<p>lost too</p>')
    const store = world.store()
    const state = async () => ({
      summary: await store.summarize(0, 1),
      marks: await Promise.all(['reconcile:twilio', 'reconcile:intercom'].map((name) => store.findMark(name))),
      numbers: await store.listNumbers(),
      writes: [world.twilio, world.intercom].map((twin) =>
        Object.entries(twin.requestCounts()).filter(([name]) => !name.startsWith('GET') && !name.endsWith('/search')),
      ),
    })
    const before = await state()
    const { texts, replies } = await world.reconcile({ dryRun: true })
    expect(texts.numbers).toMatchObject([{ number: ours, checked: 2, known: 1, recovered: [sid] }])
    expect(replies.numbers).toMatchObject([{ number: ours, checked: 1, known: 0, recovered: [part.id] }])
    expect(await state()).toEqual(before)
  })
})

describe('by itself', () => {
  it('one of two processes sweeps, and the other takes over when it stops', async () => {
    const every = { reconcileEveryMs: 300, relay: { leaseMs: 600 } }
    const world = await openWorld(every)
    await world.eventually('a sweep', () => asked(world, '/Messages.json') > 0)
    const store = await openStore(world.config.store, { now: systemClock.now() })
    const port = await freePort()
    const log = { info: () => {}, warn: () => {}, error: () => {} }
    const parts = { store, clock: systemClock, log, visibleAfterMs: 50, ...every }
    const second = await startBridge({ ...world.config, port }, parts)
    onTestFinished(async () => {
      await second.stop()
      await store.close()
    })
    const sweeps = asked(world, '/Messages.json')
    await world.eventually('more sweeps', () => asked(world, '/Messages.json') >= sweeps + 6)
    // Each process reads the account's numbers at its first sweep.
    expect(asked(world, '/IncomingPhoneNumbers.json')).toBe(1)
    const before = await world.store().findMark('reconcile:twilio')
    await world.stopBridge()
    await world.eventually('the other sweeps', () => asked(world, '/IncomingPhoneNumbers.json') === 2)
    await world.eventually('and goes on from where the first came to', async () => {
      const mark = await store.findMark('reconcile:twilio')
      return (mark?.at ?? 0) > (before?.at ?? Number.POSITIVE_INFINITY)
    })
  })

  it('a shore that rests is not asked, the other one is', async () => {
    const world = await openWorld({ reconcileEveryMs: hour })
    await world.eventually('the first sweeps', () => asked(world, '/Messages.json') === 2)
    const mark = await world.store().findMark('reconcile:intercom')
    await world.store().pauseShore('twilio', 'down', systemClock.now() + hour, systemClock.now())
    await world.restart()
    await world.eventually('Intercom is asked', async () => {
      const now = await world.store().findMark('reconcile:intercom')
      return now !== undefined && now.at !== mark?.at
    })
    expect(asked(world, '/Messages.json')).toBe(2)
  })
})
