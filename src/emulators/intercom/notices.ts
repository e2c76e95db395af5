// What webhooks say: the item of each topic, in the dialect of the app's API version.
import { toPlainText } from './html.js'
import { type Json, type Rendering, renderContact, renderConversation, renderPart } from './render.js'
import {
  type ContactRecord,
  type ConversationRecord,
  contactOf,
  type Notice,
  type PartRecord,
  type World,
} from './state.js'
import type { Statistics } from './statistics.js'

/** Every topic this twin sends, `ping` aside, which is always subscribed. */
export const topics = [
  'conversation.user.created',
  'conversation.user.replied',
  'conversation.admin.replied',
  'conversation.operator.replied',
  'conversation.admin.noted',
  'conversation.admin.closed',
  'conversation.admin.opened',
  'conversation.admin.assigned',
  'conversation.admin.open.assigned',
  'conversation.admin.snoozed',
  'conversation.admin.unsnoozed',
  'conversation.deleted',
  'conversation_part.tag.created',
  'conversation_part.redacted',
  'contact.user.created',
  'contact.user.updated',
  'contact.lead.created',
  'contact.lead.updated',
  'contact.user.tag.created',
  'contact.user.tag.deleted',
  'contact.lead.tag.created',
  'contact.lead.tag.deleted',
  'contact.merged',
  'contact.archived',
  'contact.unarchive',
  'contact.deleted',
] as const
export type Topic = (typeof topics)[number]

/** The conversation with the triggering parts alone: a webhook never brings the history. */
export function conversationNotice(
  world: World,
  conversation: ConversationRecord,
  topic: Topic,
  parts: readonly PartRecord[],
): Notice {
  const old = world.dialect === '2.14'
  const rendering: Rendering = {
    version: world.dialect,
    // From 2.15 on bodies are plain text; addresses of links and inline images are lost.
    body: old ? (html) => html : (html) => toPlainText(html, { links: false }),
  }
  const { title, statistics, ...rest } = renderConversation(world, conversation, rendering)
  return {
    topic,
    key: conversation.id,
    partId: parts[0]?.id,
    item: {
      ...rest,
      title: title ?? '',
      statistics: old ? withIsoTimes(statistics as Statistics) : statistics, // renderConversation puts nothing else there
      topics: { type: 'topic.list', topics: [], total_count: 0 },
      conversation_parts: {
        type: 'conversation_part.list',
        total_count: parts.length,
        conversation_parts: parts.map((part) => renderPart(world, part, rendering)),
      },
    },
  }
}

/** The contact as webhooks show it: with two fields no OpenAPI version lists, and ISO times up to 2.14. */
export function contactItem(world: World, contact: ContactRecord): Json {
  const times =
    world.dialect === '2.14'
      ? { created_at: isoWithOffset(contact.createdAt), updated_at: isoWithOffset(contact.updatedAt) }
      : {}
  return { ...renderContact(world, contact), ...times, sms_consent: false, unsubscribed_from_sms: false }
}

export function contactNotice(contact: ContactRecord, topic: Topic, item: Json): Notice {
  return { topic, key: contact.id, item }
}

/** A tag put on a conversation sits on its last part, or on the message it began with. */
export function taggedPart(world: World, conversation: ConversationRecord): PartRecord {
  const last = conversation.parts.at(-1)
  if (last !== undefined) return last
  const contact = contactOf(world, conversation)
  const { source } = conversation
  return {
    id: source.id,
    partType: 'comment',
    body: source.body,
    author: { type: contact?.role ?? 'lead', id: conversation.contactId, name: contact?.name ?? '' },
    createdAt: source.createdAt,
    updatedAt: source.createdAt,
    redacted: source.redacted,
    attachments: source.attachments,
    viaApi: source.viaApi,
    assignedTo: null,
    state: conversation.state,
  }
}

export function indexConversation(world: World, conversation: ConversationRecord): void {
  const rendered = renderConversation(world, conversation, { version: '2.15', body: (html) => html })
  world.conversationIndex.put(conversation.id, {
    ...rendered,
    contact_ids: [conversation.contactId],
    teammate_ids: conversation.parts.filter(({ author }) => author.type === 'admin').map(({ author }) => author.id),
    tag_ids: conversation.tags.map(({ id }) => id),
  })
}

function withIsoTimes(statistics: Statistics): Json {
  return Object.fromEntries(
    Object.entries(statistics).map(([name, value]) => [
      name,
      name.endsWith('_at') && typeof value === 'number' ? iso(value * 1000) : value,
    ]),
  )
}

const iso = (ms: number) => new Date(ms).toISOString()
/** Contacts' times are written another way than statistics. */
const isoWithOffset = (ms: number) => iso(ms).replace('Z', '+00:00')
