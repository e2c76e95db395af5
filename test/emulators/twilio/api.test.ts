import { describe, expect, it } from 'vitest'
import {
  accountSid,
  authToken,
  customer,
  form,
  get,
  nextEvent,
  our,
  rest,
  sdk,
  startReceiver,
  startTwin,
} from './twins.js'

const apiKey = `SK${'1'.repeat(32)}`
const sms = { to: customer, from: our, body: 'x' }
const smsForm = () => form({ To: customer, From: our, Body: 'x' })

describe('credentials', () => {
  it('are the auth token or an API key', async () => {
    const { twin, client } = await startTwin({ apiKeys: { [apiKey]: 'a-fake-secret' } })

    expect(await client.incomingPhoneNumbers.list({ limit: 1 })).toHaveLength(1)
    expect(await sdk(twin, apiKey, 'a-fake-secret').incomingPhoneNumbers.list({ limit: 1 })).toHaveLength(1)
  })

  it.each([
    ['a wrong token', accountSid, 'wrong'],
    ['a wrong secret', apiKey, 'wrong'],
    ['an unknown key', `SK${'2'.repeat(32)}`, 'a-fake-secret'],
  ])('are refused with 401 and 20003 for %s', async (_, user, password) => {
    const { twin } = await startTwin({ apiKeys: { [apiKey]: 'a-fake-secret' } })

    await expect(sdk(twin, user, password).messages.list()).rejects.toMatchObject({ status: 401, code: 20003 })
  })

  it('are needed: without them the answer is 401 with a request id', async () => {
    const { twin } = await startTwin()

    const response = await fetch(`${twin.url}/2010-04-01/Accounts/${accountSid}/Messages.json`)

    expect(response.status).toBe(401)
    expect(response.headers.get('twilio-request-id')).toMatch(/^RQ/)
    expect(response.headers.get('twilio-concurrent-requests')).toBe('1')
    expect(await response.json()).toMatchObject({ code: 20003, status: 401 })
  })

  it('of one account do not reach another', async () => {
    const { twin } = await startTwin()

    const response = await get(twin, `/2010-04-01/Accounts/AC${'9'.repeat(32)}/Messages.json`)

    expect(response.status).toBe(404)
    expect(await response.json()).toMatchObject({ code: 20404, status: 404 })
  })

  it('of an API key do not show the account, those of the account do', async () => {
    const { twin, client } = await startTwin({ apiKeys: { [apiKey]: 'a-fake-secret' } })

    expect(await client.api.v2010.accounts(accountSid).fetch()).toMatchObject({ status: 'active', authToken })
    const withKey = sdk(twin, apiKey, 'a-fake-secret').api.v2010.accounts(accountSid).fetch()
    await expect(withKey).rejects.toMatchObject({ status: 401, code: 20003 })
  })
})

describe('limits', () => {
  it('refuses with 429 and 20429 what comes above the concurrent maximum', async () => {
    const { twin, clock } = await startTwin({ maxConcurrent: 1 })
    twin.faults.arm('slow', { times: 1, ms: 1000 })
    const accepted = nextEvent(twin, (event) => event.type === 'request')
    const slow = rest(twin, '/Messages.json')
    await accepted

    const refused = await rest(twin, '/Messages.json', smsForm())

    expect(refused.status).toBe(429)
    expect(refused.headers.get('twilio-concurrent-requests')).toBe('2')
    expect(await refused.json()).toMatchObject({ code: 20429, status: 429 })
    expect(twin.messages()).toEqual([])
    await clock.advance(1000)
    expect((await slow).status).toBe(200)
  })
})

describe('faults', () => {
  it('rate-limit: 429 and nothing done, as often as armed', async () => {
    const { twin, client } = await startTwin()
    twin.faults.arm('rate-limit', { times: 1, method: 'POST' })

    await expect(client.messages.create(sms)).rejects.toMatchObject({ status: 429, code: 20429 })
    expect(twin.messages()).toEqual([])
    await client.messages.create(sms)
    expect(twin.messages()).toHaveLength(1)
  })

  it('error-before: 500 and nothing done', async () => {
    const { twin, client } = await startTwin()
    twin.faults.arm('error-before')

    await expect(client.messages.create(sms)).rejects.toMatchObject({ status: 500, code: 20500 })
    expect(twin.messages()).toEqual([])
  })

  it('error-after: the message is made and the answer is 500', async () => {
    const { twin, client } = await startTwin()
    twin.faults.arm('error-after')

    await expect(client.messages.create(sms)).rejects.toMatchObject({ status: 500, code: 20500 })
    expect(twin.messages()).toHaveLength(1)
  })

  it('timeout-after: the message is made and no answer comes', async () => {
    const { twin } = await startTwin()
    twin.faults.arm('timeout-after')
    const made = nextEvent(twin, (event) => event.type === 'request')
    const patience = new AbortController()

    const call = rest(twin, '/Messages.json', { ...smsForm(), signal: patience.signal })

    expect(await made).toMatchObject({ status: 'hung' })
    expect(twin.messages()).toHaveLength(1)
    patience.abort()
    await expect(call).rejects.toThrow('aborted')
  })

  it.each([
    ['reset-after', 1],
    ['reset-before', 0],
    ['outage', 0],
  ] as const)('%s: the connection is reset with %i message made', async (kind, made) => {
    const { twin } = await startTwin()
    twin.faults.arm(kind)

    await expect(rest(twin, '/Messages.json', smsForm())).rejects.toMatchObject({ cause: { code: 'ECONNRESET' } })
    expect(twin.messages()).toHaveLength(made)
  })

  it('truncated: the message is made and half of the 201 arrives', async () => {
    const { twin } = await startTwin()
    twin.faults.arm('truncated')

    const response = await rest(twin, '/Messages.json', smsForm())

    expect(response.status).toBe(201)
    await expect(response.text()).rejects.toThrow('terminated')
    expect(twin.messages()).toHaveLength(1)
  })

  it('html: a gateway answers 502 in its own words and nothing is done', async () => {
    const { twin, client } = await startTwin()
    twin.faults.arm('html')

    const response = await rest(twin, '/Messages.json', smsForm())

    expect(response.status).toBe(502)
    expect(response.headers.get('content-type')).toBe('text/html')
    await expect(client.messages.create(sms)).rejects.toMatchObject({
      status: 502,
      message: '[HTTP 502] Failed to execute request',
    })
    expect(twin.messages()).toEqual([])
  })

  it('slow: the message is made at once and the answer comes later', async () => {
    const { twin, clock } = await startTwin()
    twin.faults.arm('slow', { ms: 3000 })
    const made = nextEvent(twin, (event) => event.type === 'request')
    const call = rest(twin, '/Messages.json', smsForm())
    await made

    expect(twin.messages()).toHaveLength(1)
    await clock.advance(3000)
    expect((await call).status).toBe(201)
  })

  it('refuse-credentials: 401 for those that are right', async () => {
    const { twin, client } = await startTwin()
    twin.faults.arm('refuse-credentials', { path: /Messages/ })

    await expect(client.messages.create(sms)).rejects.toMatchObject({ status: 401, code: 20003 })
    expect(await client.incomingPhoneNumbers.list()).toHaveLength(1)
  })
})

describe('numbers', () => {
  it('are found by a part of them and changed', async () => {
    const receiver = await startReceiver()
    const { twin, client } = await startTwin({ numbers: [{ phoneNumber: our }, { phoneNumber: '+15550100002' }] })

    const [found] = await client.incomingPhoneNumbers.list({ phoneNumber: our })
    expect(found).toMatchObject({ phoneNumber: our, smsUrl: 'https://demo.twilio.com/welcome/sms/reply' })
    const updated = await client
      .incomingPhoneNumbers(found?.sid ?? '')
      .update({ smsUrl: `${receiver.url}/a`, smsFallbackUrl: `${receiver.url}/b`, smsMethod: 'GET' })

    expect(updated).toMatchObject({
      smsUrl: `${receiver.url}/a`,
      smsFallbackUrl: `${receiver.url}/b`,
      smsMethod: 'GET',
    })
    expect(twin.numbers()[0]).toMatchObject({ smsUrl: `${receiver.url}/a`, smsFallbackUrl: `${receiver.url}/b` })
    expect(await client.incomingPhoneNumbers.list({ phoneNumber: '+155501000**' })).toHaveLength(2)
    expect(await client.incomingPhoneNumbers.list({ phoneNumber: '0002' })).toHaveLength(1)
  })

  it('take no fallback URL without a URL', async () => {
    const { client, twin } = await startTwin()
    const sid = twin.numbers()[0]?.sid ?? ''

    const update = client.incomingPhoneNumbers(sid).update({ smsUrl: '', smsFallbackUrl: 'https://relay.example.com/' })

    await expect(update).rejects.toMatchObject({ status: 400, code: 21406 })
  })

  it('that are short codes have a resource of their own', async () => {
    const { twin, client } = await startTwin({ numbers: [{ phoneNumber: '55501', kind: 'short-code' }] })

    const [shortCode] = await client.shortCodes.list()
    expect(await client.incomingPhoneNumbers.list()).toEqual([])
    expect(shortCode).toMatchObject({ shortCode: '55501', smsUrl: null })
    await client.shortCodes(shortCode?.sid ?? '').update({ smsUrl: 'https://relay.example.com/sms' })

    expect((await client.shortCodes(shortCode?.sid ?? '').fetch()).smsUrl).toBe('https://relay.example.com/sms')
    expect(twin.numbers()[0]?.smsUrl).toBe('https://relay.example.com/sms')
  })
})

describe('Messaging Services', () => {
  it('are made, paged by absolute URL, changed and deleted; a number is in one pool at most', async () => {
    const { twin, client } = await startTwin()
    const { services } = client.messaging.v1
    const phoneNumberSid = twin.numbers()[0]?.sid ?? ''
    const a = await services.create({ friendlyName: 'A', inboundRequestUrl: 'https://relay.example.com/sms' })
    const b = await services.create({ friendlyName: 'B' })

    expect((await services.list({ pageSize: 1 })).map(({ sid }) => sid)).toEqual([a.sid, b.sid])
    expect(b.inboundRequestUrl).toBeNull()
    await services(a.sid).phoneNumbers.create({ phoneNumberSid })
    await services(b.sid).phoneNumbers.create({ phoneNumberSid })
    expect(await services(a.sid).phoneNumbers.list()).toEqual([])
    expect(await services(b.sid).phoneNumbers.list()).toMatchObject([{ phoneNumber: our, serviceSid: b.sid }])
    expect(await services(b.sid).update({ useInboundWebhookOnNumber: true })).toMatchObject({
      useInboundWebhookOnNumber: true,
    })
    expect(await services(b.sid).phoneNumbers(phoneNumberSid).remove()).toBe(true)
    expect(await services(b.sid).phoneNumbers.list()).toEqual([])
    expect(await services(a.sid).remove()).toBe(true)
    await expect(services(a.sid).fetch()).rejects.toMatchObject({ status: 404, code: 20404 })
  })
})

describe('the books', () => {
  it('count requests by method and path with SIDs replaced', async () => {
    const { twin, client } = await startTwin()
    const { sid } = await client.messages.create(sms)
    await client.messages(sid).fetch()
    await client.messages(sid).fetch()

    expect(twin.requestCounts()).toEqual({
      'POST /2010-04-01/Accounts/{sid}/Messages.json': 1,
      'GET /2010-04-01/Accounts/{sid}/Messages/{sid}.json': 2,
    })
  })

  it('close with the twin: stop ends hung requests and frees the port', async () => {
    const { twin } = await startTwin()
    twin.faults.arm('timeout-after')
    const hung = nextEvent(twin, (event) => event.type === 'request')
    const call = rest(twin, '/Messages.json', smsForm()).catch((error: unknown) => error)
    await hung

    await twin.stop()

    expect(await call).toBeInstanceOf(TypeError)
    await expect(fetch(twin.url)).rejects.toMatchObject({ cause: { code: 'ECONNREFUSED' } })
  })
})
