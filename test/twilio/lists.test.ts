// What Twilio's lists tell: texts that came in, what became of ours, and where the numbers' texts go.
import { describe, expect, it, onTestFinished } from 'vitest'
import { systemClock } from '../../src/clock.js'
import { startTwilioTwin } from '../../src/emulators/twilio/server.js'
import type { TwilioTwin, TwilioTwinOptions } from '../../src/emulators/twilio/types.js'
import type { MessageSid } from '../../src/message.js'
import { parseAddress } from '../../src/phone.js'
import { createTransport } from '../../src/transport.js'
import { createTwilioClient } from '../../src/twilio/client.js'
import { sdk, serviceWith } from '../emulators/twilio/twins.js'
import { liveCall, openLimiter, sendJson, startVendorServer } from '../support/vendor-server.js'

const accountSid = `AC${'0'.repeat(32)}`
const authToken = 'obviously-a-fake-token'
const ours = parseAddress('+15550100100')
const oursToo = parseAddress('+15550100200')
const theirs = parseAddress('+15550100177')
const relay = 'https://relay.example.com/webhooks/twilio/sms'
const start = Date.parse('2026-11-22T08:00:00.250Z')

function clientAt(baseUrl: string) {
  const transport = createTransport({ clock: systemClock, limiter: openLimiter().limiter, deadlineMs: 5000 })
  return createTwilioClient({ random: () => 0, accountSid, authTokens: [authToken], baseUrl, transport })
}

async function setUp(options: Partial<TwilioTwinOptions> = {}) {
  let now = start
  const numbers = [{ phoneNumber: ours }, { phoneNumber: oursToo }]
  const clock = { now: () => now, sleep: systemClock.sleep }
  const twin = await startTwilioTwin({ accountSid, authToken, numbers, clock, carrierMs: 1, ...options })
  onTestFinished(() => twin.stop())
  const later = (ms: number) => {
    now += ms
  }
  return { twin, client: await clientAt(twin.url), vendor: sdk(twin, accountSid, authToken), later }
}

const countsOf = (twin: TwilioTwin) =>
  Object.fromEntries(
    Object.entries(twin.requestCounts()).map(([name, count]) => [
      name.replace(/\/2010-04-01\/Accounts\/\{sid\}/, ''),
      count,
    ]),
  )

describe('texts that came in', () => {
  it('are listed oldest first, those of one second too, with when Twilio got them', async () => {
    const { twin, client, later } = await setUp()
    twin.text({ from: theirs, to: ours, body: 'one' })
    twin.text({ from: theirs, to: ours, body: 'two' })
    later(5_000)
    twin.text({ from: 'ACME', to: ours, body: 'th\0ree' })
    twin.text({ from: theirs, to: oursToo, body: 'to another number' })
    await client.sendSms(
      { from: oursToo, to: ours, body: 'our own', statusCallback: relay, validityPeriodS: 60 },
      liveCall,
    )
    const { texts, filtered } = await client.listReceived(ours, start - 1_000, liveCall)
    const second = Math.floor(start / 1000) * 1000
    expect(texts.filter(({ body }) => body !== 'our own')).toEqual([
      {
        messageSid: texts[0]?.messageSid,
        from: theirs,
        to: ours,
        body: 'one',
        media: [],
        mediaCount: 0,
        sentAt: second,
      },
      {
        messageSid: texts[1]?.messageSid,
        from: theirs,
        to: ours,
        body: 'two',
        media: [],
        mediaCount: 0,
        sentAt: second,
      },
      {
        messageSid: expect.stringMatching(/^SM/),
        from: 'ACME',
        to: ours,
        body: 'three',
        media: [],
        mediaCount: 0,
        sentAt: second + 5_000,
      },
    ])
    expect(filtered).toBe(0)
  })

  it('are asked for from a second on, in one request for a thousand of them', async () => {
    const { twin, client, later } = await setUp()
    twin.text({ from: theirs, to: ours, body: 'before' })
    later(1_000)
    for (let index = 0; index < 1_001; index += 1)
      twin.text({ from: `+1555010${1000 + index}`, to: ours, body: `${index}` })
    const { texts } = await client.listReceived(ours, start + 1_000, liveCall)
    expect(texts.map(({ body }) => body)).toEqual(Array.from({ length: 1_001 }, (_, index) => String(index)))
    expect(countsOf(twin)).toEqual({ 'GET /Messages.json': 2 })
  })

  it('that are not in the list yet come with a later look', async () => {
    const { twin, client, later } = await setUp({ listLagMs: 10_000 })
    twin.text({ from: theirs, to: ours, body: 'late' })
    expect((await client.listReceived(ours, start, liveCall)).texts).toEqual([])
    later(10_000)
    expect((await client.listReceived(ours, start, liveCall)).texts).toMatchObject([{ body: 'late' }])
  })

  it('that Twilio turned away are only counted', async () => {
    const { twin, client } = await setUp()
    twin.setFate(theirs, 30039)
    twin.text({ from: theirs, to: ours, body: 'loop' })
    expect(await client.listReceived(ours, start, liveCall)).toEqual({ texts: [], filtered: 1 })
  })

  it('that are still arriving are left for later, and the filter goes over the wire under its odd name', async () => {
    const row = (status: string) => ({
      sid: `SM${status}`,
      body: 'x',
      from: theirs,
      to: ours,
      direction: 'inbound',
      status,
      num_media: '0',
      date_created: 'Sun, 22 Nov 2026 08:00:00 +0000',
    })
    const messages = ['receiving', 'received'].map(row)
    const server = await startVendorServer((response) => sendJson(response, 200, { messages, next_page_uri: null }))
    onTestFinished(() => server.stop())
    const client = await clientAt(server.url)
    const { texts } = await client.listReceived(ours, start, liveCall)
    expect(texts.map(({ messageSid }) => messageSid)).toEqual(['SMreceived'])
    expect(server.seen.map(({ url }) => url)).toEqual([
      `/2010-04-01/Accounts/${accountSid}/Messages.json?To=%2B15550100100&DateSent%3E=2026-11-22T08%3A00%3A00Z&PageSize=1000`,
    ])
  })

  it('name their media as the webhook would have', async () => {
    const { twin, client } = await setUp()
    const data = new Uint8Array([1, 2, 3])
    const { sid } = twin.text({
      from: theirs,
      to: ours,
      body: '',
      media: [
        { contentType: 'image/png', data },
        { contentType: 'image/gif', data },
      ],
    })
    const { texts } = await client.listReceived(ours, start, liveCall)
    expect(texts).toMatchObject([{ messageSid: sid, body: '', mediaCount: 2 }])
    const media = await client.listMedia(sid as MessageSid, liveCall) // the twin's own word
    expect(media.map(({ contentType }) => contentType)).toEqual(['image/png', 'image/gif'])
    const prefix = `${twin.url}/2010-04-01/Accounts/${accountSid}/Messages/${sid}/Media/ME`
    for (const { url } of media) expect(url.slice(0, prefix.length)).toBe(prefix)
    const authorization = `Basic ${Buffer.from(`${accountSid}:${authToken}`).toString('base64')}`
    const answer = await fetch(media[0]?.url ?? '', { redirect: 'manual', headers: { authorization } })
    expect(answer.status).toBe(307)
  })
})

describe('what became of a text of ours', () => {
  it('is told with its code, and undefined for one that was deleted', async () => {
    const { twin, client, vendor } = await setUp()
    twin.setFate(theirs, 30003)
    const sms = { from: ours, to: theirs, body: 'x', ref: '1.0', statusCallback: '', validityPeriodS: 60 }
    const sid = await client.sendSms({ ...sms, statusCallback: 'http://127.0.0.1:9/status' }, liveCall)
    await twin.idle()
    expect(await client.findSent(sid, liveCall)).toEqual({
      status: 'undelivered',
      errorCode: 30003,
      createdAt: Math.floor(start / 1000) * 1000,
    })
    await vendor.messages(sid).remove()
    expect(await client.findSent(sid, liveCall)).toBe(undefined)
  })
})

describe('the account’s numbers', () => {
  it('tell where their texts really go: application, then Messaging Service, then their own URL', async () => {
    const own = 'https://own.example.com/sms'
    const phones = ['+15550100101', '+15550100102', '+15550100103', '+15550100104', '+15550100105', '+15550100106']
    const { twin, client, vendor } = await setUp({
      numbers: [
        ...phones.map((phoneNumber) => ({ phoneNumber, smsUrl: own })),
        { phoneNumber: '+18005550107' },
        { phoneNumber: '55501', kind: 'short-code' },
      ],
    })
    const [plain = '', pooled = '', onNumber = '', deaf = '', app = '', both = ''] = phones
    const answers = await serviceWith(vendor, [pooled], { inboundRequestUrl: relay, inboundMethod: 'GET' })
    const passesOn = await serviceWith(vendor, [onNumber], { useInboundWebhookOnNumber: true })
    const drops = await serviceWith(vendor, [deaf, both], {})
    const { sid: application } = await vendor.applications.create({ smsUrl: `${relay}#rc=5`, smsFallbackUrl: own })
    for (const phone of [app, both]) {
      const sid = twin.numbers().find(({ phoneNumber }) => phoneNumber === phone)?.sid ?? ''
      await vendor.incomingPhoneNumbers(sid).update({ smsApplicationSid: application })
    }
    const before = countsOf(twin)
    const numbers = await client.listNumbers(liveCall)
    const rows = numbers.map(({ number, kind, via, inbound, drops: lost, service, applicationSid }) => ({
      number,
      kind,
      via,
      url: inbound.url,
      lost,
      service: service?.sid,
      applicationSid,
    }))
    const kind = 'long-code'
    const none = { kind, lost: false, service: undefined, applicationSid: undefined }
    expect(rows).toEqual([
      { ...none, number: plain, via: 'number', url: own },
      { ...none, number: pooled, via: 'service', url: relay, service: answers },
      { ...none, number: onNumber, via: 'number', url: own, service: passesOn },
      { ...none, number: deaf, via: 'service', url: undefined, lost: true, service: drops },
      { ...none, number: app, via: 'application', url: `${relay}#rc=5`, applicationSid: application },
      { ...none, number: both, via: 'application', url: `${relay}#rc=5`, service: drops, applicationSid: application },
      {
        ...none,
        kind: 'toll-free',
        number: '+18005550107',
        via: 'number',
        url: 'https://demo.twilio.com/welcome/sms/reply',
      },
      { ...none, kind: 'short-code', number: '55501', via: 'number', url: undefined },
    ])
    expect(numbers[1]?.inbound.method).toBe('GET')
    expect(numbers[4]).toMatchObject({ own: { url: own, method: 'POST' }, inbound: { fallbackUrl: own } })
    const asked = Object.entries(countsOf(twin)).map(([name, count]) => [name, count - (before[name] ?? 0)] as const)
    expect(Object.fromEntries(asked.filter(([, count]) => count > 0))).toEqual({
      'GET /IncomingPhoneNumbers.json': 1,
      'GET /SMS/ShortCodes.json': 1,
      'GET /v1/Services': 1,
      'GET /v1/Services/{sid}/PhoneNumbers': 3,
      'GET /v1/Services/{sid}/ShortCodes': 3,
      'GET /Applications/{sid}.json': 1,
    })
  })

  it('name an application that is gone: their texts go nowhere', async () => {
    const { twin, client, vendor } = await setUp()
    const smsApplicationSid = `AP${'1'.repeat(32)}`
    await vendor.incomingPhoneNumbers(twin.numbers()[0]?.sid ?? '').update({ smsApplicationSid })
    expect(await client.listNumbers(liveCall)).toMatchObject([
      { number: ours, via: 'application', drops: false, applicationSid: smsApplicationSid },
      { number: oursToo, via: 'number' },
    ])
  })

  it('are read to the last page of every list', async () => {
    const listed = (sid: string) => ({
      sid,
      phone_number: `+1555010${sid.slice(2)}`,
      sms_url: relay,
      sms_method: 'POST',
    })
    const account = `/2010-04-01/Accounts/${accountSid}`
    let origin = ''
    const server = await startVendorServer((response, { url }) => {
      const { pathname, searchParams } = new URL(url, 'http://here')
      const second = searchParams.has('Page')
      if (pathname.endsWith('IncomingPhoneNumbers.json')) {
        const next = second ? null : `${account}/IncomingPhoneNumbers.json?Page=1`
        sendJson(response, 200, { incoming_phone_numbers: [listed(second ? 'PN0002' : 'PN0001')], next_page_uri: next })
      } else if (pathname.endsWith('ShortCodes.json')) {
        sendJson(response, 200, { short_codes: [], next_page_uri: null })
      } else {
        const name = pathname.split('/').at(-1) ?? ''
        const key = { Services: 'services', PhoneNumbers: 'phone_numbers', ShortCodes: 'short_codes' }[name] ?? ''
        const rows = {
          Services: [{ sid: second ? 'MG2' : 'MG1' }],
          PhoneNumbers: [{ sid: second ? 'PN0002' : 'PN0001' }],
        }
        const more = name !== 'ShortCodes' && !second && !pathname.includes('MG2')
        const next = more ? `${origin}${pathname}?Page=1` : null
        const items = rows[name as keyof typeof rows] ?? [] // short codes: none
        sendJson(response, 200, { meta: { key, next_page_url: next }, [key]: pathname.includes('MG2') ? [] : items })
      }
    })
    onTestFinished(() => server.stop())
    for (const named of [server.url, 'https://messaging.twilio.com']) {
      origin = named
      const numbers = await (await clientAt(server.url)).listNumbers(liveCall)
      expect(numbers.map(({ sid, service }) => [sid, service?.sid])).toEqual([
        ['PN0001', 'MG1'],
        ['PN0002', 'MG1'],
      ])
    }
  })

  it('are asked of no host but Twilio’s, whatever a page names', async () => {
    const elsewhere = await startVendorServer((response) => sendJson(response, 200, {}))
    const server = await startVendorServer((response, { url }) => {
      const [key] = url.includes('ShortCodes') ? ['short_codes'] : ['incoming_phone_numbers']
      if (url.includes('.json')) sendJson(response, 200, { [key ?? '']: [], next_page_uri: null })
      else
        sendJson(response, 200, {
          meta: { key: 'services', next_page_url: `${elsewhere.url}/v1/Services` },
          services: [],
        })
    })
    onTestFinished(async () => {
      await server.stop()
      await elsewhere.stop()
    })
    await expect((await clientAt(server.url)).listNumbers(liveCall)).rejects.toThrow(
      '127.0.0.1 is not a host of Twilio',
    )
    expect(elsewhere.seen).toEqual([])
  })
})
