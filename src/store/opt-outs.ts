// Who must not be texted from which of our numbers, as far as we know. The vendor blocks them by itself; this memory is
// what people and replays are told.
import type { Address } from '../phone.js'
import { statement, type Tx } from './statement.js'

const add = statement((db, args: { ours: Address; theirs: Address; source: string; now: number }) =>
  db
    .insertInto('opt_outs')
    .values({ ours: args.ours, theirs: args.theirs, since: args.now, source: args.source })
    .onConflict((oc) => oc.columns(['ours', 'theirs']).doNothing()),
)

const remove = statement((db, args: { ours: Address; theirs: Address }) =>
  db.deleteFrom('opt_outs').where('ours', '=', args.ours).where('theirs', '=', args.theirs),
)

const find = statement((db, args: { ours: Address; theirs: Address }) =>
  db.selectFrom('opt_outs').select('since').where('ours', '=', args.ours).where('theirs', '=', args.theirs),
)

export async function optOut(tx: Tx, ours: Address, theirs: Address, source: string, now: number): Promise<void> {
  await add(tx, { ours, theirs, source, now })
}

export async function optIn(tx: Tx, ours: Address, theirs: Address): Promise<void> {
  await remove(tx, { ours, theirs })
}

/** Since when, epoch ms; undefined when they may be texted. */
export async function optedOutSince(tx: Tx, ours: Address, theirs: Address): Promise<number | undefined> {
  return (await find(tx, { ours, theirs }))[0]?.since
}
