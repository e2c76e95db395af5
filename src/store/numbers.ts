import { sql } from 'kysely'
import { allNumbers, toNumberState } from './questions.js'
import { statement, type Tx } from './statement.js'
import type { NumberState } from './store.js'

const save = statement(
  (db, args: { number: string; kind: string; state: string; detail: string | null; now: number }) =>
    db
      .insertInto('numbers')
      .values({ number: args.number, kind: args.kind, state: args.state, detail: args.detail, checked_at: args.now })
      .onConflict((oc) =>
        oc.column('number').doUpdateSet({
          kind: sql`excluded.kind`,
          state: sql`excluded.state`,
          detail: sql`excluded.detail`,
          checked_at: sql`excluded.checked_at`,
        }),
      ),
)

const forgetOlder = statement((db, args: { now: number }) =>
  db.deleteFrom('numbers').where('checked_at', '<', args.now),
)

/** Those named now replace all that were known. */
export async function saveNumbers(
  tx: Tx,
  numbers: readonly Omit<NumberState, 'checkedAt'>[],
  now: number,
): Promise<void> {
  for (const { number, kind, state, detail = null } of numbers) await save(tx, { number, kind, state, detail, now })
  await forgetOlder(tx, { now })
}

export async function listNumbers(tx: Tx): Promise<readonly NumberState[]> {
  return (await allNumbers(tx, {})).map(toNumberState)
}
