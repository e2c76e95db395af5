// Both engines of the store, each in a place of its own: a throw-away file, a throw-away schema.
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import pg from 'pg'
import { afterAll, beforeAll, beforeEach, describe } from 'vitest'
import { openStore } from '../../src/store/open.js'
import { Connection } from '../../src/store/sqlite/connection.js'
import type { Store } from '../../src/store/store.js'

export type EngineName = 'sqlite' | 'postgres'

/** Somewhere a store lives, until `remove`. */
export interface Place {
  readonly engine: EngineName
  readonly url: string
  /** Raw SQL beside the store. */
  sql(text: string, parameters?: readonly unknown[]): Promise<Record<string, unknown>[]>
  remove(): Promise<void>
}

const postgresUrl = process.env.SMS_BRIDGE_TEST_POSTGRES ?? 'postgres://postgres@127.0.0.1:5432/test'

/** What only a superuser may set. */
let maySetDeadlockTimeout = false

export const postgresFailure: string | undefined = await tryPostgres()

async function tryPostgres(): Promise<string | undefined> {
  const client = new pg.Client({ connectionString: postgresUrl, connectionTimeoutMillis: 3000 })
  try {
    await client.connect()
    const { rows } = await client.query(`select current_setting('is_superuser') as yes`)
    maySetDeadlockTimeout = rows[0]?.yes === 'on'
    await client.end()
    return undefined
  } catch (error) {
    const reason = `PostgreSQL is not reachable at ${new URL(postgresUrl).host}: ${String(error)}`
    process.stderr.write(`\n*** SKIPPED: every PostgreSQL test. ${reason} ***\n`)
    return reason
  }
}

export function sqlitePlace(): Place {
  const folder = mkdtempSync(join(tmpdir(), 'sms-bridge-store-'))
  const path = join(folder, 'store.sqlite')
  let connection: Promise<Connection> | undefined
  return {
    engine: 'sqlite',
    url: `sqlite:${path}`,
    async sql(text, parameters = []) {
      connection ??= Connection.open(path, 0)
      return (await (await connection).query(text, parameters)) as Record<string, unknown>[] // rows are plain objects
    },
    async remove() {
      ;(await connection)?.close()
      rmSync(folder, { recursive: true, force: true })
    },
  }
}

let places = 0

/**
 * The store forgives a deadlock by trying again, which would hide one from its tests: with so long a time-out they
 * would hang in it instead.
 */
const forgivesNothing = '10min'

export function postgresPlace(deadlockTimeout = forgivesNothing): Place {
  places += 1
  const schema = `sms_bridge_test_${process.pid}_${places}_${process.hrtime.bigint().toString(36)}`
  const client = new pg.Client({ connectionString: postgresUrl, options: `-c search_path=${schema}` })
  const connected = client.connect()
  const url = new URL(postgresUrl)
  url.searchParams.set('schema', schema)
  if (maySetDeadlockTimeout) url.searchParams.set('options', `-c deadlock_timeout=${deadlockTimeout}`)
  return {
    engine: 'postgres',
    url: url.href,
    async sql(text, parameters = []) {
      await connected
      return (await client.query(text, [...parameters])).rows
    },
    async remove() {
      await connected
      await client.query(`drop schema if exists ${schema} cascade`)
      await client.end()
    },
  }
}

export function newPlace(engine: EngineName): Place {
  return engine === 'sqlite' ? sqlitePlace() : postgresPlace()
}

const tables = ['deliveries', 'lanes', 'steps', 'attempts', 'instances', 'limits', 'shores', 'threads']
const moreTables = ['conversations', 'contacts', 'receipts', 'texts', 'totals', 'duties', 'marks', 'numbers']
const peopleTables = ['opt_outs', 'audit']

export async function empty(place: Place): Promise<void> {
  const all = [...tables, ...moreTables, ...peopleTables]
  if (place.engine === 'postgres') await place.sql(`truncate ${all.join(', ')} restart identity`)
  else for (const table of all) await place.sql(`delete from ${table}`)
}

export interface Subject {
  readonly engine: EngineName
  readonly place: Place
  /** Empty at the start of each test. */
  readonly store: Store
  /** Another process's view of the same place, closed after the suite. */
  another(): Promise<Store>
}

/** Runs a suite once on each engine; one that cannot be reached is skipped with its reason in the title. */
export function onEachEngine(title: string, suite: (subject: Subject) => void): void {
  for (const engine of ['sqlite', 'postgres'] as const) {
    const failure = engine === 'postgres' ? postgresFailure : undefined
    const suffix = failure === undefined ? '' : ` (skipped: ${failure})`
    describe.skipIf(failure !== undefined)(`${title}, on ${engine}${suffix}`, () => {
      let place: Place | undefined
      let store: Store | undefined
      const others: Store[] = []
      const ready = <T>(value: T | undefined): T => {
        if (value === undefined) throw new Error('only inside a test')
        return value
      }
      beforeAll(async () => {
        place = newPlace(engine)
        store = await openStore(place.url, { now: 0 })
      })
      beforeEach(() => empty(ready(place)))
      afterAll(async () => {
        for (const one of others) await one.close()
        await store?.close()
        await place?.remove()
      })
      suite({
        engine,
        get place() {
          return ready(place)
        },
        get store() {
          return ready(store)
        },
        async another() {
          const other = await openStore(ready(place).url, { now: 0 })
          others.push(other)
          return other
        },
      })
    })
  }
}
