// What a code or a parking reason means, who can mend it and what to type: for people, offline.
import type { Fault } from '../delivery.js'
import { explainIntercomCode, type IntercomFixer, intercomCodes } from '../intercom/advice.js'
import { explainTwilioCode, knownTwilioCodes, type TwilioAdvice } from '../twilio/errors.js'

/** Nobody: it passes by itself. Us: only a change of sms-bridge helps. */
export type Fixer = 'agent' | 'admin' | 'customer' | 'nobody' | 'us'

export interface Advice {
  readonly title: string
  readonly advice: string
  /** What to do about it, where the advice does not say so. */
  readonly remedy?: string
  readonly fixer: Fixer
  /** What to type about dead letters parked for it. */
  readonly nextStep: string
}

export interface Explanation extends Advice {
  readonly code: string
  /** Whose code it is. */
  readonly origin: 'twilio' | 'intercom' | 'sms-bridge'
  /** The vendor's page about it. */
  readonly page?: string
}

/** Whoever discards says why; the words stand in capitals until they are known. */
type Step = 'replay' | 'replay --allow-stale' | 'discard --because WHY' | 'list --each'

interface ReasonAdvice extends Omit<Advice, 'nextStep'> {
  readonly step: Step
}

/** Why the relay parks what no vendor's code stands for. */
const reasons = {
  'no-answer': {
    title: 'No answer',
    advice: 'Time-outs or broken connections used up the attempts. It is tried again by itself; look at the network.',
    fixer: 'nobody',
    step: 'replay',
  },
  'server-error': {
    title: 'The vendor’s servers failed',
    advice: 'It answered with 5xx until the attempts were used up. It is tried again by itself; see its status page.',
    fixer: 'nobody',
    step: 'replay',
  },
  unprovable: {
    title: 'It may have been delivered already',
    advice:
      'The answer was lost, and the vendor’s lists prove neither that it happened nor that it did not. Look into the conversation: replay it if it is missing there, discard it if it is not.',
    fixer: 'agent',
    step: 'list --each',
  },
  gateway: {
    title: 'Something else answered in the vendor’s place',
    advice:
      'A web page came instead of the vendor’s answer: a proxy, a firewall, or a wrong TWILIO_API_BASE_URL or INTERCOM_API_BASE_URL.',
    fixer: 'admin',
    step: 'replay',
  },
  bug: {
    title: 'An error of sms-bridge',
    advice: 'Report it with the lines of the log around it. Upgrade once it is mended, then replay.',
    fixer: 'us',
    step: 'replay',
  },
  stale: {
    title: 'Too old to be sent unasked',
    advice:
      'It was not delivered within the age up to which it is tried by itself: 3 days for texts, 4 hours for replies. Ask the agent whether it still makes sense.',
    fixer: 'agent',
    step: 'replay --allow-stale',
  },
  'opted-out': {
    title: 'The customer opted out',
    advice: 'They texted STOP, so nothing may be sent to them until they text START.',
    fixer: 'customer',
    step: 'discard --because WHY',
  },
  refused: {
    title: 'Refused',
    advice: 'It cannot be sent as it is; its dead letter says why.',
    fixer: 'agent',
    step: 'list --each',
  },
} as const satisfies Record<string, ReasonAdvice>

const reasonAdvice: ReadonlyMap<string, ReasonAdvice> = new Map(Object.entries(reasons))

const twilioSteps: Readonly<Record<TwilioAdvice['again'], Step>> = {
  now: 'replay',
  mended: 'replay',
  never: 'discard --because WHY',
}
const intercomSteps: Readonly<Record<IntercomFixer, Step>> = {
  nobody: 'replay',
  admin: 'replay',
  us: 'replay',
  agent: 'list --each',
}

function nextStep(step: Step, reason: string): string {
  const [verb = step, ...flags] = step.split(' ')
  return ['sms-bridge dlq', verb, '--reason', /^[\w-]+$/.test(reason) ? reason : `'${reason}'`, ...flags].join(' ')
}

type Known = Omit<Explanation, 'nextStep' | 'code'> & { readonly step: Step }

function lookUp(code: string): Known | undefined {
  const reason = reasonAdvice.get(code)
  if (reason !== undefined) return { origin: 'sms-bridge', ...reason }
  const twilio = /^\d+$/.test(code) ? explainTwilioCode(Number(code)) : undefined
  if (twilio !== undefined) {
    const { again, ...advice } = twilio
    return { origin: 'twilio', ...advice, step: twilioSteps[again], page: twilioPage(code) }
  }
  const intercom = explainIntercomCode(code)
  return intercom && { origin: 'intercom', ...intercom, step: intercomSteps[intercom.fixer], page: intercomPage }
}

/** Undefined for a code or reason that nobody knows. */
export function explainCode(code: string): Explanation | undefined {
  const known = lookUp(code)
  if (known === undefined) return undefined
  const { step, ...rest } = known
  return { code, ...rest, nextStep: nextStep(step, code) }
}

/** About a dead letter, whatever its reason: what nobody knows is told in the words of its fault. */
export function explainFault(reason: string, fault?: Fault): Advice {
  const known = lookUp(reason) ?? (fault?.code === undefined ? undefined : lookUp(fault.code))
  if (known === undefined) {
    const advice = fault?.message ?? 'Nothing more is known.'
    return { title: reason, advice, fixer: 'admin', nextStep: nextStep('list --each', reason) }
  }
  const { title, advice, remedy, fixer, step } = known
  return { title, advice, ...(remedy === undefined ? {} : { remedy }), fixer, nextStep: nextStep(step, reason) }
}

/** Where Twilio explains a code of its own, known to us or not. */
export const twilioPage = (code: string) => `https://www.twilio.com/docs/api/errors/${code}`
const intercomPage = 'https://developers.intercom.com/docs/references/2.17/rest-api/errors/error-codes'

const mostNear = 3

/** Known codes that look like this one, the likest first; none when nothing does. */
export function codesNear(code: string): readonly string[] {
  if (/^\d+$/.test(code)) return numbersNear(Number(code)).map(String)
  const near = [...reasonAdvice.keys(), ...intercomCodes]
    .map((known) => ({ known, far: typingErrors(code, known) }))
    .filter(({ known, far }) => far <= Math.max(2, known.length / 3) || (code.length > 3 && known.includes(code)))
  return near
    .sort((a, b) => a.far - b.far)
    .slice(0, mostNear)
    .map(({ known }) => known)
}

/** Of the same family: the thousands say what a code of Twilio's is about. */
function numbersNear(code: number): readonly number[] {
  const family = knownTwilioCodes.filter((known) => Math.floor(known / 1000) === Math.floor(code / 1000))
  return family.sort((a, b) => Math.abs(a - code) - Math.abs(b - code)).slice(0, mostNear)
}

/** How many letters to add, drop or change (Levenshtein). */
function typingErrors(a: string, b: string): number {
  let row = Array.from({ length: b.length + 1 }, (_, index) => index)
  for (const [i, letter] of [...a].entries()) {
    const next = [i + 1]
    for (const [j, other] of [...b].entries()) {
      const changed = (row[j] ?? 0) + (letter === other ? 0 : 1)
      next.push(Math.min(changed, (row[j + 1] ?? 0) + 1, (next[j] ?? 0) + 1))
    }
    row = next
  }
  return row[b.length] ?? 0
}
