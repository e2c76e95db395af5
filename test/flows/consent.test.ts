import { describe, expect, it } from 'vitest'
import { consentOf, readConsent } from '../../src/flows/consent.js'
import { parseAddress } from '../../src/phone.js'
import { openTestBridge } from '../support/temp.js'
import { customer, ours } from '../support/test-bridge.js'

describe('a word of consent', () => {
  it('is the whole text, in any case', () => {
    const stops = ['STOP', ' stop\n', 'StopAll', 'unsubscribe', 'cancel', 'end', 'quit', 'revoke', 'optout']
    expect(stops.map(readConsent)).toEqual(stops.map(() => 'stop'))
    expect(['START', 'unstop', 'yes'].map(readConsent)).toEqual(['start', 'start', 'start'])
    expect(['please stop', 'stop it', 'OPT OUT', '', 'help'].map(readConsent)).toEqual(Array(5).fill(undefined))
  })

  it('is what Twilio took it for, where the account has words of its own', () => {
    expect(consentOf({ body: 'ARRET', keyword: 'stop' })).toBe('stop')
    expect(consentOf({ body: 'Bonjour', keyword: 'start' })).toBe('start')
    expect(consentOf({ body: 'stop', keyword: 'help' })).toBeUndefined()
    expect(consentOf({ body: 'stop' })).toBe('stop')
  })

  it('is kept in mind until the customer takes it back', async () => {
    const { twilio, ...world } = await openTestBridge()
    const since = () => world.store().optedOutSince(parseAddress(ours), parseAddress(customer))
    twilio.text({ from: customer, to: ours, body: 'stop' })
    await world.settled()
    expect(await since()).toBeGreaterThan(0)
    twilio.text({ from: customer, to: ours, body: 'Start' })
    await world.settled()
    expect(await since()).toBeUndefined()
  })

  it('that only Twilio heard is learnt from its refusal', async () => {
    const { twilio, intercom, ...world } = await openTestBridge()
    twilio.text({ from: customer, to: ours, body: 'Hello' })
    await world.settled()
    twilio.text({ from: customer, to: ours, body: 'stop' })
    await world.settled()
    await world.store().optIn(parseAddress(ours), parseAddress(customer))
    intercom.inbox.reply(intercom.conversations()[0]?.id ?? '', '<p>Sure?</p>')
    await world.settled()
    expect(await world.store().optedOutSince(parseAddress(ours), parseAddress(customer))).toBeGreaterThan(0)
    const [parked] = await world.store().listDeliveries({ state: 'parked', limit: 1 })
    expect([parked?.reason, parked?.attempts]).toEqual(['21610', 1])
  })
})
