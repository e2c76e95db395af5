// The story of a text, a customer or a conversation. Asked rarely, so it may walk the deliveries of a lane without an
// index; nothing that is asked often may.
import { sql } from 'kysely'
import type { DeliveryId, Lane } from '../delivery.js'
import type { ConversationId, MessageSid } from '../message.js'
import type { Address } from '../phone.js'
import { readStories, toReceipt } from './delivery-facts.js'
import type { Trace, TracedThread, TraceSubject } from './desk.js'
import { isAmong, statement, type Tx, text } from './statement.js'
import { findThreadOfConversation } from './threads.js'

const lanesEndingIn = statement((db, args: { ending: string }) =>
  db
    .selectFrom('lanes')
    .select('lane')
    .where('lane', 'like', sql<string>`'%' || ${text(args.ending)}`),
)

const threadsOf = statement((db, args: { theirs: Address }) =>
  db
    .selectFrom('threads')
    .select(['ours', 'theirs', 'conversation_id'])
    .where('theirs', '=', args.theirs)
    .orderBy('ours'),
)

const conversationsOf = statement((db, args: { theirs: Address }) =>
  db.selectFrom('conversations').select(['conversation_id', 'ours']).where('theirs', '=', args.theirs),
)

const newestIn = statement((db, args: { lanes: readonly Lane[]; limit: number }, dialect) =>
  db
    .selectFrom('deliveries')
    .select('id')
    .where(isAmong(dialect, 'lane', args.lanes))
    .orderBy('id', 'desc')
    .limit(args.limit),
)

const byKey = statement((db, args: { dedupeKey: string }) =>
  db.selectFrom('deliveries').select('id').where('dedupe_key', '=', args.dedupeKey),
)

const receiptsOf = statement((db, args: { sid: MessageSid }) =>
  db
    .selectFrom('receipts as r')
    .innerJoin('texts as t', 't.message_sid', 'r.message_sid')
    .select(['r.message_sid', 't.ref', 'r.status', 'r.error_code', 'r.received_at'])
    .where('r.message_sid', '=', args.sid)
    .orderBy('r.received_at'),
)

export async function trace(tx: Tx, subject: TraceSubject, limit: number): Promise<Trace | undefined> {
  if ('messageSid' in subject) return traceText(tx, subject)
  if ('theirs' in subject) return traceCustomer(tx, subject.theirs, limit)
  const thread = await findThreadOfConversation(tx, subject.conversationId)
  if (thread !== undefined) return traceCustomer(tx, thread.theirs, limit, thread.ours)
  return traceLanes(tx, [], lanesOfConversation(subject.conversationId), limit)
}

/** Of replies whose thread was not known yet, of look-ups and of notes: see `flows/agent-reply` and `flows/reply-note`. */
const lanesOfConversation = (id: ConversationId): readonly Lane[] => [
  `out:conversation:${id}`,
  `look:${id}`,
  `note:${id}`,
]

async function traceCustomer(tx: Tx, theirs: Address, limit: number, ours?: Address): Promise<Trace | undefined> {
  const isOurs = (thread: { readonly ours: Address }) => ours === undefined || thread.ours === ours
  const rows = (await threadsOf(tx, { theirs })).filter(isOurs)
  const conversations = (await conversationsOf(tx, { theirs })).filter(isOurs)
  const threads = rows.map(({ conversation_id: newest, ...thread }): TracedThread => {
    const mine = conversations.filter((one) => one.ours === thread.ours).map((one) => one.conversation_id)
    return { ...thread, conversationIds: [...mine.filter((id) => id !== newest).sort(), newest] }
  })
  const ending = ours === undefined ? `:${theirs}` : `:${ours}:${theirs}`
  // SQLite's `like` takes capitals for small letters.
  const lanes = (await lanesEndingIn(tx, { ending })).map(({ lane }) => lane).filter((lane) => lane.endsWith(ending))
  const others = threads.flatMap(({ conversationIds }) => conversationIds.flatMap(lanesOfConversation))
  return traceLanes(tx, threads, [...lanes, ...others], limit)
}

async function traceLanes(
  tx: Tx,
  threads: readonly TracedThread[],
  lanes: readonly Lane[],
  limit: number,
): Promise<Trace | undefined> {
  const ids = (await newestIn(tx, { lanes, limit })).map(({ id }) => id)
  if (ids.length === 0 && threads.length === 0) return undefined
  return { threads, deliveries: await readStories(tx, ids), receipts: [] }
}

type Text = Extract<TraceSubject, { readonly messageSid: MessageSid }>

async function traceText(tx: Tx, { messageSid, dedupeKey }: Text): Promise<Trace | undefined> {
  const receipts = (await receiptsOf(tx, { sid: messageSid })).map(toReceipt)
  const ref = receipts.find((one) => one.ref !== undefined)?.ref
  const ids: DeliveryId[] = (await byKey(tx, { dedupeKey })).map(({ id }) => id)
  if (ref !== undefined) ids.push(Number(ref.split('.')[0]))
  const deliveries = await readStories(tx, ids)
  if (deliveries.length === 0 && receipts.length === 0) return undefined
  return { threads: [], deliveries, receipts: deliveries.length === 0 ? receipts : [] }
}
