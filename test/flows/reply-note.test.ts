// What the conversation tells of a reply that did not simply arrive.
import { describe, expect, it } from 'vitest'
import { main } from '../../src/cli/main.js'
import type { MessageSid } from '../../src/message.js'
import { openTestBridge } from '../support/temp.js'
import { customer, ours, type TestBridge, type TestBridgeOptions } from '../support/test-bridge.js'
import { testIo } from '../support/test-io.js'

async function conversing(options: Partial<TestBridgeOptions> = {}) {
  const world = await openTestBridge(options)
  world.twilio.text({ from: customer, to: ours, body: 'Hello' })
  await world.settled()
  const conversation = world.intercom.conversations()[0]
  if (conversation === undefined) throw new Error('no conversation')
  return { world, inbox: world.intercom.inbox, id: conversation.id }
}

const partsOf = (world: TestBridge, id: string) =>
  world.intercom.conversations().find((conversation) => conversation.id === id)?.parts ?? []

/** The notes' paragraphs, with the time of day left out. */
const notes = (world: TestBridge, id: string) =>
  partsOf(world, id)
    .filter(({ partType }) => partType === 'note')
    .map(({ body }) =>
      (body ?? '')
        .split('</p>')
        .filter((html) => html !== '')
        .map((html) => html.replaceAll(/<[^>]+>/g, '').replace(/written \d\d:\d\d/, 'written 00:00')),
    )

const phoneShows = (world: TestBridge) =>
  world.twilio
    .handset(customer)
    .filter(({ direction }) => direction === 'outbound-api')
    .map(({ body }) => body)

const replyId = (world: TestBridge) =>
  world.attempts.find(({ delivery }) => delivery.kind === 'agent-reply')?.delivery.id ?? 0

/** A text that fails at the carrier, of which no webhook tells: Twilio is to be asked about it at once. */
async function failUntold<T>(world: TestBridge, write: () => T): Promise<T> {
  world.twilio.setFate(customer, 30006)
  world.twilio.faults.webhooks.add('drop')
  const written = write()
  await world.settled()
  const sid = world.twilio.messages().at(-1)?.sid as MessageSid // the twin's own word
  await world.store().pollAgain(sid, 1)
  return written
}

const stateOf = (world: TestBridge, id: string) => world.intercom.conversations().find((one) => one.id === id)?.state

describe('a reply that the carrier does not deliver', () => {
  it('is told of in its conversation, once, with the cause and what to do', async () => {
    const { world, inbox, id } = await conversing()
    world.twilio.setFate(customer, 30003)
    inbox.reply(id, '<p>Your order is ready &amp; waits for you at the counter of our shop in Main Street.</p>')
    await world.settled()
    expect(notes(world, id)).toEqual([
      [
        `Not delivered to ${customer}: “Your order is ready &amp; waits for you at the counter of our…” (written 00:00, d_${replyId(world)})`,
        'The phone is off or has no signal. (Twilio 30003)',
        'Nothing tries it again: write it again a little later, or reach the customer another way.',
      ],
    ])
    expect(partsOf(world, id).findLast(({ partType }) => partType === 'note')?.author.id).toBe('401')
  })

  it('is told of once though it went in several texts and each failed', async () => {
    const { world, inbox, id } = await conversing()
    world.twilio.setFate(customer, 30005)
    inbox.reply(id, `<p>${'word '.repeat(700)}</p>`)
    await world.settled()
    expect(world.twilio.messages().filter(({ status }) => status === 'undelivered')).toHaveLength(3)
    expect(notes(world, id)).toHaveLength(1)
    expect(notes(world, id)[0]?.[2]).toBe(
      'Reach the customer another way, or ask them to text us from a mobile phone: replies go to the number that texted.',
    )
  })

  it('opens the conversation that was closed with the same click, so that somebody sees it', async () => {
    const { world, inbox, id } = await conversing()
    world.twilio.setFate(customer, 30034)
    inbox.reply(id, '<p>Bye</p>', { and: 'close' })
    await world.settled()
    expect(stateOf(world, id)).toBe('open')
    expect(notes(world, id)[0]?.[2]).toBe(
      'Tell whoever looks after sms-bridge: sms-bridge explain 30034 says what to mend. Write it again once that is done.',
    )
  })

  it('ends a snooze', async () => {
    const { world, inbox, id } = await conversing()
    world.twilio.setFate(customer, 30003)
    inbox.reply(id, '<p>Tomorrow</p>')
    inbox.snooze(id, Date.now() + 3_600_000)
    await world.settled()
    expect(stateOf(world, id)).toBe('open')
  })

  it('is told of though no status callback came and Twilio had to be asked', async () => {
    const { world, inbox, id } = await conversing()
    await failUntold(world, () => inbox.reply(id, '<p>Hi</p>'))
    expect(notes(world, id)).toEqual([])
    expect((await world.reconcile()).receipts).toEqual({ due: 1, told: 1 })
    await world.settled()
    expect(notes(world, id)).toHaveLength(1)
  })

  it('is told of once though the callback comes twice', async () => {
    const { world, inbox, id } = await conversing()
    world.twilio.setFate(customer, 30003)
    world.twilio.faults.webhooks.add('duplicate')
    inbox.reply(id, '<p>Hi</p>')
    await world.settled()
    expect(notes(world, id)).toHaveLength(1)
  })

  it('is not quoted once its words were taken back', async () => {
    const { world, inbox, id } = await conversing()
    const part = await failUntold(world, () => inbox.reply(id, '<p>secret</p>'))
    inbox.redact(id, part.id)
    await world.reconcile()
    await world.settled()
    expect(notes(world, id)[0]?.[0]).toBe(`Not delivered to ${customer}: a reply (written 00:00, d_${replyId(world)})`)
  })

  it('is not quoted when its words were taken back while the note could not be written', async () => {
    const { world, inbox, id } = await conversing()
    world.twilio.setFate(customer, 30003)
    world.intercom.faults.arm('rate-limit', { times: 1, method: 'POST', path: /\/reply$/ })
    const part = inbox.reply(id, '<p>secret</p>')
    await world.eventually('a refused note', () => world.intercom.faults.armed().length === 0)
    inbox.redact(id, part.id)
    await world.settled()
    expect(notes(world, id).map(([what]) => what)).toEqual([
      `Not delivered to ${customer}: a reply (written 00:00, d_${replyId(world)})`,
    ])
  })

  it('is told of with its code though the answer of Twilio was lost and no callback came', async () => {
    const { world, inbox, id } = await conversing({ twilio: { listLagMs: 100 } })
    world.twilio.setFate(customer, 30006)
    world.twilio.faults.webhooks.add('drop')
    world.twilio.faults.arm('reset-after', { times: 1, method: 'POST', path: /Messages\.json$/ })
    inbox.reply(id, '<p>Hi</p>')
    await world.settled()
    expect(notes(world, id).map(([, why]) => why)).toEqual([
      'The number is a landline, or its carrier takes no texts from us. (Twilio 30006)',
    ])
  })

  it('calls for nobody when a machine wrote it', async () => {
    const { world, inbox, id } = await conversing({ config: { relayBots: true } })
    world.twilio.setFate(customer, 30003)
    inbox.botReply(id, '<p>Beep</p>')
    inbox.close(id)
    await world.settled()
    expect(notes(world, id)).toHaveLength(1)
    expect(stateOf(world, id)).toBe('closed')
  })

  it('opens a conversation that is closed again and again only once in a while', async () => {
    const { world, inbox, id } = await conversing()
    world.twilio.setFate(customer, 30003)
    for (const body of ['one', 'two']) {
      inbox.reply(id, `<p>${body}</p>`, { and: 'close' })
      await world.settled()
    }
    expect(notes(world, id)).toHaveLength(2)
    expect(stateOf(world, id)).toBe('closed')
  })

  it('is a private note: the customer gets nothing more', async () => {
    const { world, inbox, id } = await conversing()
    world.twilio.setFate(customer, 30003)
    inbox.reply(id, '<p>Hi</p>')
    await world.settled()
    expect(world.twilio.messages().filter(({ direction }) => direction === 'outbound-api')).toHaveLength(1)
  })

  it('is written once though the answer to the note was lost', async () => {
    const { world, inbox, id } = await conversing()
    world.twilio.setFate(customer, 30003)
    world.intercom.faults.arm('reset-after', { times: 1, method: 'POST', path: /\/reply$/ })
    inbox.reply(id, '<p>Hi</p>')
    await world.settled()
    expect(notes(world, id)).toHaveLength(1)
  })

  it('harms nothing when its conversation was deleted', async () => {
    const { world, inbox, id } = await conversing()
    await failUntold(world, () => inbox.reply(id, '<p>Hi</p>'))
    inbox.deleteConversation(id)
    await world.reconcile()
    await world.settled()
    expect(world.attempts.at(-1)?.settlement).toEqual({ state: 'suppressed', reason: 'no such thread' })
  })
})

describe('a reply that cannot be sent', () => {
  it('is told of with the word of the law when the customer has opted out', async () => {
    const { world, inbox, id } = await conversing()
    world.twilio.text({ from: customer, to: ours, body: 'STOP' })
    await world.settled()
    inbox.reply(id, '<p>Please stay</p>')
    await world.settled()
    expect(notes(world, id)).toEqual([
      [
        `Not texted to ${customer}: “Please stay” (written 00:00, d_${replyId(world)})`,
        'The customer texted STOP: nothing may be texted to them until they text START. (Twilio 21610)',
        'Reach the customer another way; texting works again once they text START themselves.',
      ],
    ])
  })

  it('to a sender that takes no texts is told of once, however often it is tried', async () => {
    const world = await openTestBridge()
    world.twilio.text({ from: 'ACME', to: ours, body: 'Your parcel is here' })
    await world.settled()
    const id = world.intercom.conversations()[0]?.id ?? ''
    for (const body of ['Thanks', 'Hello?']) world.intercom.inbox.reply(id, `<p>${body}</p>`)
    await world.settled()
    expect(notes(world, id)).toEqual([
      [
        'ACME cannot be answered by text.',
        'It is the sender of automatic texts, which takes none: what is written here for the customer is not sent.',
        'Reach the customer another way.',
      ],
    ])
  })

  it('yet says so, and says when it left after all', async () => {
    const retry = { waitsMs: [10], parkedWaitsMs: [100], jitter: 0, holdMs: 600_000 }
    const { world, inbox, id } = await conversing({ relay: { retry } })
    world.twilio.faults.arm('error-before', { times: 2, method: 'POST', path: /Messages\.json$/ })
    inbox.reply(id, '<p>Hi</p>')
    await world.eventually('both notes', () => notes(world, id).length === 2)
    await world.settled()
    expect(phoneShows(world)).toEqual(['Hi'])
    expect(notes(world, id).map(([what, , next]) => [what, next])).toEqual([
      [
        `Perhaps not texted to ${customer} yet: “Hi” (written 00:00, d_${replyId(world)})`,
        'It is tried again by itself. Do not write it again: the customer would get both.',
      ],
      [`Texted to ${customer} after all: “Hi” (written 00:00, d_${replyId(world)})`, undefined],
    ])
  })

  it('until somebody replays it says so, and that it left after all does not open what was closed', async () => {
    const byHand = { waitsMs: [], parkedWaitsMs: [], jitter: 0, holdMs: 600_000 }
    const { world, inbox, id } = await conversing({ relay: { retry: byHand } })
    world.twilio.faults.arm('error-before', { times: 1, method: 'POST', path: /Messages\.json$/ })
    inbox.reply(id, '<p>Hi</p>')
    await world.settled()
    expect(notes(world, id).map(([what, , next]) => [what, next])).toEqual([
      [
        `Perhaps not texted to ${customer}: “Hi” (written 00:00, d_${replyId(world)})`,
        `Ask the customer before you write it again, or whoever looks after sms-bridge: sms-bridge dlq show d_${replyId(world)}.`,
      ],
    ])
    inbox.close(id)
    const env = { SMS_BRIDGE_STORE: world.config.store, SMS_BRIDGE_HOME: '/nowhere' }
    await main(['node', 'sms-bridge', 'dlq', 'replay', '--all', '--yes'], testIo({ env }), env)
    await world.eventually('the second note', () => notes(world, id).length === 2)
    await world.settled()
    expect(phoneShows(world)).toEqual(['Hi'])
    expect(stateOf(world, id)).toBe('closed')
  })

  it('and was discarded says so, so that nobody waits for it', async () => {
    const byHand = { waitsMs: [], parkedWaitsMs: [], jitter: 0, holdMs: 600_000 }
    const { world, inbox, id } = await conversing({ relay: { retry: byHand } })
    world.twilio.faults.arm('error-before', { times: 1, method: 'POST', path: /Messages\.json$/ })
    inbox.reply(id, '<p>Hi</p>')
    await world.settled()
    const env = { SMS_BRIDGE_STORE: world.config.store, SMS_BRIDGE_HOME: '/nowhere' }
    const discard = ['dlq', 'discard', '--all', '--because', 'called <them>', '--yes']
    expect(await main(['node', 'sms-bridge', ...discard], testIo({ env }), env)).toBe(0)
    await world.eventually('the second note', () => notes(world, id).length === 2)
    expect(notes(world, id)[1]).toEqual([
      `Will not be texted to ${customer}: “Hi” (written 00:00, d_${replyId(world)})`,
      'Whoever looks after sms-bridge took it out: called &lt;them&gt;',
      'Write it again if the customer still needs it.',
    ])
  })
})
