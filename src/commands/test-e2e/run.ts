// Plays one test from the first step to the last, and cleans up after it whatever happens.
import type { Clock } from '../../clock.js'
import type { AttemptCall } from '../../delivery.js'
import { DeliveryError, UserError } from '../../errors.js'
import { redact } from '../../phone.js'
import { Broken, causeOfError } from './causes.js'
import { cleanUp, clearLeftovers } from './clean-up.js'
import type { Customer } from './customer.js'
import { type Cause, type Mode, type Report, type Step, verdictOf } from './report.js'
import type { Made, Scene, Seen } from './scene.js'
import type { Stage } from './stage.js'
import { type Act, chooseWords, storyOf } from './story.js'

/** Longer than both vendors take, ms: a person who pressed Ctrl-C waits for it. */
const cleanUpMs = 30_000

export interface TestParts {
  readonly stage: Stage
  readonly customer: Customer
  readonly patienceMs: number
  /** Leaves everything where it is. */
  readonly keep: boolean
  /** 0 ≤ x < 1. */
  readonly random: () => number
  readonly signal: AbortSignal
  readonly onBegin: (act: Pick<Act, 'what'>) => Promise<void>
  readonly onStep: (step: Step) => void
}

export async function runTest(parts: TestParts): Promise<Report> {
  const { stage, signal, keep, onStep, onBegin } = parts
  const { clock, ours, phone } = stage
  const startedAt = clock.now()
  const made: Made = { texts: new Map() }
  const { customer, patienceMs, random } = parts
  const scene: Scene = { stage, customer, patienceMs, startedAt, made, words: chooseWords(random) }
  const steps: Step[] = []
  const take = (step: Step) => {
    steps.push(step)
    onStep(step)
  }
  await clearLeftovers(scene, liveCall(signal)).catch((error: unknown) => {
    if (!signal.aborted) throw error
  })
  for (const act of storyOf(scene)) {
    const over = signal.aborted || steps.some(({ state }) => state === 'failed')
    if (!over) await onBegin(act)
    take(over ? skipped(act) : await playStep(act, liveCall(signal), ours.number))
  }
  const interrupted = signal.aborted
  if (!keep) {
    await onBegin(cleaning)
    take(await cleanedUp(scene))
  }
  return {
    verdict: interrupted ? 'interrupted' : verdictOf(steps),
    mode: phone.kind,
    number: ours.number,
    phone: redact(phone.number),
    startedAt,
    ms: clock.now() - startedAt,
    steps,
    hops: hopsOf(steps, made),
    texts: { in: made.texts.size, out: made.replyAcceptedMs === undefined ? 0 : 1 },
  }
}

const cleaning = { name: 'clean-up', what: 'what the test made is taken away' } as const

/** With a signal of its own: Ctrl-C ends the test, not this. */
async function cleanedUp(scene: Scene): Promise<Step> {
  const { clock } = scene.stage
  const over = new AbortController()
  const ended = new AbortController()
  void clock.sleep(cleanUpMs, ended.signal).then(() => over.abort())
  try {
    const act: Act = { ...cleaning, play: (call) => cleanUp(scene, call) }
    const step = await playStep(act, liveCall(over.signal), scene.stage.ours.number)
    return step.state === 'skipped' ? { ...step, state: 'failed', seen: 'not finished within 30 s' } : step
  } finally {
    ended.abort()
  }
}

const liveCall = (signal: AbortSignal): AttemptCall => ({ signal, guard: () => {}, priority: 'live' })

const skipped = ({ name, what }: Act): Step => ({ name, what, state: 'skipped', seen: 'not played' })

async function playStep(act: Act, call: AttemptCall, sender: string): Promise<Step> {
  const { name, what, goalMs } = act
  const step = { name, what, ...(goalMs !== undefined && { goalMs }) }
  try {
    const { seen, ms, late } = await act.play(call)
    return { ...step, state: late === undefined ? 'ok' : 'late', seen, ...timeAndCause({ ms, late }) }
  } catch (error) {
    if (call.signal.aborted) return { ...step, state: 'skipped', seen: 'interrupted' }
    return { ...step, ...failure(error, sender) }
  }
}

function timeAndCause({ ms, late }: { ms: Seen['ms']; late: Seen['late'] }): Pick<Step, 'ms' | 'cause'> {
  return { ...(ms !== undefined && { ms }), ...(late !== undefined && { cause: { text: late } }) }
}

/** @throws what is neither the vendors' fault nor the set-up's. */
function failure(error: unknown, sender: string): Pick<Step, 'state' | 'seen' | 'cause'> {
  if (error instanceof Broken) return { state: 'failed', seen: error.message, ...causeIn(error.reason) }
  if (error instanceof UserError) return { state: 'failed', seen: error.message }
  if (!(error instanceof DeliveryError)) throw error
  return { state: 'failed', seen: error.message, ...causeIn(causeOfError(error, sender)) }
}

const causeIn = (cause: Cause | undefined) => (cause === undefined ? {} : { cause })

function hopsOf(steps: readonly Step[], { replyAcceptedMs }: Made): Report['hops'] {
  const msOf = (name: Step['name']) => steps.find((step) => step.name === name)?.ms
  const smsToInboxMs = msOf('in-intercom')
  const replyToPhoneMs = msOf('on-phone')
  return {
    ...(smsToInboxMs !== undefined && { smsToInboxMs }),
    ...(replyAcceptedMs !== undefined && { replyAcceptedMs }),
    ...(replyToPhoneMs !== undefined && { replyToPhoneMs }),
  }
}

/** A test that could not even begin. */
export function notReady(error: UserError | DeliveryError, { mode, clock }: { mode: Mode; clock: Clock }): Report {
  const what = 'both accounts let us in, and the numbers can be tested with'
  const step: Step = { name: 'ready', what, ...failure(error, 'the number') }
  const none = { number: undefined, phone: undefined, hops: {}, texts: { in: 0, out: 0 } }
  return { verdict: 'broken', mode, startedAt: clock.now(), ms: 0, steps: [step], ...none }
}
