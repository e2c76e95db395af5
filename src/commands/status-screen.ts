// The screen of `status`: the verdict, what is wrong, then one section a line, broken to the width of a terminal.
import type { DeliveryKind } from '../delivery.js'
import type { Survey } from '../store/survey.js'
import { explainCode, explainFault } from './advice.js'
import { canaryIn, canaryLine } from './status-canary.js'
import { type Judged, reconciled, running } from './status-verdict.js'
import { ago, number, plural, span, took } from './words.js'
import { wrap } from './wrap.js'

export type Paint = Readonly<Record<'good' | 'bad' | 'warn', (text: string) => string>>

export interface View extends Judged {
  readonly survey: Survey
  readonly now: number
  /** Only what concerns this number of ours. */
  readonly number: string | undefined
}

/** What both hops must keep, ms. */
export const goals = { inbound: 5_000, reply: 10_000 } as const

const labelWidth = 15

export function drawScreen(view: View, { paint, width }: { paint: Paint; width: number }): string[] {
  const lines = [headline(view, paint)]
  const hanging = (first: string, indent: number, text: string) => {
    const [head = '', ...rest] = wrap(text, width - indent)
    return [`${first}${head}`, ...rest.map((part) => `${' '.repeat(indent)}${part}`)]
  }
  for (const { text, next } of view.complaints) {
    const [first = '', ...rest] = hanging('! ', 2, `${text}. Next: ${next}`)
    lines.push(...[first, ...rest].map((line) => (view.verdict === 'down' ? paint.bad(line) : paint.warn(line))))
  }
  for (const [label, ...rows] of sections(view)) {
    for (const [index, row] of rows.entries()) {
      lines.push(...hanging((index === 0 ? label : '').padEnd(labelWidth), labelWidth, row))
    }
  }
  return lines
}

function headline({ survey, verdict, now, number: only }: View, paint: Paint): string {
  const alive = running(survey, now)
  const oldest = Math.min(...alive.map(({ startedAt }) => startedAt))
  const who = alive.length === 0 ? 'no serve is running' : `${alive.length} serve running, up ${span(now - oldest)}`
  const colour = { healthy: paint.good, degraded: paint.warn, down: paint.bad }[verdict]
  return `sms-bridge  ${colour(verdict.toUpperCase())}  ${who}${only === undefined ? '' : `  ${only} only`}`
}

type Section = readonly [label: string, ...rows: readonly string[]]

function sections(view: View): Section[] {
  const { survey, now } = view
  const all: Section[] = [
    ['texts in', ledgerLine(view, 'inbound-sms')],
    ['replies out', ledgerLine(view, 'agent-reply')],
    ['', `received since ${survey.fromDay} 00:00 UTC`],
    ['speed', ...speed(survey)],
    ['last event', lastEvents(view)],
    ['queue', queue(view)],
  ]
  const byItself = automatic(survey)
  if (byItself !== undefined) all.push(['automatic', byItself])
  if (survey.deadLetters.length > 0) all.push(['dead letters', ...deadLetters(view)])
  if (survey.failures.length > 0) all.push(['failures', ...failures(survey)])
  if (survey.limits.length > 0) {
    all.push(['limits', limits(survey)])
  }
  if (survey.numbers.length > 0) all.push(['numbers', ...numbers(survey)])
  const canary = canaryIn(survey)
  if (canary !== undefined) all.push(['canary', canaryLine(canary, now)])
  all.push(['opt-outs', `${number(survey.optOuts.all)} (${number(survey.optOuts.recent)} new)`])
  if (survey.processes.length > 0) all.push(['processes', ...processes(view)])
  return all
}

const dots = (parts: readonly (string | undefined)[]) => parts.filter((part) => part !== undefined).join(' · ')

const done = { 'inbound-sms': 'posted', 'agent-reply': 'handed to Twilio' } as const

export type Direction = keyof typeof done

const columns = ['received', 'delivered', 'suppressed', 'parked', 'discarded', 'recovered', 'waiting'] as const

export function sumSheets({ sheets }: Survey, kind: DeliveryKind): Readonly<Record<(typeof columns)[number], number>> {
  const sums = { received: 0, delivered: 0, suppressed: 0, parked: 0, discarded: 0, recovered: 0, waiting: 0 }
  for (const sheet of sheets) if (sheet.kind === kind) for (const column of columns) sums[column] += sheet[column]
  return sums
}

function ledgerLine({ survey, number: only }: View, kind: Direction): string {
  const sums = sumSheets(survey, kind)
  const discarded = sums.discarded === 0 ? '' : ` + discarded ${number(sums.discarded)}`
  const last = reconciled(survey, kind === 'inbound-sms' ? 'twilio' : 'intercom')
  const missing = last === undefined ? 'not reconciled yet' : `missing ${number(last.missing.length)}`
  const sides = `${number(sums.received)} = ${done[kind]} ${number(sums.delivered)} + parked ${number(sums.parked)} + suppressed ${number(sums.suppressed)}${discarded} + waiting ${number(sums.waiting)}`
  // What a vendor knows and we do not was never ingested, so nobody can say of which number it is.
  return dots([sides, only === undefined ? missing : undefined, `recovered ${number(sums.recovered)}`])
}

/** What the bridge wrote of its own accord; undefined when it did not. */
function automatic(survey: Survey): string | undefined {
  const texts = sumSheets(survey, 'away-text')
  const notes = sumSheets(survey, 'reply-note')
  if (texts.received + notes.received === 0) return undefined
  return dots([
    texts.received === 0 ? undefined : `${plural(texts.delivered, 'text')} outside the hours`,
    notes.received === 0 ? undefined : `${plural(notes.delivered, 'note')} about replies`,
  ])
}

function speed({ hops }: Survey): string[] {
  const times = ({ count, p50Ms, p95Ms }: Survey['hops']['inbound']) =>
    p50Ms === undefined || p95Ms === undefined
      ? 'none measured'
      : `p50 ${took(p50Ms)} p95 ${took(p95Ms)} of ${number(count)}`
  const goal = (ms: number) => `(goal ${span(ms)})`
  return [
    `text to Intercom ${times(hops.inbound)} ${goal(goals.inbound)}`,
    dots([
      `reply to Twilio ${times(hops.handedOver)} ${goal(goals.reply)}`,
      hops.arrived.count === 0 ? undefined : `to the handset ${times(hops.arrived)}`,
    ]),
  ]
}

function lastEvents({ survey, now, number: only }: View): string {
  const { lastAt } = survey
  const when = (at: number | undefined) => (at === undefined ? 'none' : ago(now - at))
  const run = (name: string, vendor: 'twilio' | 'intercom') => {
    const at = reconciled(survey, vendor)?.at
    return at === undefined ? undefined : `${name} reconciled ${ago(now - at)}`
  }
  return dots([
    `inbound ${when(lastAt['inbound-sms'])}`,
    `agent reply ${when(lastAt['agent-reply'])}`,
    // Receipts do not say which number they are about.
    only === undefined ? `receipt ${when(lastAt.receipt)}` : undefined,
    run('Twilio', 'twilio'),
    run('Intercom', 'intercom'),
  ])
}

function queue({ survey, now }: View): string {
  const { ready, retrying, nextRetryAt, lanesHeld, oldestAt } = survey.queue
  const next = nextRetryAt === undefined ? '' : ` (next in ${span(nextRetryAt - now)})`
  return dots([
    `${number(ready - retrying)} ready`,
    `${number(retrying)} retrying${next}`,
    `${plural(lanesHeld, 'lane')} held`,
    oldestAt === undefined ? undefined : `oldest ${span(now - oldestAt)}`,
  ])
}

function deadLetters({ survey, now }: View): string[] {
  const rows = survey.deadLetters.map(({ reason, count, returning, nextRetryAt, fault }) => {
    const again =
      nextRetryAt === undefined ? '' : `, ${number(returning)} tried again in ${span(Math.max(0, nextRetryAt - now))}`
    return `${number(count)} ${reason}: ${explainFault(reason, fault).title}${again}`
  })
  return [...rows, '→ sms-bridge dlq list']
}

function failures({ failures: failed }: Survey): string[] {
  const rows = failed.map(({ errorCode, count }) => {
    const title = errorCode === undefined ? undefined : explainCode(String(errorCode))?.title
    return `${number(count)} ${errorCode ?? 'without a code'}${title === undefined ? '' : `: ${title}`}`
  })
  const codes = failed.flatMap(({ errorCode }) => errorCode ?? [])
  return codes.length === 0 ? rows : [...rows, `→ sms-bridge explain ${codes.slice(0, 5).join(' ')}`]
}

/** The tightest first: of hundreds of idle ones nobody wants to know. */
function limits({ limits: known }: Survey): string {
  const shown = known.toSorted((a, b) => a.free - b.free).slice(0, mostLimits)
  const more = known.length - shown.length
  return dots([
    ...shown.map(({ key, free }) => `${key} ${Math.round(free * 100)}% free`),
    more === 0 ? undefined : `${number(more)} more with no less`,
  ])
}

const mostLimits = 4

/** More than these are only counted: what is wrong with one stands above. */
const mostNumbers = 6

function numbers({ numbers: known }: Survey): string[] {
  if (known.length > mostNumbers) {
    const states = [...new Set(known.map(({ state }) => state))]
    return [dots(states.map((state) => `${number(known.filter((one) => one.state === state).length)} ${state}`))]
  }
  return known.map(({ number: ours, kind, state, detail }) =>
    dots([`${ours} ${state}`, kind, state === 'ours' ? undefined : detail]),
  )
}

function processes({ survey, now }: View): string[] {
  return survey.processes.map(({ id, startedAt, lastBeatAt, leaseUntil }) => {
    const beat = `heartbeat ${ago(now - lastBeatAt)}`
    return leaseUntil > now ? dots([id, `up ${span(now - startedAt)}`, beat]) : dots([id, `gone, last ${beat}`])
  })
}
