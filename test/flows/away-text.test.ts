// What a customer gets who texts outside a number's hours, and when they get nothing.
import { describe, expect, it } from 'vitest'
import { isToBeAnswered } from '../../src/flows/away-text.js'
import { closedPeriod, opensInWords, parseHours, type WeeklyHours } from '../../src/hours.js'
import { parseAddress } from '../../src/phone.js'
import { openTestBridge } from '../support/temp.js'
import {
  customer,
  otherCustomer,
  ours,
  oursToo,
  type TestBridge,
  type TestBridgeOptions,
} from '../support/test-bridge.js'

const day = new Intl.DateTimeFormat('en', { weekday: 'short', timeZone: 'UTC' })
/** Open for an hour three days from now, and so closed for days on both sides of today. */
const shut = () => parseHours(`${day.format(Date.now() + 3 * 86_400_000)} 9-10 UTC`)
const alwaysOpen = parseHours('Mon-Sun 0-24 UTC')

/** A bridge whose hours can be changed under it. */
async function keeping(at: WeeklyHours, options: Partial<TestBridgeOptions> = {}) {
  const hours = new Map([[ours, at]])
  const world = await openTestBridge({ ...options, config: { hours, awayText: 'We are closed until {opens}.' } })
  const text = async (body: string, from = customer, to = ours) => {
    world.twilio.text({ from, to, body })
    await world.settled()
  }
  return { world, text, hours }
}

const sentTo = (world: TestBridge, phone = customer) =>
  world.twilio
    .handset(phone)
    .filter(({ direction }) => direction === 'outbound-api')
    .map(({ from, body, status }) => ({ from, body, status }))

const notes = (world: TestBridge) =>
  world.intercom
    .conversations()
    .flatMap(({ parts }) => parts.filter(({ partType }) => partType === 'note').map(({ body }) => body))

const awayEnds = (world: TestBridge) =>
  world.attempts.filter(({ delivery }) => delivery.kind === 'away-text').map(({ settlement }) => settlement)

const expected = (hours: WeeklyHours) => {
  const until = closedPeriod(hours, [], 'UTC', Date.now())?.until ?? 0
  return `We are closed until ${opensInWords(until, Date.now(), 'UTC')}.`
}

describe('a text outside the hours of a number', () => {
  it('is answered once, however often they text, and teammates see with what', async () => {
    const hours = shut()
    const { world, text } = await keeping(hours)
    for (const body of ['Hello', 'Anybody there?', 'Bye']) await text(body)
    expect(sentTo(world)).toEqual([{ from: ours, body: expected(hours), status: 'delivered' }])
    const id = world.attempts.find(({ delivery }) => delivery.kind === 'away-text')?.delivery.id
    expect(notes(world)).toEqual([`<p>Texted automatically, outside our hours (d_${id}): “${expected(hours)}”</p>`])
    expect(world.intercom.conversations()[0]?.waitingSince).not.toBeNull()
  })

  it('is answered to each customer', async () => {
    const { world, text } = await keeping(shut())
    await text('Hello')
    await text('Hello', otherCustomer)
    expect([sentTo(world).length, sentTo(world, otherCustomer).length]).toEqual([1, 1])
  })

  it('is answered once though its webhook comes twice and the answer of Twilio is lost', async () => {
    const { world, text } = await keeping(shut())
    world.twilio.faults.webhooks.add('duplicate')
    world.twilio.faults.arm('reset-after', { times: 1, method: 'POST', path: /Messages\.json$/ })
    await text('Hello')
    expect(sentTo(world)).toHaveLength(1)
    expect(notes(world)).toHaveLength(1)
  })

  it('is answered again in the next closed period', async () => {
    const { world, text, hours } = await keeping(shut())
    await text('Hello')
    hours.set(ours, parseHours(`${day.format(Date.now() + 2 * 86_400_000)} 9-10 UTC`))
    await text('Hello again')
    expect(sentTo(world)).toHaveLength(2)
  })

  it.each([['Etc/UTC'], ['Somewhere/Else']])(
    'goes by the time zone of the workspace where the hours name none, and by UTC where that is %s',
    async (timeZone) => {
      const { zone: _, ...hours } = shut()
      const { world, text } = await keeping(hours, { intercom: { timeZone } })
      await text('Hello')
      expect(sentTo(world).map(({ body }) => body)).toEqual([expected(hours)])
    },
  )

  it('does not keep a reply of a teammate waiting', async () => {
    const { world, text } = await keeping(shut())
    world.twilio.faults.arm('error-before', { times: 3, method: 'POST', path: /Messages\.json$/ })
    world.twilio.text({ from: customer, to: ours, body: 'Hello' })
    const conversation = await world.eventually('a conversation', () => world.intercom.conversations()[0])
    await world.eventually('a try', () => world.twilio.requestCounts()['POST /2010-04-01/Accounts/{sid}/Messages.json'])
    world.twilio.faults.clear()
    world.intercom.inbox.reply(conversation.id, '<p>I am here</p>')
    await text('Great')
    expect(sentTo(world).map(({ body }) => body)).toContain('I am here')
  })

  it('is not answered where the number is open, nor where it has no hours', async () => {
    const { world, text, hours } = await keeping(alwaysOpen)
    await text('Hello')
    hours.clear()
    await text('Hello', otherCustomer)
    expect(world.twilio.messages().filter(({ direction }) => direction === 'outbound-api')).toEqual([])
    expect(awayEnds(world)).toEqual([])
  })

  it('is not answered once a teammate has answered since closing', async () => {
    const { world, text, hours } = await keeping(alwaysOpen)
    await text('Hello')
    world.intercom.inbox.reply(world.intercom.conversations()[0]?.id ?? '', '<p>Still here</p>')
    await world.settled()
    hours.set(ours, shut())
    await text('Great')
    expect(sentTo(world).map(({ body }) => body)).toEqual(['Still here'])
    expect(awayEnds(world)).toEqual([])
  })

  it('is not answered once a teammate has answered since closing and closed the conversation', async () => {
    const { world, text, hours } = await keeping(alwaysOpen)
    await text('Hello')
    world.intercom.inbox.reply(world.intercom.conversations()[0]?.id ?? '', '<p>Done</p>', { and: 'close' })
    await world.settled()
    hours.set(ours, shut())
    await text('Thanks!')
    expect(world.intercom.conversations()).toHaveLength(2)
    expect(sentTo(world).map(({ body }) => body)).toEqual(['Done'])
  })

  it('is not answered by a machine when a teammate answers before it', async () => {
    const { world } = await keeping(shut())
    world.twilio.faults.arm('outage')
    world.twilio.text({ from: customer, to: ours, body: 'Hello' })
    const { id } = await world.eventually('a conversation', () => world.intercom.conversations()[0])
    await world.eventually('a pause', async () => (await world.store().pauses()).length > 0)
    world.intercom.inbox.reply(id, '<p>I am here</p>')
    await world.intercom.idle()
    world.twilio.faults.clear()
    await world.settled()
    expect(sentTo(world).map(({ body }) => body)).toEqual(['I am here'])
    expect(awayEnds(world).at(-1)).toEqual({ state: 'suppressed', reason: 'a teammate has answered since closing' })
  })

  it('is answered after an opt-out was taken back in the same closed period', async () => {
    const { world, text } = await keeping(shut())
    for (const body of ['STOP', 'oops', 'START', 'Is anybody there?']) await text(body)
    expect(sentTo(world)).toHaveLength(1)
  })

  it('is not answered when the number has opened before the answer could leave', async () => {
    const { world, hours } = await keeping(shut())
    world.twilio.faults.arm('outage')
    world.twilio.text({ from: customer, to: ours, body: 'Hello' })
    await world.eventually('a pause', async () => (await world.store().pauses()).length > 0)
    hours.set(ours, alwaysOpen)
    world.twilio.faults.clear()
    await world.settled()
    expect(sentTo(world)).toEqual([])
    expect(awayEnds(world).at(-1)).toEqual({ state: 'suppressed', reason: 'the number is open again' })
  })

  it('of another number of ours is not answered: two of them would go on for ever', async () => {
    const { world, text } = await keeping(shut())
    await world.reconcile()
    await text('Hello', oursToo)
    expect(world.twilio.messages().filter(({ direction }) => direction === 'outbound-api')).toEqual([])
    expect(awayEnds(world)).toEqual([])
  })

  it('of somebody who opted out is not answered, and leaves no dead letter', async () => {
    const { world, text } = await keeping(shut())
    await text('STOP')
    await text('You still there?')
    expect(sentTo(world)).toEqual([])
    expect(awayEnds(world)).toEqual([])
  })

  it('that Twilio refuses to answer leaves no dead letter', async () => {
    const { world, text } = await keeping(shut())
    await text('STOP')
    await world.store().optIn(parseAddress(ours), parseAddress(customer))
    await text('You still there?')
    expect(awayEnds(world)).toEqual([{ state: 'suppressed', reason: 'not sent: 21610' }])
    expect(await world.store().optedOutSince(parseAddress(ours), parseAddress(customer))).toBeGreaterThan(0)
  })

  it('whose answer fails on its way leaves no dead letter, and a note tells teammates', async () => {
    const { world, text } = await keeping(shut())
    world.twilio.setFate(customer, 30003)
    await text('Hello')
    expect(awayEnds(world).map(({ state }) => state)).toEqual(['delivered'])
    const id = world.attempts.find(({ delivery }) => delivery.kind === 'away-text')?.delivery.id
    expect(notes(world).map((note) => note?.replace(/\d\d:\d\d/, '00:00'))).toContain(
      `<p><b>Not delivered to ${customer}:</b> the automatic text (00:00, d_${id})</p>` +
        '<p>The phone is off or has no signal. (Twilio 30003)</p>' +
        '<p>The customer does not know that you are away. Nothing tries it again.</p>',
    )
    expect(notes(world)).toHaveLength(2)
    expect((await world.store().summarize(0, Date.now())).parked).toBe(0)
  })
})

describe('what is answered automatically', () => {
  it.each([
    ['Hello, are you open?', customer, true],
    ['', customer, true],
    ['stop', customer, false],
    [' Help ', customer, false],
    ['INFO', customer, false],
    ['START', customer, false],
    ['Hello', '78901', false],
    ['Hello', 'ACME', false],
    ['I’m driving right now, will get back to you', customer, false],
    ['This is an automated message. Do not reply.', customer, false],
    ['Auto-Reply: I am out of the office', customer, false],
    ['Is your reply machine automatic?', customer, true],
    ['I got no reply to my e-mail', customer, true],
    ['Yes', customer, true],
    ['Please stop texting me', customer, false],
    ['STOP!', customer, false],
    ['OPT OUT', customer, false],
    ['unsubscribe me please', customer, false],
    ['Don’t text me again', customer, false],
    ['Arrêtez', customer, false],
    ['Where is the next bus to Stopford?', customer, true],
  ])('%j from %s: %s', (body, from, answered) => {
    expect(isToBeAnswered({ from: parseAddress(from), body })).toBe(answered)
  })

  it('is nothing that Twilio has answered by the words of the account', () => {
    const sms = { from: parseAddress(customer), body: 'AYUDA' }
    expect(isToBeAnswered(sms)).toBe(true)
    expect(isToBeAnswered({ ...sms, keyword: 'help' })).toBe(false)
  })
})
