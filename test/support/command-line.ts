// One command line after the other, as a person sees them: for transcripts.
import { onTestFinished } from 'vitest'
import { main } from '../../src/cli/main.js'
import type { Clock } from '../../src/clock.js'
import { tempFolder } from './temp.js'
import { type TestIo, testIo } from './test-io.js'

export interface Shown {
  readonly code: number
  readonly stdout: string
  /** The command line, what it wrote (stderr marked), its exit code; the folder's name as `~`. */
  readonly text: string
}

export interface RunOptions {
  readonly tty?: boolean
  readonly env?: Readonly<Record<string, string>>
  /** What comes on stdin. */
  readonly piped?: string
  /** What the person does meanwhile. */
  readonly meanwhile?: (io: TestIo) => Promise<void>
  readonly clock?: Clock
}

export interface CommandLine {
  /** Profile and data; gone when the test is over. */
  readonly home: string
  run(line: string, options?: RunOptions): Promise<Shown>
  /** Everything shown so far, for a transcript. */
  transcript(): string
}

export function commandLine(fixed: RunOptions = {}): CommandLine {
  const home = tempFolder()
  const shown: string[] = []
  let listeners = 0
  onTestFinished(() => {
    if (listeners > 0) throw new Error(`${listeners} listeners for signals were left behind`)
  })
  const tidy = (text: string) => text.replaceAll(home, '~').replaceAll('\u001b', '\\e').replace(/[ ]+$/gm, '')
  return {
    home,
    async run(line, options = {}) {
      const { tty = false, env = {}, piped, meanwhile, clock } = { ...fixed, ...options }
      const all = { HOME: home, SMS_BRIDGE_HOME: home, NO_COLOR: '1', ...fixed.env, ...env }
      const io = testIo({ tty, env: all, columns: 100 })
      if (piped !== undefined) io.pipe(piped)
      const argv = ['node', 'sms-bridge', ...line.split(' ').filter((word) => word !== '')]
      const running = main(argv, io, all, clock)
      await meanwhile?.(io)
      const code = await running
      listeners += io.signalListeners()
      const pipe = piped === undefined ? '' : 'a program | '
      const settings = Object.entries(env).map(([key, value]) => `${key}=${value} `)
      const where = tty ? '   # on a terminal' : ''
      const text = tidy(`$ ${pipe}${settings.join('')}sms-bridge ${line}${where}\n${io.transcript()}[exit ${code}]\n`)
      shown.push(text)
      return { code, stdout: io.stdout(), text }
    },
    transcript: () => shown.join('\n'),
  }
}
