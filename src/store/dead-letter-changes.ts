// What people do to dead letters. Each change looks again at the state of what it is told to change, with its lane
// locked: whoever delivers may have been quicker.
import { sql } from 'kysely'
import { archiveMs, type DeliveryId, type DeliveryKind, type NewDelivery } from '../delivery.js'
import { toRow } from './delivery-row.js'
import type { AuditId, DeadLetterFilter, Desk, ReplayItem, ReplayProgress } from './desk.js'
import { ingestBatch } from './ledger-ingest.js'
import { lockInOrder } from './ledger-requeue.js'
import { dueAgain } from './ledger-settle.js'
import { type Dialect, isAmong, literal, statement, type Tx } from './statement.js'
import { addTotals, type CountedEvent } from './totals.js'

interface Counted {
  readonly number: string
  readonly kind: DeliveryKind
  readonly received_at: number
}

const counted = (rows: readonly Counted[], what: CountedEvent['what'], by: CountedEvent['by']): CountedEvent[] =>
  rows.map(({ number, kind, received_at: receivedAt }) => ({ receivedAt, number, kind, what, by }))

const lanesOf = statement((db, args: { ids: readonly DeliveryId[] }, dialect) =>
  db
    .selectFrom('deliveries')
    .select('lane')
    .where(isAmong(dialect, 'id', args.ids)),
)

async function lockLanesOf(tx: Tx, ids: readonly DeliveryId[]): Promise<void> {
  const rows = await lanesOf(tx, { ids })
  await lockInOrder(
    tx,
    rows.map(({ lane }) => lane),
  )
}

/** Two lists of one length, side by side. */
function pairs(dialect: Dialect, ids: readonly DeliveryId[], times: readonly number[]) {
  return dialect === 'sqlite'
    ? sql<{ id: DeliveryId; at: number }>`(select i.value as id, a.value as at
        from json_each(${ids}) as i join json_each(${times}) as a on a.key = i.key)`
    : sql<{
        id: DeliveryId
        at: number
      }>`(select * from unnest(cast(${ids} as bigint[]), cast(${times} as bigint[])) as both_of(id, at))`
}

interface Scheduled {
  readonly ids: readonly DeliveryId[]
  readonly times: readonly number[]
  readonly replayId: AuditId
  /** What was discarded earlier is gone. */
  readonly keptSince: number
}

function scheduling(from: DeadLetterFilter['state']) {
  return statement((db, args: Scheduled, dialect) => {
    const update = db
      .updateTable('deliveries')
      .from(pairs(dialect, args.ids, args.times).as('item'))
      .set({
        state: 'parked',
        retry_at: sql`item.at`,
        hold_until: null,
        parked_at: null,
        parkings: 0,
        attempts: 0,
        replays: sql`deliveries.replays + 1`,
        replay_id: args.replayId,
        result: null,
      })
      .whereRef('deliveries.id', '=', 'item.id')
      .where('deliveries.state', '=', literal(from))
    const still =
      from === 'discarded'
        ? update.where('deliveries.settled_at', '>', args.keptSince)
        : update.where(sql<boolean>`not (deliveries.replays > 0 and deliveries.retry_at is not null)`)
    return still.returning(['deliveries.id', 'deliveries.number', 'deliveries.kind', 'deliveries.received_at'])
  })
}

const schedule = { parked: scheduling('parked'), discarded: scheduling('discarded') }

/** With the notes that an answer never came: without its effect such a note means nothing. */
const forgetUnknown = statement((db, args: { ids: readonly DeliveryId[] }, dialect) =>
  db
    .deleteFrom('steps')
    .where(isAmong(dialect, 'delivery_id', args.ids))
    .where(sql<boolean>`(done_at is null or name like '%:unanswered')`),
)

export async function scheduleReplay(
  tx: Tx,
  { replayId, from, items, now }: Parameters<Desk['scheduleReplay']>[0],
): Promise<readonly DeliveryId[]> {
  if (items.length === 0) return []
  const ids = items.map(({ id }) => id)
  await lockLanesOf(tx, ids)
  const times = items.map(({ at }: ReplayItem) => at)
  const rows = await schedule[from](tx, { ids, times, replayId, keptSince: now - archiveMs })
  const scheduled = new Set(rows.map(({ id }) => id))
  const again = items.filter((item) => item.again && scheduled.has(item.id)).map(({ id }) => id)
  if (again.length > 0) await forgetUnknown(tx, { ids: again })
  await tx.announce()
  if (from === 'discarded') await addTotals(tx, [...counted(rows, 'discarded', -1), ...counted(rows, 'parked', 1)])
  return ids.filter((id) => scheduled.has(id))
}

/** Longer transactions would keep others waiting. */
const mostTogether = 500

const scheduledOf = statement((db, args: { replayId: AuditId; limit: number }) =>
  db
    .selectFrom('deliveries')
    .select('id')
    .where('replay_id', '=', args.replayId)
    .where('state', '=', literal('parked'))
    .where('retry_at', 'is not', null)
    .orderBy('retry_at', 'desc')
    .limit(args.limit),
)

const unschedule = statement((db, args: { ids: readonly DeliveryId[]; replayId: AuditId }, dialect) =>
  db
    .updateTable('deliveries')
    .set({
      retry_at: null,
      replays: sql`replays - 1`,
      replay_id: null,
      parked_at: sql`coalesce(parked_at, settled_at)`,
      parkings: 1,
    })
    .where(isAmong(dialect, 'id', args.ids))
    .where('replay_id', '=', args.replayId)
    .where('state', '=', literal('parked'))
    .where('retry_at', 'is not', null)
    .returning('id'),
)

export async function cancelReplay(tx: Tx, replayId: AuditId): Promise<readonly DeliveryId[]> {
  const ids = (await scheduledOf(tx, { replayId, limit: mostTogether })).map(({ id }) => id)
  if (ids.length === 0) return []
  await lockLanesOf(tx, ids)
  const rows = await unschedule(tx, { ids, replayId })
  return rows.map(({ id }) => id).sort((a, b) => a - b)
}

const progressOf = statement((db, args: { replayId: AuditId }) =>
  db
    .selectFrom('deliveries')
    .select(['state', sql<number>`count(*)`.as('count'), sql<number>`count(retry_at)`.as('scheduled')])
    .select([sql<number | null>`min(retry_at)`.as('next_at'), sql<number | null>`max(retry_at)`.as('last_at')])
    .where('replay_id', '=', args.replayId)
    .groupBy('state'),
)

export async function replayProgress(tx: Tx, replayId: AuditId): Promise<ReplayProgress> {
  const rows = await progressOf(tx, { replayId })
  const countOf = (state: string) => rows.find((row) => row.state === state)?.count ?? 0
  const parked = rows.find((row) => row.state === 'parked')
  const scheduled = parked?.scheduled ?? 0
  return {
    scheduled,
    inHand: countOf('ready'),
    delivered: countOf('delivered'),
    suppressed: countOf('suppressed'),
    failed: countOf('parked') - scheduled,
    discarded: countOf('discarded'),
    nextAt: parked?.next_at ?? undefined,
    lastAt: parked?.last_at ?? undefined,
  }
}

const discard = statement((db, args: { ids: readonly DeliveryId[]; note: string; now: number }, dialect) =>
  db
    .updateTable('deliveries')
    .set({ state: 'discarded', settled_at: args.now, retry_at: null, hold_until: null, result: args.note })
    .where(isAmong(dialect, 'id', args.ids))
    .where('state', '=', literal('parked'))
    .returning(['id', 'lane', 'number', 'kind', 'received_at']),
)

export async function discardDeadLetters(
  tx: Tx,
  ids: readonly DeliveryId[],
  note: Readonly<Record<string, unknown>>,
  now: number,
  also: ReadonlyMap<DeliveryId, NewDelivery> = new Map(),
): Promise<readonly DeliveryId[]> {
  await lockLanesOf(tx, ids)
  const rows = await discard(tx, { ids, note: JSON.stringify(note), now })
  // What came later in these lanes may have waited for them.
  for (const lane of new Set(rows.map((row) => row.lane))) await dueAgain(tx, { lane, now })
  await tx.announce()
  await addTotals(tx, [...counted(rows, 'parked', -1), ...counted(rows, 'discarded', 1)])
  const told = rows.flatMap(({ id }) => also.get(id) ?? []).map((delivery) => toRow(delivery, now))
  if (told.length > 0) await ingestBatch(tx, told)
  return rows.map(({ id }) => id).sort((a, b) => a - b)
}

const old = statement((db, args: { before: number; limit: number }) =>
  db
    .selectFrom('deliveries')
    .select('id')
    .where('state', '=', literal('discarded'))
    .where('settled_at', '<=', args.before)
    .where('payload', '<>', literal('{}'))
    .orderBy('settled_at')
    .limit(args.limit),
)

const empty = statement((db, args: { ids: readonly DeliveryId[]; before: number }, dialect) =>
  db
    .updateTable('deliveries')
    .set({ payload: '{}' })
    .where(isAmong(dialect, 'id', args.ids))
    .where('state', '=', literal('discarded'))
    .where('settled_at', '<=', args.before)
    .returning('id'),
)

/** Notes may hold words too. */
const forgetSteps = statement((db, args: { ids: readonly DeliveryId[] }, dialect) =>
  db.deleteFrom('steps').where(isAmong(dialect, 'delivery_id', args.ids)),
)

export async function purgeDiscarded(tx: Tx, now: number): Promise<number> {
  const before = now - archiveMs
  const ids = (await old(tx, { before, limit: mostTogether })).map(({ id }) => id)
  const emptied = await empty(tx, { ids, before })
  await forgetSteps(tx, { ids: emptied.map(({ id }) => id) })
  return emptied.length
}
