// The SDK's requests, sent by our transport: our deadline, our base URL, one HTTP request per call, and failures that
// say whether the text exists.
import type { RequestOpts } from 'twilio/lib/base/BaseTwilio.js'
import type { VendorRequest, VendorResponse } from '../transport.js'
import { readTwilioError } from './errors.js'

/** The answer as the SDK's own client gives it. */
export interface SdkResponse {
  readonly statusCode: number
  readonly body: unknown
  readonly headers: Record<string, string>
}

export interface SdkHttpClient {
  request(options: RequestOpts): Promise<SdkResponse>
}

export function createSdkHttpClient(parts: {
  /** Stands in for every Twilio host. */
  readonly baseUrl: string | undefined
  readonly limit: VendorRequest['limit'] | undefined
  readonly send: (request: VendorRequest) => Promise<VendorResponse>
}): SdkHttpClient {
  const { baseUrl, limit, send } = parts
  return {
    async request(options) {
      const method = options.method?.toUpperCase() === 'POST' ? 'POST' : 'GET'
      const { status, headers, json } = await send({
        shore: 'twilio',
        method,
        url: urlOf(options, baseUrl),
        headers: {
          ...stringsIn(options.headers ?? {}),
          Authorization: `Basic ${Buffer.from(`${options.username}:${options.password}`).toString('base64')}`,
        },
        ...(options.data === undefined ? {} : { body: encodeForm(options.data) }),
        creates: method === 'POST',
        ...(limit === undefined ? {} : { limit }),
        readError: readTwilioError,
      })
      return { statusCode: status, body: json, headers: Object.fromEntries(headers) }
    },
  }
}

function urlOf({ uri = '', params }: RequestOpts, baseUrl: string | undefined): string {
  const { origin, hostname, pathname, search } = new URL(uri)
  const base = baseUrl?.replace(/\/$/, '') ?? origin
  // What stands in for Twilio names itself in the addresses of its pages.
  const ownAddress = baseUrl !== undefined && uri.startsWith(`${base}/`)
  // The SDK builds its own hosts, and a page's next address comes from an answer: credentials go nowhere else.
  if (!ownAddress && !hostname.endsWith('.twilio.com')) throw new Error(`${hostname} is not a host of Twilio`)
  const query = params === undefined ? '' : encodeForm(params)
  const url = ownAddress ? uri : `${base}${pathname}${search}`
  return query === '' ? url : `${url}${search === '' ? '?' : '&'}${query}`
}

function stringsIn(headers: object): Record<string, string> {
  return Object.fromEntries(Object.entries(headers).map(([name, value]) => [name, String(value)]))
}

/** As the SDK's client encodes (qs, arrayFormat repeat): RFC 3986, a list as the same name again and again. */
export function encodeForm(values: object): string {
  return Object.entries(values)
    .flatMap(([name, value]) => (Array.isArray(value) ? value : [value]).map((one: unknown) => [name, one] as const))
    .filter(([, value]) => value !== undefined)
    .map(([name, value]) => `${encode(name)}=${encode(value === null ? '' : String(value))}`)
    .join('&')
}

function encode(text: string): string {
  // Half a surrogate pair cannot be encoded; the detour over UTF-8 turns it into U+FFFD.
  return encodeURIComponent(Buffer.from(text).toString()).replace(
    /[!'()*]/g,
    (character) => `%${character.charCodeAt(0).toString(16).toUpperCase()}`,
  )
}
