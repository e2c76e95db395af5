// The books, per UTC day, number and kind. Always written last in a transaction and in key order: everybody meets on
// these rows, and two transactions that took them in different orders would deadlock.
import { sql } from 'kysely'
import type { DeliveryKind } from '../delivery.js'
import { compareBytes } from './bytes.js'
import { manyRows, statement, type Tx } from './statement.js'
import type { Totals } from './store.js'

interface CountedEvent {
  readonly at: number
  readonly number: string
  readonly kind: DeliveryKind
  readonly what: keyof Totals
}

type TotalRow = Record<keyof Totals, number> & {
  readonly day: string
  readonly number: string
  readonly kind: DeliveryKind
}

const slots = 16

const addRows = manyRows<TotalRow, unknown>(
  ['day', 'number', 'kind', 'received', 'delivered', 'suppressed', 'parked'],
  (db, rows, dialect) => {
    // A row stays locked until its transaction is on disk: each connection of PostgreSQL has one of its own, mostly.
    const slot = dialect === 'postgres' ? sql<number>`pg_backend_pid() % ${sql.lit(slots)}` : sql.lit(0)
    return db
      .insertInto('totals')
      .values(rows.map((row) => ({ ...row, slot })))
      .onConflict((oc) =>
        oc.columns(['day', 'number', 'kind', 'slot']).doUpdateSet({
          received: sql`totals.received + excluded.received`,
          delivered: sql`totals.delivered + excluded.delivered`,
          suppressed: sql`totals.suppressed + excluded.suppressed`,
          parked: sql`totals.parked + excluded.parked`,
        }),
      )
  },
)

const sumOf = (what: keyof Totals) => sql<number>`sum(${sql.ref(what)})`.as(what)

const totalsFrom = statement((db, args: { day: string }) =>
  db
    .selectFrom('totals')
    .select(['day', 'number', 'kind'])
    .select([sumOf('received'), sumOf('delivered'), sumOf('suppressed'), sumOf('parked')])
    .where('day', '>=', args.day)
    .groupBy(['day', 'number', 'kind'])
    .orderBy('day')
    .orderBy('number')
    .orderBy('kind'),
)

const dayMs = 86_400_000

function dayOf(time: number): string {
  return new Date(time).toISOString().slice(0, 10)
}

export async function addTotals(tx: Tx, events: readonly CountedEvent[]): Promise<void> {
  const rows = new Map<string, TotalRow>()
  for (const { at, number, kind, what } of events) {
    const key = `${Math.floor(at / dayMs)} ${kind} ${number}`
    let row = rows.get(key)
    if (row === undefined) {
      row = { day: dayOf(at), number, kind, received: 0, delivered: 0, suppressed: 0, parked: 0 }
      rows.set(key, row)
    }
    row[what] += 1
  }
  const inOrder = [...rows].sort(([a], [b]) => compareBytes(a, b)).map(([, row]) => row)
  await addRows(tx, inOrder)
}

export function readTotals(tx: Tx, since: number): Promise<TotalRow[]> {
  return totalsFrom(tx, { day: dayOf(since) })
}
