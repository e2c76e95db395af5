// Intercom's notifications: proven to come from our app, then turned into our words. Both dialects: HTML bodies with
// ISO times here and there (apps up to 2.14), plain text with Unix times (from 2.15 on).
import { createHmac, timingSafeEqual } from 'node:crypto'
import { z } from 'zod'
import { BadWebhook } from '../errors.js'
import type { AgentReply, AuthorKind, ContactId, ConversationId } from '../message.js'
import { contactReferences, conversationId, type Part, partList, time } from './shapes.js'

/** X-Hub-Signature: `sha1=` and the HMAC-SHA1 of the raw body under the app's client secret. */
export function verifyHubSignature(rawBody: Uint8Array, header: string | undefined, clientSecret: string): boolean {
  const expected = Buffer.from(`sha1=${createHmac('sha1', clientSecret).update(rawBody).digest('hex')}`)
  const given = Buffer.from(header ?? '')
  return given.length === expected.length && timingSafeEqual(given, expected)
}

export interface Notification {
  /** Null for a ping. */
  readonly id: string | null
  readonly topic: string
  readonly appId: string
  /** What a notification about a conversation tells of it. */
  readonly conversation?: {
    readonly id: ConversationId
    readonly contactIds: readonly ContactId[]
    /** Epoch ms; of the notification itself where the conversation's own is not told (`conversation.deleted`). */
    readonly createdAt: number
    /** What a teammate or a bot wrote for the customer just now. */
    readonly replies: readonly AgentReply[]
    /** Parts came that are not the customer's to read: the one that is may have to be looked up. */
    readonly sawOtherParts: boolean
  }
}

/** A reply that also closes, opens or assigns is ONE part of that type, with the words in it. */
const spokenPartTypes: ReadonlySet<string> = new Set([
  'comment',
  'quick_reply',
  'assignment',
  'close',
  'open',
  'assign_and_reopen',
])
const authorKinds: Readonly<Record<string, AuthorKind>> = { admin: 'admin', team: 'team', bot: 'bot' }

/** Whether a part, of a webhook or of the REST API, is a teammate's or bot's word to the customer. Never a note. */
export function isWrittenForCustomer(part: Part): boolean {
  return (
    Object.hasOwn(authorKinds, part.author.type) &&
    spokenPartTypes.has(part.partType) &&
    !part.redacted &&
    (part.attachments.length > 0 || saysSomething(part.body))
  )
}

function saysSomething(body: string): boolean {
  // No pattern that backtracks over the rest of the body for every "<" in it.
  const start = body.slice(0, 64 * 1024)
  return /<img\b/i.test(start) || start.replace(/<[^<>]*>|&nbsp;/g, '').trim() !== ''
}

const envelope = z.object({
  // A ping has none.
  id: z.string().nullish(),
  topic: z.string().min(1),
  app_id: z.string().min(1),
  created_at: time.nullish(),
  data: z.object({ item: z.looseObject({ type: z.string() }) }),
})

const conversationItem = z.object({
  id: conversationId,
  contacts: contactReferences,
  created_at: time,
  conversation_parts: partList,
})

// conversation.deleted alone has no `id`.
const deletedItem = z.object({ conversation_id: conversationId })

/** @throws BadWebhook */
export function parseNotification(json: unknown): Notification {
  const event = parse(envelope, json, '')
  const { topic } = event
  const about = { id: event.id ?? null, topic, appId: event.app_id }
  const { item } = event.data
  if (item.type !== 'conversation') return about
  if (topic === 'conversation.deleted') {
    const { conversation_id: id } = parse(deletedItem, item, 'data.item')
    const createdAt = event.created_at ?? 0
    return { ...about, conversation: { id, contactIds: [], createdAt, replies: [], sawOtherParts: false } }
  }
  const { id, contacts, created_at: createdAt, conversation_parts } = parse(conversationItem, item, 'data.item')
  // These carry the part that was tagged or redacted, which may be old: nobody has written anything just now.
  const parts = topic.startsWith('conversation_part.') ? [] : conversation_parts
  const written = parts.filter(isWrittenForCustomer)
  return {
    ...about,
    conversation: {
      id,
      contactIds: contacts,
      createdAt,
      replies: written.map((part) => replyOf(id, part)),
      sawOtherParts: written.length < parts.length,
    },
  }
}

function replyOf(conversationId: ConversationId, part: Part): AgentReply {
  const { id: partId, author, body, attachments, writtenAt } = part
  const kind = authorKinds[author.type] ?? 'admin'
  return { conversationId, partId, author: { kind, id: author.id }, body, attachments, writtenAt }
}

function parse<T>(schema: z.ZodType<T>, json: unknown, at: string): T {
  const result = schema.safeParse(json)
  if (result.success) return result.data
  const [issue] = result.error.issues
  const field = [at, ...(issue?.path ?? [])].filter((name) => name !== '').join('.')
  throw new BadWebhook(field || 'body', issue?.message ?? 'malformed')
}
