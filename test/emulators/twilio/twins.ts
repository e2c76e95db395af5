import { createServer, type IncomingHttpHeaders } from 'node:http'
import twilio from 'twilio'
import RequestClient from 'twilio/lib/base/RequestClient.js'
import { onTestFinished } from 'vitest'
import { startTwilioTwin } from '../../../src/emulators/twilio/server.js'
import type {
  TwilioTwin,
  TwilioTwinEvent,
  TwilioTwinOptions,
  TwinMessageStatus,
} from '../../../src/emulators/twilio/types.js'
import { contractsPresent, loadContract } from './contract.js'
import { ManualClock } from './manual-clock.js'

export const accountSid = `AC${'0'.repeat(32)}`
export const authToken = 'obviously-a-fake-token'
export const our = '+15550100001'
export const customer = '+15550100100'

const contract = contractsPresent ? loadContract() : undefined

/** The vendor's SDK against the twin: its origins rewritten, every 2xx answer held against the OpenAPI files. */
class TwinClient extends RequestClient {
  constructor(readonly origin: string) {
    super({ timeout: 5000 })
  }

  override async request<T>(options: RequestClient.RequestOptions<T>) {
    const { pathname, search } = new URL(options.uri)
    const response = await super.request<T>({ ...options, uri: this.origin + pathname + search })
    if (contract !== undefined && response.statusCode < 300) {
      const body: unknown = response.body
      const answer = { method: options.method, path: pathname, status: response.statusCode, body }
      const faults = await contract.faultsOf(answer)
      if (faults.length > 0)
        throw new Error(`against the contract: ${options.method} ${pathname}\n${faults.join('\n')}`)
    }
    return response
  }
}

export function sdk(twin: TwilioTwin, user = accountSid, password = authToken, account = accountSid) {
  return twilio(user, password, { accountSid: account, httpClient: new TwinClient(twin.url) })
}

/** A twin with a clock turned by hand, stopped when the test ends. */
export async function startTwin(options: Partial<TwilioTwinOptions> = {}) {
  const clock = new ManualClock(Date.parse('2026-11-22T05:00:00.250Z'))
  const twin = await startTwilioTwin({
    accountSid,
    authToken,
    numbers: [{ phoneNumber: our, smsUrl: '' }],
    clock,
    ...options,
  })
  onTestFinished(() => twin.stop())
  return { twin, clock, client: sdk(twin) }
}

const authorization = `Basic ${Buffer.from(`${accountSid}:${authToken}`).toString('base64')}`

/** Plain fetch with the account's credentials, for what the SDK hides. */
export function get(twin: TwilioTwin, path: string, init: RequestInit = {}): Promise<Response> {
  return fetch(twin.url + path, { redirect: 'manual', ...init, headers: { authorization, ...init.headers } })
}

/** The same below the account: `rest(twin, '/Messages.json')`. */
export function rest(twin: TwilioTwin, path: string, init: RequestInit = {}): Promise<Response> {
  return get(twin, `/2010-04-01/Accounts/${accountSid}${path}`, init)
}

export function form(fields: Record<string, string>): RequestInit {
  return { method: 'POST', body: new URLSearchParams(fields) }
}

/** Resolves with the first event that passes, heard from now on. */
export function nextEvent(twin: TwilioTwin, passes: (event: TwilioTwinEvent) => boolean): Promise<TwilioTwinEvent> {
  return new Promise((resolve) => {
    const unsubscribe = twin.subscribe((event) => {
      if (!passes(event)) return
      unsubscribe()
      resolve(event)
    })
  })
}

/** Resolves when a message takes this status. */
export function nextStatus(twin: TwilioTwin, status: TwinMessageStatus): Promise<TwilioTwinEvent> {
  return nextEvent(twin, (event) => event.type === 'message' && event.message.status === status)
}

export interface Received {
  readonly method: string
  /** Path and query. */
  readonly target: string
  readonly headers: IncomingHttpHeaders
  readonly body: string
  readonly params: URLSearchParams
}

export type Reply =
  | { readonly status: number; readonly headers?: Readonly<Record<string, string>>; readonly body?: string }
  | 'hang'
  | 'reset'

const twiml: Reply = { status: 200, headers: { 'content-type': 'text/xml' }, body: '<Response/>' }

/** The webhook server of whoever owns the number. Closed when the test ends, hung requests too. */
export async function startReceiver(reply: (request: Received, nth: number) => Reply = () => twiml) {
  const received: Received[] = []
  let waiting: (() => void)[] = []
  const server = createServer(async (incoming, response) => {
    let body = ''
    for await (const chunk of incoming.setEncoding('utf8')) body += chunk
    const { method = '', url: target = '', headers } = incoming
    const request = { method, target, headers, body, params: new URLSearchParams(body) }
    received.push(request)
    const woken = waiting
    waiting = []
    for (const wake of woken) wake()
    const answer = reply(request, received.length)
    if (answer === 'reset') incoming.socket.resetAndDestroy()
    else if (answer !== 'hang') response.writeHead(answer.status, answer.headers).end(answer.body)
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  onTestFinished(() => {
    server.close()
    server.closeAllConnections()
  })
  const address = server.address()
  if (address === null || typeof address === 'string') throw new Error('not listening on a port')
  return {
    url: `http://127.0.0.1:${address.port}`,
    received,
    /** Resolves once `count` requests have come. */
    async until(count: number) {
      while (received.length < count) await new Promise<void>((resolve) => waiting.push(resolve))
    },
  }
}

/** A Messaging Service with these numbers in its pool; answers its SID. */
export async function serviceWith(
  client: ReturnType<typeof sdk>,
  numbers: readonly string[],
  settings: {
    inboundRequestUrl?: string
    inboundMethod?: 'GET' | 'POST'
    fallbackUrl?: string
    statusCallback?: string
    useInboundWebhookOnNumber?: boolean
  } = {},
): Promise<string> {
  const service = await client.messaging.v1.services.create({ friendlyName: 'Support', ...settings })
  for (const phoneNumber of numbers) {
    const [number] = await client.incomingPhoneNumbers.list({ phoneNumber })
    await client.messaging.v1.services(service.sid).phoneNumbers.create({ phoneNumberSid: number?.sid ?? '' })
  }
  return service.sid
}
