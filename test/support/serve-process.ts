// `sms-bridge serve` as its own process, as a user runs it.
import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'
import { onTestFinished } from 'vitest'
import type { Config } from '../../src/config/load.js'

const bin = fileURLToPath(new URL('../../bin/sms-bridge.js', import.meta.url))

export interface ServeProcess {
  readonly child: ChildProcess
  /** Log lines so far. */
  readonly lines: readonly Record<string, unknown>[]
  readonly stderr: () => string
  /** Resolves with the first log line of this event, also when it was written before. */
  logged(event: string): Promise<Record<string, unknown>>
  /** Resolves with the exit code, or the signal that ended it. */
  readonly ended: Promise<number | string>
}

export function environmentOf(config: Config): Record<string, string> {
  return {
    PATH: process.env.PATH ?? '',
    SMS_BRIDGE_HOME: config.home,
    SMS_BRIDGE_PUBLIC_URL: config.publicUrl,
    SMS_BRIDGE_HOST: config.host,
    SMS_BRIDGE_PORT: String(config.port),
    SMS_BRIDGE_STORE: config.store,
    SMS_BRIDGE_LOG: 'json',
    SMS_BRIDGE_TEAMS: [...config.teams].map((pair) => pair.join('=')).join(','),
    SMS_BRIDGE_REOPEN: [...(config.reopen ?? [])].map(([number, ms]) => `${number}=${ms / 3_600_000}h`).join(','),
    TWILIO_ACCOUNT_SID: config.twilio.accountSid,
    TWILIO_AUTH_TOKEN: config.twilio.authTokens.join(','),
    TWILIO_API_BASE_URL: config.twilio.baseUrl ?? '',
    INTERCOM_ACCESS_TOKEN: config.intercom.accessToken,
    INTERCOM_CLIENT_SECRET: config.intercom.clientSecret,
    INTERCOM_API_BASE_URL: config.intercom.baseUrl,
  }
}

/** Starts it, behind `wrap` if given; killed when the test is over, if it still runs then. */
export function startServe(
  env: Record<string, string>,
  args: readonly string[] = [],
  wrap: readonly string[] = [],
): ServeProcess {
  const [command = '', ...rest] = [...wrap, process.execPath, bin, 'serve', ...args]
  const child = spawn(command, rest, { env, stdio: ['ignore', 'pipe', 'pipe'] })
  const lines: Record<string, unknown>[] = []
  const waiting = new Set<() => void>()
  const wakeAll = () => {
    for (const wake of waiting) wake()
  }
  createInterface({ input: child.stdout }).on('line', (line) => {
    lines.push(JSON.parse(line) as Record<string, unknown>) // every line of the log is a JSON object
    wakeAll()
  })
  let stderr = ''
  child.stderr.on('data', (chunk: Buffer) => {
    stderr += chunk.toString()
  })
  let over = false
  const ended = once(child, 'close').then(([code, signal]: (number | string | null)[]) => {
    over = true
    wakeAll()
    return code ?? signal ?? 'unknown'
  })
  onTestFinished(async () => {
    if (!over) child.kill('SIGKILL')
    await ended
  })
  return {
    child,
    lines,
    ended,
    stderr: () => stderr,
    async logged(event) {
      for (;;) {
        const line = lines.find((one) => one.event === event)
        if (line !== undefined) return line
        if (over) throw new Error(`serve ended before it logged ${event}:\n${stderr}${JSON.stringify(lines.slice(-5))}`)
        await new Promise<void>((resolve) => {
          const wake = () => {
            waiting.delete(wake)
            resolve()
          }
          waiting.add(wake)
        })
      }
    },
  }
}

export interface Ended {
  readonly code: number | null
  readonly stdout: string
  readonly stderr: string
}

/** Another command as its own process, behind `wrap` if given. */
export async function runCommand(
  args: readonly string[],
  env: Record<string, string>,
  wrap: readonly string[] = [],
): Promise<Ended> {
  const [command = '', ...rest] = [...wrap, process.execPath, bin, ...args]
  const child = spawn(command, rest, { env, stdio: ['ignore', 'pipe', 'pipe'] })
  const output = { stdout: '', stderr: '' }
  for (const name of ['stdout', 'stderr'] as const) {
    child[name].on('data', (chunk: Buffer) => {
      output[name] += chunk.toString()
    })
  }
  const [code] = (await once(child, 'close')) as [number | null] // as Node documents it
  return { code, ...output }
}
