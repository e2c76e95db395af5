// Words in, words out: stdout is data, stderr is talk. Colour, tables, spinners and prompts load when first used.
import type { Readable, Writable } from 'node:stream'
import type { ChalkInstance } from 'chalk'
import { UserError } from '../errors.js'
import type { Ask } from './ask.js'

export type Environment = Readonly<Record<string, string | undefined>>

const longestInput = 65_536

interface Terminal {
  readonly isTTY?: boolean
  readonly columns?: number
}

export interface IoParts {
  readonly stdin: Readable & Terminal
  readonly stdout: Writable & Terminal
  readonly stderr: Writable & Terminal
  readonly env: Environment
  /** Calls the listener on SIGINT and SIGTERM until the returned function is called. */
  readonly onSignal: (listener: () => void) => () => void
}

export interface Spinner {
  /** Shows other words; on a pipe nothing. */
  update(text: string): void
  /** Ends it, leaving `text` behind, or nothing. */
  stop(text?: string): void
}

export interface Io {
  /** One line of data. */
  out(line: string): void
  /** One line of talk. */
  err(line: string): void
  /** Lines of data in the place of those drawn before; on a pipe, below them. */
  redraw(lines: readonly string[]): void
  /** Is stdout a terminal? */
  readonly isTTY: boolean
  /** Is there somebody to answer a question? */
  readonly canAsk: boolean
  /** Columns of stdout. */
  readonly width: number
  /** Colours for stdout, or for stderr; no-ops on a pipe and under NO_COLOR. */
  colour(stream?: 'out' | 'err'): Promise<ChalkInstance>
  /** A drawn table on a terminal, tab-separated lines on a pipe. */
  table(head: readonly string[], rows: readonly (readonly string[])[]): Promise<string>
  /** A spinner on stderr; on a pipe one plain line. */
  spin(text: string): Promise<Spinner>
  /** Asks for a yes or no, default no. Throws UserError saying to type `flag` when nobody can answer. */
  confirm(question: string, flag: string): Promise<boolean>
  /** Asks for something that is not shown while it is typed. Throws as `confirm` does. */
  secret(question: string, flag: string): Promise<string>
  /** Prompts for a whole conversation; undefined when nobody can answer. */
  ask(): Promise<Ask | undefined>
  /** Everything on stdin, without the last line break. */
  input(): Promise<string>
  onSignal(listener: () => void): () => void
}

export function createIo({ stdin, stdout, stderr, env, onSignal }: IoParts): Io {
  const plain = (env.NO_COLOR ?? '') !== '' || env.TERM === 'dumb'
  const isTTY = stdout.isTTY === true
  const talksToTTY = stderr.isTTY === true
  const canAsk = stdin.isTTY === true && talksToTTY

  return {
    out: (line) => void stdout.write(`${line}\n`),
    err: (line) => void stderr.write(`${line}\n`),
    redraw(lines) {
      if (!isTTY || env.TERM === 'dumb') return void stdout.write(`${lines.join('\n')}\n\n`)
      // Home, then over what stands there line by line: clearing it all first would flicker.
      const [home, restOfLine, restOfScreen] = ['\u001b[H', '\u001b[K\n', '\u001b[J']
      stdout.write(`${home}${lines.map((line) => `${line}${restOfLine}`).join('')}${restOfScreen}`)
    },
    isTTY,
    canAsk,
    width: stdout.columns ?? 80,
    async colour(stream = 'out') {
      const { Chalk } = await import('chalk')
      const isTerminal = stream === 'out' ? isTTY : talksToTTY
      return new Chalk({ level: isTerminal && !plain ? 1 : 0 })
    },
    async table(head, rows) {
      if (!isTTY) return [head, ...rows].map((row) => row.join('\t')).join('\n')
      const { default: Table } = await import('cli-table3')
      const { Chalk } = await import('chalk')
      const { bold } = new Chalk({ level: plain ? 0 : 1 })
      // Its own colours would follow the environment of this process rather than this output.
      const table = new Table({
        head: head.map((name) => bold(name)),
        style: { head: [], border: [] },
        colWidths: columnWidths([head, ...rows], stdout.columns ?? 80),
        wordWrap: true,
      })
      table.push(...rows.map((row) => [...row]))
      return table.toString()
    },
    async spin(text) {
      if (!talksToTTY || plain) {
        stderr.write(`${text}\n`)
        return { update: () => {}, stop: (last) => void (last !== undefined && stderr.write(`${last}\n`)) }
      }
      const { default: ora } = await import('ora')
      const spinner = ora({ text, stream: stderr, discardStdin: false }).start()
      return {
        update: (words) => {
          spinner.text = words
        },
        stop: (last) => void (last === undefined ? spinner.stop() : spinner.succeed(last)),
      }
    },
    async confirm(question, flag) {
      if (!canAsk) throw new UserError(`${question} Nobody can answer here: type ${flag}`)
      const { confirm } = await import('@inquirer/prompts')
      return confirm({ message: question, default: false }, { input: stdin, output: stderr })
    },
    async secret(question, flag) {
      if (!canAsk) throw new UserError(`${question} Nobody can answer here: type ${flag}`)
      const { password } = await import('@inquirer/prompts')
      return password({ message: question }, { input: stdin, output: stderr })
    },
    async ask() {
      if (!canAsk) return undefined
      const { createAsk } = await import('./ask.js')
      return createAsk({ input: stdin, output: stderr })
    },
    async input() {
      const chunks: Buffer[] = []
      let size = 0
      for await (const chunk of stdin) {
        chunks.push(Buffer.from(chunk))
        size += chunks.at(-1)?.length ?? 0
        if (size > longestInput) throw new UserError(`More than ${longestInput} bytes on stdin: that is no setting.`)
      }
      return Buffer.concat(chunks)
        .toString('utf8')
        .replace(/\r?\n$/, '')
    },
    onSignal,
  }
}

/** A column is not made narrower than this, whatever the terminal. */
const narrowest = 12

/** Widths with which a drawn table fits: as wide as what is in them, the widest ones less where that is too much. */
export function columnWidths(rows: readonly (readonly string[])[], available: number): number[] {
  // A space on each side.
  const widths = (rows[0] ?? []).map((_, column) => Math.max(...rows.map((row) => (row[column] ?? '').length)) + 2)
  const lines = widths.length + 1
  for (;;) {
    const widest = Math.max(0, ...widths)
    const over = widths.reduce((sum, width) => sum + width, lines) - available
    if (over <= 0 || widest <= narrowest) return widths
    const second = Math.max(narrowest, ...widths.filter((width) => width < widest))
    widths[widths.indexOf(widest)] = Math.max(second - 1, widest - over, narrowest)
  }
}
