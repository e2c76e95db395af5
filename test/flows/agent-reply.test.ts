import { createHmac } from 'node:crypto'
import { describe, expect, it } from 'vitest'
import { systemClock } from '../../src/clock.js'
import { openTestBridge } from '../support/temp.js'
import { customer, ours, oursToo, type TestBridge, type TestBridgeOptions } from '../support/test-bridge.js'

/** A bridge with one open conversation. */
async function conversing(options: Partial<TestBridgeOptions> = {}, to = ours) {
  const world = await openTestBridge(options)
  world.twilio.text({ from: customer, to, body: 'Hello' })
  await world.settled()
  const conversation = world.intercom.conversations()[0]
  if (conversation === undefined) throw new Error('no conversation')
  return { world, inbox: world.intercom.inbox, id: conversation.id }
}

const phoneShows = (world: TestBridge) =>
  world.twilio
    .handset(customer)
    .filter(({ direction }) => direction === 'outbound-api')
    .map(({ body }) => body)

/** Its attempt; what came after it may be a note about it. */
const lastReply = (world: TestBridge) => world.attempts.findLast(({ delivery }) => delivery.kind === 'agent-reply')

/** A notification of a reply, with this part of a teammate; resolves to the status it is answered with. */
async function notify(world: TestBridge, id: string, part: object): Promise<number> {
  const conversation = world.intercom.conversations().find((one) => one.id === id)
  const seconds = Math.floor(Date.now() / 1000)
  const author = { type: 'admin', id: '401', name: 'Dana', email: 'dana@example.com' }
  const parts = [{ type: 'conversation_part', id: '999', created_at: seconds, author, attachments: [], ...part }]
  const item = {
    type: 'conversation',
    id,
    created_at: seconds,
    updated_at: seconds,
    contacts: { type: 'contact.list', contacts: [{ type: 'contact', id: conversation?.contactId }] },
    conversation_parts: { type: 'conversation_part.list', conversation_parts: parts, total_count: 1 },
  }
  const body = JSON.stringify({
    type: 'notification_event',
    app_id: world.intercom.appId,
    id: 'notif_1',
    topic: 'conversation.admin.replied',
    created_at: seconds,
    data: { type: 'notification_event_data', item },
  })
  const signature = `sha1=${createHmac('sha1', 'fake-client-secret').update(body).digest('hex')}`
  const headers = { 'content-type': 'application/json', 'x-hub-signature': signature }
  return (await fetch(`${world.bridge().url}/webhooks/intercom`, { method: 'POST', headers, body })).status
}

describe('what a teammate writes for the customer', () => {
  it('arrives on their phone from the number they texted', async () => {
    const { world, inbox, id } = await conversing({}, oursToo)
    inbox.reply(id, '<p>Hi, how can I help?</p>')
    await world.settled()
    const texts = world.twilio.handset(customer).filter(({ direction }) => direction === 'outbound-api')
    expect(texts.map(({ from, to, body, status }) => ({ from, to, body, status }))).toEqual([
      { from: oursToo, to: customer, body: 'Hi, how can I help?', status: 'delivered' },
    ])
  })

  it.each([
    ['a reply that closes', { and: 'close' as const }],
    ['a reply that assigns', { and: 'assign' as const }],
    ['a quick reply', { and: 'quick_reply' as const }],
  ])('%s is sent though its part is of another type', async (_name, options) => {
    const { world, inbox, id } = await conversing()
    inbox.reply(id, '<p>Done.</p>', options)
    await world.settled()
    expect(phoneShows(world)).toEqual(['Done.'])
  })

  it('a reply on a closed conversation is sent', async () => {
    const { world, inbox, id } = await conversing()
    inbox.close(id)
    inbox.reply(id, '<p>One more thing</p>')
    await world.settled()
    expect(phoneShows(world)).toEqual(['One more thing'])
  })

  it('a late reply in an older conversation still finds its way', async () => {
    const { world, inbox, id } = await conversing()
    inbox.close(id)
    world.twilio.text({ from: customer, to: ours, body: 'New question' })
    await world.settled()
    inbox.reply(id, '<p>About the old one</p>')
    await world.settled()
    expect(phoneShows(world)).toEqual(['About the old one'])
  })

  it('keeps its order', async () => {
    const { world, inbox, id } = await conversing()
    const bodies = ['1', '2', '3', '4', '5']
    for (const body of bodies) inbox.reply(id, `<p>${body}</p>`)
    await world.settled()
    expect(phoneShows(world)).toEqual(bodies)
  })

  it('keeps its order though the webhooks come in another', async () => {
    const { world, inbox, id } = await conversing()
    world.intercom.faults.webhooks.add('reorder')
    for (const body of ['1', '2', '3', '4']) inbox.reply(id, `<p>${body}</p>`)
    await world.settled()
    expect(phoneShows(world)).toEqual(['1', '2', '3', '4'])
  })

  it('is sent though its own webhook was lost, as soon as another comes', async () => {
    const { world, inbox, id } = await conversing()
    world.intercom.faults.webhooks.add('drop')
    inbox.reply(id, '<p>lost</p>')
    await world.intercom.idle()
    world.intercom.faults.webhooks.delete('drop')
    inbox.reply(id, '<p>found</p>')
    await world.settled()
    expect(phoneShows(world)).toEqual(['lost', 'found'])
  })

  it('is sent before replies in the next conversation though the webhooks of the one that closed were lost', async () => {
    const { world, inbox, id } = await conversing()
    world.intercom.faults.webhooks.add('drop')
    inbox.reply(id, '<p>lost</p>', { and: 'close' })
    await world.intercom.idle()
    world.intercom.faults.webhooks.delete('drop')
    world.twilio.text({ from: customer, to: ours, body: 'New question' })
    await world.settled()
    const next = world.intercom.conversations().find((one) => one.id !== id)
    inbox.reply(next?.id ?? '', '<p>about the new one</p>')
    await world.settled()
    expect(phoneShows(world)).toEqual(['lost', 'about the new one'])
  })

  it('is sent before a reply in the next conversation that was not known as theirs when it came', async () => {
    const { world, inbox, id } = await conversing()
    world.twilio.faults.arm('rate-limit', { times: 4, method: 'POST', path: /Messages\.json$/ })
    inbox.reply(id, '<p>first</p>', { and: 'close' })
    // Intercom makes the conversation, and its answer is lost.
    world.intercom.faults.arm('reset-after', { times: 1, method: 'POST', path: /^\/conversations$/ })
    world.twilio.text({ from: customer, to: ours, body: 'New question' })
    const next = await world.eventually('the next conversation', () => world.intercom.conversations()[1])
    inbox.reply(next.id, '<p>second</p>')
    await world.settled()
    expect(phoneShows(world)).toEqual(['first', 'second'])
  })

  it('is sent before a reply in the next conversation that came too early, also when it is parked for a while', async () => {
    const retry = { waitsMs: [], parkedWaitsMs: [6_000], jitter: 0, holdMs: 600_000 }
    const { world, inbox, id } = await conversing({ relay: { retry } })
    world.twilio.faults.arm('error-before', { times: 1, method: 'POST', path: /Messages\.json$/ })
    inbox.reply(id, '<p>first</p>', { and: 'close' })
    await world.eventually('parked', async () => (await world.store().summarize(0, Date.now())).parked === 1)
    world.intercom.faults.arm('reset-after', { times: 1, method: 'POST', path: /^\/conversations$/ })
    world.twilio.text({ from: customer, to: ours, body: 'New question' })
    const next = await world.eventually('the next conversation', () => world.intercom.conversations()[1])
    inbox.reply(next.id, '<p>second</p>')
    await world.eventually('both on the phone', () => phoneShows(world).length === 2)
    expect(phoneShows(world)).toEqual(['first', 'second'])
  })

  it('is sent before one in the next conversation though it was written, untold, while that was being opened', async () => {
    const { world, inbox, id } = await conversing()
    inbox.close(id)
    await world.settled()
    world.intercom.faults.arm('slow', { times: 1, method: 'POST', path: /^\/conversations$/, ms: 500 })
    world.twilio.text({ from: customer, to: ours, body: 'New question' })
    const next = await world.eventually('the next conversation', () => world.intercom.conversations()[1])
    world.intercom.faults.webhooks.add('drop')
    inbox.reply(id, '<p>first</p>')
    await world.intercom.idle()
    world.intercom.faults.webhooks.delete('drop')
    inbox.reply(next.id, '<p>second</p>')
    await world.settled()
    expect(phoneShows(world)).toEqual(['first', 'second'])
  })

  it('is sent though its own webhook was lost and only its side effect is told of', async () => {
    const { world, inbox, id } = await conversing()
    world.intercom.faults.webhooks.add('drop')
    inbox.reply(id, '<p>lost</p>')
    await world.intercom.idle()
    expect(await notify(world, id, { part_type: 'assignment', body: null })).toBe(200)
    await world.settled()
    expect(phoneShows(world)).toEqual(['lost'])
  })

  it('is sent while a backlog of texts waits for a slow Intercom', async () => {
    const { world, inbox, id } = await conversing({ relay: { concurrency: 2 } })
    world.intercom.faults.arm('slow', { method: 'POST', path: /^\/conversations$/, ms: 2_000 })
    const others = ['1', '2', '3', '4', '5', '6', '7', '8'].map((digit) => `+1555010020${digit}`)
    for (const from of others) world.twilio.text({ from, to: ours, body: 'Hello' })
    await world.twilio.idle()
    inbox.reply(id, '<p>Hi</p>')
    await world.eventually('the reply', () => phoneShows(world).length > 0)
    // Two at a time: had it stood in line behind them, at most two would be left.
    expect((await world.store().summarize(0, Date.now())).waiting).toBeGreaterThan(4)
    world.intercom.faults.clear()
    await world.settled()
    expect(phoneShows(world)).toEqual(['Hi'])
    expect(world.intercom.conversations()).toHaveLength(1 + others.length)
  })

  it('is sent once though its webhook comes twice', async () => {
    const { world, inbox, id } = await conversing()
    world.intercom.faults.webhooks.add('duplicate')
    inbox.reply(id, '<p>once</p>')
    await world.settled()
    expect(phoneShows(world)).toEqual(['once'])
  })

  it.each(['2.14', '2.15'] as const)('arrives with its links in webhook dialect %s', async (dialect) => {
    const { world, inbox, id } = await conversing({ intercom: { dialect } })
    inbox.reply(id, '<p>See <a href="https://example.com/x">here</a></p><ul><li>a</li><li>b</li></ul>')
    await world.settled()
    expect(phoneShows(world)).toEqual(['See here (https://example.com/x)\n\n- a\n- b'])
  })

  it('is split at a word, in order, when it is longer than Twilio takes', async () => {
    const { world, inbox, id } = await conversing()
    const long = 'word '.repeat(700).trim()
    inbox.reply(id, `<p>${long}</p>`)
    await world.settled()
    expect(phoneShows(world).map((body) => body.length)).toEqual([1599, 1599, 299])
    expect(phoneShows(world).join(' ')).toBe(long)
  })

  it('says so when it arrives more than ten minutes after it was written', async () => {
    const clock = { now: () => systemClock.now() - 20 * 60_000, sleep: systemClock.sleep }
    const { world, inbox, id } = await conversing({ intercom: { clock } })
    const { createdAt } = inbox.reply(id, '<p>It left this morning</p>')
    await world.settled()
    const time = new Date(createdAt).toISOString().slice(11, 16)
    expect(phoneShows(world)).toEqual([
      expect.stringMatching(/^\[delayed, sent (\d+ \w+ )?\d\d:\d\d\] It left this morning$/),
    ])
    expect(phoneShows(world)[0]).toContain(time)
  })

  it('says so too when only a later attempt is that late', async () => {
    let ahead = 0
    const clock = { now: () => systemClock.now() + ahead, sleep: systemClock.sleep }
    const { world, inbox, id } = await conversing({ clock: async () => clock, relay: { leaseMs: 3_600_000 } })
    world.twilio.faults.arm('rate-limit', { times: 1, method: 'POST' })
    inbox.reply(id, '<p>It left this morning</p>')
    await world.eventually('it was refused once', () => world.twilio.faults.armed().length === 0)
    ahead = 20 * 60_000
    await world.eventually('it is on the phone', () => phoneShows(world).length === 1)
    expect(phoneShows(world)).toEqual([expect.stringMatching(/^\[delayed, sent .*\] It left this morning$/)])
  })

  it('names its attachments', async () => {
    const { world, inbox, id } = await conversing()
    const attachments = [{ name: 'map.png', contentType: 'image/png', data: new Uint8Array([1]) }]
    inbox.reply(id, '<p>Here</p>', { attachments })
    await world.settled()
    expect(phoneShows(world)).toEqual([expect.stringMatching(/^Here\nmap\.png: http:\/\/\S+$/)])
  })

  it('carries our delivery id to Twilio and back', async () => {
    const { world, inbox, id } = await conversing()
    inbox.reply(id, '<p>Hi</p>')
    await world.settled()
    const { delivery } = world.attempts.at(-1) ?? {}
    const sent = world.twilio.messages().find(({ direction }) => direction === 'outbound-api')
    expect(new URL(sent?.statusCallback ?? '').searchParams.get('ref')).toBe(`${delivery?.id}.0`)
    expect(await world.store().findReceiptByRef(`${delivery?.id}.0`)).toMatchObject({
      messageSid: sent?.sid,
      status: 'delivered',
      conflict: false,
    })
  })
})

describe('what is not for the customer', () => {
  it('a private note is never sent', async () => {
    const { world, inbox, id } = await conversing()
    inbox.note(id, '<p>Looks angry</p>')
    inbox.reply(id, '<p>Hi</p>')
    await world.settled()
    expect(phoneShows(world)).toEqual(['Hi'])
  })

  it('closing, assigning, tagging and snoozing send nothing', async () => {
    const { world, inbox, id } = await conversing()
    inbox.assign(id, { type: 'admin', id: '401' })
    inbox.tag(id, 'vip')
    inbox.snooze(id, Date.UTC(2030, 1, 1))
    inbox.close(id)
    inbox.open(id)
    await world.settled()
    expect(phoneShows(world)).toEqual([])
  })

  it('a bot is not relayed unless it is asked for, and then once though two topics tell of it', async () => {
    const silent = await conversing()
    silent.inbox.botReply(silent.id, '<p>I am a bot</p>')
    silent.inbox.reply(silent.id, '<p>I am not</p>')
    await silent.world.settled()
    expect(phoneShows(silent.world)).toEqual(['I am not'])

    const asked = await conversing({ config: { relayBots: true } })
    asked.inbox.botReply(asked.id, '<p>I am a bot</p>')
    await asked.world.settled()
    expect(phoneShows(asked.world)).toEqual(['I am a bot'])
  })

  it('what a bot said before bots were relayed does not come along with the next reply', async () => {
    const { world, inbox, id } = await conversing()
    inbox.botReply(id, '<p>I am a bot</p>')
    await world.settled()
    Object.assign(world.config, { relayBots: true })
    await world.restart()
    inbox.reply(id, '<p>I am not</p>')
    await world.settled()
    expect(phoneShows(world)).toEqual(['I am not'])
    inbox.botReply(id, '<p>I still am</p>')
    await world.settled()
    expect(phoneShows(world)).toEqual(['I am not', 'I still am'])
  })

  it('our own echo of what the customer wrote is never sent back', async () => {
    const { world } = await conversing()
    world.twilio.text({ from: customer, to: ours, body: 'me again' })
    await world.settled()
    expect(phoneShows(world)).toEqual([])
  })

  it('a reply redacted before it was sent is not sent', async () => {
    const { world, inbox, id } = await conversing()
    world.intercom.faults.arm('outage')
    const part = inbox.reply(id, '<p>secret</p>')
    await world.intercom.idle()
    inbox.redact(id, part.id)
    world.intercom.faults.clear()
    inbox.reply(id, '<p>sorry</p>')
    await world.settled()
    expect(phoneShows(world)).toEqual(['sorry'])
  })

  it('a conversation of another channel is left alone', async () => {
    const { world, inbox } = await conversing()
    const stranger = inbox.createContact({ role: 'user', email: 'x@example.com' })
    const response = await fetch(`${world.intercom.url}/conversations`, {
      method: 'POST',
      headers: {
        authorization: 'Bearer fake-access-token',
        accept: 'application/json',
        'content-type': 'application/json',
      },
      body: JSON.stringify({ from: { type: 'user', id: stranger.id }, body: 'in the messenger' }),
    })
    const { conversation_id: id } = (await response.json()) as { conversation_id: string }
    const before = world.attempts.length
    inbox.reply(id, '<p>to the messenger</p>')
    await world.settled()
    expect(phoneShows(world)).toEqual([])
    expect(world.attempts).toHaveLength(before)
  })

  it('a sender that cannot receive texts is not texted', async () => {
    const world = await openTestBridge()
    world.twilio.text({ from: 'ACME', to: ours, body: 'Your parcel is here' })
    await world.settled()
    const conversation = world.intercom.conversations()[0]
    expect(conversation?.source.body).toBe('<p>Your parcel is here</p>')
    world.intercom.inbox.reply(conversation?.id ?? '', '<p>Thanks</p>')
    await world.settled()
    expect(world.twilio.messages().filter(({ direction }) => direction !== 'inbound')).toEqual([])
    expect(lastReply(world)?.settlement).toEqual({
      state: 'suppressed',
      reason: 'ACME is a sender that cannot receive texts',
    })
  })
})

describe('when Twilio fails', () => {
  const faults = [
    'rate-limit',
    'error-before',
    'error-after',
    'reset-after',
    'reset-before',
    'truncated',
    'html',
    'refuse-credentials',
  ] as const
  it.each(faults)('%s neither loses, doubles nor reorders a reply', async (fault) => {
    const { world, inbox, id } = await conversing()
    world.twilio.faults.arm(fault, { times: 1, method: 'POST', path: /Messages\.json$/ })
    for (const body of ['1', '2', '2', '3']) inbox.reply(id, `<p>${body}</p>`)
    await world.settled()
    expect(phoneShows(world)).toEqual(['1', '2', '2', '3'])
  })

  it('an answer lost on the way does not double a reply whose attachment has another address by then', async () => {
    let later = 0
    const { world, inbox, id } = await conversing({
      intercom: { clock: { now: () => systemClock.now() + later, sleep: systemClock.sleep } },
    })
    world.twilio.faults.webhooks.add('drop')
    world.twilio.faults.arm('reset-after', { times: 1, method: 'POST', path: /Messages\.json$/ })
    // The address is signed with its expiry, a whole second.
    world.twilio.subscribe((event) => {
      if (event.type === 'request' && event.status === 'reset') later += 60_000
    })
    const attachments = [{ name: 'map.png', contentType: 'image/png', data: new Uint8Array([1]) }]
    const [file] = inbox.reply(id, '<p>Here</p>', { attachments }).attachments
    await world.settled()
    expect(phoneShows(world)).toEqual([expect.stringMatching(/^Here\nmap\.png: http:\/\/\S+$/)])
    expect(phoneShows(world)).not.toContain(`Here\nmap.png: ${file?.url}`)
  })

  it('a customer who said STOP is not texted again, and the reply is parked with the code', async () => {
    const { world, inbox, id } = await conversing()
    world.twilio.text({ from: customer, to: ours, body: 'STOP' })
    await world.settled()
    inbox.reply(id, '<p>Please stay</p>')
    await world.settled()
    expect(phoneShows(world)).toEqual([])
    expect(lastReply(world)?.settlement).toMatchObject({ state: 'parked', reason: '21610' })
  })

  it('a text that did not arrive is known with its code', async () => {
    const { world, inbox, id } = await conversing()
    world.twilio.setFate(customer, 30003)
    inbox.reply(id, '<p>Hi</p>')
    await world.settled()
    const { delivery } = lastReply(world) ?? {}
    expect(await world.store().findReceiptByRef(`${delivery?.id}.0`)).toMatchObject({
      status: 'undelivered',
      errorCode: 30003,
    })
  })

  it('each attempt is one request', async () => {
    const { world, inbox, id } = await conversing()
    world.twilio.faults.arm('rate-limit', { times: 2, method: 'POST', path: /Messages\.json$/ })
    inbox.reply(id, '<p>Hi</p>')
    await world.settled()
    const posts = Object.entries(world.twilio.requestCounts()).filter(([name]) => /^POST .*Messages\.json$/.test(name))
    expect(posts.map(([, count]) => count)).toEqual([3])
  })
})
