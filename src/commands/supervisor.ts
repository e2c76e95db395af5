// What systemd is told (sd_notify): that the door is open, that we are alive, that we are going.
import { execFile } from 'node:child_process'
import { promisify } from 'node:util'
import type { Environment } from '../cli/io.js'
import type { Clock } from '../clock.js'
import { describeError } from '../errors.js'
import type { Log } from '../log.js'

/** Telling takes milliseconds; a machine that swaps gets this long, ms. */
const tellWithinMs = 10_000

export interface SupervisorParts {
  readonly env: Environment
  /** This process. */
  readonly pid: number
  readonly clock: Pick<Clock, 'sleep'>
  readonly log: Log
  /** Asks the store something. However it answers, an answer is a sign of life. */
  readonly ask: () => Promise<unknown>
  /** Passes on `NAME=value` lines. */
  readonly tell?: (lines: readonly string[]) => Promise<void>
}

export interface Supervisor {
  /** The door is open. From now on signs of life are given, if the supervisor wants any. */
  ready(status: string): void
  /** Resolves when the supervisor knows that we are going, or cannot be told. */
  stopping(): Promise<void>
}

export function createSupervisor(parts: SupervisorParts): Supervisor {
  const { env, clock, log, ask } = parts
  const socket = env.NOTIFY_SOCKET
  if (socket === undefined || socket === '') return { ready() {}, stopping: async () => {} }
  const tell = parts.tell ?? ((lines) => systemdNotify(lines, socket, env.PATH))
  const gone = new AbortController()
  let told: Promise<void> = Promise.resolve()
  let failed = false

  const say = (...lines: readonly string[]): Promise<void> => {
    told = told
      .then(() => tell(lines))
      .then(() => {
        failed = false
      })
      .catch((error: unknown) => {
        if (!failed) log.warn('serve.supervisor-not-told', { error: describeError(error) })
        failed = true
      })
    return told
  }

  /** True when the store has answered before the time is over. */
  const answers = async (withinMs: number): Promise<boolean> => {
    const over = new AbortController()
    const answered = ask().then(
      () => true,
      () => true, // a database that is away is not mended by a new process of ours
    )
    const late = clock.sleep(withinMs, over.signal).then(() => false)
    const inTime = await Promise.race([answered, late])
    over.abort()
    return inTime
  }

  const beat = async (everyMs: number): Promise<void> => {
    for (;;) {
      await clock.sleep(everyMs, gone.signal)
      if (gone.signal.aborted) return
      if (await answers(everyMs)) await say('WATCHDOG=1')
      else log.error('serve.store-silent', { forMs: everyMs })
    }
  }

  return {
    ready(status) {
      void say('READY=1', `STATUS=${status}`)
      const wantedMs = watchdogMs(env, parts.pid)
      // A third: one that is late, or a store that is slow once, is no reason to be killed.
      if (wantedMs !== undefined) void beat(wantedMs / 3)
    },
    stopping() {
      gone.abort()
      return say('STOPPING=1')
    },
  }
}

/** How long systemd waits for a sign of life; undefined when it wants none of us (sd_watchdog_enabled(3)). */
function watchdogMs({ WATCHDOG_USEC, WATCHDOG_PID }: Environment, pid: number): number | undefined {
  if (!/^\d+$/.test(WATCHDOG_USEC ?? '') || Number(WATCHDOG_USEC) === 0) return undefined
  if (WATCHDOG_PID !== undefined && WATCHDOG_PID !== String(pid)) return undefined
  return Number(WATCHDOG_USEC) / 1000
}

/** Node has no datagram sockets of the Unix kind; systemd's own messenger is there wherever systemd is. */
async function systemdNotify(lines: readonly string[], socket: string, path = '/usr/bin:/bin'): Promise<void> {
  const env = { NOTIFY_SOCKET: socket, PATH: path }
  await promisify(execFile)('systemd-notify', lines, { env, timeout: tellWithinMs, killSignal: 'SIGKILL' })
}
