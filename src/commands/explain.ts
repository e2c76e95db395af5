import type { Context } from '../cli/context.js'
import { type ExitCode, exitCodes } from '../cli/exit-codes.js'
import { codesNear, type Explanation, explainCode, type Fixer, twilioPage } from './advice.js'
import { wrap } from './wrap.js'

export interface ExplainOptions {
  readonly json: boolean
}

interface Unknown {
  readonly code: string
  readonly nearest: readonly string[]
}

/** What codes mean, who mends it and how; looks nowhere but into our own tables. */
export async function explain(context: Context, codes: readonly string[], { json }: ExplainOptions): Promise<ExitCode> {
  const asked = [...new Set(codes.map((code) => code.trim().toLowerCase()))]
  const known = asked.flatMap((code) => explainCode(code) ?? [])
  const unknown = asked
    .filter((code) => explainCode(code) === undefined)
    .map((code): Unknown => ({ code, nearest: codesNear(code) }))
  if (json) context.io.out(JSON.stringify(toJson(known, unknown), null, 2))
  else {
    for (const [index, one] of known.entries()) {
      if (index > 0) context.io.out('')
      await print(context, one)
    }
  }
  for (const one of unknown) context.io.err(sayUnknown(one))
  if (unknown.length === 0) return exitCodes.ok
  return known.length === 0 ? exitCodes.nothingMatched : exitCodes.partlyFailed
}

function toJson(known: readonly Explanation[], unknown: readonly Unknown[]) {
  return {
    schema_version: 1,
    explanations: known.map(({ code, origin, title, advice, remedy, fixer, nextStep, page }) => ({
      code,
      origin,
      title,
      advice,
      remedy: remedy ?? null,
      fixer,
      next_step: nextStep,
      page: page ?? null,
    })),
    unknown,
  }
}

const names = { twilio: 'Twilio', intercom: 'Intercom', 'sms-bridge': 'sms-bridge' } as const

const fixers: Readonly<Record<Fixer, string>> = {
  agent: 'the agent who looks after this conversation',
  admin: 'whoever looks after the accounts and this bridge',
  customer: 'the customer alone',
  nobody: 'nobody has to: it passes by itself',
  us: 'whoever writes sms-bridge: please report it',
}

async function print({ io }: Context, { code, origin, title, advice, remedy, fixer, nextStep, page }: Explanation) {
  const { bold } = await io.colour()
  io.out(`${bold(code)}  ${title} (${names[origin]})`)
  const line = (label: string, text: string) => {
    for (const [index, part] of wrap(text, io.width - 13).entries()) {
      io.out(`  ${(index === 0 ? label : '').padEnd(11)}${part}`)
    }
  }
  line('means', advice)
  line('fixed by', fixers[fixer])
  if (remedy !== undefined) line('how', remedy)
  line('if parked', nextStep)
  if (page !== undefined) line('more', page)
}

function sayUnknown({ code, nearest }: Unknown): string {
  const near = nearest.length === 0 ? '' : ` Near it: ${nearest.join(', ')}.`
  const where = /^\d{5,6}$/.test(code)
    ? `Twilio may explain it: ${twilioPage(code)}`
    : 'Dead letters of that reason: sms-bridge dlq list'
  return `Nothing is known about ${code}.${near} ${where}`
}
