// A store that was put back to an earlier state while the vendors moved on: what it believes to be still to do may
// have been done since, and ids it would give next have been given.
import { sql } from 'kysely'
import { restoredMark } from '../delivery.js'
import { setMark } from './duties.js'
import { lockInOrder } from './ledger-requeue.js'
import { bigint, literal, statement, type Tx } from './statement.js'
import { addTotals } from './totals.js'

/** More deliveries than are made between a backup and its restoration: their ids are in status callbacks under way. */
const idsAhead = 1_000_000

const lanesInUse = statement((db, _args: object) =>
  db
    .selectFrom('lanes')
    .select('lane')
    .where((eb) => eb.or([eb('next_at', 'is not', null), eb('owner', 'is not', null)])),
)

const park = statement((db, args: { now: number; fault: string }) =>
  db
    .updateTable('deliveries')
    .set({
      state: 'parked',
      reason: 'restored',
      fault: args.fault,
      settled_at: args.now,
      parked_at: sql`coalesce(parked_at, ${bigint(args.now)})`,
      parkings: sql`parkings + 1`,
      run_at: null,
    })
    .where('state', '=', literal('ready'))
    .returning(['number', 'kind', 'received_at']),
)

const holdBack = statement((db, _args: object) =>
  db
    .updateTable('deliveries')
    .set({ retry_at: null, hold_until: null })
    .where('state', '=', literal('parked'))
    .where('retry_at', 'is not', null)
    .returning('id'),
)

const quieten = statement((db, _args: object) =>
  db
    .updateTable('lanes')
    .set({ next_at: null, owner: null })
    .where((eb) => eb.or([eb('next_at', 'is not', null), eb('owner', 'is not', null)])),
)

const forgetInstances = statement((db, _args: object) => db.deleteFrom('instances'))
const forgetDuties = statement((db, _args: object) => db.deleteFrom('duties'))

const jump = {
  sqlite: [
    `insert into sqlite_sequence (name, seq) select 'deliveries', 0
       where not exists (select 1 from sqlite_sequence where name = 'deliveries')`,
    `update sqlite_sequence set seq = seq + ${idsAhead} where name = 'deliveries'`,
  ],
  postgres: [
    `select setval(sequence, nextval(sequence) + ${idsAhead})
       from (select pg_get_serial_sequence('deliveries', 'id')::regclass as sequence) as deliveries_id`,
  ],
} as const

const fault = JSON.stringify({
  message: 'it was under way when the backup was taken, and may have been delivered since',
  outcome: 'ambiguous',
})

export async function takeUpRestored(tx: Tx, now: number): Promise<{ readonly parked: number }> {
  await lockInOrder(
    tx,
    (await lanesInUse(tx, {})).map(({ lane }) => lane),
  )
  const parked = await park(tx, { now, fault })
  const held = await holdBack(tx, {})
  await quieten(tx, {})
  await forgetInstances(tx, {})
  await forgetDuties(tx, {})
  await setMark(tx, restoredMark, now)
  for (const text of jump[tx.dialect]) await tx.query(text, [])
  await addTotals(
    tx,
    parked.map(({ number, kind, received_at: receivedAt }) => ({ receivedAt, number, kind, what: 'parked', by: 1 })),
  )
  return { parked: parked.length + held.length }
}
