import { existsSync } from 'node:fs'
import { resolve } from 'node:path'
import { describeError, UserError } from '../errors.js'
import { type Engine, storeOver } from './engine.js'
import type { Store } from './store.js'

export interface OpenOptions {
  /** Epoch ms; noted beside the schema version. */
  readonly now: number
  /** False: SQLite on this thread, for commands that look and leave. A writer thread would cost their start-up. */
  readonly thread?: boolean
  /** False: a SQLite file that is not there is an error rather than made. */
  readonly create?: boolean
}

/** Opens `sqlite:PATH` or `postgres://…`, making or migrating its tables. Throws a UserError when it cannot. */
export async function openStore(url: string, options: OpenOptions): Promise<Store> {
  return storeOver(await openEngine(url, options))
}

function openEngine(url: string, { now, thread = true, create = true }: OpenOptions): Promise<Engine> {
  if (/^postgres(ql)?:\/\//.test(url)) {
    return orUserError(nameOf(url), 'Start PostgreSQL, or correct SMS_BRIDGE_STORE.', async () => {
      const { openPostgres } = await import('./postgres/engine.js')
      return openPostgres(url, now)
    })
  }
  const path = /^sqlite:(?<path>.+)$/.exec(url)?.groups?.path
  if (path === undefined) {
    const scheme = /^[a-z][a-z0-9+.-]*:/i.exec(url)?.[0] ?? 'nothing before the colon'
    throw new UserError(
      `The store must be sqlite:PATH or postgres://…, not ${scheme}. Set SMS_BRIDGE_STORE=sqlite:./sms-bridge.sqlite, for example.`,
    )
  }
  const file = resolve(path)
  if (!create && !existsSync(file)) {
    // The same exit code as for a bridge that is down.
    throw new UserError(`There is no store at ${file} yet. Start the bridge once: sms-bridge serve`, { exitCode: 4 })
  }
  return orUserError(
    `sqlite:${file}`,
    'Correct the path or its permissions, or set SMS_BRIDGE_STORE=sqlite:PATH to another file.',
    async () => {
      const { openSqlite } = await import('./sqlite/engine.js')
      return openSqlite(file, now, thread)
    },
  )
}

async function orUserError(name: string, remedy: string, open: () => Promise<Engine>): Promise<Engine> {
  try {
    return await open()
  } catch (cause) {
    if (cause instanceof UserError) throw cause
    throw new UserError(`Cannot open the store ${name}: ${describeFailure(cause)}. ${remedy}`, { cause })
  }
}

/** A refused connection to a name with several addresses is an AggregateError without a message. */
function describeFailure(error: unknown): string {
  const inner = error instanceof AggregateError ? error.errors.map(describeError).join('; ') : describeError(error)
  return inner.replace(/\.$/, '')
}

/** Without user, password and parameters. */
function nameOf(url: string): string {
  if (!URL.canParse(url)) return 'postgres://…'
  const { host, pathname } = new URL(url)
  return `postgres://${host}${pathname}`
}
