import type { ContactId, ConversationId } from '../message.js'
import type { PhoneNumber } from '../phone.js'
import type { Call } from '../transport.js'
import { assignConversation } from './assignment.js'
import type { Contact, Conversation, Part, UpdatedConversation } from './shapes.js'
import * as shapes from './shapes.js'
import { conversationPath, createWire, type ReadError, unlessGone, type WireParts } from './wire.js'

export type { Contact, Conversation, Part }

export interface IntercomClient {
  /** Whose token this is, and the workspace's time zone (IANA) where it tells. */
  me(call: Call): Promise<{ adminId: string; appId: string; workspace: string; region: string; timeZone?: string }>
  /**
   * Contacts whose phone, as typed or as Intercom normalises it, is any of these. The index lags minutes behind, and
   * phones are not unique.
   */
  searchContacts(phones: readonly PhoneNumber[], call: Call): Promise<readonly Contact[]>
  /** Contacts of exactly this name, as far as the index has them. */
  searchContactsNamed(name: string, call: Call): Promise<readonly Contact[]>
  /** Those of at most 50 contacts that the index has. */
  searchContactsById(ids: readonly ContactId[], call: Call): Promise<readonly Contact[]>
  /** Undefined when deleted, archived or merged into another. */
  getContact(id: ContactId, call: Call): Promise<Contact | undefined>
  createLead(
    lead: { phone?: string; name?: string; customAttributes: Readonly<Record<string, string>> },
    call: Call,
  ): Promise<Contact>
  /** Names of the custom attributes a contact may be given; any other is refused. */
  contactAttributes(call: Call): Promise<ReadonlySet<string>>
  /** 404 is transient here: a new contact is not known everywhere at once. */
  createConversation(
    from: { id: ContactId; role: 'user' | 'lead' },
    html: string,
    call: Call,
  ): Promise<{ conversationId: ConversationId; messageId: string }>
  /** Undefined when deleted. */
  getConversation(id: ConversationId, call: Call): Promise<Conversation | undefined>
  /** By search, which lags; newest first, without parts. */
  searchConversations(contactId: ContactId, call: Call): Promise<readonly Conversation[]>
  /**
   * Conversations of the whole workspace in which something happened since then (epoch ms), oldest change first. By
   * search, which lags.
   */
  searchUpdatedSince(since: number, call: Call): Promise<readonly UpdatedConversation[]>
  /** Reopens a closed conversation. The answer holds the new part last. */
  replyAsContact(id: ConversationId, contactId: ContactId, html: string, call: Call): Promise<Conversation>
  /** How much earlier or later than by our clock Intercom may say that something happened, ms. */
  clockSlackMs(): number
  assignToTeam(id: ConversationId, adminId: string, teamId: string, call: Call): Promise<void>
  /** A private note, for teammates alone. The answer holds the new part last. */
  writeNote(id: ConversationId, adminId: string, html: string, call: Call): Promise<Conversation>
  /** Ends that it is closed or snoozed. */
  openConversation(id: ConversationId, adminId: string, call: Call): Promise<void>
}

const mostContacts = 150
/** The most that a page of conversations holds. */
const mostConversations = 150
/** Vendor times have one-second resolution and their clock is not ours. */
const resolutionMs = 5_000

export function createIntercomClient(parts: WireParts): IntercomClient {
  const { transport } = parts
  const wire = createWire(parts)
  const { run, readError } = wire

  /** Those that meet any of the conditions, most recently updated first. */
  async function contactsWhere(value: readonly object[], call: Call): Promise<readonly Contact[]> {
    const found: Contact[] = []
    let after: string | undefined
    do {
      const body = {
        query: { operator: 'OR', value },
        sort: { field: 'updated_at', order: 'descending' },
        pagination: { per_page: 50, ...(after === undefined ? {} : { starting_after: after }) },
      }
      const page = await run({ method: 'POST', path: '/contacts/search', body }, shapes.contactPage, call)
      found.push(...page.data)
      after = page.pages?.next?.starting_after
    } while (after !== undefined && found.length < mostContacts)
    return found
  }

  return {
    me: (call) => run({ method: 'GET', path: '/me' }, shapes.admin, call),

    searchContacts: (phones, call) =>
      contactsWhere(
        phones.flatMap((value) => ['phone', 'formatted_phone'].map((field) => ({ field, operator: '=', value }))),
        call,
      ),

    searchContactsNamed: (value, call) => contactsWhere([{ field: 'name', operator: '=', value }], call),

    searchContactsById: (ids, call) => contactsWhere([{ field: 'id', operator: 'IN', value: ids }], call),

    getContact: (id, call) =>
      unlessGone(run({ method: 'GET', path: `/contacts/${encodeURIComponent(id)}` }, shapes.contact, call)),

    createLead({ phone, name, customAttributes }, call) {
      const body = { role: 'lead', phone, name, custom_attributes: customAttributes }
      return run({ method: 'POST', path: '/contacts', body, creates: true }, shapes.contact, call)
    },

    async contactAttributes(call) {
      const path = '/data_attributes?model=contact'
      const { data } = await run({ method: 'GET', path }, shapes.dataAttributes, call)
      // Free text only: a list or a number of the same name would refuse the contact.
      const usable = data.filter(
        ({ custom, archived, api_writable, data_type, options }) =>
          custom && !archived && api_writable !== false && (data_type ?? 'string') === 'string' && !options?.length,
      )
      return new Set(usable.map(({ name }) => name))
    },

    createConversation({ id, role }, html, call) {
      const body = { from: { type: role, id }, body: html }
      const notFoundYet: ReadError = (status, answered, json) => {
        const error = readError(status, answered, json)
        return status === 404 && error !== undefined ? { ...error, outcome: 'transient', retryAfterMs: 1000 } : error
      }
      const operation = { method: 'POST', path: '/conversations', body, creates: true, readError: notFoundYet } as const
      return run(operation, shapes.createdConversation, call)
    },

    getConversation: (id, call) =>
      unlessGone(run({ method: 'GET', path: conversationPath(id) }, shapes.conversation, call)),

    async searchConversations(contactId, call) {
      const query = { field: 'contact_ids', operator: '=', value: contactId }
      const body = { query: { operator: 'AND', value: [query] }, pagination: { per_page: mostConversations } }
      const page = await run({ method: 'POST', path: '/conversations/search', body }, shapes.conversationPage, call)
      return page.conversations.sort((a, b) => b.createdAt - a.createdAt)
    },

    async searchUpdatedSince(since, call) {
      // Whole seconds, and the pages leave open whether ">" takes the second itself.
      const query = { field: 'updated_at', operator: '>', value: Math.floor(since / 1000) - 1 }
      // One that changes while we read may come twice.
      const found = new Map<ConversationId, UpdatedConversation>()
      let after: string | undefined
      do {
        const body = {
          query: { operator: 'AND', value: [query] },
          pagination: { per_page: mostConversations, ...(after === undefined ? {} : { starting_after: after }) },
        }
        const page = await run({ method: 'POST', path: '/conversations/search', body }, shapes.updatedPage, call)
        for (const conversation of page.conversations) found.set(conversation.id, conversation)
        after = page.pages?.next?.starting_after
      } while (after !== undefined)
      return [...found.values()].sort((a, b) => a.updatedAt - b.updatedAt)
    },

    replyAsContact(id, contactId, html, call) {
      // The type is "user" for leads as well.
      const body = { message_type: 'comment', type: 'user', intercom_user_id: contactId, body: html }
      const path = `${conversationPath(id)}/reply`
      return run({ method: 'POST', path, body, creates: true }, shapes.conversation, call)
    },

    clockSlackMs: () => resolutionMs + transport.clockDoubtMs('intercom'),

    assignToTeam: (id, adminId, teamId, call) =>
      assignConversation(wire, { id, adminId, assignee: { type: 'team', id: teamId } }, call),

    writeNote(id, adminId, html, call) {
      const body = { message_type: 'note', type: 'admin', admin_id: adminId, body: html }
      const path = `${conversationPath(id)}/reply`
      return run({ method: 'POST', path, body, creates: true }, shapes.conversation, call)
    },

    async openConversation(id, adminId, call) {
      const body = { message_type: 'open', admin_id: adminId }
      await run({ method: 'POST', path: `${conversationPath(id)}/parts`, body }, shapes.anything, call)
    },
  }
}
