// What only PostgreSQL can do to us.
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { openStore } from '../../src/store/open.js'
import type { Store } from '../../src/store/store.js'
import { type Place, postgresFailure, postgresPlace } from '../support/stores.js'
import { aDelivery, claimAll } from './deliveries.js'

const title = 'a PostgreSQL store'
const suffix = postgresFailure === undefined ? '' : ` (skipped: ${postgresFailure})`

describe.skipIf(postgresFailure !== undefined)(`${title}${suffix}`, () => {
  const application = `sms-bridge-test-${process.pid}`
  let place: Place
  let store: Store
  let other: Store

  beforeAll(async () => {
    place = postgresPlace('100ms')
    store = await openStore(`${place.url}&application_name=${application}`, { now: 0 })
    other = await openStore(place.url, { now: 0 })
  })
  afterAll(async () => {
    await store.close()
    await other.close()
    await place.remove()
  })

  const backends = `from pg_stat_activity where application_name = '${application}'`

  async function until(condition: string): Promise<void> {
    for (;;) {
      const [row] = await place.sql(`select ${condition} as reached`)
      if (row?.reached === true) return
    }
  }

  /** Listens, and can tell when it was called again. */
  function listen(): { called(): Promise<void>; stop(): void } {
    let resolve = () => {}
    const stop = store.onWork(() => resolve())
    return { stop, called: () => new Promise((done) => (resolve = done)) }
  }

  it('lives in the schema it was given', async () => {
    const rows = await place.sql(
      `select table_name from information_schema.tables where table_schema = current_schema()`,
    )
    expect(rows.map((row) => row.table_name)).toContain('deliveries')
  })

  it('commits what is ingested at once in few transactions', async () => {
    await Promise.all(Array.from({ length: 100 }, () => store.ingest(aDelivery(), 0)))
    const [row] = await place.sql('select count(distinct xmin::text)::int as commits from deliveries')
    expect(row?.commits).toBeLessThanOrEqual(2)
  })

  it('hears of work that another process ingests, until it stops listening', async () => {
    const first = listen()
    const second = listen()
    // Connecting counts as news: something may have been said before.
    await first.called()
    let calls = 0
    const stopCounting = store.onWork(() => {
      calls += 1
    })
    const heard = second.called()
    await other.ingest(aDelivery(), 0)
    await heard
    expect(calls).toBe(1)
    stopCounting()
    first.stop()
    const again = second.called()
    await other.ingest(aDelivery(), 0)
    await again
    expect(calls).toBe(1)
    second.stop()
  })

  it('tries again by itself when it loses a deadlock', async () => {
    await other.ingest(aDelivery({ lane: 'deadlock a' }), 0)
    await other.ingest(aDelivery({ lane: 'deadlock b' }), 0)
    await place.sql('begin')
    await place.sql(`select from lanes where lane = 'deadlock b' for update`)
    const ingested = Promise.all(['a', 'b'].map((lane) => store.ingest(aDelivery({ lane: `deadlock ${lane}` }), 0)))
    await until(`exists (select ${backends} and wait_event_type = 'Lock')`)
    await place.sql(`select from lanes where lane = 'deadlock a' for update`)
    await place.sql('commit')
    expect((await ingested).map(({ duplicate }) => duplicate)).toEqual([false, false])
  })

  it('refuses what it cannot store without refusing the rest', async () => {
    const outcomes = await Promise.allSettled(
      ['lane', 'with\u0000NUL', 'other lane'].map((lane) => store.ingest(aDelivery({ lane }), 0)),
    )
    expect(outcomes.map(({ status }) => status)).toEqual(['fulfilled', 'rejected', 'fulfilled'])
  })

  it('survives the loss of every connection: what had not committed is done again, what comes next works', async () => {
    await place.sql('begin')
    await place.sql('lock table deliveries in access exclusive mode')
    const ingested = store.ingest(aDelivery(), 0)
    await until(`exists (select ${backends} and wait_event_type = 'Lock')`)
    const { called, stop } = listen()
    const heardAgain = called()
    await place.sql(`select pg_terminate_backend(pid) ${backends}`)
    await place.sql('commit')
    expect((await ingested).duplicate).toBe(false)
    // The listener comes back by itself and says so, for it may have missed something.
    await heardAgain
    stop()
    expect((await store.ingest(aDelivery(), 0)).duplicate).toBe(false)
    await store.register('me', 1000, 0)
    expect((await claimAll(store, 'me', 0)).length).toBeGreaterThan(0)
  })
})
