// Whole copies of a SQLite store: taken while it is written to, looked through, put in its place.
import {
  chownSync,
  closeSync,
  copyFileSync,
  existsSync,
  fsyncSync,
  linkSync,
  openSync,
  renameSync,
  rmSync,
  statSync,
} from 'node:fs'
import { dirname } from 'node:path'
import { describeError, UserError } from '../../errors.js'
import { readVersion } from '../migrations.js'
import { isBusy, loadSqlite, type SqliteDatabase } from './driver.js'

/** What a file turned out to be, without changing it. */
export interface Inspection {
  readonly schemaVersion: number
  readonly bytes: number
  readonly deliveries: number
  /** When the newest of them was received, epoch ms. */
  readonly newestAt: number | undefined
  /** When it was copied from a store, epoch ms; undefined when it never was. */
  readonly copiedAt: number | undefined
  /** Processes with a lease that runs after the time asked about. */
  readonly leases: number
}

/** Rows are plain objects of the columns asked for. */
type Row = Readonly<Record<string, unknown>>

const rowsOf = (database: SqliteDatabase, sql: string) => database.prepare(sql).all() as Row[]
const numberIn = (value: unknown) => (typeof value === 'number' ? value : undefined)

/** Runs `use` on a connection of its own, which is closed whatever happens. */
async function withDatabase<T>(path: string, readOnly: boolean, use: (database: SqliteDatabase) => T): Promise<T> {
  const { DatabaseSync } = await loadSqlite()
  const database = readOnly ? new DatabaseSync(path, { readOnly }) : new DatabaseSync(path)
  try {
    database.exec('pragma busy_timeout = 5000')
    return use(database)
  } finally {
    database.close()
  }
}

/**
 * Writes what is committed at this moment into a new file that only its owner can read. Nobody waits for it: readers
 * of a SQLite log and its writer do not meet. It is on disk, wholly, when this resolves; else there is no such file.
 */
async function copyTo(from: string, to: string): Promise<void> {
  closeSync(openSync(to, 'wx', 0o600))
  try {
    await withDatabase(from, true, (database) => database.prepare('vacuum into ?').run(to))
    flush(to)
  } catch (error) {
    rmSync(to, { force: true })
    throw error
  }
}

/** Copies a store of an older version beside itself, for whoever wants to go back; answers where. */
export async function keepOld(path: string, version: number): Promise<string> {
  const copy = freeName(`${path}.v${version}.bak`)
  try {
    await copyTo(path, copy)
  } catch (error) {
    throw new UserError(
      `The store ${path} has to be brought to the version of this sms-bridge, and no copy of it could be kept at ` +
        `${copy} first: ${describeError(error)}. Nothing was changed. Make room, or make the folder writable`,
      { cause: error },
    )
  }
  return copy
}

/** The path itself, or with the first number behind it under which there is nothing. */
export function freeName(path: string): string {
  if (!existsSync(path)) return path
  for (let count = 2; ; count += 1) if (!existsSync(`${path}-${count}`)) return `${path}-${count}`
}

/** Writes down when a copy was taken. */
function stampCopy(path: string, now: number): Promise<void> {
  const at = Math.trunc(now)
  return withDatabase(path, false, (database) =>
    database.exec(`insert or replace into meta (name, value, changed_at) values ('copied_at', ${at}, ${at})`),
  )
}

/** Reads every page. Throws UserError when it is no store or not whole. */
function inspect(path: string, now: number): Promise<Inspection> {
  return withDatabase(path, true, (database) => {
    const [health] = rowsOf(database, 'pragma quick_check(1)')
    const [verdict] = String(Object.values(health ?? {})[0]).split('\n')
    if (verdict !== 'ok') throw new UserError(`${path} is damaged: ${verdict}`)
    const known = rowsOf(
      database,
      `select name from sqlite_master where type = 'table' and name in ('meta', 'deliveries', 'instances')`,
    )
    if (known.length < 3) throw new UserError(`${path} is a SQLite file, but no store of sms-bridge`)
    const [version] = rowsOf(database, readVersion)
    const [copied] = rowsOf(database, `select value from meta where name = 'copied_at'`)
    const [counted] = rowsOf(database, 'select count(*) as deliveries, max(received_at) as newest from deliveries')
    const [leased] = rowsOf(database, `select count(*) as leases from instances where lease_until > ${Math.trunc(now)}`)
    return {
      schemaVersion: numberIn(version?.value) ?? 0,
      bytes: statSync(path).size,
      deliveries: numberIn(counted?.deliveries) ?? 0,
      newestAt: numberIn(counted?.newest),
      copiedAt: numberIn(copied?.value),
      leases: numberIn(leased?.leases) ?? 0,
    }
  })
}

/**
 * Puts `fresh` at `path`, after which there is no `fresh`; what was at `path` is at `kept`. At no moment is there
 * nothing at `path`, where a serve would begin an empty store.
 */
async function putInPlace(
  fresh: string,
  path: string,
  { kept, readable }: { readonly kept: string; readonly readable: boolean },
): Promise<void> {
  const present = existsSync(path)
  const owner = statSync(present ? path : dirname(path))
  if (present) {
    if (readable) await foldLog(path)
    // The log beside a file would be taken for its successor's; one that cannot be folded in is kept as it lies there.
    for (const suffix of ['-wal', '-shm']) if (existsSync(path + suffix)) renameSync(path + suffix, kept + suffix)
    try {
      linkSync(path, kept)
    } catch {
      copyFileSync(path, kept) // a file system without links
    }
  }
  // Restored by root, it still belongs to whoever runs the bridge.
  if (process.geteuid?.() === 0) chownSync(fresh, owner.uid, owner.gid)
  renameSync(fresh, path)
  flush(dirname(path))
}

/** Afterwards the file is all there is of the store. Throws UserError while anybody has it open. */
async function foldLog(path: string): Promise<void> {
  try {
    await withDatabase(path, false, (database) => database.exec('pragma journal_mode = delete'))
  } catch (error) {
    if (!isBusy(error)) throw error
    throw new UserError(`Another program has the store ${path} open: stop it, and run the command again.`)
  }
}

function flush(path: string): void {
  const file = openSync(path, 'r')
  try {
    fsyncSync(file)
  } finally {
    closeSync(file)
  }
}

export const tasks = { copyTo, stampCopy, inspect, putInPlace }
export type Tasks = typeof tasks
export type TaskName = keyof Tasks
