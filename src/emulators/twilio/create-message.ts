// POST Messages.json: what Twilio refuses at once, and the message it makes of the rest.
import { Refused, type TwilioCode } from './errors.js'
import { optOutKey } from './opt-out.js'
import { readSendAt } from './schedule.js'
import { countSegments } from './segments.js'
import { type Entry, findNumber, newEntry, type ServiceRow, type State, serviceOf } from './state.js'

/** The magic numbers of test credentials (docs/iam/test-credentials), accepted beside live ones. */
const magicFrom: Readonly<Record<string, TwilioCode>> = {
  '+15005550001': 21212,
  '+15005550007': 21606,
  '+15005550008': 21611,
}
const magicTo: Readonly<Record<string, TwilioCode>> = {
  '+15005550001': 21211,
  '+15005550002': 21612,
  '+15005550003': 21408,
  '+15005550004': 21610,
  '+15005550009': 21614,
}

/** @throws Refused */
export function createMessage(state: State, form: URLSearchParams): Entry {
  const to = readRecipient(form)
  const from = form.get('From') || null
  const serviceSid = form.get('MessagingServiceSid') || null
  if (from === null && serviceSid === null) throw new Refused(21603)
  const { body, mediaUrls } = readContent(form)
  const statusCallback = readStatusCallback(form)
  const validityMs = readValidityMs(form)
  const sendAt = readSendAt(form, state.clock.now())
  const service = serviceSid === null ? undefined : getService(state, serviceSid)
  const sender = service === undefined ? checkedFrom(state, from ?? '', to) : chooseSender(state, service, from, to)
  if (sender === to) throw new Refused(21266)
  const number = findNumber(state, sender)
  const owner = service ?? (number === undefined ? undefined : serviceOf(state, number))
  // With Advanced Opt-Out the service takes the message, and fails it later.
  const blocked = service?.advancedOptOut !== true && state.optOuts.has(optOutKey(state, sender, owner, to))
  if (blocked) throw new Refused(21610)
  return newEntry(state, {
    message: {
      direction: 'outbound-api',
      // With a service the sender is chosen after the answer, which therefore shows neither it nor any segments.
      from: service === undefined ? sender : null,
      to,
      body,
      status: service === undefined ? 'queued' : sendAt === null ? 'accepted' : 'scheduled',
      messagingServiceSid: service?.sid ?? null,
      statusCallback,
    },
    sender,
    mediaUrls,
    validityMs,
    sendAt,
    callbackUrl: statusCallback ?? service?.statusCallback ?? null,
    segments: service === undefined ? countSegments(body) : 0,
  })
}

function readRecipient(form: URLSearchParams): string {
  const to = form.get('To') || null
  if (to === null) throw new Refused(21604)
  const magic = magicTo[to]
  if (magic !== undefined) throw new Refused(magic)
  if (/^\d{3,6}$/.test(to)) throw new Refused(21265)
  if (!/^\+[1-9]\d{6,14}$/.test(to)) throw new Refused(21211)
  return to
}

function readContent(form: URLSearchParams): { body: string; mediaUrls: string[] } {
  const body = form.get('Body')
  const mediaUrls = form.getAll('MediaUrl')
  if (!body && mediaUrls.length === 0 && !form.get('ContentSid')) throw new Refused(body === null ? 21619 : 21602)
  if (body !== null && body.length > 1600) throw new Refused(21617)
  if (mediaUrls.length > 10) throw new Refused(21623)
  if (!mediaUrls.every((url) => /^https?:\/\//.test(url) && URL.canParse(url))) throw new Refused(21620)
  return { body: body ?? '', mediaUrls }
}

function readStatusCallback(form: URLSearchParams): string | null {
  const url = form.get('StatusCallback') || null
  if (url === null) return null
  if (url.length > 4000 || !URL.canParse(url)) throw new Refused(21609)
  const { protocol, hostname } = new URL(url)
  if (!/^https?:$/.test(protocol) || hostname.includes('_')) throw new Refused(21609)
  return url
}

function readValidityMs(form: URLSearchParams): number {
  const seconds = form.get('ValidityPeriod') ?? '36000'
  if (!/^\d{1,5}$/.test(seconds) || Number(seconds) < 1 || Number(seconds) > 36_000) throw new Refused(21624)
  return Number(seconds) * 1000
}

function checkedFrom(state: State, from: string, to: string): string {
  const magic = magicFrom[from]
  if (magic !== undefined) throw new Refused(magic)
  if (from === '+15005550006' || findNumber(state, from) !== undefined) return from
  // Alphanumeric senders need no number; they reach neither the US nor Canada.
  if (/^(?=.*[A-Za-z])[A-Za-z0-9 ]{1,11}$/.test(from)) {
    if (to.startsWith('+1')) throw new Refused(21612)
    return from
  }
  throw new Refused(/^(\+?\d+)$/.test(from) ? 21606 : 21212)
}

function getService(state: State, sid: string): ServiceRow {
  if (!/^MG[0-9a-fA-F]{32}$/.test(sid)) throw new Refused(21705)
  const service = state.services.find((one) => one.sid === sid)
  if (service === undefined) throw new Refused(21701)
  return service
}

/** The one named, if it is in the pool; else the one this recipient knows; else any. */
function chooseSender(state: State, service: ServiceRow, from: string | null, to: string): string {
  const pool = state.numbers.filter((number) => service.pool.includes(number.sid)).map(({ phoneNumber }) => phoneNumber)
  if (pool.length === 0) throw new Refused(21704)
  if (from !== null) {
    if (!pool.includes(from)) throw new Refused(21606)
    return from
  }
  const known = state.stickySenders.get(`${service.sid}|${to}`)
  const able = pool.filter((number) => number !== to)
  const sender = known !== undefined && able.includes(known) ? known : able[Math.floor(state.random() * able.length)]
  if (sender === undefined) throw new Refused(21703)
  state.stickySenders.set(`${service.sid}|${to}`, sender)
  return sender
}
