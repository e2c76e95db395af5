// Everything a claimed delivery writes. Each operation first locks its lane, and only if it is still ours: the lock
// is a statement of its own, so that on PostgreSQL (READ COMMITTED) what follows sees every delivery committed to the
// lane before, and none is left behind asleep.
import { sql } from 'kysely'
import type { DeliveryId, DeliveryState, Lane, Settlement } from '../delivery.js'
import { bigint, larger, literal, statement, type Tx } from './statement.js'
import type { Claimed, InstanceId } from './store.js'
import { addTotals } from './totals.js'

const lockIfOurs = statement((db, args: { lane: Lane; instance: InstanceId; id: DeliveryId }, dialect) => {
  const ours = db
    .selectFrom('lanes')
    .innerJoin('deliveries as d', 'd.lane', 'lanes.lane')
    .select(['d.number', 'd.kind'])
    .where('lanes.lane', '=', args.lane)
    .where('owner', '=', args.instance)
    .where('d.id', '=', args.id)
    .where('d.state', '=', literal('ready'))
  return dialect === 'postgres' ? ours.forUpdate('lanes') : ours
})

async function lock(tx: Tx, { delivery, instance }: Claimed) {
  const [ours] = await lockIfOurs(tx, { lane: delivery.lane, instance, id: delivery.id })
  return ours
}

interface StepRow {
  delivery_id: DeliveryId
  name: string
  begun_at: number
  done_at: number | null
  value: string | null
}

const beginOne = statement((db, args: StepRow) =>
  db
    .insertInto('steps')
    .values({ delivery_id: args.delivery_id, name: args.name, begun_at: args.begun_at, done_at: null, value: null })
    .onConflict((oc) =>
      oc.columns(['delivery_id', 'name']).doUpdateSet({
        begun_at: sql`excluded.begun_at`,
        done_at: null,
        value: null,
      }),
    ),
)

const finishOne = statement((db, args: StepRow) =>
  db
    .insertInto('steps')
    .values({
      delivery_id: args.delivery_id,
      name: args.name,
      begun_at: args.begun_at,
      done_at: args.done_at,
      value: args.value,
    })
    .onConflict((oc) =>
      oc.columns(['delivery_id', 'name']).doUpdateSet({ done_at: sql`excluded.done_at`, value: sql`excluded.value` }),
    ),
)

const dropOne = statement((db, args: { id: DeliveryId; name: string }) =>
  db.deleteFrom('steps').where('delivery_id', '=', args.id).where('name', '=', args.name),
)

export async function beginStep(tx: Tx, claimed: Claimed, name: string, now: number): Promise<boolean> {
  if ((await lock(tx, claimed)) === undefined) return false
  await beginOne(tx, { delivery_id: claimed.delivery.id, name, begun_at: now, done_at: null, value: null })
  return true
}

export async function finishStep(
  tx: Tx,
  claimed: Claimed,
  name: string,
  value: unknown,
  now: number,
): Promise<boolean> {
  if ((await lock(tx, claimed)) === undefined) return false
  const json = value === undefined ? null : JSON.stringify(value)
  await finishOne(tx, { delivery_id: claimed.delivery.id, name, begun_at: now, done_at: now, value: json })
  return true
}

export async function dropStep(tx: Tx, claimed: Claimed, name: string): Promise<boolean> {
  if ((await lock(tx, claimed)) === undefined) return false
  await dropOne(tx, { id: claimed.delivery.id, name })
  return true
}

interface Ending {
  id: DeliveryId
  state: DeliveryState
  spent: number
  run_at: number | null
  settled_at: number | null
  reason: string | null
  fault: string | null
  result: string | null
}

const endAttempt = statement((db, args: Ending) =>
  db
    .updateTable('deliveries')
    .set({
      state: args.state,
      attempts: sql`attempts + ${args.spent}`,
      run_at: args.run_at,
      settled_at: args.settled_at,
      reason: args.reason,
      fault: args.fault,
      result: args.result,
    })
    .where('id', '=', args.id),
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

/** Due when its head is: at once, at the end of the head's back-off, or never when there is none. */
const freeLane = statement((db, args: { lane: Lane; now: number }, dialect) =>
  db
    .updateTable('lanes')
    .set((eb) => ({
      owner: null,
      next_at: eb
        .selectFrom('deliveries as head')
        .select(larger(dialect, sql<number>`coalesce(head.run_at, ${bigint(args.now)})`, bigint(args.now)).as('at'))
        .where('head.lane', '=', args.lane)
        .where('head.state', '=', literal('ready'))
        .orderBy('head.rank')
        .orderBy('head.id')
        .limit(1),
    }))
    .where('lane', '=', args.lane),
)

function endingOf(id: DeliveryId, settlement: Settlement, now: number): Ending {
  const open = { id, state: settlement.state, run_at: null, settled_at: now, reason: null, fault: null, result: null }
  switch (settlement.state) {
    case 'delivered':
      return { ...open, spent: 1, result: JSON.stringify(settlement.result) }
    case 'suppressed':
      return { ...open, spent: 0, reason: settlement.reason }
    case 'parked':
      return { ...open, spent: 1, reason: settlement.reason, fault: JSON.stringify(settlement.fault) }
    case 'ready': {
      const { runAt, spent, fault } = settlement
      return { ...open, spent: spent ? 1 : 0, run_at: runAt, settled_at: null, fault: JSON.stringify(fault) }
    }
  }
}

export async function settle(tx: Tx, claimed: Claimed, settlement: Settlement, now: number): Promise<boolean> {
  const ours = await lock(tx, claimed)
  if (ours === undefined) return false
  const { id, lane } = claimed.delivery
  const ending = endingOf(id, settlement, now)
  await endAttempt(tx, ending)
  await recordAttempt(tx, { delivery_id: id, ended_at: now, state: ending.state, fault: ending.fault })
  const { state } = settlement
  // A parked delivery keeps its steps: when it is tried again it must not repeat what it has done.
  if (state === 'delivered' || state === 'suppressed') await forgetSteps(tx, { id })
  await freeLane(tx, { lane, now })
  if (state !== 'ready') await addTotals(tx, [{ at: now, number: ours.number, kind: ours.kind, what: state }])
  return true
}
