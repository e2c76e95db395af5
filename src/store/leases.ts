// One row per process, not per lane: heartbeat rows on lanes deadlock with settling.

import type { Lane } from '../delivery.js'
import { setMark } from './duties.js'
import { isAmong, statement, type Tx } from './statement.js'
import type { InstanceId } from './store.js'

const addInstance = statement((db, args: { id: InstanceId; now: number; until: number }) =>
  db
    .insertInto('instances')
    .values({ id: args.id, started_at: args.now, lease_until: args.until, beat_at: args.now })
    .onConflict((oc) => oc.column('id').doUpdateSet({ lease_until: args.until, beat_at: args.now })),
)

const extendLease = statement((db, args: { id: InstanceId; now: number; until: number }) =>
  db
    .updateTable('instances')
    .set({ lease_until: args.until, beat_at: args.now })
    .where('id', '=', args.id)
    .where('lease_until', '>', args.now)
    .returning('id'),
)

const removeExpired = statement((db, args: { now: number }, dialect) =>
  db
    .deleteFrom('instances')
    .where('id', 'in', (eb) => {
      const dead = eb.selectFrom('instances').select('id').where('lease_until', '<=', args.now).orderBy('id')
      // One that is claiming right now is left for the next heartbeat.
      return dialect === 'postgres' ? dead.forUpdate().skipLocked() : dead
    })
    .returning('id'),
)

const removeOne = statement((db, args: { id: InstanceId }) =>
  db.deleteFrom('instances').where('id', '=', args.id).returning('id'),
)

/** In lane order, as everybody locks lanes. */
const freeLanesOf = statement((db, args: { owners: readonly InstanceId[] }, dialect) =>
  db
    .updateTable('lanes')
    .set({ owner: null })
    .where('lane', 'in', (eb) => {
      const held = eb
        .selectFrom('lanes')
        .select('lane')
        .where(isAmong(dialect, 'owner', args.owners))
        .orderBy('lane')
      return dialect === 'postgres' ? held.forUpdate() : held
    })
    .returning('lane'),
)

const freeOthers = statement((db, args: { owner: InstanceId; keep: readonly Lane[] }, dialect) =>
  db
    .updateTable('lanes')
    .set({ owner: null })
    .where('lane', 'in', (eb) => {
      const held = eb
        .selectFrom('lanes')
        .select('lane')
        .where('owner', '=', args.owner)
        .where((not) => not.not(isAmong(dialect, 'lane', args.keep)))
        .orderBy('lane')
      return dialect === 'postgres' ? held.forUpdate() : held
    })
    .returning('lane'),
)

async function free(tx: Tx, owners: readonly InstanceId[]): Promise<void> {
  if ((await freeLanesOf(tx, { owners })).length > 0) await tx.announce()
}

export async function register(tx: Tx, id: InstanceId, leaseMs: number, now: number): Promise<void> {
  await addInstance(tx, { id, now, until: now + leaseMs })
}

export async function heartbeat(tx: Tx, id: InstanceId, leaseMs: number, now: number): Promise<boolean> {
  const alive = (await extendLease(tx, { id, now, until: now + leaseMs })).length > 0
  const dead = await removeExpired(tx, { now })
  if (dead.length > 0)
    await free(
      tx,
      dead.map((row) => row.id),
    )
  return alive
}

export async function release(tx: Tx, id: InstanceId, keep: readonly Lane[]): Promise<void> {
  if ((await freeOthers(tx, { owner: id, keep })).length > 0) await tx.announce()
}

/** The mark of a process that ended in order: when that was. */
const stopped = 'serve-stopped'

export async function unregister(tx: Tx, id: InstanceId, now: number): Promise<void> {
  await removeOne(tx, { id })
  await free(tx, [id])
  await setMark(tx, stopped, now)
}

const alive = statement((db, args: { now: number }) =>
  db.selectFrom('instances').select('id').where('lease_until', '>', args.now).limit(1),
)

export async function isServed(tx: Tx, now: number): Promise<boolean> {
  return (await alive(tx, { now })).length > 0
}
