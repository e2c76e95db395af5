// `sms-bridge doctor`: every check, whatever is broken; and what the program can mend, mended.
import type { Context } from '../../cli/context.js'
import { type ExitCode, exitCodes } from '../../cli/exit-codes.js'
import { UserError } from '../../errors.js'
import { HalfApplied } from '../setup/apply.js'
import { writeBundle } from './bundle.js'
import { type Finding, verdictOf } from './finding.js'
import { applyFixes, type Change, type Fixable, type Fixed, planOf, type Selection, select } from './fix.js'
import { toJson } from './report.js'
import { runChecks } from './run.js'
import { drawFindings, type Paint } from './screen.js'
import { openStage, type Stage } from './stage.js'

export interface DoctorOptions {
  /** true: whatever can be mended; an id: that one. */
  readonly fix: boolean | string
  readonly yes: boolean
  readonly json: boolean
  /** true: into a file named for the time. */
  readonly bundle: boolean | string
  /** How long each check may take, ms. */
  readonly timeoutMs: number
  readonly version: string
}

const exitCodeOf = { ok: exitCodes.ok, warnings: exitCodes.degraded, failed: exitCodes.down } as const

export async function doctor(context: Context, options: DoctorOptions): Promise<ExitCode> {
  const stopping = context.stopSignal()
  try {
    return await look(context, options, stopping)
  } catch (error) {
    if (!stopping.aborted || error instanceof HalfApplied) throw error
    context.io.err('Interrupted. What was applied half-way is undone.')
    return exitCodes.interrupted
  }
}

async function look(context: Context, options: DoctorOptions, stopping: AbortSignal): Promise<ExitCode> {
  const stage = openStage(context, stopping)
  try {
    const before = await examine(stage, options)
    stopping.throwIfAborted()
    const fixed = options.fix === false ? [] : await mend(stage, before, options, stopping)
    if (fixed.length === 0) return await tell(stage, before, { fixed, options })
    // With new eyes: what is remembered of both vendors is about before.
    const again = openStage(context, stopping)
    try {
      return await tell(again, await examine(again, options), { fixed, options })
    } finally {
      await again.close()
    }
  } finally {
    await stage.close()
  }
}

async function examine(stage: Stage, { timeoutMs }: DoctorOptions): Promise<readonly Finding[]> {
  const spinner = await stage.context.io.spin('Looking at everything…')
  try {
    return await runChecks(stage, { deadlineMs: timeoutMs })
  } finally {
    spinner.stop()
  }
}

/** What was done; nothing when there is nothing to mend or the person said no. */
async function mend(
  stage: Stage,
  findings: readonly Finding[],
  { fix, yes, json }: DoctorOptions,
  stopping: AbortSignal,
): Promise<readonly Fixed[]> {
  const { io } = stage.context
  const id = typeof fix === 'string' ? fix : undefined
  const { chosen, left } = select(findings, id)
  for (const line of leftLines(left)) io.err(line)
  if (chosen.length === 0) {
    io.err(id === undefined ? 'Nothing that this program could mend.' : `${id} is fine: there is nothing to mend.`)
    return []
  }
  const plan = planOf(chosen, stage)
  const say = json ? io.err : io.out
  say('Will change:')
  for (const line of planLines(plan, chosen)) say(line)
  if (!yes) {
    const flag = `sms-bridge doctor --fix${id === undefined ? '' : ` ${id}`} --yes`
    if (json || !io.canAsk) throw new UserError(`Nobody can answer here, so nothing was changed: type ${flag}`)
    if (!(await io.confirm('Apply?', flag))) {
      io.err('Nothing was changed.')
      return []
    }
  }
  await applyFixes(chosen, stage, stopping)
  say('Written, and read back. Looking again:')
  return plan
}

function leftLines(left: Selection['left']): string[] {
  return left.map(({ id, what }) => `! ${id}: ${what}. To take it over: sms-bridge doctor --fix ${id}`)
}

function planLines(plan: readonly Fixed[], chosen: readonly Fixable[]): string[] {
  const lineOf = ({ at, name, from, to }: Change) => `  ${at}  ${name}  ${from} → ${to}`
  const lines = plan.flatMap(({ changes }) => changes.map(lineOf))
  if (chosen.every(({ repair }) => repair.kind !== 'webhooks')) return lines
  return [...lines, '  What was before is kept for sms-bridge init --undo.']
}

interface Telling {
  readonly fixed: readonly Fixed[]
  readonly options: DoctorOptions
}

async function tell(stage: Stage, findings: readonly Finding[], { fixed, options }: Telling): Promise<ExitCode> {
  const { io } = stage.context
  const { json, bundle, version } = options
  const path = bundle === false ? undefined : typeof bundle === 'string' ? bundle : true
  const written =
    path === undefined
      ? undefined
      : await writeBundle(stage, { path: path === true ? undefined : path, version, findings })
  if (json) io.out(JSON.stringify({ ...toJson(findings, { now: stage.now, fixed }), bundle: written ?? null }, null, 2))
  else for (const line of await drawn(stage.context, findings, written !== undefined)) io.out(line)
  if (written !== undefined)
    io.err(
      `Written to ${written}: no credential, no message, of phone numbers the last four digits. Look through it before you send it.`,
    )
  return exitCodeOf[verdictOf(findings)]
}

const asItIs = (text: string) => text
const plain: Paint = { good: asItIs, warn: asItIs, bad: asItIs, bold: asItIs }

async function drawn({ io }: Context, findings: readonly Finding[], bundled: boolean): Promise<string[]> {
  // A pipe gets no colours and whole lines, which are easier to search.
  if (!io.isTTY) return drawFindings(findings, { paint: plain, width: Number.POSITIVE_INFINITY, bundled })
  const { green, yellow, red, bold } = await io.colour()
  return drawFindings(findings, { paint: { good: green, warn: yellow, bad: red, bold }, width: io.width, bundled })
}
