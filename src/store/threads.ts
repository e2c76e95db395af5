import { sql } from 'kysely'
import type { ConversationId } from '../message.js'
import type { Address } from '../phone.js'
import { statement, type Tx } from './statement.js'
import type { Thread } from './store.js'

const find = statement((db, args: { ours: Address; theirs: Address }) =>
  db
    .selectFrom('threads')
    .select(['ours', 'theirs', 'reply_to', 'contact_id', 'conversation_id'])
    .where('ours', '=', args.ours)
    .where('theirs', '=', args.theirs),
)

const findByConversation = statement((db, args: { conversationId: ConversationId }) =>
  db
    .selectFrom('conversations as c')
    .innerJoin('threads as t', (join) => join.onRef('t.ours', '=', 'c.ours').onRef('t.theirs', '=', 'c.theirs'))
    .select(['t.ours', 't.theirs', 't.reply_to', 't.contact_id', 't.conversation_id'])
    .where('c.conversation_id', '=', args.conversationId),
)

const saveNewest = statement((db, args: Thread & { now: number }) =>
  db
    .insertInto('threads')
    .values({
      ours: args.ours,
      theirs: args.theirs,
      reply_to: args.replyTo,
      contact_id: args.contactId,
      conversation_id: args.conversationId,
      updated_at: args.now,
    })
    .onConflict((oc) =>
      oc.columns(['ours', 'theirs']).doUpdateSet({
        reply_to: sql`excluded.reply_to`,
        contact_id: sql`excluded.contact_id`,
        conversation_id: sql`excluded.conversation_id`,
        updated_at: sql`excluded.updated_at`,
      }),
    ),
)

const remember = statement((db, args: { ours: Address; theirs: Address; conversationId: ConversationId }) =>
  db
    .insertInto('conversations')
    .values({ conversation_id: args.conversationId, ours: args.ours, theirs: args.theirs })
    .onConflict((oc) =>
      oc.column('conversation_id').doUpdateSet({ ours: sql`excluded.ours`, theirs: sql`excluded.theirs` }),
    ),
)

function toThread(row: Awaited<ReturnType<typeof find>>[number] | undefined): Thread | undefined {
  if (row === undefined) return undefined
  const { ours, theirs, reply_to: replyTo, contact_id: contactId, conversation_id: conversationId } = row
  return { ours, theirs, replyTo, contactId, conversationId }
}

export async function findThread(tx: Tx, ours: Address, theirs: Address): Promise<Thread | undefined> {
  return toThread((await find(tx, { ours, theirs }))[0])
}

/** The thread as it is now: its conversation is the newest one, not necessarily the one asked for. */
export async function findThreadOfConversation(tx: Tx, conversationId: ConversationId): Promise<Thread | undefined> {
  return toThread((await findByConversation(tx, { conversationId }))[0])
}

export async function saveThread(tx: Tx, thread: Thread, now: number): Promise<void> {
  const { ours, theirs, conversationId } = thread
  await saveNewest(tx, { ...thread, now })
  await remember(tx, { ours, theirs, conversationId })
}
