// How a test looks to a person: one line a step as it ends, then the verdict.
import type { Io } from '../../cli/io.js'
import { plural } from '../words.js'
import { wrap } from '../wrap.js'
import { failedStep, type Mode, type Report, type Step } from './report.js'
import { inSeconds } from './scene.js'
import type { Stage } from './stage.js'
import { textsOfOneTest } from './story.js'

const kinds: Readonly<Record<Mode, string>> = {
  'second-number': 'a second number of the account',
  handset: 'a handset',
  sandbox: 'a number of the local Twilio',
}
const indent = ' '.repeat(13)

export function headline({ phone, ours }: Pick<Stage, 'phone' | 'ours'>): string {
  return `from ${phone.number} (${kinds[phone.kind]}) to ${ours.number}`
}

/** What Twilio will bill, and how often. */
export function costOf({ phone, ours }: Stage, everyMs: number | undefined): string {
  const texts = textsOfOneTest
  const all = texts.in + texts.out
  const billed = phone.kind === 'handset' ? all : 2 * all
  const legs =
    phone.kind === 'handset'
      ? `Twilio bills ${texts.in} incoming and ${texts.out} outgoing segment, and your own provider ${texts.in} texts`
      : `Twilio bills each as one outgoing and one incoming segment: ${billed} in all`
  const often = everyMs === undefined ? '' : ` Repeated, that is ${Math.round((86_400_000 / everyMs) * billed)} a day.`
  const routes = `${texts.in} from ${phone.number} to ${ours.number} and ${texts.out} back`
  return `This sends ${all} texts, ${routes}. ${legs}. What that costs depends on your account and the country.${often}`
}

export async function createScreen(io: Io) {
  const { green, yellow, red, dim } = await io.colour()
  const marks = { ok: green('✓'), late: yellow('!'), failed: red('✗'), skipped: dim('-') } as const
  const width = io.isTTY ? Math.max(40, io.width - indent.length) : Number.POSITIVE_INFINITY
  const below = (text: string) => wrap(text, width).map((line) => `${indent}${line}`)
  let count = 0
  return {
    step({ state, ms, what, goalMs, seen, cause }: Step): void {
      count += 1
      const time = (ms === undefined ? '' : inSeconds(ms)).padStart(7)
      const goal = goalMs === undefined || state === 'skipped' ? '' : `  (goal ${goalMs / 1000} s)`
      io.out(`${String(count).padStart(2)} ${marks[state]} ${time} ${what}${goal}`)
      if (state === 'skipped') return
      for (const line of below(seen)) io.out(dim(line))
      if (cause === undefined) return
      const check = cause.check === undefined ? '' : `. Next: sms-bridge doctor, check ${cause.check}`
      for (const line of below(`likely cause: ${cause.text}${check}`)) io.out(line)
    },
    verdict(report: Report): void {
      const { verdict, ms, hops } = report
      const paint = { pass: green, slow: yellow, broken: red, interrupted: yellow }[verdict]
      const words = { pass: 'PASS', slow: 'SLOW', broken: 'BROKEN', interrupted: 'INTERRUPTED' }[verdict]
      const at = verdict === 'slow' || verdict === 'broken' ? `: ${failedStep(report)?.what ?? ''}` : ''
      const time = (label: string, hop: number | undefined) => (hop === undefined ? [] : [`${label} ${inSeconds(hop)}`])
      const times = [
        ...time('text to Intercom', hops.smsToInboxMs),
        ...time('reply to Twilio', hops.replyAcceptedMs),
        ...time('reply to the phone', hops.replyToPhoneMs),
        `${plural(report.texts.in + report.texts.out, 'text')} sent`,
      ]
      io.out([`${paint(words)} in ${inSeconds(ms)}${at}`, ...times].join(' · '))
    },
  }
}
