// Accounts/{AC}/Messages: create, list, fetch, redact, delete.
import { type HttpAnswer, type HttpRequest, json } from '../http.js'
import { listPage, type Route, readForm, rfc2822 } from './api.js'
import type { Outbound } from './carrier.js'
import { createMessage } from './create-message.js'
import { deliveryErrorTitle, Refused, twilioError } from './errors.js'
import { change, type Entry, findEntry, type State } from './state.js'

export function messageRoutes(state: State, outbound: Outbound): Route[] {
  const one = /^\/2010-04-01\/Accounts\/\w+\/Messages\/(\w+)\.json$/
  const all = /^\/2010-04-01\/Accounts\/\w+\/Messages\.json$/
  const withEntry = (handle: (entry: Entry, request: HttpRequest) => HttpAnswer): Route['handle'] => {
    return (request, [sid = '']) => {
      const entry = findEntry(state, sid)
      return entry === undefined ? twilioError(20404) : handle(entry, request)
    }
  }
  return [
    { method: 'GET', path: all, handle: (request) => list(state, request) },
    { method: 'POST', path: all, handle: (request) => create(state, outbound, request) },
    { method: 'GET', path: one, handle: withEntry((entry) => json(200, render(state, entry))) },
    { method: 'POST', path: one, handle: withEntry((entry, request) => update(state, outbound, entry, request)) },
    {
      method: 'DELETE',
      path: one,
      handle: withEntry((entry) => {
        entry.deleted = true
        return { status: 204 }
      }),
    },
  ]
}

function create(state: State, outbound: Outbound, request: HttpRequest): HttpAnswer {
  try {
    const entry = createMessage(state, readForm(request))
    outbound.send(entry)
    return json(201, render(state, entry))
  } catch (error) {
    if (error instanceof Refused) return twilioError(error.code)
    throw error
  }
}

/** `Body=` redacts; `Status=canceled` is for messages still scheduled. */
function update(state: State, outbound: Outbound, entry: Entry, request: HttpRequest): HttpAnswer {
  const form = readForm(request)
  const status = form.get('Status')
  if (status !== null) {
    if (status !== 'canceled' || entry.message.status !== 'scheduled') return twilioError(30409)
    outbound.cancel(entry)
  }
  if (form.get('Body') === '') change(state, entry, { body: '' })
  return json(200, render(state, entry))
}

/** "Sorted by DateSent, most recent first"; where rows not sent yet belong is on no page: here, by when they were made. */
function list(state: State, request: HttpRequest): HttpAnswer {
  const visibleUntil = state.clock.now() - state.listLagMs
  const { query } = request
  const to = query.get('To')
  const from = query.get('From')
  const rows = state.entries
    .filter(
      ({ message, deleted }) =>
        !deleted &&
        message.createdAt <= visibleUntil &&
        (to === null || message.to === to) &&
        (from === null || message.from === from) &&
        wasSentWithin(message.sentAt, query),
    )
    .reverse()
    .map((entry) => ({ sid: entry.message.sid, at: entry.message.sentAt ?? entry.message.createdAt, entry }))
    .sort((a, b) => b.at - a.at)
  return listPage(request, 'messages', rows, ({ entry }) => render(state, entry))
}

/** The three date filters, inclusive, in GMT: a day (YYYY-MM-DD) or a moment, to the second. */
function wasSentWithin(sentAt: number | null, query: URLSearchParams): boolean {
  const [on, until, since] = [query.get('DateSent'), query.get('DateSent<'), query.get('DateSent>')]
  if (on === null && until === null && since === null) return true
  if (sentAt === null) return false
  const second = Math.floor(sentAt / 1000) * 1000
  return (
    (on === null || (second >= startOf(on) && second <= endOf(on))) &&
    (until === null || second <= endOf(until)) &&
    (since === null || second >= startOf(since))
  )
}

function startOf(date: string): number {
  return Math.floor(Date.parse(date) / 1000) * 1000
}

function endOf(date: string): number {
  return startOf(date) + (/^\d{4}-\d\d-\d\d$/.test(date) ? 86_400_000 - 1 : 0)
}

function render(state: State, { message, segments }: Entry): unknown {
  const uri = `/2010-04-01/Accounts/${state.accountSid}/Messages/${message.sid}`
  return {
    account_sid: state.accountSid,
    api_version: '2010-04-01',
    body: message.body,
    date_created: rfc2822(message.createdAt),
    date_sent: message.sentAt === null ? null : rfc2822(message.sentAt),
    date_updated: rfc2822(message.updatedAt),
    direction: message.direction,
    error_code: message.errorCode,
    error_message: deliveryErrorTitle(message.errorCode),
    from: message.from,
    messaging_service_sid: message.messagingServiceSid,
    num_media: String(message.numMedia),
    num_segments: String(segments),
    price: null,
    price_unit: null,
    sid: message.sid,
    status: message.status,
    subresource_uris: { media: `${uri}/Media.json` },
    to: message.to,
    uri: `${uri}.json`,
  }
}
