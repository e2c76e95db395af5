import type { Delivery, Flow, FlowResult, Tools } from '../delivery.js'
import { DeliveryError, describeError } from '../errors.js'
import type { Conversation, IntercomClient } from '../intercom/client.js'
import type { Log } from '../log.js'
import type { ContactId, ConversationId, InboundSms, PartId } from '../message.js'
import { canonical } from '../phone.js'
import type { Store, Thread } from '../store/store.js'
import { createContacts, isYoung, notVisibleYet, type Person } from './contact.js'
import { sameWords, toInboxHtml } from './sms-text.js'

/** The lag of conversation search is not documented; contact search's "few minutes" is the vendor's own word. */
const conversationVisibleAfterMs = 120_000
/** Reading a conversation by its id is no search; a little time for the vendor's replicas. */
const partVisibleAfterMs = 10_000
/** Vendor times have one-second resolution and their clock is not ours. */
const clockSlackMs = 5_000

export interface InboundSmsParts {
  readonly store: Store
  readonly intercom: IntercomClient
  readonly log: Log
  readonly defaultRegion: string
  /** Our number → team id; `*` stands for any other number. */
  readonly teams: ReadonlyMap<string, string>
  /** The admin in whose name conversations are assigned. */
  readonly adminId: (tools: Tools) => Promise<string>
  /** Shortens every vendor lag, for vendors that have none (the twins). */
  readonly visibleAfterMs?: number
  /** The contact that a refusal says is there already. */
  readonly existingContactId: (error: DeliveryError) => ContactId | undefined
}

/** The customer's words and, in words, what came with them. */
function inboxBody(sms: InboundSms): string {
  const media = sms.media.map(
    ({ contentType }) => `[attachment: ${contentType}, see message ${sms.messageSid} in Twilio]`,
  )
  const lines = [...(sms.body.trim() === '' ? [] : [sms.body]), ...media]
  return toInboxHtml(lines.length === 0 ? '[empty text]' : lines.join('\n'))
}

interface Appended {
  readonly partId: PartId
}

/** A customer's text → their open conversation, or a new one. */
export function createInboundSmsFlow(parts: InboundSmsParts): Flow<'inbound-sms'> {
  const { store, intercom, log, teams, adminId, visibleAfterMs } = parts
  const contacts = createContacts(parts)

  /** The thread's conversation if this text belongs in it. */
  const openConversation = async (thread: Thread | undefined, tools: Tools): Promise<Conversation | undefined> => {
    if (thread === undefined) return undefined
    const conversation = await intercom.getConversation(thread.conversationId, tools.call)
    return conversation?.state === 'closed' ? undefined : conversation
  }

  const append = async (
    sms: InboundSms,
    thread: Thread,
    conversation: Conversation,
    tools: Tools,
  ): Promise<FlowResult> => {
    const { conversationId } = thread
    const html = inboxBody(sms)
    if (tools.effects.step('append') === undefined) {
      await tools.effects.note('last-part', conversation.parts.at(-1)?.id ?? '')
    }
    // The contact may have been replaced by a merge; the conversation knows who it belongs to now.
    const contactId = conversation.contactIds.includes(thread.contactId)
      ? thread.contactId
      : (conversation.contactIds[0] ?? thread.contactId)
    const { partId } = await tools.effects.run<Appended>('append', {
      visibleAfterMs: visibleAfterMs ?? partVisibleAfterMs,
      perform: async () => {
        const after = await intercom.replyAsContact(conversationId, contactId, html, tools.call)
        return { partId: newest(after, html)?.id ?? ('' as PartId) } // the answer holds the new part last; ids are for tracing only
      },
      confirm: async () => {
        const now = await intercom.getConversation(conversationId, tools.call)
        const made = now === undefined ? undefined : after(now, lastPartOf(tools), html)
        return made === undefined ? undefined : { partId: made.id }
      },
    })
    if (thread.replyTo !== sms.from || thread.contactId !== contactId) {
      await store.saveThread({ ...thread, replyTo: sms.from, contactId }, tools.now())
    }
    return { state: 'delivered', result: { conversationId, contactId, partId } }
  }

  const create = async (delivery: Delivery<'inbound-sms'>, tools: Tools): Promise<FlowResult> => {
    const sms = delivery.payload
    const html = inboxBody(sms)
    const contact = await contacts.resolve(delivery, tools)
    const conversationId = await tools.effects.run<ConversationId>('conversation', {
      visibleAfterMs: visibleAfterMs ?? conversationVisibleAfterMs,
      perform: async () => (await createAs(contact, html, tools)).conversationId,
      confirm: (begunAt) => findCreated(contact.id, html, begunAt, tools),
    })
    const thread = { ours: sms.to, theirs: canonical(sms.from), replyTo: sms.from }
    await store.saveThread({ ...thread, contactId: contact.id, conversationId }, tools.now())
    const assigned = await assign(sms, conversationId, tools)
    return { state: 'delivered', result: { conversationId, contactId: contact.id, created: true, ...assigned } }
  }

  const createAs = async (contact: Person, html: string, tools: Tools) => {
    try {
      return await intercom.createConversation(contact, html, tools.call)
    } catch (error) {
      // "User Not Found": a contact this young may not be known everywhere yet (documented for POST /messages).
      if (error instanceof DeliveryError && error.status === 404 && isYoung(contact, tools.now())) throw notVisibleYet()
      throw error
    }
  }

  /** A conversation of this contact that says this, is new, and is nobody's: the one a lost answer was about. */
  const findCreated = async (contactId: ContactId, html: string, begunAt: number, tools: Tools) => {
    for (const conversation of await intercom.searchConversations(contactId, tools.call)) {
      if (conversation.createdAt < begunAt - clockSlackMs || !sameWords(conversation.source.body, html)) continue
      if ((await store.findThreadOfConversation(conversation.id)) === undefined) return conversation.id
    }
    return undefined
  }

  /** The text is in the inbox by now: a team that no longer exists must not send it to the dead letters. */
  const assign = async (sms: InboundSms, conversationId: ConversationId, tools: Tools) => {
    const team = teams.get(sms.to) ?? teams.get('*')
    if (team === undefined) return {}
    try {
      await tools.effects.run('team', {
        visibleAfterMs: 0,
        perform: async () => {
          await intercom.assignToTeam(conversationId, await adminId(tools), team, tools.call)
          return team
        },
        confirm: async () => {
          const now = await intercom.getConversation(conversationId, tools.call)
          return now?.teamId === team ? team : undefined
        },
      })
      return { team }
    } catch (error) {
      // 403: the token may not assign. It may still do everything else.
      const final = error instanceof DeliveryError && (error.outcome === 'permanent' || error.status === 403)
      if (!final) throw error
      log.warn('conversation.not-assigned', { conversationId, team, error: describeError(error) })
      return { notAssigned: describeError(error) }
    }
  }

  return {
    async deliver(delivery, tools) {
      const sms = delivery.payload
      // What was begun in an earlier attempt is finished the same way.
      if (tools.effects.step('conversation') !== undefined) return create(delivery, tools)
      const thread = await store.findThread(sms.to, canonical(sms.from))
      const begun = tools.effects.step('append') !== undefined
      const conversation =
        begun && thread
          ? await intercom.getConversation(thread.conversationId, tools.call)
          : await openConversation(thread, tools)
      if (thread === undefined || conversation === undefined) return create(delivery, tools)
      try {
        return await append(sms, thread, conversation, tools)
      } catch (error) {
        // Deleted between our look and our reply.
        if (error instanceof DeliveryError && error.status === 404 && error.outcome === 'permanent') {
          return create(delivery, tools)
        }
        throw error
      }
    },
  }
}

function lastPartOf(tools: Tools): string {
  const value = tools.effects.step('last-part')?.value
  return typeof value === 'string' ? value : ''
}

const isContactPart = (part: { author: { type: string } }) => ['user', 'lead', 'contact'].includes(part.author.type)

/** The contact's newest part with these words. */
function newest(conversation: Conversation, html: string) {
  return conversation.parts.findLast((part) => isContactPart(part) && sameWords(part.body, html))
}

/** The contact's first part with these words after the part we saw last before we wrote. */
function after(conversation: Conversation, lastPart: string, html: string) {
  const from = conversation.parts.findIndex(({ id }) => id === lastPart) + 1
  return conversation.parts.slice(from).find((part) => isContactPart(part) && sameWords(part.body, html))
}
