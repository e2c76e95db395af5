// Parked deliveries whose time has come are ready again, in their old place: before whatever came later in their lane.
import { sql } from 'kysely'
import type { DeliveryId, Lane } from '../delivery.js'
import { compareBytes } from './bytes.js'
import { bigint, isAmong, literal, smaller, statement, type Tx } from './statement.js'
import { addTotals } from './totals.js'

/** Longer transactions would keep others waiting. */
const mostTogether = 200

const dueRetries = statement((db, args: { now: number; limit: number }) =>
  db
    .selectFrom('deliveries')
    .select(['id', 'lane'])
    .where('state', '=', literal('parked'))
    .where('retry_at', 'is not', null)
    .where('retry_at', '<=', args.now)
    .orderBy('retry_at')
    .orderBy('id')
    .limit(args.limit),
)

const lockLanes = statement((db, args: { lanes: readonly Lane[] }, dialect) => {
  const lanes = db
    .selectFrom('lanes')
    .select('lane')
    .where(isAmong(dialect, 'lane', args.lanes))
    .orderBy('lane')
  return dialect === 'postgres' ? lanes.forUpdate() : lanes
})

/** Looks again at what it is told to change: another process may have been quicker. */
const makeReady = statement((db, args: { ids: readonly DeliveryId[]; now: number }, dialect) =>
  db
    .updateTable('deliveries')
    .set({ state: 'ready', retry_at: null, run_at: null, settled_at: null })
    .where(isAmong(dialect, 'id', args.ids))
    .where('state', '=', literal('parked'))
    .where('retry_at', 'is not', null)
    .where('retry_at', '<=', args.now)
    .returning(['lane', 'number', 'kind', 'received_at']),
)

const wake = statement((db, args: { lanes: readonly Lane[]; now: number }, dialect) =>
  db
    .updateTable('lanes')
    .set({ next_at: smaller(dialect, sql<number>`coalesce(next_at, ${bigint(args.now)})`, bigint(args.now)) })
    .where(isAmong(dialect, 'lane', args.lanes)),
)

/** Locks lanes in the one order in which everybody locks them. */
export async function lockInOrder(tx: Tx, lanes: readonly Lane[]): Promise<void> {
  await lockLanes(tx, { lanes: [...new Set(lanes)].sort(compareBytes) })
}

/** The lanes are looked at now, whatever they were waiting for. They must be locked. */
async function wakeNow(tx: Tx, lanes: readonly Lane[], now: number): Promise<void> {
  await wake(tx, { lanes: [...new Set(lanes)], now })
  await tx.announce()
}

export async function requeue(tx: Tx, now: number): Promise<boolean> {
  const due = await dueRetries(tx, { now, limit: mostTogether })
  if (due.length === 0) return false
  await lockInOrder(
    tx,
    due.map(({ lane }) => lane),
  )
  const ready = await makeReady(tx, { ids: due.map(({ id }) => id), now })
  if (ready.length === 0) return false
  await wakeNow(
    tx,
    ready.map(({ lane }) => lane),
    now,
  )
  await addTotals(
    tx,
    ready.map(({ number, kind, received_at: receivedAt }) => ({ receivedAt, number, kind, what: 'parked', by: -1 })),
  )
  return true
}
