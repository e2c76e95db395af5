import { openAt } from './address.js'
import { type Engine, storeOver } from './engine.js'
import type { Migrated } from './sqlite/connection.js'
import type { Store } from './store.js'

export interface OpenOptions {
  /** Epoch ms; noted beside the schema version. */
  readonly now: number
  /** False: SQLite on this thread, for commands that look and leave. A writer thread would cost their start-up. */
  readonly thread?: boolean
  /** False: a SQLite file that is not there is an error rather than made. */
  readonly create?: boolean
  /** False: no copy is kept of a SQLite store that is migrated. */
  readonly keepsOld?: boolean
  /** Called after the store was brought to this program's version. */
  readonly onMigrated?: (migrated: Migrated) => void
}

/** Opens `sqlite:PATH` or `postgres://…`, making or migrating its tables. Throws a UserError when it cannot. */
export async function openStore(url: string, options: OpenOptions): Promise<Store> {
  return storeOver(await openEngine(url, options))
}

function openEngine(url: string, options: OpenOptions): Promise<Engine> {
  const { now, thread = true, create = true, keepsOld = true, onMigrated = () => {} } = options
  return openAt(url, create, {
    postgres: async () => (await import('./postgres/engine.js')).openPostgres(url, now),
    sqlite: async (file) =>
      (await import('./sqlite/engine.js')).openSqlite({ path: file, now, keepsOld }, { thread, onMigrated }),
  })
}
