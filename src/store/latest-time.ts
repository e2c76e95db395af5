import { sql } from 'kysely'
import { statement, type Tx } from './statement.js'

const times = statement((db, _args: object) =>
  db
    .selectFrom('totals')
    .select(sql<number | null>`max(last_at)`.as('at'))
    .unionAll(db.selectFrom('instances').select(sql<number | null>`max(lease_until)`.as('at'))),
)

export async function latestTime(tx: Tx): Promise<number | undefined> {
  const known = (await times(tx, {})).flatMap(({ at }) => at ?? [])
  return known.length === 0 ? undefined : Math.max(...known)
}
