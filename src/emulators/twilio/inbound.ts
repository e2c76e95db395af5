// A text from a handset: routed, logged, its STOP honoured, its webhook sent, its TwiML answered.
import type { Outbound } from './carrier.js'
import type { Dispatcher } from './dispatch.js'
import { honourOptOut, type Keyword } from './opt-out.js'
import { countSegments } from './segments.js'
import {
  demoUrl,
  type Entry,
  emit,
  findNumber,
  type NumberRow,
  newEntry,
  newSid,
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
      const deaf = service?.inboundRequestUrl === null && !service.useInboundWebhookOnNumber
      if (deaf && number.smsApplicationSid === '') return entry
      const fate = state.fates.get(sms.from)
      if (typeof fate === 'number' && filtered.has(fate)) {
        entry.message.status = 'failed'
        entry.message.errorCode = fate
        record(state, entry)
        return entry
      }
      record(state, entry)
      const keyword = honourOptOut(state, outbound, entry, number, service)
      const target = routeOf(state, number, service)
      if (target === undefined) return entry
      dispatcher.dispatch(`${sms.from}>${sms.to}`, {
        entry,
        ...target,
        params: inboundParams(state, entry, sms, service?.advancedOptOut === true ? keyword : undefined),
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

function routeOf(state: State, number: NumberRow, service: ServiceRow | undefined): Route | undefined {
  if (number.smsApplicationSid !== '') {
    const application = state.applications.find(({ sid }) => sid === number.smsApplicationSid)
    if (application === undefined) return undefined
    const { smsUrl, smsMethod, smsFallbackUrl, smsFallbackMethod } = application
    return route(smsUrl, smsMethod, smsFallbackUrl, smsFallbackMethod)
  }
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

/**
 * The captured order of fields; those of geography are there, blank, when nothing is known. OptOutType is in no capture:
 * its place is a guess.
 */
function inboundParams(state: State, entry: Entry, sms: Sms, optOutType: Keyword | undefined): Params {
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
    ...(optOutType === undefined ? [] : [['OptOutType', optOutType] as const]),
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
