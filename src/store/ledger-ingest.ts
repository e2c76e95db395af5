// Accepting deliveries, any number at once, in a handful of statements.
import { sql } from 'kysely'
import type { DeliveryId, Lane, NewDelivery, Priority, Shore } from '../delivery.js'
import { compareBytes } from './bytes.js'
import { isAmong, literal, manyRows, statement, type Tx } from './statement.js'
import type { Ingested } from './store.js'
import { addTotals } from './totals.js'

export interface IngestRequest {
  readonly delivery: NewDelivery
  readonly now: number
}

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

type DeliveryRow = Omit<NewDelivery, 'dedupeKey' | 'payload'> & {
  readonly dedupe_key: string
  readonly payload: string
  readonly received_at: number
}

const insertDeliveries = manyRows<DeliveryRow, { id: DeliveryId; dedupe_key: string }>(
  ['kind', 'dedupe_key', 'lane', 'shore', 'priority', 'number', 'rank', 'payload', 'received_at'],
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
    .select(['id', 'dedupe_key'])
    .where(isAmong(dialect, 'dedupe_key', args.keys)),
)

function lanesOf(requests: readonly IngestRequest[]): LaneRow[] {
  const lanes = new Map<Lane, LaneRow>()
  for (const { delivery, now } of requests) {
    const { lane, shore, priority } = delivery
    const known = lanes.get(lane)
    if (known === undefined) lanes.set(lane, { lane, shore, priority, next_at: now })
    else if (priority === 'live') lanes.set(lane, { ...known, priority })
  }
  return [...lanes.values()]
}

/**
 * Answers in the order of the requests. Lanes are locked first and in one order everywhere (two processes with
 * overlapping lanes in different orders would deadlock); the lock makes the order of ids in a lane the order of
 * commits, across processes. Inside a lane the order of the requests is kept.
 */
export async function ingestBatch(tx: Tx, requests: readonly IngestRequest[]): Promise<Ingested[]> {
  const ordered = requests.toSorted((a, b) => compareBytes(a.delivery.lane, b.delivery.lane))
  await wakeLanes(tx, lanesOf(ordered))
  const rows = ordered.map(({ delivery, now }): DeliveryRow => {
    const { dedupeKey, payload, ...rest } = delivery
    return { ...rest, dedupe_key: dedupeKey, payload: JSON.stringify(payload), received_at: now }
  })
  const fresh = new Map((await insertDeliveries(tx, rows)).map((row) => [row.dedupe_key, row.id]))
  const ids = new Map(fresh)
  if (fresh.size < requests.length) {
    const others = requests.map(({ delivery }) => delivery.dedupeKey).filter((key) => !fresh.has(key))
    for (const row of others.length > 0 ? await idsOf(tx, { keys: others }) : []) ids.set(row.dedupe_key, row.id)
  }

  const first = new Set<IngestRequest>()
  for (const request of ordered) if (fresh.delete(request.delivery.dedupeKey)) first.add(request)
  await addTotals(
    tx,
    [...first].map(({ delivery: { number, kind }, now: at }) => ({ at, number, kind, what: 'received' as const })),
  )
  if (first.size > 0) await tx.announce()

  return requests.map((request) => {
    const id = ids.get(request.delivery.dedupeKey)
    if (id === undefined) throw new Error(`Delivery ${request.delivery.dedupeKey} was neither new nor known`)
    return { id, duplicate: !first.has(request) }
  })
}

export async function unseen(tx: Tx, dedupeKeys: readonly string[]): Promise<readonly string[]> {
  const seen = new Set((await idsOf(tx, { keys: dedupeKeys })).map((row) => row.dedupe_key))
  return dedupeKeys.filter((key) => !seen.has(key))
}
