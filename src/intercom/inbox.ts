// What a teammate does with a conversation, by API: for trying a bridge out from the agent's side.
import type { ContactId, ConversationId } from '../message.js'
import type { Call } from '../transport.js'
import { type Assignee, assignConversation } from './assignment.js'
import type { Conversation } from './shapes.js'
import * as shapes from './shapes.js'
import { conversationPath, createWire, unlessGone, type WireParts } from './wire.js'

/** Every act is of one admin's. A permission that the app lacks is a DeliveryError with status 401 or 403. */
export interface IntercomInbox {
  /** Writes to the customer. The answer holds the new part last. Reopens a closed conversation. */
  reply(id: ConversationId, html: string, call: Call): Promise<Conversation>
  /** Writes a private note: for teammates alone. */
  note(id: ConversationId, html: string, call: Call): Promise<Conversation>
  close(id: ConversationId, call: Call): Promise<void>
  /** Reopens a closed conversation. */
  assign(id: ConversationId, assignee: Assignee, call: Call): Promise<void>
  /** Finds the tag by its name, whatever the case, or makes it; undefined when the conversation is gone. */
  tag(id: ConversationId, name: string, call: Call): Promise<{ readonly tagId: string } | undefined>
  /** From the workspace, and so from whatever it was put on. One that is gone already is no fault. */
  deleteTag(tagId: string, call: Call): Promise<void>
  /**
   * Conversations of the whole workspace, without parts: the first twenty of the list, whose order is not documented.
   */
  listConversations(call: Call): Promise<readonly Conversation[]>
  /** For good; asks for the permission "Delete conversations and metrics". One that is gone already is no fault. */
  deleteConversation(id: ConversationId, call: Call): Promise<void>
  /** Hides the contact from lists and search, until it is unarchived. One that is gone already is no fault. */
  archiveContact(id: ContactId, call: Call): Promise<void>
}

export interface InboxParts extends WireParts {
  /** In whose name: `IntercomClient.me` tells whose the token is. */
  readonly adminId: string
  /** Replies and notes notify nobody (from API 2.15 on). Default: as Intercom is set. */
  readonly skipNotifications?: true
}

export function createIntercomInbox(parts: InboxParts): IntercomInbox {
  const { adminId, skipNotifications } = parts
  const wire = createWire(parts)
  const { run } = wire

  function write(type: 'comment' | 'note', { id, html }: { id: ConversationId; html: string }, call: Call) {
    const quiet = skipNotifications === true ? { skip_notifications: true } : {}
    const body = { message_type: type, type: 'admin', admin_id: adminId, body: html, ...quiet }
    const path = `${conversationPath(id)}/reply`
    return run({ method: 'POST', path, body, creates: true }, shapes.conversation, call)
  }

  return {
    reply: (id, html, call) => write('comment', { id, html }, call),

    note: (id, html, call) => write('note', { id, html }, call),

    async close(id, call) {
      const body = { message_type: 'close', type: 'admin', admin_id: adminId }
      await run({ method: 'POST', path: `${conversationPath(id)}/parts`, body }, shapes.anything, call)
    },

    assign: (id, assignee, call) => assignConversation(wire, { id, adminId, assignee }, call),

    async tag(id, name, call) {
      const tag = await run({ method: 'POST', path: '/tags', body: { name } }, shapes.tag, call)
      const path = `${conversationPath(id)}/tags`
      const body = { id: tag.id, admin_id: adminId }
      const applied = await unlessGone(run({ method: 'POST', path, body }, shapes.tag, call))
      return applied && { tagId: applied.id }
    },

    async deleteTag(tagId, call) {
      await unlessGone(run({ method: 'DELETE', path: `/tags/${encodeURIComponent(tagId)}` }, shapes.anything, call))
    },

    async listConversations(call) {
      return (await run({ method: 'GET', path: '/conversations' }, shapes.conversationPage, call)).conversations
    },

    async deleteConversation(id, call) {
      await unlessGone(run({ method: 'DELETE', path: conversationPath(id) }, shapes.anything, call))
    },

    async archiveContact(id, call) {
      const path = `/contacts/${encodeURIComponent(id)}/archive`
      await unlessGone(run({ method: 'POST', path, body: {} }, shapes.anything, call))
    },
  }
}
