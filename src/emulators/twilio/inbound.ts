// A text from a handset: routed, logged, its STOP honoured, its webhook sent, its TwiML answered.
import type { Outbound } from './carrier.js'
import type { Dispatcher } from './dispatch.js'
import { countSegments } from './segments.js'
import {
  demoUrl,
  type Entry,
  emit,
  findNumber,
  type NumberRow,
  newEntry,
  newSid,
  optOutKey,
  record,
  type ServiceRow,
  type State,
  serviceOf,
} from './state.js'
import { readReply } from './twiml.js'
import type { TwilioTwin } from './types.js'
import type { Params, WebhookTarget } from './webhooks.js'

export type Sms = Parameters<TwilioTwin['text']>[0]

export interface Inbound {
  /** Throws when `to` is no number of the account. */
  receive(sms: Sms): Entry
}

/** Codes with which Twilio fails a text before its webhook (docs/api/errors/30038 and 30039). */
const filtered = new Set<unknown>([30038, 30039])

export function createInbound(state: State, dispatcher: Dispatcher, outbound: Outbound): Inbound {
  return {
    receive(sms) {
      const number = findNumber(state, sms.to)
      if (number === undefined) throw new Error(`${sms.to} is not a number of this twin`)
      const service = serviceOf(state, number)
      const entry = logged(state, sms, service)
      // "All messages sent to the number will not be logged and received on the Account" (InboundRequestUrl, OpenAPI).
      if (service?.inboundRequestUrl === null && !service.useInboundWebhookOnNumber) return entry
      const fate = state.fates.get(sms.from)
      if (typeof fate === 'number' && filtered.has(fate)) {
        entry.message.status = 'failed'
        entry.message.errorCode = fate
        record(state, entry)
        return entry
      }
      record(state, entry)
      honourOptOut(state, outbound, entry, number, service)
      const target = routeOf(number, service)
      if (target === undefined) return entry
      dispatcher.dispatch(`${sms.from}>${sms.to}`, {
        entry,
        ...target,
        params: inboundParams(state, entry, sms),
        onAnswer(answer) {
          entry.message.webhookAccepted = true
          emit(state, { type: 'message', message: { ...entry.message } })
          for (const body of readReply(answer)) outbound.reply(entry, body)
        },
      })
      return entry
    },
  }
}

function logged(state: State, sms: Sms, service: ServiceRow | undefined): Entry {
  const now = state.clock.now()
  const entry = newEntry(state, {
    message: {
      direction: 'inbound',
      from: sms.from,
      to: sms.to,
      body: sms.body,
      status: 'received',
      messagingServiceSid: service?.sid ?? null,
      // "For an incoming message, this is when Twilio sent the HTTP request to your webhook URL" (date_sent, OpenAPI).
      sentAt: now,
      webhookAccepted: false,
    },
    media: (sms.media ?? []).map(({ contentType, data }) => ({
      sid: newSid('ME'),
      contentType,
      data,
      createdAt: now,
      token: newSid(''),
    })),
    segments: countSegments(sms.body),
  })
  return entry
}

interface Route {
  readonly target: WebhookTarget
  readonly fallback: WebhookTarget | undefined
}

function routeOf(number: NumberRow, service: ServiceRow | undefined): Route | undefined {
  // An application hides the number's own URLs; the twin has no applications, so its texts reach nobody.
  if (number.smsApplicationSid !== '') return undefined
  if (service !== undefined && !service.useInboundWebhookOnNumber) {
    return route(service.inboundRequestUrl, service.inboundMethod, service.fallbackUrl, service.fallbackMethod)
  }
  return route(number.smsUrl, number.smsMethod, number.smsFallbackUrl, number.smsFallbackMethod)
}

function route(
  url: string | null,
  method: WebhookTarget['method'],
  fallbackUrl: string | null,
  fallbackMethod: WebhookTarget['method'],
): Route | undefined {
  if (url === null || url === '' || url === demoUrl) return undefined
  return { target: { url, method }, fallback: fallbackUrl ? { url: fallbackUrl, method: fallbackMethod } : undefined }
}

/** The captured order of fields; those of geography are there, blank, when nothing is known. */
function inboundParams(state: State, entry: Entry, sms: Sms): Params {
  const { sid, body, from, to, messagingServiceSid } = entry.message
  const geo = sms.geo ?? {}
  const mediaUrl = `${state.origin}/2010-04-01/Accounts/${state.accountSid}/Messages/${sid}/Media/`
  return [
    ['ToCountry', ''],
    ...entry.media.map(({ contentType }, index) => [`MediaContentType${index}`, contentType] as const),
    ['ToState', ''],
    ['SmsMessageSid', sid],
    ['NumMedia', String(entry.media.length)],
    ['ToCity', ''],
    ['FromZip', geo.zip ?? ''],
    ['SmsSid', sid],
    ['FromState', geo.state ?? ''],
    ['SmsStatus', 'received'],
    ['FromCity', geo.city ?? ''],
    ['Body', body],
    ['FromCountry', geo.country ?? ''],
    ['To', to],
    ...(messagingServiceSid === null ? [] : [['MessagingServiceSid', messagingServiceSid] as const]),
    ['ToZip', ''],
    ['NumSegments', String(entry.segments)],
    ['MessageSid', sid],
    ['AccountSid', state.accountSid],
    ['From', from ?? ''],
    ...entry.media.map((media, index) => [`MediaUrl${index}`, mediaUrl + media.sid] as const),
    ['ApiVersion', '2010-04-01'],
  ]
}

const stops = new Set(['STOP', 'STOPALL', 'UNSUBSCRIBE', 'CANCEL', 'END', 'QUIT', 'REVOKE', 'OPTOUT'])
const starts = new Set(['START', 'UNSTOP', 'YES'])
const helps = new Set(['HELP', 'INFO'])

/**
 * Default opt-out handling: whole-message keywords; the webhook is called all the same. Long codes have the full set;
 * toll-free numbers STOP, START and UNSTOP by the network; short codes none (help.twilio.com 223134027, 360058144374).
 */
function honourOptOut(
  state: State,
  outbound: Outbound,
  entry: Entry,
  number: NumberRow,
  service: ServiceRow | undefined,
): void {
  if (number.kind === 'short-code') return
  const tollFree = number.kind === 'toll-free'
  const word = entry.message.body.trim().toUpperCase()
  const key = optOutKey(number.phoneNumber, service, entry.message.from ?? '')
  if (tollFree ? word === 'STOP' : stops.has(word)) {
    if (state.optOuts.has(key)) return
    state.optOuts.add(key)
    // Of the network's own words only this beginning is on record.
    outbound.confirm(entry, tollFree ? 'NETWORK MSG: You replied with the word "stop"' : unsubscribed)
  } else if (starts.has(word) && !(tollFree && word === 'YES')) {
    if (state.optOuts.delete(key)) outbound.confirm(entry, resubscribed)
  } else if (helps.has(word) && !tollFree) {
    outbound.confirm(entry, help)
  }
}

const unsubscribed =
  'You have successfully been unsubscribed. You will not receive any more messages from this number. Reply START to resubscribe.'
const resubscribed = 'You have successfully been re-subscribed.'
/** The exact default words for HELP are on no page; what matters is that the customer gets a text we did not send. */
const help = 'Reply STOP to unsubscribe. Msg&Data Rates May Apply.'
