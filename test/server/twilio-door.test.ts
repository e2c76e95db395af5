import { getExpectedTwilioSignature } from 'twilio/lib/webhooks/webhooks.js'
import { describe, expect, it } from 'vitest'
import { parseAddress } from '../../src/phone.js'
import { openTestBridge } from '../support/temp.js'
import { customer, ours, type TestBridge } from '../support/test-bridge.js'

const smsPath = '/webhooks/twilio/sms'
const emptyTwiml = '<?xml version="1.0" encoding="UTF-8"?><Response/>'

function form(world: TestBridge, fields: Record<string, string> = {}) {
  return {
    SmsMessageSid: 'SM0123456789abcdef0123456789abcdef',
    MessageSid: 'SM0123456789abcdef0123456789abcdef',
    AccountSid: world.config.twilio.accountSid,
    From: customer,
    To: ours,
    Body: 'Hi 👋 it’s 50% off? ',
    NumMedia: '0',
    FromCity: '',
    ...fields,
  }
}

interface Post {
  readonly path?: string
  readonly fields?: Record<string, string>
  readonly token?: string
  readonly signedUrl?: string
  readonly headers?: Record<string, string>
  readonly body?: string
}

async function post(world: TestBridge, { path = smsPath, fields, token, signedUrl, headers, body }: Post = {}) {
  const params = fields ?? form(world)
  const url = signedUrl ?? `${world.config.publicUrl}${path}`
  const signature = getExpectedTwilioSignature(token ?? world.config.twilio.authTokens[0] ?? '', url, params)
  const response = await fetch(`${world.bridge().url}${path}`, {
    method: 'POST',
    headers: {
      'content-type': 'application/x-www-form-urlencoded; charset=utf-8',
      'x-twilio-signature': signature,
      ...headers,
    },
    body: body ?? new URLSearchParams(params).toString(),
  })
  return { status: response.status, type: response.headers.get('content-type'), text: await response.text() }
}

const accepted = { status: 200, type: 'text/xml', text: emptyTwiml }
const received = async (world: TestBridge) =>
  (await world.store().summarize(0, Date.now())).totals.reduce((sum, { received }) => sum + received, 0)

describe('a text at the door', () => {
  it('is answered with empty TwiML, never with text that Twilio would send to the customer', async () => {
    const world = await openTestBridge()
    expect(await post(world)).toEqual(accepted)
    expect(await received(world)).toBe(1)
  })

  it('is one message however often it comes', async () => {
    const world = await openTestBridge()
    for (let time = 0; time < 3; time += 1) expect(await post(world)).toEqual(accepted)
    expect(await received(world)).toBe(1)
  })

  it('is taken with any of the auth tokens of a rotation', async () => {
    const world = await openTestBridge()
    await world.stopBridge()
    Object.assign(world.config.twilio, { authTokens: [...world.config.twilio.authTokens, 'a'.repeat(32)] })
    await world.startBridge()
    expect(await post(world, { token: 'a'.repeat(32) })).toEqual(accepted)
    expect((await post(world, { token: 'b'.repeat(32) })).status).toBe(403)
  })

  it('is signed over the public URL with its query', async () => {
    const world = await openTestBridge()
    expect(await post(world, { path: `${smsPath}?tenant=a%20b` })).toEqual(accepted)
  })

  it.each([
    ['a signature made with another token', { token: 'c'.repeat(32) }],
    ['a signature made for another URL', { signedUrl: 'https://evil.example.com/webhooks/twilio/sms' }],
    ['a signature that is no base64', { headers: { 'x-twilio-signature': '…'.normalize('NFKD') } }],
    ['an empty signature', { headers: { 'x-twilio-signature': '' } }],
  ])('%s is refused', async (_name, options) => {
    const world = await openTestBridge()
    expect((await post(world, options)).status).toBe(403)
    expect(await received(world)).toBe(0)
  })

  it('a changed field is refused', async () => {
    const world = await openTestBridge()
    const body = new URLSearchParams({ ...form(world), Body: 'Hi 👋 it’s 50% off?' }).toString()
    expect((await post(world, { body })).status).toBe(403)
  })

  it('an unknown account is refused', async () => {
    const world = await openTestBridge()
    const fields = form(world, { AccountSid: `AC${'0'.repeat(32)}` })
    expect(await post(world, { fields })).toEqual({
      status: 403,
      type: 'application/json',
      text: `{"error":"unknown account \\"AC${'0'.repeat(32)}\\""}`,
    })
  })

  it('an oversized body is refused and stops nothing', async () => {
    const world = await openTestBridge()
    const fields = form(world, { Body: 'x'.repeat(70_000) })
    expect((await post(world, { fields })).status).toBe(413)
    expect(await post(world)).toEqual(accepted)
  })

  it('a missing field is named', async () => {
    const world = await openTestBridge()
    const { MessageSid: _, SmsMessageSid: __, ...fields } = form(world)
    const answer = await post(world, { fields })
    expect(answer.status).toBe(400)
    expect(answer.text).toContain('MessageSid')
  })

  it('JSON is refused', async () => {
    const world = await openTestBridge()
    expect((await post(world, { headers: { 'content-type': 'application/json' }, body: '{}' })).status).toBe(415)
  })

  it('a NUL byte is taken out, the rest arrives', async () => {
    const world = await openTestBridge()
    expect(await post(world, { fields: form(world, { Body: 'a\u0000b' }) })).toEqual(accepted)
    await world.settled()
    expect(world.intercom.conversations()[0]?.source.body).toBe('<p>ab</p>')
  })

  it.each([
    ['a short code', '24273'],
    ['a name', 'ACME'],
    ['an anonymous sender', '+266696687'],
  ])('%s as sender is taken in like any other', async (_name, From) => {
    const world = await openTestBridge()
    expect(await post(world, { fields: form(world, { From }) })).toEqual(accepted)
    await world.settled()
    expect(world.intercom.conversations()).toHaveLength(1)
  })

  it('a number of ours that no setting names is bridged all the same', async () => {
    const world = await openTestBridge()
    expect(await post(world, { fields: form(world, { To: '+15550100999' }) })).toEqual(accepted)
    await world.settled()
    expect(world.intercom.conversations()[0]).toMatchObject({ teamAssigneeId: null })
  })

  it('that cannot be stored is answered 503, so that Twilio tries again', async () => {
    const world = await openTestBridge()
    await world.store().close()
    expect((await post(world)).status).toBe(503)
  })
})

describe('a receipt at the door', () => {
  const path = '/webhooks/twilio/status?ref=77.0'
  const receipt = (world: TestBridge, MessageStatus: string, fields: Record<string, string> = {}) => ({
    MessageSid: 'SM22222222222222222222222222222222',
    MessageStatus,
    AccountSid: world.config.twilio.accountSid,
    From: ours,
    To: customer,
    ...fields,
  })

  it('is answered 204 and found by our reference', async () => {
    const world = await openTestBridge()
    expect((await post(world, { path, fields: receipt(world, 'sent') })).status).toBe(204)
    expect(await world.store().findReceiptByRef('77.0')).toMatchObject({ status: 'sent', errorCode: undefined })
  })

  it('that is late never undoes a later one', async () => {
    const world = await openTestBridge()
    for (const status of ['delivered', 'sent', 'queued']) await post(world, { path, fields: receipt(world, status) })
    expect(await world.store().findReceiptByRef('77.0')).toMatchObject({ status: 'delivered', conflict: false })
  })

  it('that says delivered after one that said failed is a conflict', async () => {
    const world = await openTestBridge()
    await post(world, { path, fields: receipt(world, 'undelivered', { ErrorCode: '30003' }) })
    await post(world, { path, fields: receipt(world, 'delivered') })
    expect(await world.store().findReceiptByRef('77.0')).toMatchObject({ conflict: true, errorCode: 30003 })
  })

  it('of a state nobody knows is answered and changes nothing', async () => {
    const world = await openTestBridge()
    expect((await post(world, { path, fields: receipt(world, 'teleported') })).status).toBe(204)
    expect(await world.store().findReceiptByRef('77.0')).toBeUndefined()
  })

  it('that failed because they opted out is kept in mind', async () => {
    const world = await openTestBridge()
    const since = () => world.store().optedOutSince(parseAddress(ours), parseAddress(customer))
    await post(world, { path, fields: receipt(world, 'failed', { ErrorCode: '30003' }) })
    expect(await since()).toBeUndefined()
    await post(world, { path, fields: receipt(world, 'failed', { ErrorCode: '21610' }) })
    expect(await since()).toBeGreaterThan(0)
  })

  it('that is not signed is refused', async () => {
    const world = await openTestBridge()
    expect((await post(world, { path, fields: receipt(world, 'sent'), token: 'd'.repeat(32) })).status).toBe(403)
  })
})
