// Calls whose answer was lost and whose effect can no longer be told from nothing: a person decides, nothing is doubled.
import { describe, expect, it } from 'vitest'
import { openTestBridge } from '../support/temp.js'
import { customer, ours, type TestBridge } from '../support/test-bridge.js'

async function conversing() {
  const world = await openTestBridge()
  world.twilio.text({ from: customer, to: ours, body: 'Hello' })
  await world.settled()
  const id = world.intercom.conversations()[0]?.id ?? ''
  return { ...world, id, inbox: world.intercom.inbox }
}

const parkedReasons = async ({ store }: Pick<TestBridge, 'store'>) =>
  (await store().listDeliveries({ state: 'parked', limit: 9 })).map(({ reason }) => reason)

describe('what may have happened and cannot be found out is parked and not repeated', () => {
  it('a text of which Twilio shows no words', async () => {
    const world = await conversing()
    const { twilio, inbox, id, config } = world
    const sent = () => twilio.messages().filter(({ direction }) => direction === 'outbound-api')
    // No receipt tells of it, the answer is lost, and its words are gone before it is looked for.
    twilio.faults.webhooks.add('drop')
    twilio.faults.arm('reset-after', { times: 1, method: 'POST', path: /Messages\.json$/ })
    twilio.faults.arm('outage', { method: 'GET' })
    inbox.reply(id, '<p>Your code is in the letter</p>')
    await world.eventually('it was sent', () => sent().length === 1)
    const { accountSid, authTokens } = config.twilio
    const authorization = `Basic ${Buffer.from(`${accountSid}:${authTokens[0]}`).toString('base64')}`
    const url = `${twilio.url}/2010-04-01/Accounts/${accountSid}/Messages/${sent()[0]?.sid}.json`
    await fetch(url, {
      method: 'POST',
      headers: { authorization, 'content-type': 'application/x-www-form-urlencoded' },
      body: 'Body=',
    })
    twilio.faults.disarm('outage')
    await world.eventually('it is parked', async () => (await parkedReasons(world)).length === 1)
    expect(await parkedReasons(world)).toEqual(['unprovable'])
    expect(sent().map(({ body }) => body)).toEqual([''])
    expect((await world.store().listDeliveries({ state: 'parked', limit: 1 }))[0]?.fault?.message).toBe(
      'Twilio lists a text to …0142 without its words: it may be this one',
    )
  })

  it('a follow-up whose words were removed from the conversation', async () => {
    const world = await conversing()
    const { twilio, intercom, inbox, id } = world
    const parts = () => intercom.conversations()[0]?.parts.filter(({ author }) => author.type === 'lead') ?? []
    intercom.faults.arm('reset-after', { times: 1, method: 'POST', path: /\/reply$/ })
    // Before the text is looked for, Intercom is asked whether it is there: long enough to remove its words.
    intercom.faults.arm('slow', { times: 1, method: 'GET', path: /^\/me/, ms: 200 })
    twilio.text({ from: customer, to: ours, body: 'my card is 4111' })
    await world.eventually('it was posted', () => parts().length === 1)
    inbox.redact(id, parts()[0]?.id ?? '')
    await world.eventually('it is parked', async () => (await parkedReasons(world)).length === 1)
    expect(await parkedReasons(world)).toEqual(['unprovable'])
    expect(parts()).toHaveLength(1)
  })
})

describe('a lost answer', () => {
  it('about the contact of a sender without a number does not make two', async () => {
    const world = await openTestBridge()
    world.intercom.faults.arm('reset-after', { times: 1, method: 'POST', path: /^\/contacts$/ })
    world.twilio.text({ from: 'ACME', to: ours, body: 'Your parcel waits' })
    await world.settled()
    expect(world.intercom.contacts().map(({ name }) => name)).toEqual(['ACME'])
    expect(world.intercom.conversations().map(({ source }) => source.body)).toEqual(['<p>Your parcel waits</p>'])
  })

  it('about a text whose look-alikes Twilio replaced is found all the same', async () => {
    const { isSameText } = await import('../../src/flows/sms-text.js')
    expect(isSameText(`Sent from a trial account - It's 5 - 7 "today"...`, 'It’s 5 – 7 “today”…')).toBe(true)
    expect(isSameText('It is 5', 'It’s 5')).toBe(false)
  })
})
