// Does the public URL lead here, unchanged? Asked through the URL itself, from this machine.
import { randomBytes } from 'node:crypto'
import { describeError } from '../../errors.js'
import { desiredWebhooks } from './webhooks.js'

export interface Door {
  readonly publicUrl: string
  readonly accountSid: string
  /** The first signs. */
  readonly authTokens: readonly string[]
  readonly clientSecret: string
}

export interface Check {
  readonly id: 'reachable' | 'ours' | 'signature'
  readonly ok: boolean
  /** What is wrong, and what to do; '' when nothing is. */
  readonly detail: string
}

export interface SelfTestParts {
  readonly fetch?: typeof fetch
  readonly signal: AbortSignal
  /** Default 10 s. */
  readonly deadlineMs?: number
}

/** In order; the first that fails is the last. */
export async function proveUrl(door: Door, parts: SelfTestParts): Promise<readonly Check[]> {
  const first = await proveOurs(door.publicUrl, door.clientSecret, parts)
  if (first.some(({ ok }) => !ok)) return first
  return [...first, await proveSignature(door, parts)]
}

/** Whether a bridge with this client secret answers at an address, public or local. */
export async function proveOurs(
  address: string,
  clientSecret: string,
  parts: SelfTestParts,
): Promise<readonly Check[]> {
  const nonce = randomBytes(16).toString('hex')
  const url = `${address}/healthz?nonce=${nonce}`
  let response: Response
  let text: string
  try {
    response = await ask(url, { method: 'GET' }, parts)
    text = await response.text()
  } catch (error) {
    return [{ id: 'reachable', ok: false, detail: unreachable(url, error) }]
  }
  const reachable = failureOf(response, url)
  if (reachable !== undefined) return [{ id: 'reachable', ok: false, detail: reachable }]
  const reached: Check = { id: 'reachable', ok: true, detail: '' }
  const { isProof } = await import('../../server/proof.js')
  const answer = jsonOf(text)
  if (answer === undefined || answer.status !== 'alive') {
    return [reached, { id: 'ours', ok: false, detail: `${address} is answered by something else than sms-bridge` }]
  }
  if (isProof(clientSecret, nonce, answer.proof)) return [reached, { id: 'ours', ok: true, detail: '' }]
  const detail =
    answer.proof === undefined
      ? `${address} is answered by an sms-bridge that proves nothing: an older one. Stop it, or start serve anew`
      : `${address} is answered by an sms-bridge with another Intercom client secret: stop it, or correct INTERCOM_CLIENT_SECRET`
  return [reached, { id: 'ours', ok: false, detail }]
}

/** A form signed as Twilio signs: a proxy that changes path, query or body breaks it. Nothing is stored. */
export async function proveSignature(
  { publicUrl, accountSid, authTokens }: Omit<Door, 'clientSecret'>,
  parts: SelfTestParts,
): Promise<Check> {
  const { signTwilioRequest } = await import('../../twilio/webhook.js')
  // The status is no word of Twilio's, which the door answers 204; blanks and signs are what careless proxies change.
  const form: [string, string][] = [
    ['AccountSid', accountSid],
    ['MessageSid', `SM${'0'.repeat(32)}`],
    ['MessageStatus', 'self-test'],
    ['Probe', 'a b+c&d=é%20 '],
    ['Empty', ''],
  ]
  const url = `${desiredWebhooks({ publicUrl }).status}?ref=self-test`
  try {
    const response = await ask(
      url,
      {
        method: 'POST',
        headers: {
          'content-type': 'application/x-www-form-urlencoded',
          'x-twilio-signature': signTwilioRequest(authTokens[0] ?? '', url, form),
        },
        body: new URLSearchParams(form).toString(),
      },
      parts,
    )
    if (response.status === 204) return { id: 'signature', ok: true, detail: '' }
    const said = jsonOf(await response.text())?.error
    const why = typeof said === 'string' ? `: ${said}` : ''
    const advice =
      response.status === 403
        ? '. The proxy must pass path, query and body on unchanged; or the bridge there has another TWILIO_AUTH_TOKEN or SMS_BRIDGE_PUBLIC_URL'
        : ''
    return {
      id: 'signature',
      ok: false,
      detail: `${url} answered a signed form with ${response.status}${why}${advice}`,
    }
  } catch (error) {
    return { id: 'signature', ok: false, detail: unreachable(url, error) }
  }
}

function ask(url: string, init: RequestInit, { fetch: send = fetch, signal, deadlineMs = 10_000 }: SelfTestParts) {
  return send(url, { ...init, redirect: 'manual', signal: AbortSignal.any([signal, AbortSignal.timeout(deadlineMs)]) })
}

function failureOf({ status, headers }: Response, url: string): string | undefined {
  if (status === 200) return undefined
  if (status >= 300 && status < 400) {
    return `${url} redirects to ${headers.get('location') ?? 'somewhere'}: vendors lose the form on the way. Use the address it leads to`
  }
  if (status === 404) return `${url} answered 404: the proxy does not pass this path on, or to another program`
  if ([502, 503, 504].includes(status))
    return `${url} answered ${status}: the proxy is there, the bridge behind it is not`
  return `${url} answered ${status}`
}

const reasons: readonly (readonly [RegExp, string])[] = [
  [/^ENOTFOUND|^EAI_/, 'its name is not known: check the DNS entry'],
  [/^ECONNREFUSED/, 'nothing listens there: start the proxy, or check the port'],
  [/SELF_SIGNED|^UNABLE_TO_|^CERT_|^DEPTH_ZERO/, 'its certificate is not one that vendors accept'],
  [/^ERR_TLS|^HOSTNAME_MISMATCH/, 'its certificate is for another name'],
  [/^EPROTO|^ERR_SSL/, 'it does not speak HTTPS'],
  [/^EHOSTUNREACH|^ENETUNREACH|TIMEOUT|^ETIMEDOUT/, 'there is no way to it: check the firewall'],
]

function unreachable(url: string, error: unknown): string {
  const cause: unknown = error instanceof Error ? (error.cause ?? error) : error
  const code = cause instanceof Error && 'code' in cause ? String(cause.code) : ''
  const known = reasons.find(([pattern]) => pattern.test(code))?.[1]
  if (error instanceof Error && error.name === 'TimeoutError')
    return `${url} did not answer in time: check the firewall`
  return `${url} cannot be reached: ${known ?? describeError(cause)}`
}

function jsonOf(text: string): Readonly<Record<string, unknown>> | undefined {
  try {
    const json: unknown = JSON.parse(text)
    return typeof json === 'object' && json !== null ? (json as Record<string, unknown>) : undefined // an object, as just seen
  } catch {
    return undefined
  }
}
