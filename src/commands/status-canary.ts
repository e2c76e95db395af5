// What `test-e2e --every` found last, as `status` shows it.
import type { Survey } from '../store/survey.js'
import type { Complaint } from './status-verdict.js'
import { ago, span, took } from './words.js'

/** As the canary writes it down; times in ms. */
export interface CanaryMark {
  readonly verdict: 'pass' | 'slow' | 'broken'
  readonly hops: {
    readonly sms_to_inbox_ms: number | null
    readonly reply_accepted_ms: number | null
    readonly reply_to_phone_ms: number | null
  }
  readonly failedStep: string | null
  readonly cause: string | null
  readonly number: string | null
  readonly everyMs: number
  /** It was ended with Ctrl-C: nobody expects another result. */
  readonly stopped: boolean
}

export interface Canary extends CanaryMark {
  readonly at: number
}

/** Undefined when there never was one. */
export function canaryIn({ marks }: Survey): Canary | undefined {
  const mark = marks.canary
  if (mark === undefined || typeof mark.value !== 'object' || mark.value === null) return undefined
  return { at: mark.at, ...(mark.value as CanaryMark) } // what test-e2e wrote
}

/** One result that did not come may be a slow one. */
const lateAfter = 2

export function canaryComplaints(survey: Survey, now: number): Complaint[] {
  const canary = canaryIn(survey)
  if (canary === undefined) return []
  const { at, verdict, failedStep, cause, everyMs, stopped } = canary
  if (!stopped && now - at > lateAfter * everyMs) {
    const text = `the canary was last seen ${ago(now - at)}, every ${span(everyMs)} is expected`
    return [{ code: 'canary', text, next: `sms-bridge test-e2e --every ${span(everyMs)}` }]
  }
  if (verdict === 'pass') return []
  const why = cause === null ? '' : `: ${cause}`
  const what = verdict === 'slow' ? 'was slow' : 'failed'
  const text = `the canary ${what} ${ago(now - at)} at ${failedStep ?? 'its start'}${why}`
  return [{ code: 'canary', text, next: 'sms-bridge doctor' }]
}

const results = { pass: 'passed', slow: 'slow', broken: 'FAILED' } as const

export function canaryLine({ at, verdict, hops, everyMs, stopped }: Canary, now: number): string {
  const { sms_to_inbox_ms: inbox, reply_to_phone_ms: phone } = hops
  return [
    `${results[verdict]} ${ago(now - at)}`,
    ...(inbox === null ? [] : [`text to Intercom ${took(inbox)}`]),
    ...(phone === null ? [] : [`reply to the phone ${took(phone)}`]),
    stopped ? 'ended' : `every ${span(everyMs)}`,
  ].join(' · ')
}
