// What a test found, as data: the screen, the JSON and the JUnit file say the same.

export const stepNames = [
  'ready',
  'text-in',
  'in-intercom',
  'reply',
  'on-phone',
  'follow-up',
  'note',
  'close',
  'new-conversation',
  'reopened',
  'note-private',
  'clean-up',
] as const
export type StepName = (typeof stepNames)[number]

export interface Cause {
  /** What is probably wrong, and what to do. */
  readonly text: string
  /** The check of `doctor` that looks into it. */
  readonly check?: string
}

export interface Step {
  readonly name: StepName
  readonly what: string
  /** late: a goal was missed · skipped: an earlier step failed */
  readonly state: 'ok' | 'late' | 'failed' | 'skipped'
  /** By our own clock; undefined where there is nothing to time. */
  readonly ms?: number
  readonly goalMs?: number
  /** What was seen, or what was not. */
  readonly seen: string
  readonly cause?: Cause
}

/** By our own clock, ms: vendors tell whole seconds. Undefined where a step was not reached. */
export interface Hops {
  readonly smsToInboxMs?: number
  readonly replyAcceptedMs?: number
  readonly replyToPhoneMs?: number
}

export type Mode = 'second-number' | 'handset' | 'sandbox'
export type Verdict = 'pass' | 'slow' | 'broken' | 'interrupted'

export interface Report {
  readonly verdict: Verdict
  readonly mode: Mode
  /** Of ours; undefined when it was not found out. */
  readonly number: string | undefined
  /** The customer's, its last digits only. */
  readonly phone: string | undefined
  readonly startedAt: number
  readonly ms: number
  readonly steps: readonly Step[]
  readonly hops: Hops
  /** How many were sent, from the phone and to it. */
  readonly texts: { readonly in: number; readonly out: number }
}

/** The step that decided the verdict. */
export function failedStep({ steps }: Pick<Report, 'steps'>): Step | undefined {
  return steps.find(({ state }) => state === 'failed') ?? steps.find(({ state }) => state === 'late')
}

export function verdictOf(steps: readonly Step[]): Exclude<Verdict, 'interrupted'> {
  if (steps.some(({ state }) => state === 'failed')) return 'broken'
  return steps.some(({ state }) => state === 'late') ? 'slow' : 'pass'
}

export function toJson(report: Report) {
  const { hops } = report
  const failed = failedStep(report)
  return {
    schema_version: 1,
    verdict: report.verdict,
    mode: report.mode,
    number: report.number ?? null,
    phone: report.phone ?? null,
    started_at: report.startedAt,
    ms: report.ms,
    texts: report.texts,
    hops: {
      sms_to_inbox_ms: hops.smsToInboxMs ?? null,
      reply_accepted_ms: hops.replyAcceptedMs ?? null,
      reply_to_phone_ms: hops.replyToPhoneMs ?? null,
    },
    failed_step: failed?.name ?? null,
    cause: failed?.cause?.text ?? null,
    check: failed?.cause?.check ?? null,
    steps: report.steps.map(({ name, what, state, ms, goalMs, seen, cause }) => ({
      name,
      what,
      state,
      ms: ms ?? null,
      goal_ms: goalMs ?? null,
      seen,
      cause: cause?.text ?? null,
      check: cause?.check ?? null,
    })),
  }
}
