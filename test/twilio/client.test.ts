import { createRequire } from 'node:module'
import fc from 'fast-check'
import { afterEach, describe, expect, it } from 'vitest'
import { systemClock } from '../../src/clock.js'
import { startTwilioTwin } from '../../src/emulators/twilio/server.js'
import type { TwilioTwin, TwilioTwinOptions } from '../../src/emulators/twilio/types.js'
import { parseAddress } from '../../src/phone.js'
import { createTransport } from '../../src/transport.js'
import { createTwilioClient, type TwilioClient } from '../../src/twilio/client.js'
import { encodeForm } from '../../src/twilio/http-client.js'
import { liveCall, openLimiter, sendJson, startVendorServer } from '../support/vendor-server.js'

const accountSid = 'AC00000000000000000000000000000001'
const authToken = 'fake-auth-token'
const ours = parseAddress('+15550100100')
const theirs = parseAddress('+15550100177')
const statusCallback = 'https://relay.example.com/webhooks/twilio/status?ref=7.0'
const sms = {
  from: ours,
  to: theirs,
  body: "It's 5 € (only!) & more*",
  ref: '7.0',
  statusCallback,
  validityPeriodS: 14_400,
}
const bulkCall = { ...liveCall, priority: 'bulk' } as const

const stops: (() => Promise<void>)[] = []
afterEach(async () => {
  for (const stop of stops.splice(0)) await stop()
})

async function clientAt(baseUrl: string, extra: Partial<Parameters<typeof createTwilioClient>[0]> = {}) {
  const { limiter, log } = openLimiter()
  const transport = createTransport({ clock: systemClock, limiter, deadlineMs: 2000 })
  const client = await createTwilioClient({
    random: () => 0,
    accountSid,
    authTokens: [authToken],
    baseUrl,
    transport,
    ...extra,
  })
  return { client, limiter: log }
}

async function setUp(options: Partial<TwilioTwinOptions> = {}): Promise<{
  twin: TwilioTwin
  client: TwilioClient
  limiter: unknown[][]
}> {
  const numbers = [{ phoneNumber: ours }]
  const twin = await startTwilioTwin({ accountSid, authToken, numbers, carrierMs: 1, ...options })
  stops.push(() => twin.stop())
  return { twin, ...(await clientAt(twin.url)) }
}

const countOf = (twin: TwilioTwin) => Object.values(twin.requestCounts()).reduce((sum, count) => sum + count, 0)

describe('sending', () => {
  it('makes one text, exactly as given, with one request', async () => {
    const { twin, client, limiter } = await setUp()
    const messageSid = await client.sendSms(sms, liveCall)
    expect(twin.messages()).toMatchObject([
      { sid: messageSid, direction: 'outbound-api', from: ours, to: theirs, body: sms.body, statusCallback },
    ])
    expect(countOf(twin)).toBe(1)
    expect(limiter).toEqual([])
  })

  it('signs in with an API key where there is one', async () => {
    const key = { sid: 'SK00000000000000000000000000000001', secret: 'fake-secret' }
    const { twin } = await setUp({ apiKeys: { [key.sid]: key.secret } })
    const { client } = await clientAt(twin.url, { apiKey: key, authTokens: ['not-this'] })
    await expect(client.sendSms(sms, liveCall)).resolves.toMatch(/^SM/)
  })

  it('paces bulk by the sender, in segments', async () => {
    const { client, limiter } = await setUp()
    await client.sendSms({ ...sms, body: 'a'.repeat(161) }, bulkCall)
    expect(limiter).toEqual([['pass', `twilio:${ours}`, { perMs: 0.001, burst: 24 }, 2, 'bulk']])
  })

  it.each([
    ['error-before', { outcome: 'ambiguous', status: 500 }, 0],
    ['error-after', { outcome: 'ambiguous', status: 500 }, 1],
    ['reset-before', { outcome: 'ambiguous' }, 0],
    ['reset-after', { outcome: 'ambiguous' }, 1],
    ['truncated', { outcome: 'ambiguous' }, 1],
    ['html', { outcome: 'ambiguous', status: 502 }, 0],
    ['rate-limit', { outcome: 'transient', status: 429, code: '20429', retryAfterMs: 1000, deferred: true }, 0],
    ['refuse-credentials', { outcome: 'transient', status: 401, code: '20003', pausesShore: true, deferred: true }, 0],
  ] as const)('with the fault %s fails for what it is, after one request', async (kind, facts, made) => {
    const { twin, client } = await setUp()
    twin.faults.arm(kind)
    await expect(client.sendSms(sms, liveCall)).rejects.toMatchObject({
      name: 'DeliveryError',
      shore: 'twilio',
      ...facts,
    })
    expect(countOf(twin)).toBe(1)
    expect(twin.messages()).toHaveLength(made)
  })

  it('that is never answered is unknown, though the text was made', async () => {
    const { twin } = await setUp()
    twin.faults.arm('timeout-after')
    const transport = createTransport({ clock: systemClock, limiter: openLimiter().limiter, deadlineMs: 100 })
    const client = await createTwilioClient({
      random: () => 0,
      accountSid,
      authTokens: [authToken],
      baseUrl: twin.url,
      transport,
    })
    await expect(client.sendSms(sms, liveCall)).rejects.toMatchObject({ outcome: 'ambiguous' })
    expect(twin.messages()).toHaveLength(1)
  })

  it('to an invalid number is refused for good, in words without the number', async () => {
    const { client } = await setUp()
    const sending = client.sendSms({ ...sms, to: parseAddress('+15005550001') }, liveCall)
    await expect(sending).rejects.toMatchObject({
      outcome: 'permanent',
      code: '21211',
      status: 400,
      message:
        'twilio answered POST /2010-04-01/Accounts/{id}/Messages.json with 400, code 21211: The phone number is not valid. Ask the customer for the right number (with +country code).',
    })
  })

  it('without a sid in the answer is unknown', async () => {
    const server = await startVendorServer((response) => sendJson(response, 201, { status: 'queued' }))
    stops.push(() => server.stop())
    const { client } = await clientAt(server.url)
    await expect(client.sendSms(sms, liveCall)).rejects.toMatchObject({ outcome: 'ambiguous' })
  })

  it('keeps to the number of calls at one time, the live ones first', async () => {
    const held: (() => void)[] = []
    let open = 0
    let most = 0
    let full = () => {}
    const bothBusy = new Promise<void>((resolve) => {
      full = resolve
    })
    const server = await startVendorServer((response, _request, index) => {
      open += 1
      most = Math.max(most, open)
      const answer = () => {
        open -= 1
        sendJson(response, 201, { sid: `SM${index}` })
      }
      if (index > 1) answer()
      else held.push(answer)
      if (index === 1) full()
    })
    stops.push(() => server.stop())
    const { client } = await clientAt(server.url, { concurrency: 2 })
    const all = [
      ...['bulk 1', 'bulk 2', 'bulk 3', 'bulk 4'].map((body) => client.sendSms({ ...sms, body }, bulkCall)),
      ...['live 1', 'live 2'].map((body) => client.sendSms({ ...sms, body }, liveCall)),
    ]
    await bothBusy
    for (const answer of held) answer()
    await Promise.all(all)
    const bodies = server.seen.map(({ body }) => new URLSearchParams(body).get('Body'))
    expect(most).toBe(2)
    expect(bodies.slice(0, 2).toSorted()).toEqual(['bulk 1', 'bulk 2'])
    expect(bodies.slice(2, 4).toSorted()).toEqual(['live 1', 'live 2'])
  })

  it('gives up waiting for a place when we stop, and has sent nothing', async () => {
    const server = await startVendorServer(() => {})
    stops.push(() => server.stop())
    const { client } = await clientAt(server.url, { concurrency: 1 })
    const stopping = new AbortController()
    const first = client.sendSms(sms, { ...liveCall, signal: stopping.signal })
    const second = client.sendSms(sms, { ...liveCall, signal: stopping.signal })
    const results = Promise.allSettled([first, second])
    stopping.abort()
    await results
    await expect(second).rejects.toMatchObject({ outcome: 'transient', deferred: true })
  })
})

describe('finding out what was sent', () => {
  it('lists only our texts to that number since then, newest first', async () => {
    const { twin, client } = await setUp()
    const begunAt = Date.now()
    const one = await client.sendSms({ ...sms, body: 'one' }, liveCall)
    const two = await client.sendSms({ ...sms, body: 'two' }, liveCall)
    await client.sendSms({ ...sms, to: parseAddress('+15550100142') }, liveCall)
    twin.text({ from: theirs, to: ours, body: 'theirs' })
    const sent = await client.listSent(theirs, { since: begunAt, until: begunAt + 60_000 }, liveCall)
    expect(new Set(sent.map(({ messageSid }) => messageSid))).toEqual(new Set([one, two]))
    expect(sent.find(({ messageSid }) => messageSid === one)).toMatchObject({ from: ours, body: 'one' })
    expect(await client.listSent(theirs, { since: begunAt + 60_000, until: begunAt + 60_000 }, liveCall)).toEqual([])
  })

  it('finds a text whose answer was lost', async () => {
    const { twin, client } = await setUp()
    const begunAt = Date.now()
    twin.faults.arm('reset-after', { times: 1 })
    await expect(client.sendSms(sms, liveCall)).rejects.toMatchObject({ outcome: 'ambiguous' })
    expect(await client.listSent(theirs, { since: begunAt, until: begunAt + 60_000 }, liveCall)).toMatchObject([
      { messageSid: twin.messages()[0]?.sid, body: sms.body, from: ours },
    ])
  })

  const row = (sid: string, date: string, more: object = {}) => ({
    sid,
    body: sid,
    from: null,
    to: theirs,
    direction: 'outbound-api',
    status: 'accepted',
    date_created: date,
    ...more,
  })
  const now = 'Sun, 22 Nov 2026 08:00:00 +0000'
  const nowMs = Date.parse(now)

  it('reads on while a page holds recent ones, allows their clock five seconds, and keeps rows without a sender', async () => {
    const path = `/2010-04-01/Accounts/${accountSid}/Messages.json`
    const server = await startVendorServer((response, _request, index) => {
      const pages = [
        {
          messages: [row('SM1', now), row('SM2', 'Sun, 22 Nov 2026 07:59:55 +0000', { status: 'partially_delivered' })],
          next_page_uri: `${path}?Page=1`,
        },
        { messages: [row('SM3', 'Sun, 22 Nov 2026 07:59:54 +0000')], next_page_uri: `${path}?Page=2` },
      ]
      sendJson(response, 200, pages[index])
    })
    stops.push(() => server.stop())
    const { client } = await clientAt(server.url)
    expect(await client.listSent(theirs, { since: nowMs, until: nowMs + 60_000 }, liveCall)).toEqual([
      { messageSid: 'SM1', from: undefined, body: 'SM1', createdAt: nowMs, status: 'accepted' },
      { messageSid: 'SM2', from: undefined, body: 'SM2', createdAt: nowMs - 5000, status: 'queued' },
    ])
    expect(server.seen.map(({ method, url }) => `${method} ${url}`)).toEqual([
      `GET ${path}?To=%2B15550100177&PageSize=1000`,
      `GET ${path}?Page=1`,
    ])
  })
})

describe('on the wire', () => {
  it('looks like the SDK: its host, agent, encoding and login', async () => {
    const server = await startVendorServer((response) => sendJson(response, 201, { sid: 'SM1' }))
    stops.push(() => server.stop())
    const { client } = await clientAt(`${server.url}/proxy/`)
    await client.sendSms(sms, liveCall)
    const [seen] = server.seen
    expect(seen).toMatchObject({
      method: 'POST',
      url: `/proxy/2010-04-01/Accounts/${accountSid}/Messages.json`,
      body: 'To=%2B15550100177&StatusCallback=https%3A%2F%2Frelay.example.com%2Fwebhooks%2Ftwilio%2Fstatus%3Fref%3D7.0&ValidityPeriod=14400&From=%2B15550100100&Body=It%27s%205%20%E2%82%AC%20%28only%21%29%20%26%20more%2A',
      headers: {
        authorization: `Basic ${Buffer.from(`${accountSid}:${authToken}`).toString('base64')}`,
        'content-type': 'application/x-www-form-urlencoded',
        accept: 'application/json',
        'user-agent': expect.stringMatching(/^twilio-node\/6/),
      },
    })
  })

  it("encodes every form as the SDK's own client does", async () => {
    const { stringify } = createRequire(createRequire(import.meta.url).resolve('twilio'))('qs')
    const value = fc.oneof(
      fc.string({ unit: 'grapheme' }),
      fc.integer(),
      fc.boolean(),
      fc.array(fc.string(), { minLength: 1 }),
    )
    fc.assert(
      fc.property(fc.dictionary(fc.string({ minLength: 1 }), value), (values) => {
        expect(encodeForm(values)).toBe(stringify(values, { arrayFormat: 'repeat' }))
      }),
    )
  })

  it('turns half a character into the replacement character instead of failing', () => {
    expect(encodeForm({ Body: '\ud83d!' })).toBe('Body=%EF%BF%BD%21')
  })

  it('takes no host from the environment', async () => {
    process.env.TWILIO_REGION = 'ie1'
    stops.push(async () => void delete process.env.TWILIO_REGION)
    const urls: string[] = []
    const answer = async (url: unknown) => {
      urls.push(String(url))
      return Response.json({ sid: 'SM1' })
    }
    const { limiter } = openLimiter()
    const transport = createTransport({ clock: systemClock, limiter, fetch: answer })
    const client = await createTwilioClient({ random: () => 0, accountSid, authTokens: [authToken], transport })
    await client.sendSms(sms, liveCall)
    expect(urls).toEqual([`https://api.twilio.com/2010-04-01/Accounts/${accountSid}/Messages.json`])
  })
})
