// Everything a claimed delivery writes: only while its lane is still ours, and with the lane locked until that is
// committed. What follows the lock is a statement of its own, so that on PostgreSQL (READ COMMITTED) it sees every
// delivery committed to the lane before, and none is left behind asleep.
import { type Kysely, sql } from 'kysely'
import type { DeliveryId, DeliveryState, Lane, NewDelivery, Settlement } from '../delivery.js'
import { toRow } from './delivery-row.js'
import { ingestBatch } from './ledger-ingest.js'
import type { Schema } from './schema.js'
import { bigint, type Dialect, larger, literal, statement, type Tx, text } from './statement.js'
import type { Claimed, InstanceId } from './store.js'
import { addTotals } from './totals.js'

interface Holding {
  readonly lane: Lane
  readonly instance: InstanceId
  readonly id: DeliveryId
}

const holdingOf = ({ delivery, instance }: Claimed): Holding => ({ lane: delivery.lane, instance, id: delivery.id })

/** One row while the delivery is ours to write about, none after. */
function held(db: Kysely<Schema>, args: Holding, dialect: Dialect) {
  const lane = db
    .selectFrom('lanes')
    .innerJoin('deliveries as d', 'd.lane', 'lanes.lane')
    .where('lanes.lane', '=', args.lane)
    .where('lanes.owner', '=', args.instance)
    .where('d.id', '=', args.id)
    .where('d.state', '=', literal('ready'))
  return dialect === 'postgres' ? lane.forUpdate('lanes') : lane
}

const begin = statement((db, args: Holding & { name: string; now: number }, dialect) =>
  db
    .insertInto('steps')
    .columns(['delivery_id', 'name', 'begun_at'])
    .expression(held(db, args, dialect).select(['d.id', text(args.name).as('name'), bigint(args.now).as('now')]))
    .onConflict((oc) =>
      oc.columns(['delivery_id', 'name']).doUpdateSet({ begun_at: sql`excluded.begun_at`, done_at: null, value: null }),
    )
    .returning('delivery_id'),
)

const finish = statement((db, args: Holding & { name: string; value: string | null; now: number }, dialect) =>
  db
    .insertInto('steps')
    .columns(['delivery_id', 'name', 'begun_at', 'done_at', 'value'])
    .expression(
      held(db, args, dialect)
        .select(['d.id', text(args.name).as('name'), bigint(args.now).as('begun')])
        .select([bigint(args.now).as('done'), text(args.value).as('value')]),
    )
    .onConflict((oc) =>
      oc.columns(['delivery_id', 'name']).doUpdateSet({ done_at: sql`excluded.done_at`, value: sql`excluded.value` }),
    )
    .returning('delivery_id'),
)

const lock = statement((db, args: Holding, dialect) => held(db, args, dialect).select('d.id'))

const drop = statement((db, args: { id: DeliveryId; name: string }) =>
  db.deleteFrom('steps').where('delivery_id', '=', args.id).where('name', '=', args.name),
)

export async function beginStep(tx: Tx, claimed: Claimed, name: string, now: number): Promise<boolean> {
  return (await begin(tx, { ...holdingOf(claimed), name, now })).length > 0
}

export async function finishStep(
  tx: Tx,
  claimed: Claimed,
  name: string,
  value: unknown,
  now: number,
): Promise<boolean> {
  const json = value === undefined ? null : JSON.stringify(value)
  return (await finish(tx, { ...holdingOf(claimed), name, value: json, now })).length > 0
}

export async function dropStep(tx: Tx, claimed: Claimed, name: string): Promise<boolean> {
  if ((await lock(tx, holdingOf(claimed))).length === 0) return false
  await drop(tx, { id: claimed.delivery.id, name })
  return true
}

interface Ending {
  state: DeliveryState
  spent: number
  run_at: number | null
  settled_at: number | null
  reason: string | null
  fault: string | null
  result: string | null
  parked: number
  parked_at: number | null
  retry_at: number | null
  hold_until: number | null
}

const endAttempt = statement((db, args: Holding & Ending, dialect) =>
  db
    .updateTable('deliveries')
    .from(held(db, args, dialect).select('d.id').as('ours'))
    .set({
      state: args.state,
      attempts: sql`deliveries.attempts + ${args.spent}`,
      run_at: args.run_at,
      settled_at: args.settled_at,
      reason: args.reason,
      fault: args.fault,
      result: args.result,
      parkings: sql`deliveries.parkings + ${args.parked}`,
      parked_at: sql`coalesce(deliveries.parked_at, ${bigint(args.parked_at)})`,
      retry_at: args.retry_at,
      hold_until: args.hold_until,
    })
    .whereRef('deliveries.id', '=', 'ours.id')
    .returning(['deliveries.number', 'deliveries.kind', 'deliveries.received_at']),
)

const recordAttempt = statement(
  (db, args: { delivery_id: DeliveryId; ended_at: number; state: DeliveryState; fault: string | null }) =>
    db
      .insertInto('attempts')
      .values({ delivery_id: args.delivery_id, ended_at: args.ended_at, state: args.state, fault: args.fault }),
)

const forgetSteps = statement((db, args: { id: DeliveryId }) =>
  db.deleteFrom('steps').where('delivery_id', '=', args.id),
)

/**
 * Due when its head is: at once, at the end of the head's back-off, or never when there is none; but not while it waits
 * for a parked delivery, whether anything stands behind that or not.
 */
function dueAt(db: Kysely<Schema>, args: { lane: Lane; now: number }, dialect: Dialect) {
  const headAt = db
    .selectFrom('deliveries as head')
    .select(larger(dialect, sql<number>`coalesce(head.run_at, ${bigint(args.now)})`, bigint(args.now)).as('at'))
    .where('head.lane', '=', args.lane)
    .where('head.state', '=', literal('ready'))
    .orderBy('head.rank')
    .orderBy('head.id')
    .limit(1)
  const heldUntil = db
    .selectFrom('deliveries as held')
    .select(sql<number>`max(held.hold_until)`.as('until'))
    .where('held.lane', '=', args.lane)
    .where('held.state', '=', literal('parked'))
    .where('held.retry_at', 'is not', null)
    .where('held.hold_until', '>', args.now)
  return sql<number | null>`(select case when hold.until is null then head.at
    else ${larger(dialect, sql<number>`coalesce(head.at, 0)`, sql`hold.until`)} end
    from (${heldUntil}) as hold left join (${headAt}) as head on true)`
}

const freeLane = statement((db, args: { lane: Lane; now: number }, dialect) =>
  db
    .updateTable('lanes')
    .set({ owner: null, next_at: dueAt(db, args, dialect) })
    .where('lane', '=', args.lane),
)

/** For a lane out of which something was taken that it may have waited for; in hand, it is looked at when it is freed. */
export const dueAgain = statement((db, args: { lane: Lane; now: number }, dialect) =>
  db
    .updateTable('lanes')
    .set({ next_at: dueAt(db, args, dialect) })
    .where('lane', '=', args.lane)
    .where('owner', 'is', null),
)

function endingOf(settlement: Settlement, now: number): Ending {
  const nothing = { run_at: null, reason: null, fault: null, result: null, parked_at: null, retry_at: null }
  const open = { state: settlement.state, settled_at: now, parked: 0, hold_until: null, ...nothing }
  switch (settlement.state) {
    case 'delivered':
      return { ...open, spent: 1, result: JSON.stringify(settlement.result) }
    case 'suppressed':
      return { ...open, spent: 0, reason: settlement.reason }
    case 'parked': {
      const { reason, fault, retryAt = null, holdUntil = null } = settlement
      const retry = { parked_at: now, retry_at: retryAt, hold_until: retryAt === null ? null : holdUntil }
      return { ...open, spent: 1, parked: 1, reason, fault: JSON.stringify(fault), ...retry }
    }
    case 'ready': {
      const { runAt, spent, fault } = settlement
      return { ...open, spent: spent ? 1 : 0, run_at: runAt, settled_at: null, fault: JSON.stringify(fault) }
    }
  }
}

export async function settle(
  tx: Tx,
  claimed: Claimed,
  settlement: Settlement,
  now: number,
  also: readonly NewDelivery[] = [],
): Promise<boolean> {
  const { id, lane } = claimed.delivery
  const ending = endingOf(settlement, now)
  const [ours] = await endAttempt(tx, { ...holdingOf(claimed), ...ending })
  if (ours === undefined) return false
  await recordAttempt(tx, { delivery_id: id, ended_at: now, state: ending.state, fault: ending.fault })
  const { state } = settlement
  // A parked delivery keeps its steps: when it is tried again it must not repeat what it has done.
  if (state === 'delivered' || state === 'suppressed') await forgetSteps(tx, { id })
  await freeLane(tx, { lane, now })
  const { number, kind, received_at: receivedAt } = ours
  if (state !== 'ready') await addTotals(tx, [{ receivedAt, number, kind, what: state, by: 1 }])
  const rows = also.map((delivery) => toRow(delivery, now))
  if (rows.length > 0) await ingestBatch(tx, rows)
  return true
}
