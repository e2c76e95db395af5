import { closeSync, existsSync, mkdirSync, openSync } from 'node:fs'
import { dirname } from 'node:path'
import { pathToFileURL } from 'node:url'
import { migrationFrom, readVersion, schemaVersion } from '../migrations.js'
import { mustBeCurrent, mustMigrate } from '../schema-version.js'
import type { Tx } from '../statement.js'
import { keepOld } from './copy.js'
import { isBusy, loadSqlite, needsWriting, type SqliteDatabase, type SqliteStatement } from './driver.js'
import { asStoreError } from './file-fault.js'

/** A statement must never outlive its database, or the process crashes (@photostructure/sqlite 1.2.1). */
class Prepared {
  readonly #statement: SqliteStatement
  readonly #returnsRows: boolean
  constructor(
    readonly database: SqliteDatabase,
    text: string,
  ) {
    this.#statement = database.prepare(text)
    this.#returnsRows = this.#statement.columns().length > 0
  }

  run(parameters: readonly unknown[]): unknown[] {
    if (this.#returnsRows) return this.#statement.all(...parameters)
    this.#statement.run(...parameters)
    return []
  }
}

export interface Migrated {
  /** Schema versions. */
  readonly from: number
  readonly to: number
  /** Where the store is kept as it was; undefined when there was nothing in it. */
  readonly copy: string | undefined
}

/** One connection to one file, with everything this store relies on set and verified. */
export class Connection implements Tx {
  readonly dialect = 'sqlite'
  readonly #database: SqliteDatabase
  #flushes = true
  readonly #prepared = new Map<string, Prepared>()
  private constructor(
    database: SqliteDatabase,
    readonly path: string,
  ) {
    this.#database = database
  }

  /** Set when opening it meant to bring it to this program's version. */
  migrated: Migrated | undefined

  static async open(path: string, now: number, keepsOld = true): Promise<Connection> {
    const { DatabaseSync } = await loadSqlite()
    mkdirSync(dirname(path), { recursive: true, mode: 0o700 })
    // Customers' messages: readable by nobody else. SQLite gives its companion files the same mode.
    closeSync(openSync(path, 'a', 0o600))
    const connection = new Connection(new DatabaseSync(path), path)
    try {
      connection.#configure()
      await connection.#migrate(path, now, keepsOld)
      return connection
    } catch (error) {
      connection.close()
      throw asStoreError('Cannot open the store', path, error)
    }
  }

  /** Changes nothing, so it needs no permission to write. */
  static async openReadOnly(path: string): Promise<Connection> {
    const { DatabaseSync } = await loadSqlite()
    const look = (place: string | URL) => {
      const connection = new Connection(new DatabaseSync(place, { readOnly: true }), path)
      try {
        connection.exec('pragma busy_timeout = 5000')
        mustBeCurrent(connection.#version(), `sqlite:${path}`)
        return connection
      } catch (error) {
        connection.close()
        throw error
      }
    }
    try {
      return look(path)
    } catch (error) {
      // A file nobody has open is read through a log made beside it, even by those who only look. Who may not make one
      // may still read the file alone: without a log it is complete, and nobody is there to change it.
      if (!needsWriting(error) || existsSync(`${path}-wal`)) throw asStoreError('Cannot open the store', path, error)
      const alone = pathToFileURL(path)
      alone.searchParams.set('immutable', '1')
      return look(alone)
    }
  }

  #configure(): void {
    this.exec('pragma busy_timeout = 5000')
    this.#retrying(() => this.exec('pragma journal_mode = wal'))
    // NORMAL, the packaged SQLite's own default, loses the last commits when the power fails.
    this.exec('pragma synchronous = full')
    if (process.platform === 'darwin') this.exec('pragma fullfsync = on')
    this.exec('pragma cache_size = -65536')
    // Savepoints keep copies of pages; the default is a temporary file.
    this.exec('pragma temp_store = memory')
    // Pages that change again and again are written back once per checkpoint; the log may grow to 32 MiB in between.
    this.exec('pragma wal_autocheckpoint = 8192')
    const mode = this.pragma('journal_mode')
    const synchronous = this.pragma('synchronous')
    if (mode !== 'wal' || synchronous !== 2) {
      throw new Error(`it refuses journal_mode=wal (has ${mode}) or synchronous=full (has ${synchronous})`)
    }
  }

  async #migrate(path: string, now: number, keepsOld: boolean): Promise<void> {
    if (!mustMigrate(this.#version(), `sqlite:${path}`)) return
    this.#retrying(() => this.exec('begin immediate'))
    try {
      // Read again: another process may have been quicker.
      const version = this.#version()
      if (mustMigrate(version, `sqlite:${path}`)) {
        // Nobody else writes now, so the copy is what is migrated.
        const copy = keepsOld && this.#holdsDeliveries(version) ? await keepOld(path, version) : undefined
        this.exec(migrationFrom(version, 'sqlite', now))
        if (version > 0) this.migrated = { from: version, to: schemaVersion, copy }
      }
      this.exec('commit')
    } catch (error) {
      this.rollback()
      throw error
    }
  }

  #holdsDeliveries(version: number): boolean {
    return version > 0 && this.#database.prepare('select 1 from deliveries limit 1').all().length > 0
  }

  #version(): number {
    const exists = this.#database.prepare(`select 1 from sqlite_master where type = 'table' and name = 'meta'`).all()
    if (exists.length === 0) return 0
    const [row] = this.#database.prepare(readVersion).all() as { value: number }[] // the one column asked for
    return row?.value ?? 0
  }

  /** The busy time-out does not cover a change of the journal mode. */
  #retrying(action: () => void): void {
    for (let tries = 1; ; tries++) {
      try {
        action()
        return
      } catch (error) {
        if (tries === 5 || !isBusy(error)) throw error
        Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 20 * tries)
      }
    }
  }

  pragma(name: string): unknown {
    const [row] = this.#database.prepare(`pragma ${name}`).all() as Record<string, unknown>[] // a row of one column
    return row === undefined ? undefined : Object.values(row)[0]
  }

  /** Whether the next commits are on disk when they return, or only safe from the end of this process. */
  flushAtCommit(flush: boolean): void {
    if (flush === this.#flushes) return
    this.exec(`pragma synchronous = ${flush ? 'full' : 'normal'}`)
    this.#flushes = flush
  }

  async query(text: string, parameters: readonly unknown[]): Promise<unknown[]> {
    let prepared = this.#prepared.get(text)
    if (prepared === undefined) {
      prepared = new Prepared(this.#database, text)
      this.#prepared.set(text, prepared)
    }
    return prepared.run(parameters)
  }

  /** One file, one machine: other processes look often enough. */
  async announce(): Promise<void> {}

  exec(sql: string): void {
    this.#database.exec(sql)
  }

  /** SQLite ends a transaction itself on some errors (disk full, I/O). */
  get inTransaction(): boolean {
    return this.#database.isTransaction
  }

  rollback(): void {
    if (this.inTransaction) this.exec('rollback')
  }

  close(): void {
    this.#prepared.clear()
    this.#database.close()
  }
}
