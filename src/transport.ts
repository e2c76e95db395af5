// The one way to a vendor: rate limit, deadline, one HTTP request, and what its failure proves.
import { classify, type Failure, type VendorError, withoutEcho } from './classify.js'
import type { Clock } from './clock.js'
import type { Priority, Shore } from './delivery.js'
import type { LimitRule } from './store/store.js'

/** What an attempt lends to each call. */
export interface Call {
  readonly signal: AbortSignal
  /** Runs right before bytes go on the wire; throws when we no longer hold the lane. */
  readonly guard: () => void
  readonly priority: Priority
}

export interface Limiter {
  /**
   * Resolves when the call may go; throws a deferred DeliveryError when it would have to wait too long
   * (bulk never waits in line).
   */
  pass(request: { key: string; rule: LimitRule; cost: number; priority: Priority; signal: AbortSignal }): Promise<void>
  /** The vendor's own word on its limit. */
  learn(key: string, rule: LimitRule): void
  /** Nothing passes before, epoch ms. */
  hold(key: string, until: number): void
}

/** What an answer tells about a limit. */
export interface LimitNews {
  /** Another rule than so far. */
  readonly rule?: LimitRule
  /** Nothing may pass before, epoch ms. */
  readonly holdUntil?: number
}

export interface VendorRequest {
  readonly shore: Shore
  readonly method: 'GET' | 'POST' | 'PUT' | 'DELETE'
  readonly url: string
  readonly headers: Readonly<Record<string, string>>
  readonly body?: string
  readonly deadlineMs?: number
  /** May this call have made something when its answer is lost? */
  readonly creates: boolean
  readonly limit?: {
    readonly key: string
    readonly rule: LimitRule
    readonly cost: number
    readonly read?: (status: number, headers: Headers) => LimitNews
  }
  /** Reads the vendor's own error body; undefined when it is none. `json` is undefined for a gateway's page. */
  readonly readError: (status: number, headers: Headers, json: unknown) => VendorError | undefined
}

export interface VendorResponse {
  readonly status: number
  readonly headers: Headers
  /** Undefined only for an empty 204. */
  readonly json: unknown
}

/** One finished call, for the log and the metrics. Paths carry no ids. */
export interface CallReport {
  readonly shore: Shore
  readonly method: string
  readonly route: string
  readonly status?: number
  readonly failure?: Failure['kind']
  readonly ms: number
}

export interface Transport {
  /** One HTTP request, never repeated. Throws a DeliveryError for anything but a readable 2xx. */
  request(request: VendorRequest, call: Call): Promise<VendorResponse>
  /**
   * How far a vendor's times may be from ours beyond their resolution, ms: 0 while both clocks agree. What is looked
   * for by time must be looked for so much earlier and later.
   */
  clockDoubtMs(shore: Shore): number
}

/** Up to here an offset is an answer's way and whole seconds. */
const clocksAgreeMs = 60_000

const defaultDeadlineMs = 15_000

export function createTransport(parts: {
  clock: Clock
  limiter: Limiter
  /** For requests that name no deadline of their own. Default 15 s. */
  deadlineMs?: number
  fetch?: typeof fetch
  onCall?: (report: CallReport) => void
}): Transport {
  const { clock, limiter, onCall } = parts
  const send = parts.fetch ?? fetch
  const offsets = new Map<Shore, number>()

  /** From the `Date` that every HTTP answer carries (RFC 9110). */
  function compareClocks(shore: Shore, headers: Headers): void {
    const theirs = Date.parse(headers.get('date') ?? '')
    if (!Number.isNaN(theirs)) offsets.set(shore, Math.abs(theirs - clock.now()))
  }

  function clockDoubtMs(shore: Shore): number {
    const offset = offsets.get(shore) ?? 0
    // Twice: a clock that was put right since then has moved by as much again.
    return offset < clocksAgreeMs ? 0 : 2 * offset
  }

  async function request(request: VendorRequest, call: Call): Promise<VendorResponse> {
    const { limit } = request
    if (limit !== undefined) {
      await limiter.pass({
        key: limit.key,
        rule: limit.rule,
        cost: limit.cost,
        priority: call.priority,
        signal: call.signal,
      })
    }
    const facts = {
      shore: request.shore,
      method: request.method,
      route: routeOf(request.url),
      creates: request.creates,
    }
    if (call.signal.aborted) throw classify({ kind: 'stopped', sent: false }, facts)
    call.guard()

    const begun = clock.now()
    const deadlineMs = request.deadlineMs ?? parts.deadlineMs ?? defaultDeadlineMs
    const answer = await exchange(send, request, call.signal, deadlineMs)
    if (answer.kind === 'answer') compareClocks(facts.shore, answer.headers)
    const news = answer.kind === 'answer' && limit?.read?.(answer.status, answer.headers)
    if (limit !== undefined && news) {
      if (news.rule !== undefined) limiter.learn(limit.key, news.rule)
      if (news.holdUntil !== undefined) limiter.hold(limit.key, news.holdUntil)
    }
    const failure = answer.kind === 'answer' ? failureOf(answer, request) : answer
    onCall?.({
      shore: facts.shore,
      method: facts.method,
      route: facts.route,
      ...(answer.kind === 'answer' ? { status: answer.status } : {}),
      ...(failure === undefined ? {} : { failure: failure.kind }),
      ms: clock.now() - begun,
    })
    if (failure !== undefined) throw classify(failure, facts)
    // failureOf has seen that this is a readable answer
    const { status, headers, json } = answer as Answer
    return { status, headers, json }
  }

  return { request, clockDoubtMs }
}

interface Answer {
  readonly kind: 'answer'
  readonly status: number
  readonly headers: Headers
  /** False when the body is not JSON. */
  readonly readable: boolean
  readonly json: unknown
}

async function exchange(
  send: typeof fetch,
  request: VendorRequest,
  signal: AbortSignal,
  deadlineMs: number,
): Promise<Answer | Failure> {
  let headers: Headers
  try {
    headers = new Headers(request.headers)
  } catch {
    // Its words would quote the credentials.
    return { kind: 'unsendable' }
  }
  // Not AbortSignal.any and AbortSignal.timeout: a signal that lives as long as the process would keep every one of
  // them, and each call would leave a timer behind until its deadline.
  const controller = new AbortController()
  const stop = () => controller.abort()
  const timer = setTimeout(stop, deadlineMs)
  signal.addEventListener('abort', stop, { once: true })
  try {
    const response = await send(request.url, {
      method: request.method,
      headers,
      ...(request.body === undefined ? {} : { body: request.body }),
      redirect: 'manual',
      signal: controller.signal,
    })
    const text = await response.text().catch((error: unknown) => {
      if (response.ok) throw error
      return '' // a refusal stands without its body
    })
    return { kind: 'answer', status: response.status, headers: response.headers, ...parseBody(response.status, text) }
  } catch (error) {
    if (signal.aborted) return { kind: 'stopped', sent: true }
    if (controller.signal.aborted) return { kind: 'timed-out', afterMs: deadlineMs }
    return failureOfFetch(error)
  } finally {
    clearTimeout(timer)
    signal.removeEventListener('abort', stop)
  }
}

function parseBody(status: number, text: string): { readable: boolean; json: unknown } {
  if (text === '' && status === 204) return { readable: true, json: undefined }
  try {
    return { readable: true, json: JSON.parse(text) }
  } catch {
    return { readable: false, json: undefined }
  }
}

function failureOf(answer: Answer, request: VendorRequest): Failure | undefined {
  const { status, headers, json } = answer
  if (status >= 200 && status < 300) return answer.readable ? undefined : { kind: 'unreadable', status }
  const vendorError = request.readError(status, headers, json)
  return {
    kind: 'refused',
    status,
    vendorError: vendorError && withoutEcho(vendorError, request.body),
    retryAfterMs: retryAfterMs(headers),
  }
}

// RFC 9110 allows a date as well; neither vendor documents the header at all, so only what gateways send: seconds.
function retryAfterMs(headers: Headers): number | undefined {
  const seconds = headers.get('retry-after')
  return seconds !== null && /^\d{1,4}$/.test(seconds) ? Number(seconds) * 1000 : undefined
}

// Before any byte of the request could be sent: name resolution, connecting, the TLS handshake.
const notConnected =
  /^(ECONNREFUSED|ENOTFOUND|EAI_\w+|EHOSTUNREACH|EHOSTDOWN|ENETUNREACH|ENETDOWN|EADDRNOTAVAIL|UND_ERR_CONNECT_TIMEOUT|EPROTO|ERR_SSL_\w+|ERR_TLS_\w+|CERT_\w+|DEPTH_ZERO_SELF_SIGNED_CERT|SELF_SIGNED_CERT_IN_CHAIN|UNABLE_TO_\w+|HOSTNAME_MISMATCH)$/

function failureOfFetch(error: unknown): Failure {
  // undici says "fetch failed" or "terminated" and keeps what happened as the cause.
  const cause: unknown = error instanceof Error ? error.cause : undefined
  if (!(cause instanceof Error)) return { kind: 'cut-off', code: 'UNKNOWN', cause: error }
  const { code = 'UNKNOWN', syscall } = cause as NodeJS.ErrnoException // undici's errors have a code as well
  const beforeTls = cause.message.includes('before secure TLS connection was established')
  if (notConnected.test(code) || (code === 'ETIMEDOUT' && syscall !== 'read' && syscall !== 'write') || beforeTls) {
    return { kind: 'not-connected', code, cause }
  }
  return { kind: 'cut-off', code, cause }
}

const ids = /\/(?:[A-Z]{2}[0-9a-f]{32}|[0-9a-f]{24}|\d+)(?=[/.]|$)/g

function routeOf(url: string): string {
  return new URL(url).pathname.replace(ids, '/{id}')
}
