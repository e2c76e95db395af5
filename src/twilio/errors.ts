// What Twilio's refusals mean for a text: try again or not, and who can mend it.
import type { VendorError } from '../classify.js'
import type { Outcome } from '../errors.js'
import { type TwilioCodeClass, twilioCodes } from './error-codes.js'
import { twilioRemedy } from './remedies.js'

export interface TwilioVerdict {
  readonly outcome: Outcome
  readonly retryAfterMs?: number
  readonly pausesShore?: boolean
  readonly deferred?: boolean
}

/** Login refused, account inactive, test credentials, account suspended: true for every text, not for this one. */
const accountWide: ReadonlySet<number> = new Set([20003, 20005, 20008, 20403])
/** Too many parallel calls: "never processed and always safe to retry" (Twilio's page on 20429). */
const tooManyCalls = 20429
/** The sender has ten hours of texts queued. */
const queueFull = 21611

/** What a refusal to send proves, by Twilio's code. */
export function twilioOutcome(code: number, httpStatus: number): TwilioVerdict {
  // 20500 and 20503 tell of a server that broke in the middle: unknown until looked up.
  if (httpStatus >= 500) return { outcome: 'ambiguous' }
  if (code === tooManyCalls || httpStatus === 429) return { outcome: 'transient', deferred: true, retryAfterMs: 1000 }
  if (accountWide.has(code)) return { outcome: 'transient', pausesShore: true, deferred: true }
  if (code === queueFull) return { outcome: 'transient', retryAfterMs: 600_000 }
  const known = twilioCodes.get(code)
  if (known !== undefined) return byClass[known.class]
  if (httpStatus === 401 || httpStatus === 403) return { outcome: 'transient', pausesShore: true, deferred: true }
  // Twilio splits its codes now and then: 21xxx always refuse this request, all others get their retries.
  return Math.floor(code / 1000) === 21 ? { outcome: 'permanent' } : { outcome: 'transient' }
}

const byClass: Readonly<Record<TwilioCodeClass, TwilioVerdict>> = {
  P: { outcome: 'permanent' },
  C: { outcome: 'permanent' },
  R: { outcome: 'transient', retryAfterMs: 30_000 },
  L: { outcome: 'transient', retryAfterMs: 60_000 },
  I: { outcome: 'transient' },
  W: { outcome: 'transient' },
}

const optedOut: ReadonlySet<string> = new Set(['21610', '30630'])

/** Whether a refusal or a receipt says that they texted STOP. */
export function isOptOutCode(code: string | undefined): boolean {
  return code !== undefined && optedOut.has(code)
}

export type Fixer = 'agent' | 'admin' | 'customer' | 'nobody'

const fixers: Readonly<Record<TwilioCodeClass, Fixer>> = {
  P: 'agent',
  C: 'admin',
  R: 'nobody',
  L: 'agent',
  I: 'customer',
  W: 'admin',
}

const again: Readonly<Record<TwilioCodeClass, TwilioAdvice['again']>> = {
  P: 'never',
  C: 'mended',
  R: 'now',
  L: 'now',
  I: 'never',
  W: 'mended',
}

export interface TwilioAdvice {
  readonly title: string
  readonly advice: string
  /** What to do about it. */
  readonly remedy: string
  /** Who can do something about it; nobody: it passes by itself. */
  readonly fixer: Fixer
  /** Sent once more, could it go through? now: as it is · mended: once somebody has mended the cause · never. */
  readonly again: 'now' | 'mended' | 'never'
}

export const knownTwilioCodes: readonly number[] = [...twilioCodes.keys()]

/** Plain words about a code; undefined for one we do not know. */
export function explainTwilioCode(code: number): TwilioAdvice | undefined {
  const known = twilioCodes.get(code)
  if (known === undefined) return undefined
  const { title, advice, class: codeClass } = known
  const remedy = twilioRemedy(code, codeClass)
  return { title, advice, remedy, fixer: fixers[codeClass], again: again[codeClass] }
}

/**
 * Twilio's own error body: `{code, message, more_info, status}` of the 2010 API, `{type, title, status, code, detail}`
 * (RFC 9457) of newer ones. A gateway's page has no code and is none.
 */
export function readTwilioError(status: number, _headers: Headers, json: unknown): VendorError | undefined {
  if (typeof json !== 'object' || json === null || !('code' in json) || typeof json.code !== 'number') return undefined
  const { code } = json
  const said = 'message' in json ? json.message : 'title' in json ? json.title : undefined
  const message = twilioCodes.get(code)?.advice ?? (typeof said === 'string' ? said : undefined)
  return { code: String(code), ...twilioOutcome(code, status), ...(message === undefined ? {} : { message }) }
}
