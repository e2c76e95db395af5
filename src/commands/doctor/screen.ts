// The screen of `doctor`: the verdict, then what is wrong by who can mend it, then the rest in short.
import { plural } from '../words.js'
import { wrap } from '../wrap.js'
import { type Finding, type Verdict, verdictOf, type Who } from './finding.js'

export type Paint = Readonly<Record<'good' | 'bad' | 'warn' | 'bold', (text: string) => string>>

interface Page {
  readonly paint: Paint
  readonly width: number
  /** The report is written already. */
  readonly bundled: boolean
}

const whoCan: Readonly<Record<Who, string>> = {
  program: 'sms-bridge itself, once you say so: sms-bridge doctor --fix',
  machine: 'You, on this machine',
  web: 'Whoever runs DNS and the web server of the public URL',
  twilio: 'An admin of the Twilio account, in Twilio’s console',
  intercom: 'An admin of the Intercom workspace',
}

const words: Readonly<Record<Verdict, string>> = { ok: 'OK', warnings: 'WARNINGS', failed: 'FAILED' }

export function drawFindings(findings: readonly Finding[], page: Page): string[] {
  const lines = [headline(findings, page.paint)]
  for (const who of ['program', 'machine', 'web', 'twilio', 'intercom'] as const) {
    const theirs = findings.filter((finding) => finding.who === who).sort(byWeight)
    if (theirs.length === 0) continue
    lines.push('', page.paint.bold(whoCan[who]), ...theirs.flatMap((finding) => drawTrouble(finding, page)))
  }
  lines.push(...short('ok', '✓', page.paint.good, findings, page))
  lines.push(...short('skipped', '-', (text) => text, findings, page))
  if (verdictOf(findings) !== 'ok' && !page.bundled)
    lines.push('', 'To send it to somebody: sms-bridge doctor --bundle')
  return lines
}

const byWeight = (a: Finding, b: Finding) => Number(b.state === 'failed') - Number(a.state === 'failed')

function headline(findings: readonly Finding[], paint: Paint): string {
  const verdict = verdictOf(findings)
  const colour = { ok: paint.good, warnings: paint.warn, failed: paint.bad }[verdict]
  return `sms-bridge doctor  ${colour(words[verdict])}  ${counted(findings)}`
}

function counted(findings: readonly Finding[]): string {
  const of = (state: Finding['state']) => findings.filter((finding) => finding.state === state).length
  return `${of('failed')} failed, ${plural(of('warning'), 'warning')}, ${of('ok')} ok, ${of('skipped')} skipped`
}

function drawTrouble({ id, state, what, why, fix }: Finding, { paint, width }: Page): string[] {
  const [mark, colour] = state === 'failed' ? ['✗', paint.bad] : ['!', paint.warn]
  return [
    ...hang(`  ${colour(mark)} `, 4, `${id}: ${what}`, width),
    ...hang('    why  ', 9, why, width),
    ...hang('    fix  ', 9, fix, width),
  ]
}

function short(
  state: 'ok' | 'skipped',
  mark: string,
  colour: (text: string) => string,
  findings: readonly Finding[],
  { paint, width }: Page,
): string[] {
  const these = findings.filter((finding) => finding.state === state)
  if (these.length === 0) return []
  const longest = Math.max(...these.map(({ id }) => id.length))
  const rows = these.flatMap(({ id, what }) =>
    hang(`  ${colour(mark)} ${id.padEnd(longest)}  `, longest + 6, what, width),
  )
  return ['', paint.bold(state === 'ok' ? 'Fine' : 'Not looked at'), ...rows]
}

function hang(first: string, indent: number, text: string, width: number): string[] {
  const [head = '', ...rest] = text.split('\n').flatMap((line) => wrap(line, width - indent))
  return [`${first}${head}`, ...rest.map((line) => `${' '.repeat(indent)}${line}`)]
}
