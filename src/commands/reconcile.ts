import type { Context } from '../cli/context.js'
import { type ExitCode, exitCodes } from '../cli/exit-codes.js'
import { DeliveryError, describeError, UserError } from '../errors.js'
import type { Polled } from '../flows/poll-receipts.js'
import type { Sweep, SweepOptions, SweptNumber } from '../flows/reconcile-intake.js'

export interface ReconcileOptions {
  /** Undefined: from where the last one came to. */
  readonly sinceMs: number | undefined
  readonly dryRun: boolean
  readonly json: boolean
}

/** Beyond it the store may have forgotten what it delivered, and would deliver it again. */
const longestMs = 7 * 86_400_000

interface Done {
  readonly texts: Sweep | Error
  readonly replies: Sweep | Error
  readonly receipts: Polled | Error
}

/** Looks through both vendors' lists once, beside a running `serve` or without one. */
export async function reconcile(context: Context, options: ReconcileOptions): Promise<ExitCode> {
  if ((options.sinceMs ?? 0) > longestMs)
    throw new UserError('--since reaches back seven days at most: type --since 7d')
  const { io } = context
  const config = await context.config()
  const store = await context.store()
  try {
    const stopping = context.stopSignal()
    const spinner = await io.spin('Looking through Twilio’s and Intercom’s lists…')
    try {
      const done = await run(context, { config, store, stopping, options })
      if (stopping.aborted) return exitCodes.interrupted
      spinner.stop()
      if (options.json) io.out(JSON.stringify(toJson(done, options), null, 2))
      else await print(context, done, options)
      return exitCodeOf(done, options)
    } finally {
      spinner.stop()
    }
  } finally {
    await store.close()
  }
}

interface Run {
  readonly config: Awaited<ReturnType<Context['config']>>
  readonly store: Awaited<ReturnType<Context['store']>>
  readonly stopping: AbortSignal
  readonly options: ReconcileOptions
}

async function run({ clock, io }: Context, { config, store, stopping, options }: Run): Promise<Done> {
  const [{ createShores }, { createLog }] = await Promise.all([import('../shores.js'), import('../log.js')])
  const log = createLog({ format: 'pretty', level: 'error', write: (line) => io.err(line.trimEnd()), clock })
  const { reconcile } = await createShores(config, { store, clock, log })
  const { sinceMs, dryRun } = options
  const sweep: SweepOptions = { dryRun, ...(sinceMs !== undefined && { since: clock.now() - sinceMs }) }
  const tools = {
    call: { signal: stopping, guard: () => {}, priority: 'live' },
    now: () => clock.now(),
  } as const
  const orError = <T>(result: Promise<T>): Promise<T | Error> => result.catch(toError)
  return {
    texts: await orError(reconcile.texts(tools, sweep)),
    replies: await orError(reconcile.replies(tools, sweep)),
    receipts: await orError(reconcile.receipts(tools, sweep)),
  }
}

function toError(error: unknown): Error {
  // Anything else is a bug of ours, and ends the command with its stack.
  if (error instanceof DeliveryError) return error
  throw error
}

function errorsIn({ texts, replies, receipts }: Done): readonly Error[] {
  return [texts, replies, receipts].filter((one) => one instanceof Error)
}

function numbersIn({ texts, replies }: Done): readonly SweptNumber[] {
  return [texts, replies].flatMap((one) => (one instanceof Error ? [] : one.numbers))
}

function exitCodeOf(done: Done, { dryRun }: ReconcileOptions): ExitCode {
  const errors = errorsIn(done)
  const refused = errors.some((error) => error instanceof DeliveryError && [401, 403].includes(error.status ?? 0))
  if (refused) return exitCodes.credentialsRefused
  if (done.texts instanceof Error && done.replies instanceof Error) return exitCodes.down
  const numbers = numbersIn(done)
  if (errors.length > 0 || numbers.some(({ missing }) => missing.length > 0)) return exitCodes.partlyFailed
  return dryRun && numbers.some(({ recovered }) => recovered.length > 0) ? exitCodes.degraded : exitCodes.ok
}

/** `missing`: in the vendor's list and not in our books, now that the command is over. */
function outcomeOf({ recovered, missing }: SweptNumber, { dryRun }: ReconcileOptions) {
  return dryRun ? { recovered: [], missing: [...recovered, ...missing] } : { recovered, missing }
}

function toJson({ texts, replies, receipts }: Done, options: ReconcileOptions) {
  const sweep = (one: Sweep | Error) =>
    one instanceof Error
      ? { error: describeError(one) }
      : {
          since: one.since,
          numbers: one.numbers.map((row) => ({
            number: row.number,
            checked: row.checked,
            known: row.known,
            ...outcomeOf(row, options),
          })),
        }
  return {
    schema_version: 1,
    dry_run: options.dryRun,
    texts: sweep(texts),
    replies: sweep(replies),
    receipts: receipts instanceof Error ? { error: describeError(receipts) } : receipts,
  }
}

async function print({ io }: Context, done: Done, options: ReconcileOptions): Promise<void> {
  const numbers = numbersIn(done).map((row) => ({ ...row, ...outcomeOf(row, options) }))
  if (numbers.length > 0) {
    const rows = numbers.map(({ number, direction, checked, known, recovered, missing }) => [
      number,
      direction === 'in' ? 'texts' : 'replies',
      ...[checked, known, recovered.length, missing.length].map(String),
    ])
    io.out(await io.table(['number', 'what', 'checked', 'known', 'recovered', 'missing'], rows))
  }
  for (const { number, recovered, missing } of numbers) {
    for (const id of recovered) io.out(`recovered  ${number}  ${id}`)
    for (const id of missing) io.out(`missing    ${number}  ${id}`)
  }
  const { receipts } = done
  if (!(receipts instanceof Error)) io.out(inWords(receipts, options))
  for (const error of errorsIn(done)) io.err(`error: ${error.message}`)
  const found = numbers.reduce((sum, { missing }) => sum + missing.length, 0)
  if (options.dryRun) {
    io.err(found > 0 ? 'Nothing was changed. To take them in: sms-bridge reconcile' : 'Nothing was changed.')
  }
}

function inWords({ due, told }: Polled, { dryRun }: ReconcileOptions): string {
  if (dryRun) return `${due} texts without a final state are due to be asked about`
  return `${due} texts without a final state were asked about, of ${told} there was news`
}
