import type { SelectQueryBuilder } from 'kysely'
import type { DeliveryState, Fault } from '../delivery.js'
import * as ask from './questions.js'
import type { Schema } from './schema.js'
import { pauses } from './shores.js'
import { literal, statement, type Tx } from './statement.js'
import type { DeliverySummary, Store, Summary } from './store.js'
import { readTotals } from './totals.js'

/** Beyond that they are as many as anybody wants to know. */
const mostConflicts = 1_000

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
  const [ready] = await ask.waitingNow(tx, {})
  const [parked] = await ask.parkedNow(tx, {})
  const running = (await ask.instances(tx, {})).filter((row) => row.lease_until > now)
  const failures = await ask.failuresSince(tx, { since })
  const conflicting = await ask.conflictsSince(tx, { since, limit: mostConflicts })
  return {
    totals: await readTotals(tx, since),
    waiting: ready?.waiting ?? 0,
    oldestWaitingAt: ready?.oldest ?? undefined,
    parked: parked?.parked ?? 0,
    pauses: await pauses(tx),
    instances: running.map((row) => ({ id: row.id, leaseUntil: row.lease_until, startedAt: row.started_at })),
    conflicts: conflicting.length,
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
