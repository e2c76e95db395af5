// What people did, by command: written before it is done, completed with what came of it.
import { sql } from 'kysely'
import type { AuditEntry, AuditId, Deed, Desk } from './desk.js'
import { bigint, statement, type Tx, text } from './statement.js'

type Detail = Deed['detail']

const add = statement((db, args: { at: number; actor: string; action: string; detail: string }) =>
  db
    .insertInto('audit')
    .values({ at: args.at, actor: args.actor, action: args.action, detail: args.detail })
    .returning('id'),
)

const detailOf = statement((db, args: { id: AuditId }, dialect) => {
  const one = db.selectFrom('audit').select('detail').where('id', '=', args.id)
  return dialect === 'postgres' ? one.forUpdate() : one
})

const setDetail = statement((db, args: { id: AuditId; detail: string }) =>
  db.updateTable('audit').set({ detail: args.detail }).where('id', '=', args.id),
)

const newest = statement(
  (db, args: { id: AuditId | null; action: string | null; since: number | null; limit: number }) =>
    db
      .selectFrom('audit')
      .selectAll()
      .where(sql<boolean>`(${bigint(args.id)} is null or id = ${bigint(args.id)})`)
      .where(sql<boolean>`(${text(args.action)} is null or action = ${text(args.action)})`)
      .where(sql<boolean>`(${bigint(args.since)} is null or at >= ${bigint(args.since)})`)
      .orderBy('id', 'desc')
      .limit(args.limit),
)

export async function writeAudit(tx: Tx, { actor, action, detail }: Deed, now: number): Promise<AuditId> {
  const [row] = await add(tx, { at: now, actor, action, detail: JSON.stringify(detail) })
  if (row === undefined) throw new Error('The audit took no entry')
  return row.id
}

export async function completeAudit(tx: Tx, id: AuditId, outcome: Detail): Promise<void> {
  const [row] = await detailOf(tx, { id })
  if (row === undefined) return
  const detail = JSON.parse(row.detail) as Detail // written by writeAudit
  await setDetail(tx, { id, detail: JSON.stringify({ ...detail, ...outcome }) })
}

export async function listAudit(
  tx: Tx,
  { id = null, action = null, since = null, limit }: { [K in keyof Filter]: Filter[K] | null } & { limit: number },
): Promise<readonly AuditEntry[]> {
  const rows = await newest(tx, { id, action, since, limit })
  return rows.map((row) => ({ ...row, detail: JSON.parse(row.detail) as Detail })) // written by writeAudit
}

type Filter = Omit<Parameters<Desk['listAudit']>[0], 'limit'>
