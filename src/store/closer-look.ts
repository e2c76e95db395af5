// What nobody asks every few seconds: whether the store is whole, and what reconciliation had to find.
import type { DeliveryKind } from '../delivery.js'
import type { ContactId } from '../message.js'
import { type Asker, question } from './question.js'

export interface Recovered {
  readonly count: number
  /** Epoch ms; undefined for none. */
  readonly newestAt: number | undefined
}

/** Far more than come within a day: older deliveries are not looked at. */
const depth = 20_000

const recoveredSince = question<
  { kind: DeliveryKind; since: number; depth: number },
  { count: number; newest: number }
>(`
  select count(*) as count, max(recovered_at) as newest from deliveries
  where id > (select coalesce(max(id), 0) from deliveries) - :depth and kind = :kind and recovered_at >= :since`)

/** What no webhook brought since then, epoch ms, among the newest 20,000 deliveries. */
export async function findRecovered(tx: Asker, kind: DeliveryKind, since: number): Promise<Recovered> {
  const [row] = await recoveredSince(tx, { kind, since, depth })
  return { count: row?.count ?? 0, newestAt: row?.newest ?? undefined }
}

const newestContacts = question<{ limit: number }, { contact_id: ContactId }>(`
  select contact_id from contacts where contact_id is not null order by updated_at desc, contact_id limit :limit`)

export async function recentContacts(tx: Asker, limit: number): Promise<readonly ContactId[]> {
  return (await newestContacts(tx, { limit })).map((row) => row.contact_id)
}

/** Reads every page; undefined when all are whole, else what is not. PostgreSQL looks after its own. */
export async function findDamage(tx: Asker): Promise<string | undefined> {
  if (tx.dialect === 'postgres') return undefined
  const [row] = await tx.query('pragma quick_check(1)', [])
  const verdict = String(Object.values((row ?? {}) as object)[0]).split('\n')[0] // one row of one column
  return verdict === 'ok' ? undefined : verdict
}
