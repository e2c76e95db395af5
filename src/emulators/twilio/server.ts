// The local Twilio: its API and CDN on two listeners, and what tests and the sandbox do with it.
import { randomBytes, timingSafeEqual } from 'node:crypto'
import { type HttpAnswer, type HttpRequest, startHttp } from '../http.js'
import { alphaSenderRoutes } from './alpha-senders.js'
import type { Route } from './api.js'
import { applicationRoutes } from './applications.js'
import { createOutbound, losesMessages, type Outbound } from './carrier.js'
import { createDispatcher } from './dispatch.js'
import { twilioError } from './errors.js'
import { createInbound, type Inbound } from './inbound.js'
import { mediaRoutes, serveCdn } from './media.js'
import { messageRoutes } from './messages.js'
import { numberRoutes } from './numbers.js'
import { registrationRoutes, setBrand, setCampaign, setTollFree } from './registrations.js'
import { serviceRoutes } from './services.js'
import { createState, emit, findNumber, type State } from './state.js'
import type { TwilioTwin, TwilioTwinOptions, TwinMessage } from './types.js'

/** Starts it on `host:port`, by default any free port of 127.0.0.1. Rejects when the port is taken. */
export async function startTwilioTwin(options: TwilioTwinOptions): Promise<TwilioTwin> {
  const state = createState(options)
  const counts: Record<string, number> = {}
  const dispatcher = createDispatcher(state)
  const outbound: Outbound = createOutbound(state, dispatcher, ({ message, media }) => {
    inbound.receive({ from: message.from ?? '', to: message.to, body: message.body, media })
  })
  const inbound: Inbound = createInbound(state, dispatcher, outbound)
  const routes = [
    ...messageRoutes(state, outbound),
    ...mediaRoutes(state),
    ...numberRoutes(state),
    ...serviceRoutes(state),
    ...alphaSenderRoutes(state),
    ...applicationRoutes(state),
    ...registrationRoutes(state),
  ]
  const { host, port } = options
  const cdn = await startHttp({ host, clock: state.clock, handle: (request) => serveCdn(state, request) })
  const answers = (code: 20003 | 20429 | 20500) => (request: HttpRequest) => withHeaders(request, twilioError(code))
  const api = await startHttp({
    host,
    port,
    clock: state.clock,
    handle: (request) => withHeaders(request, answer(state, routes, request)),
    faults: {
      armed: state.faults,
      answers: { rateLimit: answers(20429), error: answers(20500), refuse: answers(20003) },
    },
    onOutcome({ method, path }, status) {
      const shape = `${method} ${path.replace(/\b[A-Z]{2}[0-9a-fA-F]{32}\b/g, '{sid}')}`
      counts[shape] = (counts[shape] ?? 0) + 1
      emit(state, { type: 'request', method, path, status })
    },
  }).catch(async (error: unknown) => {
    await cdn.stop()
    throw error
  })
  state.origin = api.url
  state.cdnOrigin = cdn.url
  return {
    url: api.url,
    faults: state.faults,
    text: (sms) => inbound.receive(sms).message,
    messages: () => state.entries.filter(({ deleted }) => !deleted).map(({ message }) => message),
    handset: (phoneNumber) => handset(state, phoneNumber),
    setFate: (phoneNumber, fate) => void state.fates.set(phoneNumber, fate),
    numbers: () => state.numbers,
    setSmsUrl(phoneNumber, smsUrl, smsFallbackUrl = '') {
      const number = findNumber(state, phoneNumber)
      if (number === undefined) throw new Error(`${phoneNumber} is not a number of this twin`)
      Object.assign(number, { smsUrl, smsFallbackUrl, updatedAt: state.clock.now() })
    },
    enableAdvancedOptOut(serviceSid) {
      const service = state.services.find(({ sid }) => sid === serviceSid)
      if (service === undefined) throw new Error(`${serviceSid} is not a Messaging Service of this twin`)
      service.advancedOptOut = true
    },
    setBrand: (status) => void setBrand(state, status),
    setCampaign: (serviceSid, status) => setCampaign(state, serviceSid, status),
    setTollFree: (phoneNumber, status) => setTollFree(state, phoneNumber, status),
    subscribe(listener) {
      state.listeners.add(listener)
      return () => void state.listeners.delete(listener)
    },
    requestCounts: () => ({ ...counts }),
    idle: () => state.work.idle(),
    async stop() {
      await Promise.all([api.stop(), cdn.stop(), state.work.stop()])
    },
  }
}

function answer(state: State, routes: readonly Route[], request: HttpRequest): HttpAnswer {
  if (request.concurrent > state.maxConcurrent) return twilioError(20429)
  const user = authenticate(state, request.headers.authorization)
  if (user === undefined) return twilioError(20003)
  const account = /^\/2010-04-01\/Accounts\/(\w+)/.exec(request.path)?.[1]
  if (account !== undefined && account !== state.accountSid) return twilioError(20404)
  for (const route of routes) {
    const match = route.method === request.method ? route.path.exec(request.path) : null
    if (match === null) continue
    // A Standard API key reaches everything but the account itself (docs/iam/api-keys).
    if (user === 'key' && request.path === `/2010-04-01/Accounts/${state.accountSid}.json`) return twilioError(20003)
    return route.handle(request, match.slice(1))
  }
  return twilioError(20404)
}

function authenticate(state: State, header: string | undefined): 'account' | 'key' | undefined {
  const encoded = /^Basic (.+)$/.exec(header ?? '')?.[1] ?? ''
  const [, user = '', password = ''] = /^([^:]*):(.*)$/.exec(Buffer.from(encoded, 'base64').toString()) ?? []
  if (user === state.accountSid) return isSame(password, state.authToken) ? 'account' : undefined
  const secret = state.apiKeys.get(user)
  return secret !== undefined && isSame(password, secret) ? 'key' : undefined
}

function isSame(given: string, expected: string): boolean {
  const [a, b] = [Buffer.from(given), Buffer.from(expected)]
  return a.byteLength === b.byteLength && timingSafeEqual(a, b)
}

/** On every answer, refusals too. */
function withHeaders(request: HttpRequest, { headers, ...rest }: HttpAnswer): HttpAnswer {
  return {
    ...rest,
    headers: {
      ...headers,
      'twilio-request-id': `RQ${randomBytes(16).toString('hex')}`,
      'twilio-concurrent-requests': String(request.concurrent),
      'x-powered-by': 'AT-5000',
      'x-shenanigans': 'none',
    },
  }
}

/** In the order a phone shows them: a text it sent when it sent it, one it got when the carrier had it. */
function handset(state: State, phoneNumber: string): TwinMessage[] {
  const lost = losesMessages(state.fates.get(phoneNumber))
  return state.entries
    .map(({ message }) => message)
    .filter(
      ({ direction, from, to, status }) =>
        (direction === 'inbound' && from === phoneNumber) ||
        (direction !== 'inbound' && to === phoneNumber && (status === 'delivered' || (status === 'sent' && !lost))),
    )
    .sort((a, b) => (a.sentAt ?? a.createdAt) - (b.sentAt ?? b.createdAt))
}
