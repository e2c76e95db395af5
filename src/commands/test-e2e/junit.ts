import type { Report, Step } from './report.js'

/** One suite, one case a step, as CI servers read it. A goal that was missed fails its case too. */
export function toJunit({ steps, ms, startedAt, number, mode }: Report): string {
  const count = (...states: Step['state'][]) => steps.filter(({ state }) => states.includes(state)).length
  const totals = { tests: steps.length, failures: count('failed', 'late'), errors: 0, skipped: count('skipped') }
  const time = seconds(ms)
  const suite = { name: `sms-bridge test-e2e ${mode}`, ...totals, time, timestamp: isoDate(startedAt) }
  return [
    '<?xml version="1.0" encoding="UTF-8"?>',
    `<testsuites ${attributes({ name: 'sms-bridge test-e2e', ...totals, time })}>`,
    `  <testsuite ${attributes(suite)}>`,
    ...steps.flatMap((step) => testCase(step, number)),
    '  </testsuite>',
    '</testsuites>',
    '',
  ].join('\n')
}

function testCase({ name, what, state, ms, goalMs, seen, cause }: Step, number: string | undefined): string[] {
  const head = attributes({ classname: `sms-bridge.${number ?? 'test-e2e'}`, name: what, time: seconds(ms ?? 0) })
  if (state === 'ok') return [`    <testcase ${head}/>`]
  if (state === 'skipped') return [`    <testcase ${head}>`, '      <skipped/>', '    </testcase>']
  const type = state === 'late' ? 'slow' : name
  const goal = goalMs === undefined ? [] : [`goal: ${seconds(goalMs)} s`]
  const check = cause?.check === undefined ? [] : [`check: ${cause.check}`]
  const text = [seen, ...(cause === undefined ? [] : [cause.text]), ...goal, ...check].join('\n')
  return [
    `    <testcase ${head}>`,
    `      <failure ${attributes({ type, message: cause?.text ?? seen })}>${escaped(text)}</failure>`,
    '    </testcase>',
  ]
}

function attributes(values: Readonly<Record<string, string | number>>): string {
  return Object.entries(values)
    .map(([name, value]) => `${name}="${escaped(String(value)).replaceAll('\n', '&#10;')}"`)
    .join(' ')
}

const entities: Readonly<Record<string, string>> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
}

/** XML 1.0 has no way to write most control characters, so they are left out. */
function escaped(text: string): string {
  return text
    .replace(/[^\t\n\r\u0020-\ud7ff\ue000-\ufffd\u{10000}-\u{10ffff}]/gu, '')
    .replace(/[&<>"]/g, (character) => entities[character] ?? character)
}

function seconds(ms: number): string {
  return (ms / 1000).toFixed(3)
}

function isoDate(at: number): string {
  return new Date(at).toISOString().slice(0, 19)
}
