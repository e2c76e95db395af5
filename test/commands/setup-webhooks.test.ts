import { describe, expect, it } from 'vitest'
import {
  changedSettings,
  compareNumber,
  desiredWebhooks,
  mergeChanges,
  shownUrl,
} from '../../src/commands/setup/webhooks.js'
import { numberWith, serviceWith } from '../support/account-numbers.js'

const publicUrl = 'https://sms.example.com/bridge'
const { sms, fallback } = desiredWebhooks({ publicUrl })
const right = { url: sms, method: 'POST', fallbackUrl: fallback, fallbackMethod: 'POST' }

describe('what a number should be set to', () => {
  it('asks Twilio to try again within its fifteen seconds, and to try the same door once more after that', () => {
    expect(desiredWebhooks({ publicUrl })).toEqual({
      sms: 'https://sms.example.com/bridge/webhooks/twilio/sms#ct=3000&rt=4000&rc=5&rp=all',
      fallback: 'https://sms.example.com/bridge/webhooks/twilio/sms',
      status: 'https://sms.example.com/bridge/webhooks/twilio/status',
      intercom: 'https://sms.example.com/bridge/webhooks/intercom',
    })
  })

  it.each([
    ['is right', right, 'ours', undefined],
    ['asks for retries in other words', { ...right, url: `${fallback}#rc=3&rp=ct,rt,5xx` }, 'ours', undefined],
    ['has no URL', {}, 'unset', 'not-set'],
    ['has the demo of a fresh number', { url: 'https://demo.twilio.com/welcome/sms/reply' }, 'unset', 'not-set'],
    ['is somebody else’s', { url: 'https://crm.example.com/sms' }, 'foreign', 'other-url'],
    [
      'is what stands at another path of ours',
      { url: 'https://sms.example.com/webhooks/twilio/sms' },
      'foreign',
      'other-url',
    ],
    ['comes by GET', { ...right, method: 'GET' }, 'differs', 'wrong-method'],
    ['is tried only once', { ...right, url: fallback }, 'differs', 'no-retries'],
    ['has no fallback', { ...right, fallbackUrl: undefined }, 'differs', 'no-fallback'],
    ['has its fallback by GET', { ...right, fallbackMethod: 'GET' }, 'differs', 'fallback-method'],
    ['has retries asked for in its fallback', { ...right, fallbackUrl: sms }, 'ours', undefined],
    [
      'has a fallback elsewhere, however it is asked',
      { ...right, fallbackUrl: 'https://handler.example.com/EH1', fallbackMethod: 'GET' },
      'ours',
      undefined,
    ],
  ])('a number that %s', (_name, own, state, cause) => {
    const comparison = compareNumber(numberWith(own), publicUrl)
    expect(comparison.state).toBe(state)
    expect(comparison.cause).toBe(cause)
    if (state === 'ours') expect(comparison.changes).toEqual([])
    else
      expect(comparison.changes).toMatchObject([
        { resource: { kind: 'number' }, after: { ...right, applicationSid: '' } },
      ])
  })

  it('a number in a service is set by its service, which is named, and stays as it is', () => {
    const service = serviceWith({ url: 'https://crm.example.com/sms' })
    const comparison = compareNumber(numberWith({}, { service, via: 'service', inbound: service }), publicUrl)
    expect(comparison).toMatchObject({
      state: 'foreign',
      detail: 'Messaging Service "Support" decides: its texts go to https://crm.example.com/sms',
      changes: [
        { resource: { kind: 'service', sid: service.sid }, label: 'Messaging Service "Support"', after: right },
      ],
    })
    expect(comparison.changes[0]?.after).not.toHaveProperty('applicationSid')
  })

  it('a service that drops texts is nobody’s', () => {
    const service = serviceWith()
    const number = numberWith({}, { service, via: 'service', inbound: service, drops: true })
    expect(compareNumber(number, publicUrl)).toMatchObject({ state: 'unset', cause: 'drops-inbound' })
  })

  it('a service that leaves it to its numbers is left alone', () => {
    const service = serviceWith({ usesNumbersUrl: true })
    const { changes } = compareNumber(numberWith({}, { service }), publicUrl)
    expect(changes.map(({ resource }) => resource.kind)).toEqual(['number'])
  })

  it('an application is taken off the number, and where a service decides then, that is set too', () => {
    const service = serviceWith()
    const applicationSid = `AP${'3'.repeat(32)}`
    const inbound = { ...numberWith().own, url: 'https://app.example.com/sms' }
    const alone = compareNumber(numberWith({}, { applicationSid, via: 'application', inbound }), publicUrl)
    expect(alone.changes).toMatchObject([{ before: { applicationSid }, after: { ...right, applicationSid: '' } }])
    const both = compareNumber(numberWith({}, { applicationSid, via: 'application', inbound, service }), publicUrl)
    expect(both.changes.map(({ resource, after }) => [resource.kind, after.url, after.applicationSid])).toEqual([
      ['service', sms, undefined],
      ['number', '', ''],
    ])
  })

  it('a short code has a resource of its own, without applications', () => {
    const code = numberWith({}, { sid: `SC${'4'.repeat(32)}`, kind: 'short-code' })
    const [change] = compareNumber(code, publicUrl).changes
    expect(change?.resource.kind).toBe('short-code')
    expect(change?.after).toEqual(right)
  })
})

describe('changes', () => {
  it('are one for each service, however many of its numbers are chosen', () => {
    const service = serviceWith()
    const number = numberWith({}, { service, via: 'service', inbound: service, drops: true })
    const { changes } = compareNumber(number, publicUrl)
    expect(mergeChanges([...changes, ...changes])).toEqual(changes)
  })

  it('name nothing that stays', () => {
    expect(changedSettings({ ...right, method: 'GET' }, right)).toEqual(['method'])
    expect(changedSettings(right, { ...right, applicationSid: '' })).toEqual([])
  })

  it('show a URL without what may be a key or a password', () => {
    expect(shownUrl('https://ada:pass@crm.example.com/x?key=1#rc=2')).toBe('https://crm.example.com/x?…#rc=2')
  })
})
