import { EventEmitter, once } from 'node:events'
import { PassThrough, Writable } from 'node:stream'
import { createIo, type Environment, type Io } from '../../src/cli/io.js'

export interface TestIo extends Io {
  /** Everything written to stdout so far. */
  stdout(): string
  stderr(): string
  /** Both in the order they were written, lines of stderr marked with `! `. */
  transcript(): string
  /** Resolves once stderr shows this. */
  shows(text: string): Promise<void>
  /** Presses Ctrl-C. */
  interrupt(): void
  /** How many listeners for signals there are now. */
  signalListeners(): number
  /** What a person types at a prompt. */
  type(text: string): void
  /** What a pipe brings before it ends. */
  pipe(text: string): void
}

export interface TestIoOptions {
  /** Is a person at a terminal on the other side? */
  readonly tty?: boolean
  readonly columns?: number
  readonly env?: Environment
}

/** What a terminal can do beyond writing; nothing here looks at where the cursor is. Like the real one it never ends. */
const cursor = { cursorTo: () => true, moveCursor: () => true, clearLine: () => true, end: () => {} }

/** The real front door over streams that remember. */
export function testIo({ tty = false, columns, env = {} }: TestIoOptions = {}): TestIo {
  const written: { readonly stream: 'out' | 'err'; readonly text: string }[] = []
  const changed = new EventEmitter()
  const sink = (stream: 'out' | 'err') =>
    Object.assign(
      new Writable({
        write(chunk, _encoding, done) {
          written.push({ stream, text: String(chunk) })
          changed.emit('written')
          done()
        },
      }),
      { isTTY: tty, ...(columns !== undefined && { columns }), ...cursor },
    )
  const stdin = Object.assign(new PassThrough(), { isTTY: tty })
  const listeners = new Set<() => void>()
  const textOf = (stream: 'out' | 'err') =>
    written
      .filter((chunk) => chunk.stream === stream)
      .map(({ text }) => text)
      .join('')

  const io = createIo({
    stdin,
    stdout: sink('out'),
    stderr: sink('err'),
    env,
    onSignal(listener) {
      listeners.add(listener)
      return () => void listeners.delete(listener)
    },
  })
  return {
    ...io,
    stdout: () => textOf('out'),
    stderr: () => textOf('err'),
    transcript: () =>
      written.map(({ stream, text }) => (stream === 'out' ? text : text.replace(/^(?=.)/gm, '! '))).join(''),
    async shows(text) {
      while (!textOf('err').includes(text)) await once(changed, 'written')
    },
    interrupt() {
      for (const listener of [...listeners]) listener()
    },
    signalListeners: () => listeners.size,
    type: (text) => void stdin.write(text),
    pipe: (text) => void stdin.end(text),
  }
}
