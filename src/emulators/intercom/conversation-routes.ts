import type { AttachmentFile } from './attachments.js'
import { adminAuthor } from './authors.js'
import { type Call, field, param, type Route, required, route, time } from './call.js'
import { listConversations, renderingOf, searchConversations } from './conversation-search.js'
import {
  deleteConversation,
  redactPart,
  redactSource,
  tagConversation,
  untagConversation,
  updateConversation,
} from './conversation-upkeep.js'
import {
  addNote,
  assignConversation,
  closeConversation,
  compose,
  openConversation,
  replyAsAdmin,
  replyAsContact,
  snoozeConversation,
  startConversation,
  type Writing,
} from './conversations.js'
import { ApiError, invalid, missing, resourceNotFound, userNotFound } from './errors.js'
import { type Json, renderAppliedTag, renderWithParts, seconds } from './render.js'
import { isRecord } from './search.js'
import {
  type ContactRecord,
  type ConversationRecord,
  getContact,
  getConversation,
  getTaggedConversation,
} from './state.js'

export const conversationRoutes: readonly Route[] = [
  route('POST', '/conversations/search', searchConversations),
  route('POST', '/conversations/redact', redact),
  route('GET', '/conversations', listConversations),
  route('POST', '/conversations', create),
  route('GET', '/conversations/{id}', (call) => show(call, getConversation(call.world, param(call, 'id')))),
  route('PUT', '/conversations/{id}', update),
  route('DELETE', '/conversations/{id}', (call) => {
    const conversation = getConversation(call.world, param(call, 'id'))
    deleteConversation(call.world, conversation)
    return { id: conversation.id, object: 'conversation', deleted: true }
  }),
  route('POST', '/conversations/{id}/reply', reply),
  route('POST', '/conversations/{id}/parts', manage),
  route('POST', '/conversations/{id}/tags', addTag),
  route('DELETE', '/conversations/{id}/tags/{tag}', removeTag),
]

const show = (call: Call, conversation: ConversationRecord): Json =>
  renderWithParts(call.world, conversation, renderingOf(call))

/** Answers with the message, not with the conversation. */
async function create(call: Call): Promise<Json> {
  const { world, body } = call
  const from = isRecord(body.from) ? body.from : {}
  const type = required(from, 'type')
  if (type !== 'user' && type !== 'lead' && type !== 'contact') throw invalid('from.type is invalid')
  const contact = getContact(world, required(from, 'id'), call.version)
  // Just made, a contact may not be known here yet.
  if (contact.createdAt + world.newContactLagMs > world.clock.now()) throw userNotFound()
  const { source, id } = startConversation(world, contact, await readWriting(call))
  return {
    type: 'user_message',
    id: source.id,
    created_at: seconds(source.createdAt),
    body: field(body, 'body') ?? '',
    message_type: 'inapp',
    conversation_id: id,
  }
}

async function reply(call: Call): Promise<Json> {
  const { world, body } = call
  if (body.type === 'admin') return replyOfAdmin(call)
  if (body.type !== 'user') throw invalid('type must be user or admin')
  const contact = replyingContact(call)
  const conversation = conversationOf(call, contact)
  // A contact who is not in the conversation cannot write in it.
  if (conversation.contactId !== contact.id) throw userNotFound()
  replyAsContact(world, conversation, contact, await readWriting(call))
  return show(call, conversation)
}

function replyingContact({ world, body, version }: Call): ContactRecord {
  const id = field(body, 'intercom_user_id')
  if (id) return getContact(world, id, version)
  const externalId = field(body, 'user_id')
  const email = field(body, 'email')
  if (!externalId && !email) throw missing('intercom_user_id')
  const found = [...world.contacts.values()].find((one) =>
    externalId ? one.externalId === externalId : one.email === email,
  )
  if (found === undefined) throw userNotFound()
  return getContact(world, found.id, version)
}

/** The id may be the word `last`: the contact's last conversation. */
function conversationOf(call: Call, contact: ContactRecord): ConversationRecord {
  const id = param(call, 'id')
  if (id !== 'last') return getConversation(call.world, id)
  const last = [...call.world.conversations.values()].findLast(({ contactId }) => contactId === contact.id)
  if (last === undefined) throw resourceNotFound()
  return last
}

async function replyOfAdmin(call: Call): Promise<Json> {
  const { world, body } = call
  const author = adminAuthor(world, required(body, 'admin_id'))
  const conversation = getConversation(world, param(call, 'id'))
  const type = required(body, 'message_type')
  if (type === 'note') addNote(world, conversation, author, await readWriting(call))
  else if (type === 'comment') replyAsAdmin(world, conversation, author, await readWriting(call))
  else if (type === 'quick_reply') {
    // Options without a body, as in the page's example.
    const body = { body: null, attachments: [], viaApi: true }
    replyAsAdmin(world, conversation, author, { ...body, and: 'quick_reply' })
  } else throw invalid('message_type is invalid')
  return show(call, conversation)
}

async function manage(call: Call): Promise<Json> {
  const { world, body } = call
  const conversation = getConversation(world, param(call, 'id'))
  const type = required(body, 'message_type')
  const author = adminAuthor(world, required(body, 'admin_id'))
  const says = Boolean(field(body, 'body'))
  if (type === 'close') {
    if (says) replyAsAdmin(world, conversation, author, { ...(await readWriting(call)), and: 'close' })
    else closeConversation(world, conversation, author, true)
  } else if (type === 'open') {
    openConversation(world, conversation, author, true)
  } else if (type === 'snoozed') {
    const untilMs = time(body, 'snoozed_until')
    if (untilMs === undefined) throw missing('snoozed_until')
    if (untilMs <= world.clock.now()) throw invalid('snoozed_until must be in the future')
    snoozeConversation(world, conversation, author, { untilMs, viaApi: true })
  } else if (type === 'assignment') {
    const assignee = readAssignee(call)
    if (says) replyAsAdmin(world, conversation, author, { ...(await readWriting(call)), and: 'assign', assignee })
    else assignConversation(world, conversation, author, { assignee, viaApi: true })
  } else throw invalid('message_type is invalid')
  return show(call, conversation)
}

function readAssignee({ world, body }: Call): { type: 'admin' | 'team'; id: string } {
  const { type } = body
  if (type !== 'admin' && type !== 'team') throw invalid('type must be admin or team')
  const id = required(body, 'assignee_id')
  if (id === '0') return { type, id }
  if (type === 'admin') adminAuthor(world, id)
  else if (world.teams.every((team) => team.id !== id)) throw new ApiError(404, 'team_not_found', 'Team not found')
  return { type, id }
}

const maxAttachments = 10

async function readWriting(call: Call): Promise<Writing> {
  const { world, body } = call
  const urls = body.attachment_urls ?? []
  const files = body.attachment_files ?? []
  if (!Array.isArray(urls) || !urls.every((url) => typeof url === 'string')) throw invalid('attachment_urls is invalid')
  if (!Array.isArray(files)) throw invalid('attachment_files is invalid')
  if (urls.length > maxAttachments || files.length > maxAttachments) throw invalid('At most 10 attachments are allowed')
  const text = field(body, 'body')
  if (text === undefined || text === null) throw missing('body')
  const createdAt = time(body, 'created_at')
  if (createdAt !== undefined && createdAt > world.clock.now()) throw invalid('created_at must be in the past')
  const kept = files.map((file) => world.attachments.keep(readFile(file)))
  const fetched = await world.attachments.fetchAll(urls)
  return compose(text, { attachments: [...kept, ...fetched], viaApi: true, createdAt })
}

function readFile(file: unknown): AttachmentFile {
  if (!isRecord(file)) throw invalid('attachment_files is invalid')
  return {
    name: required(file, 'name'),
    contentType: required(file, 'content_type'),
    data: Buffer.from(required(file, 'data'), 'base64'),
  }
}

function update(call: Call): Json {
  const { world, body } = call
  const conversation = getConversation(world, param(call, 'id'))
  // They must exist before they can be written, and they are made in the UI alone before API 2.16.
  const unknown = isRecord(body.custom_attributes) ? Object.keys(body.custom_attributes)[0] : undefined
  if (unknown !== undefined) throw invalid(`Custom attribute '${unknown}' does not exist`)
  if (body.read !== undefined && typeof body.read !== 'boolean') throw invalid('read is invalid')
  updateConversation(world, conversation, { read: body.read, title: field(body, 'title') })
  return show(call, conversation)
}

function addTag(call: Call): Json {
  const { world, body } = call
  const conversation = getTaggedConversation(world, param(call, 'id'))
  const id = required(body, 'id')
  const admin = adminAuthor(world, required(body, 'admin_id'))
  const tag = world.tags.find((one) => one.id === id)
  if (tag === undefined) throw tagNotFound()
  return renderAppliedTag(tagConversation(world, conversation, tag, admin.id))
}

function removeTag(call: Call): Json {
  const { world, body } = call
  const conversation = getTaggedConversation(world, param(call, 'id'))
  adminAuthor(world, required(body, 'admin_id'))
  const removed = untagConversation(world, conversation, param(call, 'tag'))
  if (removed === undefined) throw tagNotFound()
  return renderAppliedTag(removed)
}

const tagNotFound = () => new ApiError(404, 'tag_not_found', 'Tag not found')

function redact(call: Call): Json {
  const { world, body } = call
  const conversation = world.conversations.get(required(body, 'conversation_id'))
  const part = conversation?.parts.find(({ id }) => id === field(body, 'conversation_part_id'))
  const sourceId = field(body, 'source_id')
  const source = body.type === 'source' && (sourceId === undefined || sourceId === conversation?.source.id)
  if (conversation === undefined || (!source && part === undefined)) {
    throw new ApiError(404, 'conversation_part_or_message_not_found', 'Conversation part or message not found')
  }
  if (source) redactSource(world, conversation)
  else if (part !== undefined) redactPart(world, conversation, part)
  return show(call, conversation)
}
