// Twilio's webhook for an incoming text, as raw bytes of an HTTP request: fields in the captured order, signed.
import { randomBytes } from 'node:crypto'
import webhooks from 'twilio/lib/webhooks/webhooks.js'
import { account, customer } from './account.mjs'

const path = '/webhooks/twilio/sms'

/** What a text says is its number, so that books can be compared afterwards. */
export const bodyOf = (index) => `Where is my parcel? (${index})`

/** The requests number `first` to `first + count - 1`; text number i is of lane i mod `lanes`. */
export function buildRequests({ port, first, count, lanes }) {
  return Array.from({ length: count }, (_, offset) => requestOf(port, first + offset, lanes))
}

function requestOf(port, index, lanes) {
  const sid = `SM${randomBytes(16).toString('hex')}`
  const form = {
    ToCountry: 'US',
    ToState: '',
    SmsMessageSid: sid,
    NumMedia: '0',
    ToCity: '',
    FromZip: '',
    SmsSid: sid,
    FromState: '',
    SmsStatus: 'received',
    FromCity: '',
    Body: bodyOf(index),
    FromCountry: '',
    To: account.ours,
    ToZip: '',
    NumSegments: '1',
    MessageSid: sid,
    AccountSid: account.accountSid,
    From: customer(index % lanes),
    ApiVersion: '2010-04-01',
  }
  const host = `127.0.0.1:${port}`
  const body = new URLSearchParams(form).toString()
  const signature = webhooks.getExpectedTwilioSignature(account.authToken, `http://${host}${path}`, form)
  return Buffer.from(
    [
      `POST ${path} HTTP/1.1`,
      `Host: ${host}`,
      'Content-Type: application/x-www-form-urlencoded; charset=utf-8',
      `Content-Length: ${Buffer.byteLength(body)}`,
      `X-Twilio-Signature: ${signature}`,
      'Accept: */*',
      'User-Agent: TwilioProxy/1.1',
      '',
      body,
    ].join('\r\n'),
  )
}
