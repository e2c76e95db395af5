// What people ask about. Every question is answered from counters or from a partial index over the few rows it is
// about, never by walking the deliveries.
import { type SelectQueryBuilder, sql } from 'kysely'
import type { DeliveryState, Fault } from '../delivery.js'
import type { Schema } from './schema.js'
import { pauses } from './shores.js'
import { literal, statement, type Tx } from './statement.js'
import type { DeliverySummary, Store, Summary } from './store.js'
import { readTotals } from './totals.js'

const waitingNow = statement((db, _args: object) =>
  db
    .selectFrom('deliveries')
    .select([sql<number>`count(*)`.as('waiting'), sql<number | null>`min(received_at)`.as('oldest')])
    .where('state', '=', literal('ready')),
)

const parkedNow = statement((db, _args: object) =>
  db.selectFrom('deliveries').select(sql<number>`count(*)`.as('parked')).where('state', '=', literal('parked')),
)

const running = statement((db, args: { now: number }) =>
  db.selectFrom('instances').selectAll().where('lease_until', '>', args.now).orderBy('started_at').orderBy('id'),
)

const failuresSince = statement((db, args: { since: number }) =>
  db
    .selectFrom('texts')
    .select(['error_code', sql<number>`count(*)`.as('count')])
    .where(sql<boolean>`status in ('undelivered', 'failed')`)
    .where('updated_at', '>=', args.since)
    .groupBy('error_code')
    .orderBy('count', 'desc')
    .orderBy('error_code'),
)

const conflictsSince = statement((db, args: { since: number }) =>
  db
    .selectFrom('texts')
    .select(sql<number>`count(*)`.as('conflicts'))
    .where('conflict_at', 'is not', null)
    .where('conflict_at', '>=', args.since),
)

type Listing = SelectQueryBuilder<Schema, 'deliveries', object>

function listing(narrow: (deliveries: Listing) => Listing) {
  return statement((db, args: { limit: number }) =>
    narrow(db.selectFrom('deliveries'))
      .select(['id', 'kind', 'state', 'lane', 'number', 'dedupe_key', 'attempts'])
      .select(['received_at', 'settled_at', 'run_at', 'reason', 'fault'])
      .orderBy('id', 'desc')
      .limit(args.limit),
  )
}

// One statement each, so that the state is a literal and the partial indexes are seen.
const newestOf = {
  any: listing((deliveries) => deliveries),
  ready: listing((deliveries) => deliveries.where('state', '=', literal('ready'))),
  delivered: listing((deliveries) => deliveries.where('state', '=', literal('delivered'))),
  suppressed: listing((deliveries) => deliveries.where('state', '=', literal('suppressed'))),
  discarded: listing((deliveries) => deliveries.where('state', '=', literal('discarded'))),
  parked: listing((deliveries) => deliveries.where('state', '=', literal('parked'))),
}

export async function summarize(tx: Tx, since: number, now: number): Promise<Summary> {
  const [ready] = await waitingNow(tx, {})
  const [parked] = await parkedNow(tx, {})
  const instances = await running(tx, { now })
  const failures = await failuresSince(tx, { since })
  const [conflicting] = await conflictsSince(tx, { since })
  return {
    totals: await readTotals(tx, since),
    waiting: ready?.waiting ?? 0,
    oldestWaitingAt: ready?.oldest ?? undefined,
    parked: parked?.parked ?? 0,
    pauses: await pauses(tx),
    instances: instances.map((row) => ({ id: row.id, leaseUntil: row.lease_until, startedAt: row.started_at })),
    conflicts: conflicting?.conflicts ?? 0,
    failures: failures.map((row) => ({ errorCode: row.error_code ?? undefined, count: row.count })),
  }
}

export async function listDeliveries(
  tx: Tx,
  filter: Parameters<Store['listDeliveries']>[0],
): Promise<DeliverySummary[]> {
  const state: DeliveryState | 'any' = filter.state ?? 'any'
  const rows = await newestOf[state](tx, { limit: filter.limit })
  return rows.map((row) => ({
    id: row.id,
    kind: row.kind,
    state: row.state,
    lane: row.lane,
    number: row.number,
    dedupeKey: row.dedupe_key,
    attempts: row.attempts,
    receivedAt: row.received_at,
    settledAt: row.settled_at ?? undefined,
    runAt: row.run_at ?? undefined,
    reason: row.reason ?? undefined,
    fault: row.fault === null ? undefined : (JSON.parse(row.fault) as Fault), // written by settle
  }))
}
