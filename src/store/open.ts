import { openAt } from './address.js'
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
  return openAt(url, create, {
    postgres: async () => (await import('./postgres/engine.js')).openPostgres(url, now),
    sqlite: async (file) => (await import('./sqlite/engine.js')).openSqlite(file, now, thread),
  })
}
