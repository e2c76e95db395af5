// The JSON of the REST API. Key order follows the examples of intercom-2.15.yaml.
import { toPlainText } from './html.js'
import {
  type AppliedTag,
  type ContactRecord,
  type ConversationRecord,
  contactOf,
  type PartRecord,
  type World,
} from './state.js'
import { statisticsOf } from './statistics.js'

export type Json = Readonly<Record<string, unknown>>

/** How a rendering differs from the plain one of API 2.15. */
export interface Rendering {
  readonly body: (html: string) => string
  readonly version: string
}

export const asHtml = (version: string): Rendering => ({ version, body: (html) => html })
export const asPlainText = (version: string): Rendering => ({
  version,
  body: (html) => toPlainText(html, { links: true }),
})

/** Most parts one answer holds: the newest ones. */
const maxParts = 500
/** A package code is what an integration's own parts carry; which one a private app gets is not documented. */
const appPackageCode = 'test-integration'

export const seconds = (ms: number) => Math.floor(ms / 1000)
const secondsOrNull = (ms: number | null) => (ms === null ? null : seconds(ms))
const idOrNull = (id: string | null) => (id === null ? null : Number(id))

export function renderContact(world: World, contact: ContactRecord): Json {
  const list = (name: string, data: readonly unknown[] = []) => ({
    type: 'list',
    data,
    url: `/contacts/${contact.id}/${name}`,
    total_count: data.length,
    has_more: false,
  })
  const tags = contact.tags.map(({ id }) => ({ type: 'tag', id, url: `/tags/${id}` }))
  return {
    type: 'contact',
    id: contact.id,
    workspace_id: world.appId,
    external_id: contact.externalId,
    role: contact.role,
    email: contact.email,
    phone: contact.phone,
    name: contact.name,
    avatar: null,
    owner_id: idOrNull(contact.ownerId),
    social_profiles: { type: 'list', data: [] },
    has_hard_bounced: false,
    marked_email_as_spam: false,
    unsubscribed_from_emails: false,
    created_at: seconds(contact.createdAt),
    updated_at: seconds(contact.updatedAt),
    signed_up_at: null,
    last_seen_at: null,
    last_replied_at: secondsOrNull(contact.lastRepliedAt),
    last_contacted_at: null,
    language_override: null,
    location: { type: 'location', country: null, region: null, city: null },
    custom_attributes: { ...contact.customAttributes },
    tags: list('tags', tags),
    notes: list('notes'),
    companies: list('companies'),
  }
}

export function renderContactReference(contact: ContactRecord): Json {
  return { type: 'contact', id: contact.id, external_id: contact.externalId }
}

export function renderAppliedTag(tag: AppliedTag): Json {
  return {
    type: 'tag',
    id: tag.id,
    name: tag.name,
    applied_at: seconds(tag.appliedAt),
    applied_by: { type: 'admin', id: tag.appliedBy },
  }
}

/** A conversation as lists and search show it: without its parts. */
export function renderConversation(world: World, conversation: ConversationRecord, rendering: Rendering): Json {
  const contact = contactOf(world, conversation)
  const replied = conversation.parts.filter(({ author }) => author.type === 'admin')
  const teammates = [...new Set(replied.map(({ author }) => author.id))].map((id) => ({ type: 'admin', id }))
  const { source } = conversation
  return {
    type: 'conversation',
    id: conversation.id,
    created_at: seconds(conversation.createdAt),
    updated_at: seconds(conversation.updatedAt),
    waiting_since: secondsOrNull(conversation.waitingSince),
    snoozed_until: secondsOrNull(conversation.snoozedUntil),
    source: {
      type: 'conversation',
      id: source.id,
      delivered_as: 'customer_initiated',
      subject: '',
      body: rendering.body(source.body),
      author: {
        type: contact?.role ?? 'lead',
        id: conversation.contactId,
        name: contact?.name ?? null,
        email: contact?.email ?? '',
      },
      attachments: renderAttachments(source.attachments),
      url: null,
      redacted: source.redacted,
    },
    contacts: { type: 'contact.list', contacts: contact === undefined ? [] : [renderContactReference(contact)] },
    first_contact_reply: { created_at: seconds(source.createdAt), type: 'conversation', url: null },
    admin_assignee_id: idOrNull(conversation.adminAssigneeId),
    team_assignee_id: idOrNull(conversation.teamAssigneeId),
    // A snoozed conversation is open too, as the example of snoozing shows.
    open: conversation.state !== 'closed',
    state: conversation.state,
    read: conversation.read,
    tags: { type: 'tag.list', tags: conversation.tags.map(renderAppliedTag) },
    // 2.16 replaced the two values by five.
    priority: rendering.version === '2.16' ? 'none' : 'not_priority',
    sla_applied: null,
    statistics: statisticsOf(conversation),
    conversation_rating: null,
    // Recorded so; the schema calls the list `teammates`.
    teammates: { type: 'admin.list', admins: teammates },
    title: conversation.title,
    custom_attributes: {},
    topics: {},
    ticket: null,
    linked_objects: { type: 'list', data: [], total_count: 0, has_more: false },
    ai_agent: null,
    ai_agent_participated: false,
  }
}

export function renderWithParts(world: World, conversation: ConversationRecord, rendering: Rendering): Json {
  const { parts } = conversation
  return {
    ...renderConversation(world, conversation, rendering),
    conversation_parts: {
      type: 'conversation_part.list',
      conversation_parts: parts.slice(-maxParts).map((part) => renderPart(world, part, rendering)),
      total_count: parts.length,
    },
  }
}

export function renderPart(world: World, part: PartRecord, rendering: Rendering): Json {
  return {
    type: 'conversation_part',
    id: part.id,
    part_type: part.partType,
    body: part.body === null ? null : rendering.body(part.body),
    created_at: seconds(part.createdAt),
    updated_at: seconds(part.updatedAt),
    notified_at: seconds(part.createdAt),
    assigned_to: part.assignedTo,
    author: {
      id: part.author.id,
      type: part.author.type,
      name: part.author.name === '' ? null : part.author.name,
      email: emailOf(world, part),
      from_ai_agent: false,
      is_ai_answer: false,
    },
    attachments: renderAttachments(part.attachments),
    external_id: null,
    redacted: part.redacted,
    metadata: {},
    email_message_metadata: null,
    state: part.state,
    tags: [],
    event_details: {},
    app_package_code: part.viaApi ? appPackageCode : null,
  }
}

function emailOf(world: World, { author }: PartRecord): string {
  if (author.type === 'admin') return world.admins.find(({ id }) => id === author.id)?.email ?? ''
  if (author.type === 'bot') return `operator+${world.appId}@intercom.io`
  return world.contacts.get(author.id)?.email ?? ''
}

function renderAttachments(attachments: PartRecord['attachments']): readonly Json[] {
  return attachments.map(({ name, url, contentType, size }) => ({
    type: 'upload',
    name,
    url,
    content_type: contentType,
    filesize: size,
    width: null,
    height: null,
  }))
}
