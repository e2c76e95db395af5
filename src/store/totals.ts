// The books, per number, kind and the UTC day a delivery was received: whatever becomes of it later is counted on that
// day, so that each day's sheet can balance. Always written last in a transaction and in key order: everybody meets on
// these rows, and two transactions that took them in different orders would deadlock.
import { sql } from 'kysely'
import type { DeliveryKind } from '../delivery.js'
import type { Address } from '../phone.js'
import { compareBytes } from './bytes.js'
import { totalsFrom } from './questions.js'
import { larger, literal, manyRows, statement, type Tx } from './statement.js'
import type { Summary, Totals } from './store.js'

export interface CountedEvent {
  readonly receivedAt: number
  readonly number: string
  readonly kind: DeliveryKind | 'receipt'
  readonly what: keyof Totals
  /** -1 takes it back: a parked delivery that is ready again. */
  readonly by: 1 | -1
}

type TotalRow = Record<keyof Totals, number> & {
  readonly day: string
  readonly number: string
  readonly kind: DeliveryKind | 'receipt'
  /** When the last of the received came; 0: none in this row. */
  last_at: number
}

const kinds = [
  'received',
  'delivered',
  'suppressed',
  'parked',
  'discarded',
  'recovered',
] as const satisfies readonly (keyof Totals)[]

const slots = 16

const addRows = manyRows<TotalRow, unknown>(['day', 'number', 'kind', ...kinds, 'last_at'], (db, rows, dialect) => {
  // A row stays locked until its transaction is on disk: each connection of PostgreSQL has one of its own, mostly.
  const slot = dialect === 'postgres' ? sql<number>`pg_backend_pid() % ${sql.lit(slots)}` : sql.lit(0)
  return db
    .insertInto('totals')
    .values(rows.map((row) => ({ ...row, slot })))
    .onConflict((oc) =>
      oc.columns(['day', 'number', 'kind', 'slot']).doUpdateSet({
        ...Object.fromEntries(
          kinds.map((what) => [what, sql<number>`${sql.ref(`totals.${what}`)} + ${sql.ref(`excluded.${what}`)}`]),
        ),
        last_at: larger(dialect, sql<number>`totals.last_at`, sql<number>`excluded.last_at`),
      }),
    )
})

const texted = statement((db, _args: object) =>
  db
    .selectFrom('totals')
    .select('number')
    .distinct()
    .where('kind', '=', literal('inbound-sms'))
    .where('number', '!=', literal(''))
    .orderBy('number'),
)

const dayMs = 86_400_000

function dayOf(time: number): string {
  return new Date(time).toISOString().slice(0, 10)
}

/** Nothing for no events. */
export async function addTotals(tx: Tx, events: readonly CountedEvent[]): Promise<void> {
  const rows = new Map<string, TotalRow>()
  for (const { receivedAt, number, kind, what, by } of events) {
    const key = `${Math.floor(receivedAt / dayMs)} ${kind} ${number}`
    let row = rows.get(key)
    if (row === undefined) {
      const none = { received: 0, delivered: 0, suppressed: 0, parked: 0, discarded: 0, recovered: 0 }
      row = { day: dayOf(receivedAt), number, kind, ...none, last_at: 0 }
      rows.set(key, row)
    }
    row[what] += by
    if (what === 'received') row.last_at = Math.max(row.last_at, receivedAt)
  }
  const inOrder = [...rows].sort(([a], [b]) => compareBytes(a, b)).map(([, row]) => row)
  await addRows(tx, inOrder)
}

export async function readTotals(tx: Tx, since: number): Promise<Summary['totals']> {
  const rows = await totalsFrom(tx, { day: dayOf(since) })
  return rows.map(({ last_at: lastAt, ...row }) => ({ ...row, lastAt }))
}

export async function textedNumbers(tx: Tx): Promise<readonly Address[]> {
  return (await texted(tx, {})).map(({ number }) => number as Address) // texts are counted under the address they came to
}
