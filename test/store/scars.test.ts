// What went wrong in the prototype of the ledger, or in libraries it was compared with.
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import type { Settlement } from '../../src/delivery.js'
import { compareBytes } from '../../src/store/bytes.js'
import { toRow } from '../../src/store/delivery-row.js'
import { Connection } from '../../src/store/sqlite/connection.js'
import { type Answer, runTogether } from '../../src/store/sqlite/writer.js'
import type { Tx } from '../../src/store/statement.js'
import { listDeliveries, summarize } from '../../src/store/summary.js'
import { survey } from '../../src/store/survey.js'
import { onEachEngine, sqlitePlace } from '../support/stores.js'
import { aDelivery, aFault, claimAll } from './deliveries.js'

const delivered: Settlement = { state: 'delivered', result: {} }

onEachEngine('two processes', (subject) => {
  it('ingest the same keys in opposite orders without a deadlock', async () => {
    const other = await subject.another()
    const batches = Array.from({ length: 10 }, (_, round) =>
      Array.from({ length: 40 }, (_, i) => aDelivery({ dedupeKey: `${round} ${i}`, lane: `lane ${(i * 7) % 40}` })),
    )
    for (const batch of batches) {
      const [here, there] = await Promise.all([
        Promise.all(batch.map((delivery) => subject.store.ingest(delivery, 0))),
        Promise.all(batch.toReversed().map((delivery) => other.ingest(delivery, 0))),
      ])
      expect(here.map(({ id }) => id)).toEqual(there.toReversed().map(({ id }) => id))
      expect([...here, ...there].filter(({ duplicate }) => !duplicate)).toHaveLength(40)
    }
    expect((await subject.store.summarize(0, 0)).waiting).toBe(400)
  })

  it('count what they ingest for the same numbers in opposite orders without a deadlock', async () => {
    const stores = [subject.store, await subject.another()]
    const rounds = 40
    for (let round = 0; round < rounds; round++) {
      const batches = stores.map((store, i) =>
        Promise.all(
          [0, 1, 2, 3].map((n) =>
            store.ingest(aDelivery({ lane: `${i} ${n}`, number: `+1555010000${i === 0 ? n : 3 - n}` }), 0),
          ),
        ),
      )
      await Promise.all(batches)
    }
    const { totals } = await subject.store.summarize(0, 0)
    expect(totals.map(({ received }) => received)).toEqual([0, 1, 2, 3].map(() => 2 * rounds))
  })

  it('that claim at the same time take different lanes, and all of them', async () => {
    const stores = [subject.store, await subject.another()]
    const deliveries = Array.from({ length: 80 }, (_, i) => aDelivery({ lane: `lane ${i}` }))
    await Promise.all(deliveries.map((delivery) => subject.store.ingest(delivery, 0)))
    await Promise.all(stores.map((store, i) => store.register(`instance ${i}`, 1000, 0)))
    const taken: number[] = []
    while (taken.length < 80) {
      const claims = stores.flatMap((store, i) =>
        [1, 2].map(() => store.claim({ instance: `instance ${i}`, limit: 10, bulkLimit: 0, now: 0 })),
      )
      taken.push(...(await Promise.all(claims)).flat().map(({ delivery }) => delivery.id))
    }
    expect(new Set(taken).size).toBe(80)
    expect(taken).toHaveLength(80)
  })

  it('settle while leases are extended and end, without a deadlock', async () => {
    const { store } = subject
    const other = await subject.another()
    const deliveries = Array.from({ length: 60 }, (_, i) => aDelivery({ lane: `lane ${i}` }))
    await Promise.all(deliveries.map((delivery) => store.ingest(delivery, 0)))
    await store.register('me', 10_000, 0)
    await store.register('dying', 10, 0)
    const mine = await store.claim({ instance: 'me', limit: 30, bulkLimit: 0, now: 0 })
    const lost = await claimAll(other, 'dying', 0)
    const [kept, , , late] = await Promise.all([
      Promise.all(mine.map((claimed) => store.settle(claimed, delivered, 20))),
      other.heartbeat('me', 10_000, 20),
      store.heartbeat('me', 10_000, 20),
      Promise.all(lost.map((claimed) => other.settle(claimed, delivered, 20))),
    ])
    expect(kept).toEqual(mine.map(() => true))
    const rest = late.filter((settled) => !settled).length
    expect(await claimAll(store, 'me', 20)).toHaveLength(rest)
  })

  it('settle and ingest on the same lanes without putting one to sleep over its work', async () => {
    const { store } = subject
    const other = await subject.another()
    await store.register('me', 10_000, 0)
    for (let round = 0; round < 25; round++) {
      await store.ingest(aDelivery(), round)
      const claimed = await claimAll(store, 'me', round)
      await Promise.all([
        ...claimed.map((one) => store.settle(one, delivered, round)),
        other.ingest(aDelivery(), round),
      ])
      const next = await claimAll(store, 'me', round)
      expect(next).toHaveLength(1)
      for (const one of next) await store.settle(one, delivered, round)
    }
    expect(await store.nextDue()).toBe(undefined)
  })
})

onEachEngine('lanes and ranks', (subject) => {
  it('are ordered as the engine orders them, whatever the alphabet', async () => {
    const texts = ['b', 'B', 'ä', 'a', '\uFF01', '\u{1F600}', '', 'a b', 'a_b', 'ab', '_', '~']
    for (const lane of texts) await subject.store.ingest(aDelivery({ lane: `l${lane}` }), 0)
    const rows = await subject.place.sql('select lane from lanes order by lane')
    const expected = texts.map((text) => `l${text}`).sort(compareBytes)
    expect(rows.map((row) => row.lane)).toEqual(expected)
  })
})

it('texts are compared as their UTF-8 bytes are', () => {
  const text = fc.string({ unit: 'binary' })
  fc.assert(
    fc.property(text, text, (a, b) => {
      expect(Math.sign(compareBytes(a, b))).toBe(Math.sign(Buffer.compare(Buffer.from(a), Buffer.from(b))))
    }),
    { examples: [['\uFF01', '\u{1F600}']], numRuns: 2000 },
  )
})

/** A bare connection to PostgreSQL answers with counts as text. */
function withNumbers(row: Record<string, unknown>): Record<string, unknown> {
  const entries = Object.entries(row)
  return Object.fromEntries(entries.map(([name, value]) => [name, /^\d+$/.test(String(value)) ? Number(value) : value]))
}

onEachEngine('what people ask', (subject) => {
  const engineTx = (queries: [string, readonly unknown[]][]): Tx => ({
    dialect: subject.engine,
    query: async (text, parameters) => {
      queries.push([text, parameters])
      return (await subject.place.sql(text, parameters)).map(withNumbers)
    },
    announce: async () => {},
  })

  it('is answered from counters and partial indexes, never by walking the deliveries', async () => {
    await subject.store.register('me', 10_000, 0)
    for (let i = 0; i < 30; i++) await subject.store.ingest(aDelivery({ lane: `lane ${i}` }), i)
    const claimed = await claimAll(subject.store, 'me', 50)
    await Promise.all(claimed.map((one) => subject.store.settle(one, delivered, 50)))
    const queries: [string, readonly unknown[]][] = []
    const tx = engineTx(queries)
    await survey(tx, { since: 0, now: 50 })
    await summarize(tx, 0, 50)
    await listDeliveries(tx, { state: 'parked', limit: 5 })
    await listDeliveries(tx, { state: 'suppressed', limit: 5 })
    // So small a table PostgreSQL would rather read in one go; does an index serve when it must?
    if (subject.engine === 'postgres') await subject.place.sql('set enable_seqscan = off')
    const explain = subject.engine === 'sqlite' ? 'explain query plan ' : 'explain '
    const plans = []
    for (const [text, parameters] of queries.filter(([text]) => /\bfrom "?(deliveries|texts)\b/.test(text))) {
      const plan = (await subject.place.sql(explain + text, parameters)).map((row) => Object.values(row).join(' '))
      plans.push(plan.join('\n'))
    }
    const indexes = [
      'deliveries_waiting',
      'deliveries_parked',
      'deliveries_held',
      'deliveries_pkey',
      'texts_in_conflict',
      'texts_failed',
      'deliveries_waiting',
      'deliveries_parked',
      'texts_failed',
      'texts_in_conflict',
      'deliveries_parked',
      'deliveries_suppressed',
    ]
    const used = /INTEGER PRIMARY KEY|(?:deliveries|texts)_[a-z_]+/
    const names = plans.map((plan) => used.exec(plan)?.[0].replace('INTEGER PRIMARY KEY', 'deliveries_pkey'))
    expect(names).toEqual(indexes)
  })
})

describe('SQLite that is busy', () => {
  it('is waited for, while questions are answered', async () => {
    const place = sqlitePlace()
    const { openStore } = await import('../../src/store/open.js')
    const store = await openStore(place.url, { now: 0 })
    await place.sql('begin immediate')
    let acknowledged = false
    const ingested = store.ingest(aDelivery(), 0).then(() => {
      acknowledged = true
    })
    expect(await store.nextDue()).toBe(undefined)
    expect(acknowledged).toBe(false)
    await place.sql('commit')
    await ingested
    expect(await store.nextDue()).toBe(0)
    await store.close()
    await place.remove()
  })

  it('for longer than the time-out fails what was asked, not what is asked next', async () => {
    const place = sqlitePlace()
    const connection = await Connection.open(place.url.slice('sqlite:'.length), 0)
    connection.exec('pragma busy_timeout = 0')
    const answers: Answer[] = []
    const ingest = () =>
      runTogether(connection, [{ id: 1, name: 'ingest', row: toRow(aDelivery(), 0) }], (some) => {
        answers.push(...some)
      })
    await place.sql('begin immediate')
    await ingest()
    await place.sql('commit')
    await ingest()
    expect(answers).toEqual([
      { id: 1, error: 'database is locked' },
      { id: 1, value: { id: 1, duplicate: false } },
    ])
    connection.close()
    await place.remove()
  })

  it('rolls one failing operation back and keeps those that were committed with it', async () => {
    const place = sqlitePlace()
    const connection = await Connection.open(place.url.slice('sqlite:'.length), 0)
    const answers: Answer[] = []
    await runTogether(
      connection,
      [
        { id: 1, name: 'register', args: ['me', 1000, 0] },
        {
          id: 2,
          name: 'saveThread',
          args: [{ ours: '1', theirs: '2', replyTo: '2', contactId: 'c', conversationId: null }, 0],
        },
        { id: 3, name: 'pauseShore', args: ['twilio', aFault.message, 5, 0] },
      ],
      (some) => {
        answers.push(...some)
      },
    )
    expect(answers).toEqual([
      { id: 1, value: undefined },
      { id: 2, error: 'NOT NULL constraint failed: threads.conversation_id' },
      { id: 3, value: undefined },
    ])
    expect(await place.sql('select count(*) as n from threads')).toMatchObject([{ n: 0 }])
    expect(await place.sql('select count(*) as n from shores')).toMatchObject([{ n: 1 }])
    connection.close()
    await place.remove()
  })
})
