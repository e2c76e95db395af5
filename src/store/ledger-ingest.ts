// Accepting deliveries, any number at once, in a handful of statements.
import { sql } from 'kysely'
import type { DeliveryId, Lane, Priority, Shore } from '../delivery.js'
import { compareBytes } from './bytes.js'
import type { DeliveryRow } from './delivery-row.js'
import { isAmong, literal, manyRows, statement, type Tx } from './statement.js'
import type { Ingested } from './store.js'
import { addTotals } from './totals.js'

interface LaneRow {
  readonly lane: Lane
  readonly shore: Shore
  readonly priority: Priority
  readonly next_at: number
}

const wakeLanes = manyRows<LaneRow, unknown>(['lane', 'shore', 'priority', 'next_at'], (db, rows) =>
  db
    .insertInto('lanes')
    .values(rows)
    .onConflict((oc) =>
      oc.column('lane').doUpdateSet({
        next_at: sql`coalesce(lanes.next_at, excluded.next_at)`,
        // Somebody waits behind what is in the lane already: all of it is live until the lane is empty.
        priority: sql`case when lanes.next_at is not null and lanes.priority = 'live' then 'live' else excluded.priority end`,
      }),
    ),
)

const insertDeliveries = manyRows<DeliveryRow, { id: DeliveryId; dedupe_key: string }>(
  ['kind', 'dedupe_key', 'lane', 'shore', 'priority', 'number', 'rank', 'payload', 'received_at', 'recovered_at'],
  (db, rows) =>
    db
      .insertInto('deliveries')
      .values(rows.map((row) => ({ ...row, state: literal('ready') })))
      .onConflict((oc) => oc.column('dedupe_key').doNothing())
      .returning(['id', 'dedupe_key']),
)

const idsOf = statement((db, args: { keys: readonly string[] }, dialect) =>
  db
    .selectFrom('deliveries')
    .select(['id', 'dedupe_key', 'state', 'hold_until'])
    .where(isAmong(dialect, 'dedupe_key', args.keys)),
)

function lanesOf(rows: readonly DeliveryRow[]): LaneRow[] {
  const lanes = new Map<Lane, LaneRow>()
  for (const { lane, shore, priority, received_at: next_at } of rows) {
    const known = lanes.get(lane)
    if (known === undefined) lanes.set(lane, { lane, shore, priority, next_at })
    else if (priority === 'live') lanes.set(lane, { ...known, priority })
  }
  return [...lanes.values()]
}

/**
 * Answers in the order of the rows. Lanes are locked first and in one order everywhere (two processes with
 * overlapping lanes in different orders would deadlock); the lock makes the order of ids in a lane the order of
 * commits, across processes. Inside a lane the order of the rows is kept.
 */
export async function ingestBatch(tx: Tx, rows: readonly DeliveryRow[]): Promise<Ingested[]> {
  const ordered = rows.toSorted((a, b) => compareBytes(a.lane, b.lane))
  await wakeLanes(tx, lanesOf(ordered))
  const fresh = new Map<string, DeliveryId>()
  for (const { id, dedupe_key } of await insertDeliveries(tx, ordered)) fresh.set(dedupe_key, id)
  const known = new Map<string, DeliveryId>()
  const others = rows.map((row) => row.dedupe_key).filter((key) => !fresh.has(key))
  for (const { id, dedupe_key } of others.length > 0 ? await idsOf(tx, { keys: others }) : []) known.set(dedupe_key, id)

  // Of rows with the same key, the first in order was the one inserted.
  const answers = new Map<DeliveryRow, Ingested>()
  const received: DeliveryRow[] = []
  for (const row of ordered) {
    const inserted = fresh.get(row.dedupe_key)
    const id = inserted ?? known.get(row.dedupe_key)
    if (id === undefined) throw new Error(`Delivery ${row.dedupe_key} was neither new nor known`)
    answers.set(row, { id, duplicate: inserted === undefined })
    if (inserted === undefined) continue
    received.push(row)
    fresh.delete(row.dedupe_key)
    known.set(row.dedupe_key, inserted)
  }
  await addTotals(
    tx,
    received.flatMap(({ received_at: receivedAt, recovered_at: recoveredAt, number, kind }) => [
      { receivedAt, number, kind, what: 'received', by: 1 } as const,
      ...(recoveredAt === null ? [] : [{ receivedAt, number, kind, what: 'recovered', by: 1 } as const]),
    ]),
  )
  if (received.length > 0) await tx.announce()
  return rows.map((row) => answers.get(row) ?? missing(row))
}

function missing(row: DeliveryRow): never {
  throw new Error(`Delivery ${row.dedupe_key} was not answered`)
}

export async function unsettled(tx: Tx, dedupeKeys: readonly string[], now: number): Promise<readonly string[]> {
  const rows = await idsOf(tx, { keys: dedupeKeys })
  const isOpen = ({ state, hold_until: heldUntil }: (typeof rows)[number]) =>
    state === 'ready' || (state === 'parked' && heldUntil !== null && heldUntil > now)
  const settled = new Set(rows.filter((row) => !isOpen(row)).map((row) => row.dedupe_key))
  return dedupeKeys.filter((key) => !settled.has(key))
}

export async function unseen(tx: Tx, dedupeKeys: readonly string[]): Promise<readonly string[]> {
  const seen = new Set((await idsOf(tx, { keys: dedupeKeys })).map((row) => row.dedupe_key))
  return dedupeKeys.filter((key) => !seen.has(key))
}

/** In two halves, since each has an index of its own. */
const openIn = statement((db, args: { lane: Lane; rank: string; now: number }) => {
  const before = db
    .selectFrom('deliveries')
    .select(['dedupe_key', 'rank', 'id'])
    .where('lane', '=', args.lane)
    .where('rank', '<', args.rank)
  const held = before.where('state', '=', literal('parked')).where('hold_until', '>', args.now)
  return db
    .selectFrom(before.where('state', '=', literal('ready')).unionAll(held).as('open'))
    .select('dedupe_key')
    .orderBy('rank')
    .orderBy('id')
})

export async function unsettledBefore(tx: Tx, lane: Lane, rank: string, now: number): Promise<readonly string[]> {
  return (await openIn(tx, { lane, rank, now })).map((row) => row.dedupe_key)
}
