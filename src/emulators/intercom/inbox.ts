// What teammates do with their hands. Nothing here bears an app package code: it was not done through the API.
import { adminAuthor, botAuthor } from './authors.js'
import { createContact, mergeContact, setArchived } from './contacts.js'
import { deleteConversation, redactPart, redactSource, tagConversation } from './conversation-upkeep.js'
import {
  addNote,
  assignConversation,
  closeConversation,
  compose,
  openConversation,
  replyAsAdmin,
  snoozeConversation,
} from './conversations.js'
import { resourceNotFound } from './errors.js'
import { findOrCreateTag, getContact, getConversation, type World } from './state.js'
import type { TwinInbox, TwinPart } from './types.js'

export function createInbox(world: World): TwinInbox {
  const author = (options: { adminId?: string } = {}): TwinPart['author'] =>
    adminAuthor(world, options.adminId ?? world.admins[0]?.id ?? '')
  const conversation = (id: string) => getConversation(world, id)
  const contact = (id: string) => getContact(world, id, world.dialect)
  const viaApi = false
  return {
    reply(conversationId, html, options = {}) {
      const attachments = (options.attachments ?? []).map((file) => world.attachments.keep(file))
      const writing = compose(html, { attachments, viaApi })
      return replyAsAdmin(world, conversation(conversationId), author(options), { ...writing, and: options.and })
    },
    botReply(conversationId, html) {
      return replyAsAdmin(world, conversation(conversationId), botAuthor, compose(html, { attachments: [], viaApi }))
    },
    note(conversationId, html, options) {
      const writing = compose(html, { attachments: [], viaApi })
      return addNote(world, conversation(conversationId), author(options), writing)
    },
    close: (id, options) => closeConversation(world, conversation(id), author(options), viaApi),
    open: (id, options) => openConversation(world, conversation(id), author(options), viaApi),
    snooze: (id, untilMs, options) => snoozeConversation(world, conversation(id), author(options), { untilMs, viaApi }),
    assign: (id, assignee, options) =>
      assignConversation(world, conversation(id), author(options), { assignee, viaApi }),
    tag(id, name, options) {
      tagConversation(world, conversation(id), findOrCreateTag(world, name), author(options).id)
    },
    redact(id, partId) {
      const found = conversation(id)
      const part = found.parts.find((one) => one.id === partId)
      if (part !== undefined) redactPart(world, found, part)
      else if (found.source.id === partId) redactSource(world, found)
      else throw resourceNotFound()
    },
    deleteConversation: (id) => deleteConversation(world, conversation(id)),
    createContact: (fields) => createContact(world, fields),
    archiveContact: (id) => setArchived(world, contact(id), true),
    mergeContact: (from, into) => mergeContact(world, contact(from), contact(into)),
  }
}
