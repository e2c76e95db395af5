import type { Context } from '../cli/context.js'
import { type ExitCode, exitCodes } from '../cli/exit-codes.js'
import { UserError } from '../errors.js'
import { drawScreen, type Paint, type View } from './status-screen.js'
import { judge } from './status-verdict.js'

export interface StatusOptions {
  readonly json: boolean
  readonly sinceMs: number
  /** Only what concerns this number of ours. */
  readonly number?: string | undefined
  /** Draw again each time so much has passed, until Ctrl-C. */
  readonly watchMs?: number | undefined
}

const exitCodeOf = { healthy: exitCodes.ok, degraded: exitCodes.degraded, down: exitCodes.down } as const

/** Looks into the store, so it works whether `serve` runs or not. */
export async function status(context: Context, options: StatusOptions): Promise<ExitCode> {
  if (options.watchMs !== undefined) return watch(context, options, options.watchMs)
  const view = await look(context, options)
  if (options.json) context.io.out(await inJson(view, 2))
  else for (const line of await drawn(context, view)) context.io.out(line)
  return exitCodeOf[view.verdict]
}

/** Ctrl-C is the way to end it, so that is no failure. */
async function watch(context: Context, options: StatusOptions, everyMs: number): Promise<ExitCode> {
  const stop = context.stopSignal()
  while (!stop.aborted) {
    const view = await look(context, options)
    if (options.json) context.io.out(await inJson(view))
    else context.io.redraw(await drawn(context, view))
    await context.clock.sleep(everyMs, stop)
  }
  return exitCodes.ok
}

/** Opens the store anew each time: between two looks a bridge may have started or stopped, and its log come or gone. */
async function look(context: Context, { sinceMs, number }: StatusOptions): Promise<View> {
  const now = context.clock.now()
  const store = await context.look()
  try {
    const survey = await store.survey({ since: now - sinceMs, now, ...(number === undefined ? {} : { number }) })
    if (number !== undefined && survey.sheets.length === 0 && survey.numbers.every((one) => one.number !== number)) {
      const problem = `Nothing came to or left ${number} since ${survey.fromDay}`
      throw new UserError(`${problem}: type sms-bridge status to see all numbers`, {
        exitCode: exitCodes.nothingMatched,
      })
    }
    return { survey, now, number, ...judge(survey, now) }
  } finally {
    await store.close()
  }
}

async function inJson(view: View, indent?: number): Promise<string> {
  const { toJson } = await import('./status-json.js')
  return JSON.stringify(toJson(view), null, indent)
}

const asItIs = (text: string) => text
const plain: Paint = { good: asItIs, warn: asItIs, bad: asItIs }

async function drawn({ io }: Context, view: View): Promise<string[]> {
  // A pipe gets no colours, whose loading takes its time, and whole lines, which are easier to search.
  if (!io.isTTY) return drawScreen(view, { paint: plain, width: Number.POSITIVE_INFINITY })
  const { green, yellow, red } = await io.colour()
  return drawScreen(view, { paint: { good: green, warn: yellow, bad: red }, width: io.width })
}
