// Sending one webhook as Twilio does: signed, retried as its URL's fragment says, then handed to the fallback URL.
import { randomUUID } from 'node:crypto'
import { type CallAnswer, call } from './call.js'
import { type Failure, readOverrides } from './overrides.js'
import { requestedUrl, signatureOf } from './signature.js'
import { type Entry, emit, type State } from './state.js'

export type Params = readonly (readonly [name: string, value: string])[]

export interface WebhookTarget {
  readonly url: string
  readonly method: 'GET' | 'POST'
}

export interface Webhook {
  readonly entry: Entry
  readonly target: WebhookTarget
  readonly fallback: WebhookTarget | undefined
  readonly params: Params
  /** Called with the 2xx answer of the URL or of its fallback. */
  onAnswer(answer: CallAnswer): void
}

/** 11750: what Twilio reads of an answer. */
const maxAnswerBytes = 64 * 1024
/** Not documented; it ends loops of redirects. */
const maxRedirects = 5

/** Sends it to its end: answered 2xx, or given up by URL and fallback. Never rejects. */
export async function sendWebhook(state: State, webhook: Webhook): Promise<void> {
  const { target, fallback, params } = webhook
  const first = await tryUntilGivenUp(state, webhook.entry, target, params)
  if ('answer' in first) return webhook.onAnswer(first.answer)
  if (fallback === undefined || state.work.signal.aborted) return
  const told: Params = [...params, ['ErrorCode', String(first.code)], ['ErrorUrl', requestedUrl(target.url)]]
  const second = await tryUntilGivenUp(state, webhook.entry, fallback, told)
  if ('answer' in second) webhook.onAnswer(second.answer)
}

type Tried = { readonly answer: CallAnswer } | { readonly code: number; readonly failure: Failure | undefined }

async function tryUntilGivenUp(state: State, entry: Entry, target: WebhookTarget, params: Params): Promise<Tried> {
  const { retries, retryOn, totalMs, ...limits } = readOverrides(target.url)
  const deadline = state.clock.now() + totalMs
  // The same on every retry: it is how a receiver tells a retry from another event.
  const token = randomUUID()
  for (let retry = 0; ; retry += 1) {
    const leftMs = deadline - state.clock.now()
    const patience = { connectMs: Math.min(limits.connectMs, leftMs), readMs: Math.min(limits.readMs, leftMs) }
    const tried = await tryOnce(state, entry, { target, params, token, ...patience })
    const over = 'answer' in tried || tried.failure === undefined || !retryOn.has(tried.failure)
    if (over || retry === retries || state.clock.now() >= deadline || state.work.signal.aborted) return tried
  }
}

interface Try {
  readonly target: WebhookTarget
  readonly params: Params
  readonly token: string
  readonly connectMs: number
  readonly readMs: number
}

async function tryOnce(state: State, entry: Entry, { target, params, token, ...patience }: Try): Promise<Tried> {
  let url = requestedUrl(target.url)
  let method = target.method
  let form = params
  let userInfo = new URL(URL.canParse(target.url) ? target.url : 'http://none')
  if (method === 'GET') url = withQuery(url, form)
  for (let redirects = 0; ; redirects += 1) {
    const posted = method === 'POST' ? { body: encode(form) } : {}
    entry.message.webhookAttempts += 1
    const result = await call(
      {
        url,
        method,
        headers: {
          ...(method === 'POST' ? { 'Content-Type': 'application/x-www-form-urlencoded; charset=utf-8' } : {}),
          ...authorization(userInfo),
          'X-Twilio-Signature': signatureOf(state.authToken, url, method === 'POST' ? form : []),
          'I-Twilio-Idempotency-Token': token,
          Accept: '*/*',
          'Accept-Encoding': 'gzip',
          'User-Agent': 'TwilioProxy/1.1',
        },
        ...posted,
        ...patience,
        maxBytes: maxAnswerBytes,
      },
      state.clock,
      state.work.signal,
    )
    const status = typeof result === 'string' ? 'failed' : result.status
    emit(state, { type: 'webhook', url, status, sid: entry.message.sid })
    if (typeof result === 'string') return failures[result]
    if (result.status < 300) return { answer: result }
    if (result.status >= 500) return { code: 11217, failure: '5xx' }
    if (result.status >= 400) return { code: 11217, failure: '4xx' }
    if (result.location === undefined || redirects === maxRedirects || !URL.canParse(result.location, url)) {
      return { code: 11200, failure: undefined }
    }
    // Redirects are followed with GET, and the form is lost on the way.
    const next = new URL(result.location, url)
    userInfo = next
    url = requestedUrl(next.href)
    method = 'GET'
    form = []
  }
}

const failures = {
  connect: { code: 11205, failure: 'ct' },
  read: { code: 11200, failure: 'rt' },
  'too-large': { code: 11750, failure: undefined },
  'bad-url': { code: 11321, failure: undefined },
} as const

/** `+` for spaces and every reserved character escaped, as captured from Twilio. */
function encode(params: Params): string {
  return new URLSearchParams(params.map(([name, value]): [string, string] => [name, value])).toString()
}

function withQuery(url: string, params: Params): string {
  return `${url}${url.includes('?') ? '&' : '?'}${encode(params)}`
}

function authorization({ username, password }: URL): Record<string, string> {
  if (username === '') return {}
  const user = `${decodeURIComponent(username)}:${decodeURIComponent(password)}`
  return { Authorization: `Basic ${Buffer.from(user).toString('base64')}` }
}
