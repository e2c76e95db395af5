// The commands about dead letters and about what happened: `dlq …`, `audit`, `trace`.
import { Argument, type Command, InvalidArgumentError, Option } from 'commander'
import type { Flags } from '../config/load.js'
import type { Context } from './context.js'
import { parseDuration } from './duration.js'
import type { ExitCode } from './exit-codes.js'

export interface CommandParts {
  readonly context: (flags: Flags) => Promise<Context>
  /** Adds a command to the table, or to a group of commands. */
  readonly command: (name: string, summary: string, group?: Command) => Command
  readonly storeOption: () => Option
  readonly end: (code: ExitCode) => void
}

type Parsed<Options> = Options & { readonly json?: true; readonly store?: string }
type Moment = { readonly agoMs: number } | { readonly at: number }

interface Filters {
  readonly id?: readonly number[]
  readonly reason?: string
  readonly code?: string
  readonly phone?: string
  readonly number?: string
  readonly direction?: 'in' | 'out'
  readonly since?: Moment
  readonly until?: Moment
  readonly conversation?: string
}

export function addDeadLetterCommands({ context, command, storeOption, end }: CommandParts): void {
  const withStore = (added: Command) => added.option('--json', 'print JSON').addOption(storeOption())
  const contextOf = ({ store }: { readonly store?: string }) => context(store === undefined ? {} : { store })

  const dlq = command('dlq', 'list, explain, replay or discard what could not be delivered')

  withStore(withFilters(command('list', 'what could not be delivered, by reason, and what to type next', dlq)))
    .option('--each', 'one line for each')
    .option('--limit <count>', 'one line for each, at most so many (default: 50)', readCount)
    .option('--discarded', 'what was discarded in the last 30 days')
    .action(async (options: Parsed<Filters & { each?: true; limit?: number; discarded?: true }>) => {
      const { each, limit = each ? 50 : undefined, discarded = false, json = false } = options
      const { list } = await import('../commands/dlq/list.js')
      end(await list(await contextOf(options), { filter: filtersOf(options), limit, discarded, json }))
    })

  withStore(command('show', 'one delivery: what happened to it, and what to do about it', dlq))
    .argument('<id>', 'as listed: d_17', readId)
    .option('--reveal', 'show its words and the whole number; the audit keeps that you did')
    .action(async (id: number, options: Parsed<{ reveal?: true }>) => {
      const { reveal = false, json = false } = options
      const { show } = await import('../commands/dlq/show.js')
      end(await show(await contextOf(options), id, { reveal, json }))
    })

  withStore(withFilters(command('replay', 'deliver dead letters after all', dlq)))
    .addArgument(someIds())
    .option('--all', 'all dead letters')
    .option('--dry-run', 'say what would become of each, and change nothing')
    .option('--allow-stale', 'also what is too old to be sent unasked: texts of 3 days, replies of 4 hours')
    .option('--send-again', 'also what may have arrived: you looked, and it did not')
    .addOption(new Option('--rate <rate>', 'how fast: 2/s, 30/m').argParser(readRate).default(2 / 1000, '2/s'))
    .option('--no-wait', 'do not wait for the end')
    .addOption(new Option('--job <job>', 'look at an earlier replay until its end: j_12').argParser(readJob))
    .option('--yes', 'do not ask')
    .action(async (ids: readonly number[], options: Parsed<Filters & ReplayFlags>, self: Command) => {
      const { all = false, dryRun = false, allowStale = false, sendAgain = false, json = false } = options
      const { rate: perMs, yes = false, wait, job } = options
      const filter = filtersOf(options, ids)
      if (job !== undefined) {
        if (all || Object.keys(filter).length > 0)
          self.error('error: --job looks at a replay there is: leave filters out')
        const { watchJob } = await import('../commands/dlq/jobs.js')
        return end(await watchJob(await contextOf(options), job, { json }))
      }
      const { replay } = await import('../commands/dlq/replay.js')
      const asked = { filter, all, dryRun, allowStale, sendAgain, perMs, yes, wait, json }
      end(await replay(await contextOf(options), asked))
    })

  withStore(withFilters(command('discard', 'take dead letters out of the queue; kept for 30 days', dlq)))
    .addArgument(someIds())
    .requiredOption('--because <words>', 'why')
    .option('--all', 'all dead letters')
    .option('--dry-run', 'say which, and change nothing')
    .option('--yes', 'do not ask')
    .action(async (ids: readonly number[], options: Parsed<Filters & DiscardFlags>) => {
      const { because, all = false, dryRun = false, yes = false, json = false } = options
      const { discard } = await import('../commands/dlq/discard.js')
      const filter = filtersOf(options, ids)
      end(await discard(await contextOf(options), { filter, all, because, dryRun, yes, json }))
    })

  withStore(command('jobs', 'the replays there were, and how far they are', dlq)).action(
    async (options: Parsed<object>) => {
      const { jobs } = await import('../commands/dlq/jobs.js')
      end(await jobs(await contextOf(options), { json: options.json ?? false }))
    },
  )

  withStore(command('cancel', 'take back what a replay has not begun', dlq))
    .argument('<job>', 'as listed: j_12', readJob)
    .action(async (job: number, options: Parsed<object>) => {
      const { cancel } = await import('../commands/dlq/jobs.js')
      end(await cancel(await contextOf(options), job, { json: options.json ?? false }))
    })

  withStore(command('audit', 'who replayed, discarded or looked at what, newest first'))
    .addOption(new Option('--since <time>', momentHelp).argParser(readMoment))
    .addOption(new Option('--limit <count>', 'at most so many').argParser(readCount).default(50))
    .action(async (options: Parsed<{ since?: Moment; limit: number }>) => {
      const { since, limit, json = false } = options
      const { audit } = await import('../commands/audit.js')
      end(await audit(await contextOf(options), { since, limit, json }))
    })

  withStore(command('trace', 'one timeline of a text, a customer or a conversation, across both systems'))
    .argument('<subject>', 'a phone number, a text’s SM…, or a conversation’s id')
    .addOption(new Option('--limit <count>', 'the newest events, so many').argParser(readCount).default(50))
    .action(async (subject: string, options: Parsed<{ limit: number }>) => {
      const { limit, json = false } = options
      const { trace } = await import('../commands/trace.js')
      end(await trace(await contextOf(options), subject, { limit, json }))
    })
}

interface ReplayFlags {
  readonly all?: true
  readonly dryRun?: true
  readonly allowStale?: true
  readonly sendAgain?: true
  readonly rate: number
  readonly wait: boolean
  readonly job?: number
  readonly yes?: true
}

interface DiscardFlags {
  readonly because: string
  readonly all?: true
  readonly dryRun?: true
  readonly yes?: true
}

const momentHelp = 'so long ago or then: 3h, 2026-11-22, 2026-11-22T14:00'

function withFilters(command: Command): Command {
  return command
    .option('--id <id>', 'as listed: d_17; several with commas or by repeating it', collectIds)
    .option('--reason <reason>', 'parked for this reason')
    .option('--code <code>', 'the vendor’s code')
    .option('--phone <number>', 'of this customer')
    .option('--number <number>', 'of this number of yours')
    .addOption(new Option('--direction <direction>', 'texts in, or replies out').choices(['in', 'out']))
    .option('--since <time>', `received since: ${momentHelp}`, readMoment)
    .option('--until <time>', 'received before', readMoment)
    .option('--conversation <id>', 'of this conversation')
}

const filterNames = ['id', 'reason', 'code', 'phone', 'number', 'direction', 'since', 'until', 'conversation'] as const

/** `ids`: typed without `--id`. */
function filtersOf(options: Filters, ids: readonly number[] = []): Filters {
  const given = filterNames.flatMap((name) => (options[name] === undefined ? [] : [[name, options[name]]]))
  const id = [...(options.id ?? []), ...ids]
  return { ...Object.fromEntries(given), ...(id.length > 0 && { id }) }
}

const someIds = () => new Argument('[ids...]', 'as listed: d_17; the same as --id').argParser(collectIds)

function readNumbered(text: string, prefix: string): number {
  const [, digits] = new RegExp(`^(?:${prefix}_)?(\\d{1,15})$`).exec(text.trim()) ?? []
  if (digits === undefined) throw new InvalidArgumentError(`Type it as it is listed: ${prefix}_17.`)
  return Number(digits)
}
const readId = (text: string) => readNumbered(text, 'd')
const readJob = (text: string) => readNumbered(text, 'j')

function collectIds(text: string, before: readonly number[] = []): readonly number[] {
  return [...before, ...text.split(',').map(readId)]
}

function readCount(text: string): number {
  const count = /^\d{1,7}$/.test(text) ? Number(text) : 0
  if (count === 0) throw new InvalidArgumentError('It must be a whole number from 1: type 50.')
  return count
}

const perMsOf = { s: 1 / 1000, m: 1 / 60_000 } as const

function readRate(text: string): number {
  const [, count, unit = 's'] = /^(\d{1,4}(?:\.\d{1,3})?)(?:\/([sm]))?$/.exec(text.trim()) ?? []
  const perMs = Number(count) * perMsOf[unit as keyof typeof perMsOf] // the pattern lets only these units through
  if (!(perMs > 0)) throw new InvalidArgumentError('Type how many a second or a minute: 2/s, 30/m.')
  return perMs
}

/** Dates without a time zone are those of this machine. */
function readMoment(text: string): Moment {
  const agoMs = parseDuration(text)
  if (agoMs !== undefined) return { agoMs }
  const trimmed = text.trim()
  const isDay = /^\d{4}-\d{2}-\d{2}$/.test(trimmed)
  const at = /^\d{4}-\d{2}-\d{2}/.test(trimmed) ? Date.parse(isDay ? `${trimmed}T00:00` : trimmed) : Number.NaN
  if (Number.isNaN(at)) throw new InvalidArgumentError('Type 90s, 15m, 3h, 7d, or a time such as 2026-11-22T14:00.')
  return { at }
}
