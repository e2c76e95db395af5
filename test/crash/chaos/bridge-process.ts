import { fork } from 'node:child_process'
import { once } from 'node:events'
import { createInterface } from 'node:readline'
import type { Config } from '../../../src/config/load.js'
import type { RelaySettings } from '../../../src/relay/relay-settings.js'

export interface StartOrder {
  /** `children/bridge.mjs`, bundled. */
  readonly module: string
  readonly config: Config
  readonly time: { readonly epoch: number; readonly speed: number }
  readonly visibleAfterMs: number
  readonly relay: Partial<RelaySettings>
}

/** The so-many-th effect from now, of those of this name where one is given. */
export interface Death {
  readonly name?: string
  readonly count: number
}

export interface BridgeProcess {
  readonly port: number
  readonly lines: readonly Record<string, unknown>[]
  /** Has it kill itself after such an effect; never, without one. Resolves when it knows. */
  dieAfter(death: Death | undefined): Promise<void>
  /** Its effects so far, in order. */
  effects(): string[]
  kill(signal: 'SIGKILL' | 'SIGTERM'): void
  /** Dead, or about to be. */
  readonly isOver: boolean
  /** Resolves with the exit code or the signal that ended it. */
  readonly ended: Promise<number | string>
}

/** Resolves when it listens. @throws with its stderr when it ends before. */
export async function startBridgeProcess({ module, ...start }: StartOrder): Promise<BridgeProcess> {
  const child = fork(module, { execArgv: [], serialization: 'advanced', stdio: ['ignore', 'pipe', 'pipe', 'ipc'] })
  const lines: Record<string, unknown>[] = []
  let stderr = ''
  let over = false
  if (child.stdout === null || child.stderr === null) throw new Error('the child was started without pipes')
  createInterface({ input: child.stdout }).on('line', (line) => {
    lines.push(JSON.parse(line) as Record<string, unknown>) // every line it writes is a JSON object
  })
  child.stderr.on('data', (chunk: Buffer) => {
    stderr += chunk.toString()
  })
  child.once('exit', () => {
    over = true
  })
  const ended = once(child, 'close').then(([code, signal]: (number | string | null)[]) => {
    if (stderr !== '') lines.push({ event: 'stderr', stderr })
    return code ?? signal ?? 'unknown'
  })
  child.on('error', () => {}) // an order to a process that has just died
  const tell = (order: object) => {
    if (child.connected) child.send(order, () => {})
  }
  tell({ start })
  const listens = once(child, 'message').then(([port]) => Number(port))
  const port = await Promise.race([
    listens,
    ended.then((how) => {
      throw new Error(`the bridge ended (${how}) before it listened:\n${stderr}`)
    }),
  ])
  return {
    port,
    lines,
    ended,
    get isOver() {
      return over
    },
    effects: () => lines.filter(({ event }) => event === 'chaos.effect').map(({ name }) => String(name)),
    async dieAfter(death) {
      if (over) return
      const known = once(child, 'message')
      tell({ death })
      await Promise.race([known, ended])
    },
    kill(signal) {
      if (signal === 'SIGKILL') over = true
      child.kill(signal)
    },
  }
}
