// A person at a real (pseudo-)terminal: what the screen shows, and keys one by one.
import { spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { fileURLToPath } from 'node:url'
import { onTestFinished } from 'vitest'
import { createScreenOf } from './screen-of.js'

const driver = fileURLToPath(new URL('in-terminal.py', import.meta.url))
const bin = fileURLToPath(new URL('../../bin/sms-bridge.js', import.meta.url))

/** Why nothing can be tried in a terminal here; undefined when it can. */
export const terminalFailure: string | undefined = tryTerminal()

function tryTerminal(): string | undefined {
  const { status, error } = spawnSync('python3', ['-c', 'import pty, fcntl, termios; pty.openpty()'])
  if (status === 0) return undefined
  const reason = `python3 opens no pseudo-terminal here: ${error?.message ?? `it ended with ${status}`}`
  process.stderr.write(`\n*** SKIPPED: everything in a terminal. ${reason} ***\n`)
  return reason
}

export const keys = { enter: '\r', space: ' ', down: '\u001b[B', backspace: '\u007f', interrupt: '\u0003' } as const

export interface Terminal {
  /** Resolves once the screen shows this, beyond what was waited for before. */
  shows(text: string): Promise<void>
  press(keys: string): void
  /** Resolves with the exit code, when all is on the screen. */
  readonly ended: Promise<number>
  /** Everything, as it stands on the screen and above it. */
  screen(): string
}

const patienceMs = 60_000

/** Starts `sms-bridge` with these arguments; killed when the test is over, if it still runs then. */
export function startTerminal(args: readonly string[], env: Readonly<Record<string, string>>): Terminal {
  const child = spawn('python3', [driver, process.execPath, bin, ...args], {
    env: { PATH: process.env.PATH ?? '', TERM: 'xterm-256color', NO_COLOR: '1', ...env },
    stdio: ['pipe', 'pipe', 'inherit'],
  })
  const screen = createScreenOf()
  let over = false
  let seenUpTo = 0
  const waiting = new Set<() => void>()
  const wakeAll = () => {
    for (const wake of waiting) wake()
  }
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    screen.write(text)
    wakeAll()
  })
  const ended = once(child, 'close').then(([code, signal]: (number | string | null)[]) => {
    over = true
    wakeAll()
    return typeof code === 'number' ? code : Number.NaN * String(signal).length
  })
  onTestFinished(async () => {
    if (!over) child.kill('SIGKILL')
    await ended
  })
  return {
    ended,
    screen: screen.text,
    press: (text) => void child.stdin.write(text),
    async shows(text) {
      const deadline = Date.now() + patienceMs
      for (;;) {
        const at = screen.text().indexOf(text, seenUpTo)
        if (at !== -1) {
          seenUpTo = at + text.length
          return
        }
        if (over || Date.now() > deadline) {
          throw new Error(`never shown: ${text}\n--- the screen ${over ? '(it has ended)' : ''}\n${screen.text()}`)
        }
        await new Promise<void>((resolve) => {
          const timer = setTimeout(resolve, 1000)
          waiting.add(function wake() {
            clearTimeout(timer)
            waiting.delete(wake)
            resolve()
          })
        })
      }
    },
  }
}
