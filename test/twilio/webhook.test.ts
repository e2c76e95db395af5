import { createHmac } from 'node:crypto'
import { existsSync, readFileSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import { BadWebhook } from '../../src/errors.js'
import { parseInboundSms, parseReceipt, verifyTwilioSignature } from '../../src/twilio/webhook.js'

interface Vector {
  readonly name: string
  readonly authToken: string
  readonly url: string
  readonly formBody?: string
  readonly signature: string
}

const read = (url: URL): Vector[] => JSON.parse(readFileSync(url, 'utf8')).vectors
const all = new URL('../../../shared/contracts/twilio-signature-vectors.json', import.meta.url)
const present = existsSync(all)
const vectors = read(new URL('./signature-vectors.json', import.meta.url))

function check(
  { url, formBody = '', authToken, signature }: Vector,
  change: Partial<{ publicUrl: string; rawPath: string }> = {},
) {
  const { origin, pathname, search } = new URL(url)
  const params = new URLSearchParams(formBody)
  const request = { publicUrl: origin, rawPath: `${pathname}${search}`, params, signature, authTokens: [authToken] }
  return verifyTwilioSignature({ ...request, ...change })
}

describe('a signature', () => {
  it.each(vectors)('of the vector $name is accepted', (vector) => {
    expect(check(vector)).toBe(true)
  })

  it.each(vectors)('of the vector $name is refused over anything else', (vector) => {
    expect(check({ ...vector, authToken: 'another' })).toBe(false)
    expect(check({ ...vector, formBody: `${vector.formBody}&Extra=1` })).toBe(false)
    expect(check({ ...vector, formBody: vector.formBody?.replace('From=', 'from=') ?? '' })).toBe(false)
    expect(check({ ...vector, signature: `${vector.signature.slice(0, -3)}xx=` })).toBe(false)
    expect(check({ ...vector, signature: '' })).toBe(false)
    expect(check(vector, { publicUrl: 'https://elsewhere.example.com' })).toBe(false)
    expect(check(vector, { rawPath: '/elsewhere' })).toBe(false)
  })

  it.skipIf(!present)(
    `of every vector at hand is accepted${present ? '' : ' (skipped: ../shared/contracts is not there)'}`,
    () => {
      for (const vector of read(all)) expect(check(vector), vector.name).toBe(true)
    },
  )

  it('covers blanks and the ends of the text: nothing may be trimmed', () => {
    const vector = vectors.find(({ name }) => name === 'inbound-sms-unicode-trailing-space')
    if (vector === undefined) throw new Error('the vector is gone')
    expect(check({ ...vector, formBody: vector.formBody?.replace('off%3F+&', 'off%3F&') ?? '' })).toBe(false)
    expect(check({ ...vector, url: vector.url.replace('https:', 'http:') })).toBe(false)
    expect(check(vector, { publicUrl: 'https://relay.example.com:443' })).toBe(true)
  })

  const token = 'fake-auth-token'
  const sign = (url: string, form = '', key = token) =>
    createHmac('sha1', key)
      .update(
        url +
          [...new URLSearchParams(form)]
            .sort()
            .map((pair) => pair.join(''))
            .join(''),
      )
      .digest('base64')
  const request = (signature: string, rawPath: string, publicUrl = 'https://relay.example.com') => ({
    publicUrl,
    rawPath,
    params: [],
    signature,
    authTokens: [token],
  })

  it('is accepted under any of our tokens while one is being rotated', () => {
    const signed = request(sign('https://relay.example.com/x'), '/x')
    expect(verifyTwilioSignature({ ...signed, authTokens: ['new', token] })).toBe(true)
    expect(verifyTwilioSignature({ ...signed, authTokens: ['new'] })).toBe(false)
  })

  it('made with an empty token is refused even if one is configured', () => {
    const forged = request(sign('https://relay.example.com/x', '', ''), '/x')
    expect(verifyTwilioSignature({ ...forged, authTokens: ['', token] })).toBe(false)
  })

  it('holds behind a proxy that takes our public path off and behind one that leaves it on', () => {
    const signature = sign('https://relay.example.com/bridge/webhooks/twilio/sms')
    const publicUrl = 'https://relay.example.com/bridge'
    expect(verifyTwilioSignature(request(signature, '/webhooks/twilio/sms', publicUrl))).toBe(true)
    expect(verifyTwilioSignature(request(signature, '/bridge/webhooks/twilio/sms', publicUrl))).toBe(true)
    expect(verifyTwilioSignature(request(signature, '/other/webhooks/twilio/sms', publicUrl))).toBe(false)
  })

  it('is made over the query as it came, with its escapes', () => {
    for (const path of ["/x?ref=12.0&k=it's", '/x?k=a%20b+c', '/x?k=%e2%82%ac[1]', '/x?']) {
      expect(verifyTwilioSignature(request(sign(`https://relay.example.com${path}`), path)), path).toBe(true)
    }
  })

  it('is simply wrong for a request target that is no path', () => {
    expect(verifyTwilioSignature(request('x', '*'))).toBe(false)
    expect(verifyTwilioSignature(request('x', 'http://evil.example.com/x'))).toBe(false)
  })

  it('covers a field whatever its name', () => {
    const form = '__proto__=a&constructor=b'
    const signature = sign('https://relay.example.com/x', form)
    expect(verifyTwilioSignature({ ...request(signature, '/x'), params: new URLSearchParams(form) })).toBe(true)
    expect(verifyTwilioSignature(request(signature, '/x'))).toBe(false)
  })

  it('over one field repeated without end keeps nobody waiting', () => {
    // A body of 64 KiB, the most the door reads, holds 32,000. Where the work grows with their square, these take longer
    // than a test may.
    const params = Array.from({ length: 100_000 }, () => ['a', ''] as const)
    expect(verifyTwilioSignature({ ...request('x', '/x'), params })).toBe(false)
    const signature = sign('https://relay.example.com/x', 'a=')
    expect(verifyTwilioSignature({ ...request(signature, '/x'), params })).toBe(true)
  })
})

const sid = 'SM11111111111111111111111111111111'
const form = (fields: Record<string, string>) =>
  new URLSearchParams({ MessageSid: sid, From: '+15550100177', To: '+15550100100', ...fields })

describe('an inbound text', () => {
  it('is read from the form Twilio sends', () => {
    const vector = vectors.find(({ name }) => name === 'inbound-sms-unicode-trailing-space')
    expect(parseInboundSms(new URLSearchParams(vector?.formBody))).toEqual({
      messageSid: sid,
      from: '+14017122661',
      to: '+15558675310',
      body: 'Hi 👋 it’s broken & 50% off? ',
      media: [],
      city: 'SAN FRANCISCO',
      state: 'CA',
      zip: '94103',
      country: 'US',
    })
  })

  it('with a picture and nothing else keeps the picture, and no field that was blank', () => {
    const vector = vectors.find(({ name }) => name === 'inbound-mms-empty-fields')
    expect(parseInboundSms(new URLSearchParams(vector?.formBody))).toEqual({
      messageSid: 'MM33333333333333333333333333333333',
      from: '+14017122661',
      to: '+15558675310',
      body: '',
      messagingServiceSid: 'MG44444444444444444444444444444444',
      media: [
        {
          contentType: 'image/jpeg',
          url: 'https://api.twilio.com/2010-04-01/Accounts/AC00000000000000000000000000000000/Messages/MM33333333333333333333333333333333/Media/ME55555555555555555555555555555555',
        },
      ],
      country: 'US',
    })
  })

  it('loses its NUL bytes, which no database takes', () => {
    expect(parseInboundSms(form({ Body: 'a\0b', FromCity: '\0' }))).toMatchObject({ body: 'ab' })
    expect(parseInboundSms(form({ Body: 'a\0b', FromCity: '\0' }))).not.toHaveProperty('city')
  })

  it('says what Twilio took it for, where it knows a word for that', () => {
    expect(parseInboundSms(form({ Body: 'ARRET', OptOutType: 'STOP' })).keyword).toBe('stop')
    expect(parseInboundSms(form({ OptOutType: '' }))).not.toHaveProperty('keyword')
    expect(parseInboundSms(form({ OptOutType: 'PAUSE' }))).not.toHaveProperty('keyword')
  })

  it('may come from a short code or a name', () => {
    expect(parseInboundSms(form({ From: '24273' })).from).toBe('24273')
    expect(parseInboundSms(form({ From: 'ACME' })).from).toBe('ACME')
  })

  it.each([
    ['MessageSid', { MessageSid: '' }],
    ['MessageSid', { MessageSid: 'SM1' }],
    ['From', { From: ' ' }],
    ['To', { To: '' }],
  ])('is refused by the name of the field when its %s is broken', (field, fields) => {
    expect(() => parseInboundSms(form(fields))).toThrow(expect.objectContaining({ name: 'BadWebhook', field }))
  })

  it('is refused by the name of a field that is missing', () => {
    expect(() => parseInboundSms([['MessageSid', sid]])).toThrow(new BadWebhook('From', 'is missing'))
  })
})

describe('a receipt', () => {
  it('tells the state of a text and why it failed', () => {
    const vector = vectors.find(({ name }) => name === 'status-callback-port-query')
    expect(parseReceipt(new URLSearchParams(vector?.formBody))).toEqual({
      messageSid: 'SM22222222222222222222222222222222',
      status: 'undelivered',
      errorCode: 30003,
    })
    expect(parseReceipt(form({ MessageStatus: 'sent', ErrorCode: '' }))).toEqual({ messageSid: sid, status: 'sent' })
  })

  it('of a state we have no word for is nothing', () => {
    expect(parseReceipt(form({ MessageStatus: 'partially_delivered' }))).toBeUndefined()
    expect(parseReceipt(form({ MessageStatus: 'constructor' }))).toBeUndefined()
  })

  it.each([
    ['MessageStatus', {}],
    ['ErrorCode', { MessageStatus: 'failed', ErrorCode: 'thirty' }],
    ['MessageSid', { MessageStatus: 'failed', MessageSid: 'x' }],
  ])('is refused by the name of the field when its %s is broken', (field, fields) => {
    expect(() => parseReceipt(form(fields))).toThrow(expect.objectContaining({ name: 'BadWebhook', field }))
  })
})
