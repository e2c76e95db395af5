// What only one process does at a time, and how far it has come.
import { sql } from 'kysely'
import { statement, type Tx } from './statement.js'
import type { Mark } from './store.js'

const take = statement((db, args: { name: string; holder: string; until: number; now: number }) =>
  db
    .insertInto('duties')
    .values({ name: args.name, holder: args.holder, until: args.until })
    .onConflict((oc) =>
      oc
        .column('name')
        .doUpdateSet({ holder: sql`excluded.holder`, until: sql`excluded.until` })
        .where((eb) =>
          eb.or([eb('duties.holder', '=', sql<string>`excluded.holder`), eb('duties.until', '<=', args.now)]),
        ),
    )
    .returning('name'),
)

const giveUp = statement((db, args: { name: string; holder: string }) =>
  db.deleteFrom('duties').where('name', '=', args.name).where('holder', '=', args.holder),
)

const find = statement((db, args: { name: string }) =>
  db.selectFrom('marks').select(['at', 'value']).where('name', '=', args.name),
)

const set = statement((db, args: { name: string; at: number; value: string | null }) =>
  db
    .insertInto('marks')
    .values({ name: args.name, at: args.at, value: args.value })
    .onConflict((oc) => oc.column('name').doUpdateSet({ at: sql`excluded.at`, value: sql`excluded.value` })),
)

export async function takeDuty(tx: Tx, name: string, holder: string, until: number, now: number): Promise<boolean> {
  return (await take(tx, { name, holder, until, now })).length > 0
}

export async function giveUpDuty(tx: Tx, name: string, holder: string): Promise<void> {
  await giveUp(tx, { name, holder })
}

export async function findMark(tx: Tx, name: string): Promise<Mark | undefined> {
  const [row] = await find(tx, { name })
  return row && { at: row.at, value: row.value === null ? undefined : JSON.parse(row.value) }
}

export async function setMark(tx: Tx, name: string, at: number, value?: unknown): Promise<void> {
  await set(tx, { name, at, value: value === undefined ? null : JSON.stringify(value) })
}
