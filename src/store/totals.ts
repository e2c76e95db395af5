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

const addRows = manyRows<TotalRow, unknown>(
  ['day', 'number', 'kind', 'received', 'delivered', 'suppressed', 'parked'],
  (db, rows) =>
    db
      .insertInto('totals')
      .values(rows)
      .onConflict((oc) =>
        oc.columns(['day', 'number', 'kind']).doUpdateSet({
          received: sql`totals.received + excluded.received`,
          delivered: sql`totals.delivered + excluded.delivered`,
          suppressed: sql`totals.suppressed + excluded.suppressed`,
          parked: sql`totals.parked + excluded.parked`,
        }),
      ),
)

const totalsFrom = statement((db, args: { day: string }) =>
  db.selectFrom('totals').selectAll().where('day', '>=', args.day).orderBy('day').orderBy('number').orderBy('kind'),
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
