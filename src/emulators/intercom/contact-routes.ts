import { type Call, field, param, type Route, required, route } from './call.js'
import {
  type ContactFields,
  createContact,
  deleteContact,
  mergeContact,
  setArchived,
  tagContact,
  untagContact,
  updateContact,
} from './contacts.js'
import { invalid, missing, resourceNotFound, userNotFound } from './errors.js'
import { type Json, renderAppliedTag, renderContact, renderContactReference } from './render.js'
import { type FieldType, isRecord, paginate, parseQuery } from './search.js'
import type { Document } from './search-index.js'
import { type ContactRecord, getContact, type World } from './state.js'

export const contactRoutes: readonly Route[] = [
  route('POST', '/contacts/search', searchContacts),
  route('GET', '/contacts', listContacts),
  route('POST', '/contacts', (call) => {
    const fields = readFields(call.body)
    if (!fields.email && !fields.externalId && fields.role === undefined) throw missing('email, external_id or role')
    return renderContact(call.world, createContact(call.world, fields))
  }),
  route('POST', '/contacts/merge', merge),
  route('GET', '/contacts/find_by_external_id/{id}', findByExternalId),
  route('GET', '/contacts/{id}', (call) => renderContact(call.world, contactOf(call))),
  route('PUT', '/contacts/{id}', (call) => {
    const contact = contactOf(call)
    updateContact(call.world, contact, readFields(call.body))
    return renderContact(call.world, contact)
  }),
  route('DELETE', '/contacts/{id}', (call) => {
    const contact = anyContactOf(call)
    deleteContact(call.world, contact)
    return { ...renderContactReference(contact), deleted: true }
  }),
  route('POST', '/contacts/{id}/archive', (call) => archive(call, true)),
  route('POST', '/contacts/{id}/unarchive', (call) => archive(call, false)),
  route('GET', '/contacts/{id}/tags', (call) => ({ type: 'list', data: contactOf(call).tags.map(renderAppliedTag) })),
  route('POST', '/contacts/{id}/tags', addTag),
  route('DELETE', '/contacts/{id}/tags/{tag}', removeTag),
]

const contactOf = (call: Call) => getContact(call.world, param(call, 'id'), call.version)

/** Archived ones too. */
function anyContactOf(call: Call): ContactRecord {
  const contact = call.world.contacts.get(param(call, 'id'))
  if (contact === undefined || contact.mergedInto !== null) throw userNotFound()
  return contact
}

function archive(call: Call, archived: boolean): Json {
  const contact = anyContactOf(call)
  setArchived(call.world, contact, archived)
  return { ...renderContactReference(contact), archived }
}

/** A direct look-up, of users only: never behind as search is. */
function findByExternalId(call: Call): Json {
  const wanted = param(call, 'id')
  const found = [...call.world.contacts.values()].find(
    (one) => one.externalId === wanted && one.role === 'user' && !one.archived && one.mergedInto === null,
  )
  if (found === undefined) throw userNotFound()
  return renderContact(call.world, found)
}

function merge(call: Call): Json {
  const { world, body, version } = call
  const from = getContact(world, required(body, 'from'), version)
  const into = getContact(world, required(body, 'into'), version)
  if (from.role !== 'lead' || into.role !== 'user') throw invalid('Only a lead can be merged into a user')
  mergeContact(world, from, into)
  return renderContact(world, into)
}

function addTag(call: Call): Json {
  const contact = contactOf(call)
  const id = required(call.body, 'id')
  const tag = call.world.tags.find((one) => one.id === id)
  if (tag === undefined) throw resourceNotFound()
  return renderAppliedTag(tagContact(call.world, contact, tag, call.world.admins[0]?.id ?? ''))
}

function removeTag(call: Call): Json {
  const removed = untagContact(call.world, contactOf(call), param(call, 'tag'))
  if (removed === undefined) throw resourceNotFound()
  return renderAppliedTag(removed)
}

function readFields(body: Readonly<Record<string, unknown>>): ContactFields {
  const role = field(body, 'role')
  if (role !== undefined && role !== 'lead' && role !== 'user') throw invalid('role must be user or lead')
  const attributes = body.custom_attributes ?? {}
  if (!isRecord(attributes)) throw invalid('custom_attributes is invalid')
  const customAttributes: Record<string, string | number | boolean | null> = {}
  for (const [name, value] of Object.entries(attributes)) {
    const simple = typeof value === 'string' || typeof value === 'number' || typeof value === 'boolean'
    if (!simple && value !== null) throw invalid(`custom_attributes.${name} is invalid`)
    customAttributes[name] = value
  }
  const given: Record<string, unknown> = {
    role,
    name: field(body, 'name'),
    email: field(body, 'email'),
    phone: field(body, 'phone'),
    externalId: field(body, 'external_id'),
    ownerId: field(body, 'owner_id'),
    customAttributes,
  }
  // Absent fields are left out: an update must not touch them.
  return Object.fromEntries(Object.entries(given).filter(([, value]) => value !== undefined)) as ContactFields // every value was read above
}

function listContacts({ world, query }: Call): Json {
  const all = [...world.contacts.values()].filter(isListed)
  const { ids, total, pages } = paginate(
    all.map((contact): [string, Document] => [contact.id, {}]),
    { defaultPerPage: 50, perPage: query.get('per_page'), startingAfter: query.get('starting_after') },
  )
  return { type: 'list', data: renderAll(world, ids), total_count: total, pages }
}

function searchContacts({ world, body }: Call): Json {
  const matches = parseQuery(body.query, (name) => fieldType(world, name))
  const pagination = isRecord(body.pagination) ? body.pagination : {}
  const hits = world.contactIndex.entries().filter(([id, document]) => {
    const contact = world.contacts.get(id)
    return contact !== undefined && isListed(contact) && matches(document)
  })
  const { ids, total, pages } = paginate(hits, {
    defaultPerPage: 50,
    sort: body.sort,
    perPage: pagination.per_page,
    startingAfter: pagination.starting_after,
  })
  return { type: 'list', data: renderAll(world, ids), total_count: total, pages }
}

const isListed = (contact: ContactRecord) => contact.mergedInto === null && !contact.archived

function renderAll(world: World, ids: readonly string[]): readonly Json[] {
  return ids.flatMap((id) => {
    const contact = world.contacts.get(id)
    return contact === undefined ? [] : [renderContact(world, contact)]
  })
}

const fieldTypes: Readonly<Record<string, FieldType>> = {
  id: 'string',
  role: 'string',
  name: 'string',
  email: 'string',
  phone: 'string',
  formatted_phone: 'string',
  external_id: 'string',
  owner_id: 'integer',
  language_override: 'string',
  'location.country': 'string',
  'location.region': 'string',
  'location.city': 'string',
  unsubscribed_from_emails: 'boolean',
  marked_email_as_spam: 'boolean',
  has_hard_bounced: 'boolean',
  created_at: 'day',
  updated_at: 'day',
  signed_up_at: 'day',
  last_seen_at: 'day',
  last_contacted_at: 'day',
  last_replied_at: 'day',
  tag_id: 'tag',
}

const attributeTypes: Readonly<Record<string, FieldType>> = {
  string: 'string',
  options: 'string',
  integer: 'integer',
  float: 'integer',
  boolean: 'boolean',
  date: 'day',
  datetime: 'day',
}

function fieldType(world: World, name: string): FieldType | undefined {
  const custom = /^custom_attributes\.(.+)$/.exec(name)?.[1]
  if (custom === undefined) return fieldTypes[name]
  const attribute = world.dataAttributes.find((one) => one.model === 'contact' && one.name === custom)
  return attribute === undefined ? undefined : (attributeTypes[attribute.dataType] ?? 'any')
}
