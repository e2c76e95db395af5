import { sql } from 'kysely'
import type { MessageSid, Receipt, SmsStatus } from '../message.js'
import { reduceReceipts } from './reduce-receipts.js'
import { statement, type Tx } from './statement.js'
import type { ReceiptState } from './store.js'
import { addTotals } from './totals.js'

/** A text without a final state is asked about when it has been known for so long, ms. */
const firstPollMs = 15 * 60_000
const finalStatuses: ReadonlySet<SmsStatus> = new Set(['delivered', 'undelivered', 'failed', 'canceled', 'read'])

/** Makes or locks the row of a text, so that two receipts of it are reduced one after the other. */
const touchText = statement((db, args: { sid: MessageSid; status: SmsStatus; now: number; pollAt: number }) =>
  db
    .insertInto('texts')
    .values({ message_sid: args.sid, status: args.status, updated_at: args.now, poll_at: args.pollAt })
    .onConflict((oc) => oc.column('message_sid').doUpdateSet({ message_sid: sql`excluded.message_sid` })),
)

const addReceipt = statement(
  (db, args: { sid: MessageSid; status: SmsStatus; errorCode: number; ref: string | null; now: number }) =>
    db
      .insertInto('receipts')
      .values({
        message_sid: args.sid,
        status: args.status,
        error_code: args.errorCode,
        ref: args.ref,
        received_at: args.now,
      })
      .onConflict((oc) =>
        oc
          .columns(['message_sid', 'status', 'error_code'])
          .doUpdateSet({ ref: sql`excluded.ref` })
          .where('receipts.ref', 'is', null)
          .where(sql<boolean>`excluded.ref is not null`),
      )
      .returning('message_sid'),
)

const receiptsOf = statement((db, args: { sid: MessageSid }) =>
  db.selectFrom('receipts').select(['status', 'error_code', 'ref', 'received_at']).where('message_sid', '=', args.sid),
)

const saveText = statement(
  (
    db,
    args: {
      sid: MessageSid
      ref: string | null
      status: SmsStatus
      errorCode: number | null
      conflictAt: number | null
      updatedAt: number
      /** 1: nothing more will be heard of it. */
      final: number
    },
  ) =>
    db
      .updateTable('texts')
      .set({
        ref: args.ref,
        status: args.status,
        error_code: args.errorCode,
        conflict_at: args.conflictAt,
        updated_at: args.updatedAt,
        poll_at: sql`case when ${args.final} = 1 then null else poll_at end`,
      })
      .where('message_sid', '=', args.sid),
)

const textColumns = ['message_sid', 'ref', 'status', 'error_code', 'conflict_at', 'updated_at'] as const

const findBySid = statement((db, args: { sid: MessageSid }) =>
  db.selectFrom('texts').select(textColumns).where('message_sid', '=', args.sid),
)

const findByRef = statement((db, args: { ref: string }) =>
  db
    .selectFrom('texts')
    .select(textColumns)
    .where('ref', '=', args.ref)
    .orderBy('updated_at', 'desc')
    .orderBy('message_sid')
    .limit(1),
)

const toPoll = statement((db, args: { now: number; limit: number }) =>
  db
    .selectFrom('texts')
    .select(textColumns)
    .where('poll_at', 'is not', null)
    .where('poll_at', '<=', args.now)
    .orderBy('poll_at')
    .orderBy('message_sid')
    .limit(args.limit),
)

const setPoll = statement((db, args: { sid: MessageSid; at: number | null }) =>
  db.updateTable('texts').set({ poll_at: args.at }).where('message_sid', '=', args.sid),
)

function toState(row: Awaited<ReturnType<typeof findBySid>>[number] | undefined): ReceiptState | undefined {
  if (row === undefined) return undefined
  return {
    messageSid: row.message_sid,
    ref: row.ref ?? undefined,
    status: row.status,
    errorCode: row.error_code ?? undefined,
    conflict: row.conflict_at !== null,
    updatedAt: row.updated_at,
  }
}

export async function saveReceipt(tx: Tx, receipt: Receipt, now: number): Promise<ReceiptState> {
  const { messageSid: sid, status, errorCode, ref } = receipt
  await touchText(tx, { sid, status, now, pollAt: now + firstPollMs })
  const news = await addReceipt(tx, { sid, status, errorCode: errorCode ?? 0, ref: ref ?? null, now })
  const rows = await receiptsOf(tx, { sid })
  const reduced = reduceReceipts(
    rows.map((row) => ({
      status: row.status,
      errorCode: row.error_code === 0 ? undefined : row.error_code,
      ref: row.ref ?? undefined,
    })),
  )
  if (reduced === undefined) throw new Error(`The receipt of ${sid} was not kept`)
  // A receipt told twice changes nothing, its time included.
  const updatedAt = Math.max(...rows.map((row) => row.received_at))
  await saveText(tx, {
    sid,
    ref: reduced.ref ?? null,
    status: reduced.status,
    errorCode: reduced.errorCode ?? null,
    conflictAt: reduced.conflict ? updatedAt : null,
    updatedAt,
    final: finalStatuses.has(reduced.status) ? 1 : 0,
  })
  if (news.length > 0) await addTotals(tx, [{ receivedAt: now, number: '', kind: 'receipt', what: 'received', by: 1 }])
  return { messageSid: sid, updatedAt, ...reduced }
}

export async function findReceiptByRef(tx: Tx, ref: string): Promise<ReceiptState | undefined> {
  return toState((await findByRef(tx, { ref }))[0])
}

export async function findReceipt(tx: Tx, messageSid: MessageSid): Promise<ReceiptState | undefined> {
  return toState((await findBySid(tx, { sid: messageSid }))[0])
}

export async function textsToPoll(tx: Tx, now: number, limit: number): Promise<readonly ReceiptState[]> {
  return (await toPoll(tx, { now, limit })).flatMap((row) => toState(row) ?? [])
}

export async function pollAgain(tx: Tx, messageSid: MessageSid, at: number | undefined): Promise<void> {
  await setPoll(tx, { sid: messageSid, at: at ?? null })
}
