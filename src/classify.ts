// What a failed vendor call proves: not done, refused for good, or unknown; and how to say so. Pure.
import type { Shore } from './delivery.js'
import { DeliveryError, type Outcome } from './errors.js'

/** What a vendor's own error body says. `outcome` overrules what the HTTP status alone would mean (4xx only). */
export interface VendorError {
  readonly code?: string
  readonly message?: string
  readonly outcome?: Outcome
  readonly retryAfterMs?: number
  readonly pausesShore?: boolean
  readonly deferred?: boolean
}

export type Failure =
  /** The request could not even be built; nothing left the process. */
  | { readonly kind: 'unsendable' }
  /** No connection: refused, no such host, TLS, connect time-out. */
  | { readonly kind: 'not-connected'; readonly code: string; readonly cause?: unknown }
  | { readonly kind: 'timed-out'; readonly afterMs: number }
  /** We gave up ourselves; `sent` says whether bytes may have left. */
  | { readonly kind: 'stopped'; readonly sent: boolean }
  | { readonly kind: 'cut-off'; readonly code: string; readonly cause?: unknown }
  /** A 2xx whose body is not JSON. */
  | { readonly kind: 'unreadable'; readonly status: number }
  | {
      readonly kind: 'refused'
      readonly status: number
      readonly vendorError?: VendorError | undefined
      /** From a Retry-After header. */
      readonly retryAfterMs?: number | undefined
    }

export interface CallFacts {
  readonly shore: Shore
  readonly method: string
  /** Path without ids. */
  readonly route: string
  /** The call may have made something even though its answer is lost. */
  readonly creates: boolean
}

const defaultRetryAfterMs = 1000

export function classify(failure: Failure, call: CallFacts): DeliveryError {
  const name = `${call.method} ${call.route}`
  const whenLost: Outcome = call.creates ? 'ambiguous' : 'transient'
  const shore = call.shore
  switch (failure.kind) {
    case 'unsendable':
      return new DeliveryError(
        `${name} could not be sent to ${shore}: check its address and credentials for stray characters`,
        { outcome: 'transient', shore, pausesShore: true, deferred: true },
      )
    case 'not-connected':
      return new DeliveryError(`${shore} cannot be reached (${failure.code})`, {
        outcome: 'transient',
        shore,
        pausesShore: true,
        cause: failure.cause,
      })
    case 'timed-out':
      return new DeliveryError(`${shore} did not answer ${name} within ${failure.afterMs} ms`, {
        outcome: whenLost,
        shore,
      })
    case 'stopped':
      return new DeliveryError(`${name} to ${shore} was given up because we are stopping`, {
        outcome: failure.sent ? whenLost : 'transient',
        shore,
        deferred: true,
      })
    case 'cut-off':
      return new DeliveryError(`The connection to ${shore} broke during ${name} (${failure.code})`, {
        outcome: whenLost,
        shore,
        cause: failure.cause,
      })
    case 'unreadable':
      return new DeliveryError(`${shore} answered ${name} with ${failure.status}, but its body cannot be read`, {
        outcome: whenLost,
        shore,
        status: failure.status,
      })
    case 'refused':
      return refused(failure, call)
  }
}

interface Verdict {
  readonly outcome: Outcome
  readonly retryAfterMs?: number | undefined
  readonly pausesShore?: boolean
  readonly deferred?: boolean
}

function refused(failure: Extract<Failure, { kind: 'refused' }>, call: CallFacts): DeliveryError {
  const { status, vendorError } = failure
  const code = vendorError?.code
  const verdict = judge(failure, call)
  const said = [
    code === undefined ? '' : `, code ${code}`,
    vendorError?.message === undefined ? '' : `: ${vendorError.message}`,
    status >= 300 && status < 400
      ? ': a redirect, which is never followed with credentials; check the API base URL'
      : '',
  ].join('')
  const { retryAfterMs } = verdict
  return new DeliveryError(`${call.shore} answered ${call.method} ${call.route} with ${status}${said}`, {
    ...verdict,
    ...(retryAfterMs === undefined ? {} : { retryAfterMs }),
    shore: call.shore,
    ...(code === undefined ? {} : { code }),
    status,
  } as ConstructorParameters<typeof DeliveryError>[1]) // the spread drops an undefined retryAfterMs
}

function judge(failure: Extract<Failure, { kind: 'refused' }>, call: CallFacts): Verdict {
  const { status, vendorError, retryAfterMs } = failure
  if (status >= 500) {
    return { outcome: call.creates ? 'ambiguous' : 'transient', pausesShore: status === 503, retryAfterMs }
  }
  if (status === 429) {
    const wait = vendorError?.retryAfterMs ?? retryAfterMs ?? defaultRetryAfterMs
    return { outcome: 'transient', deferred: true, retryAfterMs: wait }
  }
  // The server waited too long for itself or for us: it may have acted on what it had.
  if (status === 408) return { outcome: call.creates ? 'ambiguous' : 'transient' }
  if (vendorError?.outcome !== undefined) return { ...vendorError, outcome: vendorError.outcome }
  if (status === 401 || status === 403) return { outcome: 'transient', pausesShore: true, deferred: true }
  if (status >= 400 && vendorError === undefined) return { outcome: 'transient' }
  return { outcome: 'permanent' }
}

// Vendors quote what they were sent; bodies and numbers must not travel on in errors.
export function withoutEcho(error: VendorError, sent: string | undefined): VendorError {
  if (error.message === undefined) return error
  let message = error.message
  for (const text of textsIn(sent ?? '')) message = message.replaceAll(text, '…')
  message = message.replace(/(?<!\w)\+?\d[\d ()-]{5,14}(\d{4})(?!\w)/g, '…$1')
  return { ...error, message: message.length > 200 ? `${message.slice(0, 199)}…` : message }
}

function textsIn(sent: string): string[] {
  // A form never starts with a brace: it would be percent-encoded.
  const texts = sent.startsWith('{') ? stringsOf(JSON.parse(sent)) : [...new URLSearchParams(sent).values()]
  return texts
    .flatMap((text) => [text, text.replace(/<[^>]*>/g, '')])
    .filter((text) => text.length >= 8)
    .sort((a, b) => b.length - a.length)
}

function stringsOf(value: unknown): string[] {
  if (typeof value === 'string') return [value]
  return typeof value === 'object' && value !== null ? Object.values(value).flatMap(stringsOf) : []
}
