// Proves a bridge from outside: a text goes in, a reply comes out, and both ways are timed.
import { constants } from 'node:fs'
import { access, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { dirname, join, resolve } from 'node:path'
import type { Context } from '../cli/context.js'
import { type ExitCode, exitCodes } from '../cli/exit-codes.js'
import type { Config } from '../config/load.js'
import { DeliveryError, UserError } from '../errors.js'
import type { Log } from '../log.js'
import type { Outside } from '../shores.js'
import { writeCanary } from './test-e2e/canary.js'
import { createCustomer } from './test-e2e/customer.js'
import { toJunit } from './test-e2e/junit.js'
import { type Report, toJson, type Verdict } from './test-e2e/report.js'
import { notReady, runTest } from './test-e2e/run.js'
import { costOf, createScreen, headline } from './test-e2e/screen.js'
import { type Stage, setStage, type Wanted } from './test-e2e/stage.js'

export interface TestOptions extends Wanted {
  /** How long a step may take before it counts as broken, ms. */
  readonly timeoutMs: number
  /** Test again each time so much has passed, until Ctrl-C. */
  readonly everyMs: number | undefined
  readonly json: boolean
  /** Where to write the result for a CI server. */
  readonly junit: string | undefined
  readonly keep: boolean
  readonly yes: boolean
}

const exitCodeOf: Readonly<Record<Verdict, ExitCode>> = {
  pass: exitCodes.ok,
  slow: exitCodes.degraded,
  broken: exitCodes.down,
  interrupted: exitCodes.interrupted,
}

interface Testing {
  readonly context: Context
  readonly options: TestOptions
  readonly config: Config
  readonly outside: Outside
  readonly stopping: AbortSignal
}

export async function testE2e(context: Context, options: TestOptions): Promise<ExitCode> {
  if (options.junit !== undefined) await checkWritable(options.junit)
  if (options.kind === 'sandbox') return inSandbox(context, options)
  const config = await context.config()
  return test(context, options, config)
}

const quiet: Log = { info: () => {}, warn: () => {}, error: () => {} }

async function inSandbox(context: Context, options: TestOptions): Promise<ExitCode> {
  context.stopSignal()
  const { companyNumber, startWorld } = await import('./sandbox-world.js')
  const folder = await mkdtemp(join(tmpdir(), 'sms-bridge-test-e2e-'))
  try {
    const { clock } = context
    const storeUrl = `sqlite:${join(folder, 'sandbox.sqlite')}`
    const world = await startWorld({ storeUrl, clock, log: quiet, spareNumber: options.phone })
    try {
      return await test(context, { ...options, number: companyNumber, yes: true }, world.config)
    } finally {
      await world.stop()
    }
  } finally {
    await rm(folder, { recursive: true, force: true })
  }
}

async function test(context: Context, options: TestOptions, config: Config): Promise<ExitCode> {
  const { createOutside } = await import('../shores.js')
  const outside = await createOutside(config, context)
  const looking = { context, options, config, outside }
  // Until something is made, Ctrl-C may end it on the spot.
  const stage = await set({ ...looking, stopping: new AbortController().signal })
  if (stage instanceof UserError) throw stage
  if (!(stage instanceof DeliveryError) && !(await agreed(context, options, stage))) return exitCodes.interrupted
  const testing: Testing = { ...looking, stopping: context.stopSignal() }
  return options.everyMs === undefined ? once(testing, stage) : canary(testing, stage, options.everyMs)
}

/** A stage, or why there is none. */
async function set({
  context,
  options,
  config,
  outside,
  stopping,
}: Testing): Promise<Stage | UserError | DeliveryError> {
  try {
    const call = { signal: stopping, guard: () => {}, priority: 'live' } as const
    return await setStage(options, { config, outside, clock: context.clock }, call)
  } catch (error) {
    if (error instanceof UserError || error instanceof DeliveryError) return error
    throw error
  }
}

async function agreed({ io }: Context, { kind, yes, everyMs }: TestOptions, stage: Stage): Promise<boolean> {
  if (kind === 'sandbox') return true
  io.err(costOf(stage, everyMs))
  return yes || (await io.confirm('Send them?', '--yes'))
}

async function once(testing: Testing, stage: Stage | UserError | DeliveryError): Promise<ExitCode> {
  const { context, options } = testing
  const report = await play(testing, stage)
  if (options.json) context.io.out(JSON.stringify(toJson(report), null, 2))
  return exitCodeOf[report.verdict]
}

/** Ctrl-C is the way to end it, so that is no failure. */
async function canary(testing: Testing, first: Stage | UserError | DeliveryError, everyMs: number): Promise<ExitCode> {
  const { context, options, stopping } = testing
  const { clock, io } = context
  let stage: typeof first | undefined = first
  let last: Report | undefined
  while (!stopping.aborted) {
    const dueAt = clock.now() + everyMs
    stage ??= await set(testing)
    if (stopping.aborted) break
    const report = await play(testing, stage)
    stage = undefined
    if (options.json) io.out(JSON.stringify(toJson(report)))
    if (report.verdict !== 'interrupted') last = report
    await writeCanary(context, report, { everyMs, stopped: false })
    await clock.sleep(Math.max(0, dueAt - clock.now()), stopping)
  }
  if (last !== undefined) await writeCanary(context, last, { everyMs, stopped: true })
  return exitCodes.ok
}

async function play(
  { context, options, stopping }: Testing,
  stage: Stage | UserError | DeliveryError,
): Promise<Report> {
  const { io, clock } = context
  const screen = options.json ? undefined : await createScreen(io)
  let report: Report
  if (stage instanceof Error) {
    report = notReady(stage, { mode: options.kind, clock })
    for (const step of report.steps) screen?.step(step)
  } else {
    if (!options.json) io.out(headline(stage))
    const spinner = await createSpinner(context, options, stage)
    report = await runTest({
      stage,
      customer: createCustomer(stage, (line) => io.err(line)),
      patienceMs: options.timeoutMs,
      keep: options.keep,
      random: Math.random,
      signal: stopping,
      onBegin: ({ what }) => spinner.begin(what),
      onStep(step) {
        spinner.end()
        screen?.step(step)
      },
    })
  }
  screen?.verdict(report)
  if (options.junit !== undefined) await writeFile(resolve(options.junit), toJunit(report))
  return report
}

/** Says on a terminal what is waited for; a handset's person has something to read instead. */
async function createSpinner({ io }: Context, { json }: TestOptions, { phone }: Stage) {
  let stop = () => {}
  return {
    async begin(what: string) {
      if (json || !io.isTTY || phone.kind === 'handset') return
      const spinner = await io.spin(what)
      stop = () => spinner.stop()
    },
    end() {
      stop()
      stop = () => {}
    },
  }
}

async function checkWritable(file: string): Promise<void> {
  try {
    await access(dirname(resolve(file)), constants.W_OK)
  } catch (error) {
    throw new UserError(`--junit ${file} cannot be written: its folder is not there, or not yours to write to`, {
      cause: error,
    })
  }
}
