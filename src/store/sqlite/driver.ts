// SQLite from Node itself where that is new enough, else from a package with the same interface.

export interface SqliteStatement {
  all(...parameters: unknown[]): unknown[]
  run(...parameters: unknown[]): unknown
  columns(): readonly unknown[]
}

export interface SqliteDatabase {
  readonly isTransaction: boolean
  exec(sql: string): void
  prepare(sql: string): SqliteStatement
  close(): void
}

interface SqliteModule {
  readonly DatabaseSync: new (path: string | URL, options?: { readonly readOnly?: boolean }) => SqliteDatabase
}

// The release that fixed a corruption when one process resets the WAL while another checkpoints.
const oldestSafe = [3, 51, 3]

export function isSafeVersion(version: string | undefined): boolean {
  if (version === undefined) return false
  const parts = version.split('.').map(Number)
  const different = oldestSafe.findIndex((part, index) => part !== parts[index])
  return different === -1 || (parts[different] ?? 0) > (oldestSafe[different] ?? 0)
}

export async function loadSqlite(): Promise<SqliteModule> {
  return (isSafeVersion(process.versions.sqlite) && builtin()) || packaged()
}

function builtin(): SqliteModule | undefined {
  const { emitWarning } = process
  // Node 22 calls its SQLite experimental on stderr; of all warnings, only this one is known and accepted.
  process.emitWarning = (...args: unknown[]) => {
    const known = args[1] === 'ExperimentalWarning' && String(args[0]).includes('SQLite')
    if (!known) Reflect.apply(emitWarning, process, args)
  }
  try {
    return process.getBuiltinModule('node:sqlite') as SqliteModule | undefined // the types of Node 20 do not know it
  } finally {
    process.emitWarning = emitWarning
  }
}

async function packaged(): Promise<SqliteModule> {
  return (await import('@photostructure/sqlite')) as SqliteModule // the same interface, of which this is a part
}

/** Recognises SQLite's results. The package names no code on some failed statements, only words. */
export function isResult(codes: readonly number[], words: RegExp): (error: unknown) => boolean {
  return (error) => {
    if (!(error instanceof Error)) return false
    const code = 'errcode' in error && typeof error.errcode === 'number' ? error.errcode & 0xff : undefined
    return (code !== undefined && codes.includes(code)) || words.test(error.message)
  }
}

/** True when another connection stood in the way. */
export const isBusy = isResult([5, 6], /^database (table )?is locked/)

/** True when a file beside the database would have to be made or written to, and may not be. */
export const needsWriting = isResult([8, 14], /readonly database|unable to open database file/)
