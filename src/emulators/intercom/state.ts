// The twin's books, and what its rooms share.
import type { TwinClock } from '../clock.js'
import type { Attachments, StoredAttachment } from './attachments.js'
import { ApiError, conversationNotFound, resourceNotFound, userNotFound } from './errors.js'
import type { Ids } from './ids.js'
import type { SearchIndex } from './search-index.js'
import type { TwinContact, TwinConversation, TwinPart } from './types.js'

export interface Tag {
  readonly id: string
  name: string
}

export interface AppliedTag extends Tag {
  readonly appliedAt: number
  /** The admin who did it. */
  readonly appliedBy: string
}

export interface ContactRecord extends TwinContact {
  tags: AppliedTag[]
  ownerId: string | null
}

export interface PartRecord extends TwinPart {
  readonly attachments: readonly StoredAttachment[]
  updatedAt: number
  readonly assignedTo: { readonly type: 'admin' | 'team'; readonly id: string } | null
  /** The conversation's state once this part was made. */
  readonly state: TwinConversation['state']
}

export interface SourceRecord {
  readonly id: string
  body: string
  readonly createdAt: number
  readonly attachments: readonly StoredAttachment[]
  redacted: boolean
  readonly viaApi: boolean
}

export interface ConversationRecord extends TwinConversation {
  /** Changes when the contact is merged into another. */
  contactId: string
  readonly source: SourceRecord
  readonly parts: PartRecord[]
  tags: AppliedTag[]
  title: string | null
  read: boolean
  snoozedUntil: number | null
}

export interface Admin {
  readonly id: string
  readonly name: string
  readonly email: string
}

export interface Team {
  readonly id: string
  readonly name: string
  readonly adminIds: readonly string[]
}

export interface DataAttribute {
  readonly id: number
  readonly name: string
  readonly model: 'contact' | 'company'
  readonly dataType: string
  readonly description: string
  readonly createdAt: number
}

/** What one webhook carries, before the envelope. */
export interface Notice {
  readonly topic: string
  readonly item: Readonly<Record<string, unknown>>
  /** First attempts with the same key are made one after the other. */
  readonly key: string
  /** The part it tells of, if it tells of one. */
  readonly partId?: string | undefined
}

export interface World {
  readonly appId: string
  readonly timeZone: string | null
  readonly region: 'US' | 'EU' | 'AU'
  readonly clock: TwinClock
  readonly dialect: '2.14' | '2.15'
  readonly newContactLagMs: number
  readonly ids: Ids
  readonly admins: readonly Admin[]
  readonly teams: readonly Team[]
  readonly contacts: Map<string, ContactRecord>
  readonly conversations: Map<string, ConversationRecord>
  readonly tags: Tag[]
  readonly dataAttributes: DataAttribute[]
  readonly contactIndex: SearchIndex
  readonly conversationIndex: SearchIndex
  readonly attachments: Attachments
  /** Aborted when the twin stops. */
  readonly stopped: AbortSignal
  notify(notice: Notice): void
  /** For the books' readers; the books themselves are already up to date. */
  conversationChanged(conversation: ConversationRecord): void
}

/**
 * The contact with this id. Archived ones cannot be seen; merged ones are 404 up to API 2.15 and 410 with a link to
 * the surviving one from 2.16 on.
 */
export function getContact(world: World, id: string, version: string): ContactRecord {
  const contact = world.contacts.get(id)
  if (contact !== undefined && contact.mergedInto !== null && version === '2.16') {
    throw new ApiError(410, 'contact_merged', 'Contact has been merged', {
      link: `</contacts/${contact.mergedInto}>`,
    })
  }
  if (contact === undefined || contact.mergedInto !== null || contact.archived) throw userNotFound()
  return contact
}

export function getConversation(world: World, id: string): ConversationRecord {
  const conversation = world.conversations.get(id)
  if (conversation === undefined) throw resourceNotFound()
  return conversation
}

export function getTaggedConversation(world: World, id: string): ConversationRecord {
  const conversation = world.conversations.get(id)
  if (conversation === undefined) throw conversationNotFound()
  return conversation
}

/** The contact of a conversation, whatever has become of it. Undefined once it was deleted. */
export function contactOf(world: World, conversation: ConversationRecord): ContactRecord | undefined {
  return world.contacts.get(conversation.contactId)
}

/** Tags are found by name whatever the case, and made when there is none. */
export function findOrCreateTag(world: World, name: string): Tag {
  const known = world.tags.find((tag) => tag.name.toLowerCase() === name.toLowerCase())
  if (known !== undefined) return known
  const tag = { id: world.ids.decimal(), name }
  world.tags.push(tag)
  return tag
}
