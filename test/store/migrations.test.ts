// A store of an older version, opened by this one: nothing in it is lost, and its books balance.
import { describe, expect, it, onTestFinished } from 'vitest'
import { migrationFrom } from '../../src/store/migrations.js'
import { openStore } from '../../src/store/open.js'
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

async function makeOld(place: Place): Promise<void> {
  const text = `${migrationFrom(0, place.engine, 0, 1)}\n${past}`
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
