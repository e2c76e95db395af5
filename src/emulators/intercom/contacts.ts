// What can happen to a contact, whoever makes it happen: the API or a teammate in the inbox.

import { ApiError, invalid } from './errors.js'
import { toE164 } from './formatted-phone.js'
import { contactItem, contactNotice, indexConversation, type Topic } from './notices.js'
import { renderContact, renderContactReference } from './render.js'
import type { AppliedTag, ContactRecord, Tag, World } from './state.js'

export interface ContactFields {
  role?: 'lead' | 'user'
  name?: string | null
  email?: string | null
  phone?: string | null
  externalId?: string | null
  ownerId?: string | null
  customAttributes?: Readonly<Record<string, string | number | boolean | null>>
}

export function createContact(world: World, fields: ContactFields): ContactRecord {
  const role = fields.role ?? 'user'
  if (role === 'lead' && fields.externalId) throw invalid("external_id can't be set on leads")
  if (role === 'user' && !fields.externalId && !fields.email) throw invalid('A user needs external_id or email')
  checkFields(world, fields)
  checkUnique(world, { role, email: fields.email ?? null, externalId: fields.externalId ?? null })
  const now = world.clock.now()
  const contact: ContactRecord = {
    id: world.ids.contact(now),
    role,
    name: fields.name ?? null,
    email: fields.email ?? null,
    phone: fields.phone ?? null,
    // Leads are given one of Intercom's making.
    externalId: role === 'lead' ? world.ids.uuid() : (fields.externalId ?? null),
    customAttributes: { ...fields.customAttributes },
    archived: false,
    mergedInto: null,
    createdAt: now,
    updatedAt: now,
    lastRepliedAt: null,
    tags: [],
    ownerId: fields.ownerId ?? null,
  }
  world.contacts.set(contact.id, contact)
  indexContact(world, contact)
  notifyOf(world, contact, `contact.${role}.created`)
  return contact
}

export function updateContact(world: World, contact: ContactRecord, fields: ContactFields): void {
  const role = fields.role ?? contact.role
  if (role === 'lead' && fields.externalId && fields.externalId !== contact.externalId) {
    throw invalid("external_id can't be set on leads")
  }
  checkFields(world, fields)
  const email = fields.email === undefined ? contact.email : fields.email
  const externalId = fields.externalId === undefined ? contact.externalId : fields.externalId
  checkUnique(world, { role, email, externalId }, contact.id)
  Object.assign(contact, { role, email, externalId })
  if (fields.name !== undefined) contact.name = fields.name
  if (fields.phone !== undefined) contact.phone = fields.phone
  if (fields.ownerId !== undefined) contact.ownerId = fields.ownerId
  Object.assign(contact.customAttributes, fields.customAttributes)
  contactChanged(world, contact)
  // A changed phone has no topic of its own.
  notifyOf(world, contact, `contact.${role}.updated`)
}

export function setArchived(world: World, contact: ContactRecord, archived: boolean): void {
  if (contact.archived === archived) return
  contact.archived = archived
  contactChanged(world, contact)
  const item = { ...renderContactReference(contact), archived }
  world.notify(contactNotice(contact, archived ? 'contact.archived' : 'contact.unarchive', item))
}

export function deleteContact(world: World, contact: ContactRecord): void {
  world.contacts.delete(contact.id)
  world.contactIndex.remove(contact.id)
  const item = { ...renderContactReference(contact), deleted: true }
  world.notify(contactNotice(contact, 'contact.deleted', item))
}

/** The surviving contact takes over the conversations, and whatever it lacks itself. */
export function mergeContact(world: World, from: ContactRecord, into: ContactRecord): void {
  from.mergedInto = into.id
  world.contactIndex.remove(from.id)
  into.name ??= from.name
  into.email ??= from.email
  into.phone ??= from.phone
  into.customAttributes = { ...from.customAttributes, ...into.customAttributes }
  into.tags = [...into.tags, ...from.tags.filter(({ id }) => into.tags.every((tag) => tag.id !== id))]
  into.lastRepliedAt = Math.max(from.lastRepliedAt ?? 0, into.lastRepliedAt ?? 0) || null
  for (const conversation of world.conversations.values()) {
    if (conversation.contactId !== from.id) continue
    conversation.contactId = into.id
    indexConversation(world, conversation)
    world.conversationChanged(conversation)
  }
  contactChanged(world, into)
  const item = { ...contactItem(world, into), merged_from: { type: 'contact', id: from.id } }
  world.notify(contactNotice(into, 'contact.merged', item))
}

export function tagContact(world: World, contact: ContactRecord, tag: Tag, adminId: string): AppliedTag {
  const known = contact.tags.find(({ id }) => id === tag.id)
  if (known !== undefined) return known
  const applied = { id: tag.id, name: tag.name, appliedAt: world.clock.now(), appliedBy: adminId }
  contact.tags = [...contact.tags, applied]
  contactChanged(world, contact)
  notifyOfTag(world, contact, tag, `contact.${contact.role}.tag.created`)
  return applied
}

export function untagContact(world: World, contact: ContactRecord, tagId: string): AppliedTag | undefined {
  const applied = contact.tags.find(({ id }) => id === tagId)
  if (applied === undefined) return undefined
  contact.tags = contact.tags.filter(({ id }) => id !== tagId)
  contactChanged(world, contact)
  notifyOfTag(world, contact, applied, `contact.${contact.role}.tag.deleted`)
  return applied
}

/** The contact wrote something: search and tie-breaks go by this time. */
export function contactReplied(world: World, contact: ContactRecord, at: number): void {
  contact.lastRepliedAt = Math.max(contact.lastRepliedAt ?? 0, at)
  contactChanged(world, contact)
}

function contactChanged(world: World, contact: ContactRecord): void {
  contact.updatedAt = world.clock.now()
  indexContact(world, contact)
}

function indexContact(world: World, contact: ContactRecord): void {
  world.contactIndex.put(contact.id, {
    ...renderContact(world, contact),
    formatted_phone: toE164(contact.phone),
    tag_id: contact.tags.map(({ id }) => id),
  })
}

function notifyOf(world: World, contact: ContactRecord, topic: Topic): void {
  world.notify(contactNotice(contact, topic, contactItem(world, contact)))
}

function notifyOfTag(world: World, contact: ContactRecord, { id, name }: Tag, topic: Topic): void {
  const item = { type: 'contact_tag', tag: { type: 'tag', id, name }, contact: contactItem(world, contact) }
  world.notify(contactNotice(contact, topic, item))
}

function checkFields(world: World, fields: ContactFields): void {
  if (fields.ownerId && world.admins.every(({ id }) => id !== fields.ownerId)) {
    throw invalid('The owner specified is not a member of the workspace')
  }
  for (const name of Object.keys(fields.customAttributes ?? {})) {
    if (world.dataAttributes.every((attribute) => attribute.model !== 'contact' || attribute.name !== name)) {
      throw invalid(`Custom attribute '${name}' does not exist`)
    }
  }
}

/** Unique are external ids, and e-mail addresses among users. Phone numbers never are, nor anything of a lead. */
function checkUnique(
  world: World,
  wanted: { role: 'lead' | 'user'; email: string | null; externalId: string | null },
  self?: string,
): void {
  const same = (a: string | null, b: string | null) => a !== null && a.toLowerCase() === b?.toLowerCase()
  for (const other of world.contacts.values()) {
    if (other.id === self || other.mergedInto !== null) continue
    const sameId = other.externalId !== null && other.externalId === wanted.externalId
    const sameEmail = wanted.role === 'user' && other.role === 'user' && same(other.email, wanted.email)
    if (!sameId && !sameEmail) continue
    const whose = other.archived ? 'An archived contact' : 'A contact'
    throw new ApiError(409, 'conflict', `${whose} matching those details already exists with id=${other.id}`)
  }
}
