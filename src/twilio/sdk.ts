// The vendor's own SDK over our transport: our deadline, at most so many calls at a time, one request per call.
import type { ClientOpts } from 'twilio/lib/base/BaseTwilio.js'
import type Twilio from 'twilio/lib/rest/Twilio.js'
import { classify } from '../classify.js'
import type { Call, Transport, VendorRequest } from '../transport.js'
import { createBackOff } from './back-off.js'
import { createGate } from './gate.js'
import { createSdkHttpClient } from './http-client.js'

export interface TwilioCredentials {
  readonly accountSid: string
  /** Several during a rotation; calls use the first. */
  readonly authTokens: readonly string[]
  /** Used for calls instead of the auth token. */
  readonly apiKey?: { readonly sid: string; readonly secret: string }
}

export type SdkParts = TwilioCredentials & {
  /** Everything Twilio at one origin, for twins and proxies. */
  readonly baseUrl?: string
  readonly transport: Transport
  /** Calls at one time. Default 8. */
  readonly concurrency?: number
  /** 0 ≤ x < 1. */
  readonly random?: () => number
}

/** An SDK client for one call of ours, and whatever pages it reads. */
export type Sdk = (call: Call, limit?: VendorRequest['limit']) => Twilio

/** What we use of the SDK's pages: the classes themselves differ from what their own nextPage() returns. */
export interface SdkPage<Row> {
  readonly instances: readonly Row[]
  nextPage(): Promise<SdkPage<Row>> | undefined
}

/** The most Twilio gives. */
export const pageSize = 1000

/** Every row of a list, read page by page. */
export async function rowsOf<Row>(first: Promise<SdkPage<Row>>): Promise<Row[]> {
  const rows: Row[] = []
  let page: SdkPage<Row> | undefined = await first
  while (page !== undefined) {
    rows.push(...page.instances)
    page = await page.nextPage()
  }
  return rows
}

/** Loads the SDK (a tenth of a second): call it late. */
export async function createSdk(parts: SdkParts): Promise<Sdk> {
  const { accountSid, authTokens, apiKey, baseUrl, transport, concurrency = 8 } = parts
  const { default: TwilioSdk } = await import('twilio/lib/rest/Twilio.js')
  // The SDK loads what it needs for messages (a tenth of a second) at their first use: not while a reply waits.
  void new TwilioSdk(accountSid, authTokens[0], { accountSid }).messages
  const gate = createGate(concurrency)
  const backOff = createBackOff(parts.random ?? Math.random)

  // The SDK has no way to pass something along with one call, so each call gets an SDK client (20 µs) of its own.
  return (call, limit) => {
    const send = (request: VendorRequest) =>
      backOff.watch(
        gate.through(
          {
            priority: call.priority,
            signal: call.signal,
            stopped: () => classify({ kind: 'stopped', sent: false }, { ...request, route: 'a call' }),
          },
          () => transport.request(request, call),
        ),
      )
    // The SDK calls nothing but `request` on its HTTP client.
    const httpClient = createSdkHttpClient({ baseUrl, limit, send }) as unknown as NonNullable<ClientOpts['httpClient']>
    const [user, password] = apiKey === undefined ? [accountSid, authTokens[0]] : [apiKey.sid, apiKey.secret]
    // Empty edge and region keep TWILIO_EDGE and TWILIO_REGION of the environment from changing the host.
    return new TwilioSdk(user, password, { accountSid, httpClient, autoRetry: false, edge: '', region: '' })
  }
}
