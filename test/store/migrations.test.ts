// A store of an older version, opened by this one: nothing in it is lost, and its books balance.
import { existsSync, statSync, symlinkSync, writeFileSync } from 'node:fs'
import { describe, expect, it, onTestFinished } from 'vitest'
import { migrationFrom, schemaVersion } from '../../src/store/migrations.js'
import { openStore } from '../../src/store/open.js'
import type { Migrated } from '../../src/store/sqlite/connection.js'
import { loadSqlite } from '../../src/store/sqlite/driver.js'
import { newPlace, type Place, postgresFailure } from '../support/stores.js'
import { claimAll } from './deliveries.js'

const day = Date.UTC(2026, 10, 30)
const columns =
  '(kind, dedupe_key, lane, shore, priority, number, rank, payload, state, received_at, settled_at, reason)'
const row = (key: string, state: string, at: number, settledAt: number | null, reason: string) =>
  `('inbound-sms', '${key}', 'lane ${key}', 'intercom', 'live', '+15550100100', '', '{}', '${state}', ${at}, ${settledAt}, ${reason})`
const past = `insert into deliveries ${columns} values
  ${row('a', 'delivered', day - 1, day, 'null')}, ${row('b', 'parked', day, day + 5, "'400'")}, ${row('c', 'ready', day, null, 'null')};
insert into lanes (lane, shore, priority, next_at) values ('lane c', 'intercom', 'live', ${day});
insert into totals (day, number, kind, slot, received, delivered, suppressed, parked)
  values ('2026-11-30', '+15550100100', 'inbound-sms', 0, 2, 1, 0, 1);`

async function makeOld(place: Place, rows = past): Promise<void> {
  const text = `${migrationFrom(0, place.engine, 0, 1)}\n${rows}`
  if (place.engine === 'sqlite') {
    const { DatabaseSync } = await loadSqlite()
    const database = new DatabaseSync(place.url.replace('sqlite:', ''))
    database.exec(text)
    database.close()
    return
  }
  const schema = new URL(place.url).searchParams.get('schema')
  await place.sql(`create schema ${schema}`)
  await place.sql(text)
}

describe('upgrading a SQLite store', () => {
  const version = async (path: string) => {
    const { DatabaseSync } = await loadSqlite()
    const database = new DatabaseSync(path, { readOnly: true })
    const [row] = database.prepare('select value, (select count(*) from deliveries) as held from meta').all()
    database.close()
    return row
  }

  it.each([true, false])(
    'first keeps a copy that only its owner can read, and tells where (thread: %s)',
    async (thread) => {
      const place = newPlace('sqlite')
      onTestFinished(() => place.remove())
      await makeOld(place)
      const path = place.url.replace('sqlite:', '')
      writeFileSync(`${path}.v1.bak`, 'of an earlier try')
      const told: Migrated[] = []
      const store = await openStore(place.url, { now: day, thread, onMigrated: (one) => told.push(one) })
      await store.close()
      const copy = `${path}.v1.bak-2`
      expect(told).toEqual([{ from: 1, to: schemaVersion, copy }])
      expect(statSync(copy).mode & 0o777).toBe(0o600)
      expect(await version(copy)).toEqual({ value: 1, held: 3 })
      expect(await version(path)).toEqual({ value: schemaVersion, held: 3 })
      const again = await openStore(place.url, { now: day, thread, onMigrated: (one) => told.push(one) })
      await again.close()
      expect(told).toHaveLength(1)
    },
  )

  it('keeps none of one in which nothing was', async () => {
    const place = newPlace('sqlite')
    onTestFinished(() => place.remove())
    await makeOld(place, '')
    const told: Migrated[] = []
    await (await openStore(place.url, { now: day, onMigrated: (one) => told.push(one) })).close()
    expect(told).toEqual([{ from: 1, to: schemaVersion, copy: undefined }])
    expect(existsSync(`${place.url.replace('sqlite:', '')}.v1.bak`)).toBe(false)
  })

  it('is left undone when no copy can be kept', async () => {
    const place = newPlace('sqlite')
    onTestFinished(() => place.remove())
    await makeOld(place)
    const path = place.url.replace('sqlite:', '')
    // A name that leads nowhere: it is not there, and it cannot be made.
    symlinkSync('/nowhere/at/all', `${path}.v1.bak`)
    await expect(openStore(place.url, { now: day })).rejects.toThrow(/no copy of it could be kept at .*v1\.bak first/)
    expect(await version(path)).toEqual({ value: 1, held: 3 })
  })
})

describe.each(['sqlite', 'postgres'] as const)('a store of version 1 on %s', (engine) => {
  it.skipIf(engine === 'postgres' && postgresFailure !== undefined)(
    'is opened with all that is in it, its books kept by the day of arrival',
    async () => {
      const place = newPlace(engine)
      onTestFinished(() => place.remove())
      await makeOld(place)
      const store = await openStore(place.url, { now: day + 10 })
      onTestFinished(() => store.close())
      const summary = await store.summarize(0, day + 10)
      const none = { kind: 'inbound-sms', number: '+15550100100', suppressed: 0, discarded: 0, recovered: 0 }
      expect(summary.totals).toEqual([
        { ...none, day: '2026-11-29', received: 1, delivered: 1, parked: 0, lastAt: day - 1 },
        { ...none, day: '2026-11-30', received: 2, delivered: 0, parked: 1, lastAt: day },
      ])
      expect([summary.waiting, summary.parked]).toEqual([1, 1])
      await store.register('me', 1_000, day)
      const claimed = await claimAll(store, 'me', day)
      expect(claimed.map(({ delivery }) => [delivery.dedupeKey, delivery.parkings])).toEqual([['c', 0]])
      // What was parked before stays parked until a person replays it.
      expect(await store.requeue(day * 2)).toBe(false)
    },
  )
})
