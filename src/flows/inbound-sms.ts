import type { Delivery, EffectWindow, Flow, NewDelivery, Tools } from '../delivery.js'
import { DeliveryError, unprovable } from '../errors.js'
import type { Conversation } from '../intercom/client.js'
import type { ContactId, ConversationId, InboundSms, PartId } from '../message.js'
import { canonical } from '../phone.js'
import type { Thread } from '../store/store.js'
import type { Texted } from './away-text.js'
import { consentOf } from './consent.js'
import { createContacts } from './contact.js'
import { lateMark, whenSent } from './late.js'
import { type ConversationParts, createConversations } from './new-conversation.js'
import { sameWords, toInboxHtml } from './sms-text.js'

/** Reading a conversation by its id is no search; a little time for the vendor's replicas. */
const partVisibleAfterMs = 10_000

export interface InboundSmsParts extends ConversationParts {
  readonly defaultRegion: string
  /** Our number → how long after it was closed a text opens its conversation again, ms; `*` stands for any other number. */
  readonly reopen?: ReadonlyMap<string, number>
  /** What arrives later than so long after it was sent says so, ms. */
  readonly lateAfterMs: number
  /** How far from our clock the one may be that tells when a text was sent, ms. */
  readonly sentAtSlackMs: () => number
  /** Of the workspace; IANA. Undefined when unknown. */
  readonly timeZone: (tools: Tools) => Promise<string | undefined>
  /** What else is taken in for a text that is in its conversation. */
  readonly onTexted?: (texted: Texted, tools: Tools) => Promise<readonly NewDelivery[]>
  /** The contact that a refusal says is there already. */
  readonly existingContactId: (error: DeliveryError) => ContactId | undefined
}

/** The customer's words and, in words, what came with them. */
function inboxBody(sms: InboundSms, mark: string): string {
  const media = sms.media.map(
    ({ contentType }) => `[attachment: ${contentType}, see message ${sms.messageSid} in Twilio]`,
  )
  const lines = [...(sms.body.trim() === '' ? [] : [sms.body]), ...media]
  const text = lines.length === 0 ? '[empty text]' : lines.join('\n')
  return toInboxHtml(mark === '' ? text : `${mark} ${text}`)
}

// Facts noted between attempts.
const lateMarkStep = 'late-mark'
const effects = ['append', 'conversation'] as const

/** The text is in this conversation. */
interface Posted {
  readonly state: 'delivered'
  readonly result: { readonly conversationId: ConversationId; readonly [fact: string]: unknown }
  /** When a teammate last wrote to them, as far as was seen, epoch ms. */
  readonly answeredAt?: number
}

interface Appended {
  readonly partId: PartId
}

/** A customer's text → their open conversation, or a new one. */
export function createInboundSmsFlow(parts: InboundSmsParts): Flow<'inbound-sms'> {
  const { store, intercom, visibleAfterMs, lateAfterMs } = parts
  const contacts = createContacts(parts)
  const conversations = createConversations(parts)

  const answeredIn = (conversation: Conversation | undefined) => {
    const answer = conversation?.parts.findLast(parts.isForCustomer)
    return answer === undefined ? {} : { answeredAt: answer.writtenAt }
  }

  /** The thread's conversation if this text belongs in it. */
  const openConversation = async (
    thread: Thread | undefined,
    receivedAt: number,
    tools: Tools,
  ): Promise<Conversation | undefined> => {
    if (thread === undefined) return undefined
    const conversation = await intercom.getConversation(thread.conversationId, tools.call)
    if (conversation?.state !== 'closed') return conversation
    const withinMs = parts.reopen?.get(thread.ours) ?? parts.reopen?.get('*') ?? 0
    // Intercom opens it again by itself when the customer writes.
    return withinMs > 0 && receivedAt - closedAt(conversation) <= withinMs ? conversation : undefined
  }

  /** The words to post: the same in every attempt, or what an earlier one made could not be found again. */
  const wordsOf = async (delivery: Delivery<'inbound-sms'>, tools: Tools): Promise<string> => {
    const sms = delivery.payload
    const noted = tools.effects.step(lateMarkStep)?.value
    if (typeof noted === 'string') return inboxBody(sms, noted)
    if (effects.some((name) => tools.effects.step(name) !== undefined)) return inboxBody(sms, '')
    const now = tools.now()
    const { receivedAt } = delivery
    const slackMs = parts.sentAtSlackMs()
    const times = { now, lateAfterMs, sentAt: whenSent({ told: sms.sentAt, receivedAt, now, lateAfterMs, slackMs }) }
    if (lateMark(times) === '') return inboxBody(sms, '')
    const timeZone = await parts.timeZone(tools)
    const mark = lateMark({ ...times, ...(timeZone !== undefined && { timeZone }) })
    await tools.effects.note(lateMarkStep, mark)
    return inboxBody(sms, mark)
  }

  const append = async (
    delivery: Delivery<'inbound-sms'>,
    thread: Thread,
    conversation: Conversation,
    tools: Tools,
  ): Promise<Posted> => {
    const { conversationId } = thread
    const sms = delivery.payload
    const html = await wordsOf(delivery, tools)
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
      confirm: async (attempt) => {
        const now = await intercom.getConversation(conversationId, tools.call)
        const mine =
          now === undefined ? [] : contactPartsWithin(now, lastPartOf(tools), attempt, intercom.clockSlackMs())
        const made = mine.find((part) => sameWords(part.body, html))
        if (made === undefined && mine.some(({ redacted }) => redacted)) {
          throw unprovable(
            `conversation ${conversationId} holds a message whose words were removed: it may be this text`,
          )
        }
        return made === undefined ? undefined : { partId: made.id }
      },
    })
    if (thread.replyTo !== sms.from || thread.contactId !== contactId) {
      await store.saveThread({ ...thread, replyTo: sms.from, contactId }, tools.now())
    }
    return { state: 'delivered', result: { conversationId, contactId, partId }, ...answeredIn(conversation) }
  }

  const create = async (delivery: Delivery<'inbound-sms'>, tools: Tools): Promise<Posted> => {
    const sms = delivery.payload
    const html = await wordsOf(delivery, tools)
    const contact = await contacts.resolve(delivery, tools)
    const conversationId = await conversations.open(contact, html, tools)
    const before = await conversations.takeInBefore(sms, conversationId, tools)
    const thread = { ours: sms.to, theirs: canonical(sms.from), replyTo: sms.from }
    await store.saveThread({ ...thread, contactId: contact.id, conversationId }, tools.now())
    const assigned = await conversations.assign(sms.to, conversationId, tools)
    const result = { conversationId, contactId: contact.id, created: true, ...assigned }
    return { state: 'delivered', result, ...answeredIn(before) }
  }

  const keepConsent = async (sms: InboundSms, tools: Tools): Promise<void> => {
    const said = consentOf(sms)
    if (said === 'stop') await store.optOut(sms.to, canonical(sms.from), sms.body.trim().toUpperCase(), tools.now())
    else if (said === 'start') await store.optIn(sms.to, canonical(sms.from))
  }

  const deliver = async (delivery: Delivery<'inbound-sms'>, tools: Tools): Promise<Posted> => {
    const sms = delivery.payload
    // What was begun in an earlier attempt is finished the same way.
    if (tools.effects.step('conversation') !== undefined) return create(delivery, tools)
    const thread = await store.findThread(sms.to, canonical(sms.from))
    const begun = tools.effects.step('append') !== undefined
    const conversation =
      begun && thread
        ? await intercom.getConversation(thread.conversationId, tools.call)
        : await openConversation(thread, delivery.receivedAt, tools)
    if (thread === undefined || conversation === undefined) return create(delivery, tools)
    try {
      return await append(delivery, thread, conversation, tools)
    } catch (error) {
      // Deleted between our look and our reply.
      if (error instanceof DeliveryError && error.status === 404 && error.outcome === 'permanent') {
        return create(delivery, tools)
      }
      throw error
    }
  }

  return {
    async deliver(delivery, tools) {
      const sms = delivery.payload
      await keepConsent(sms, tools)
      const { answeredAt, ...posted } = await deliver(delivery, tools)
      const { conversationId } = posted.result
      const answered = answeredAt === undefined ? {} : { answeredAt }
      const texted = { sms, conversationId, at: sms.sentAt ?? delivery.receivedAt, ...answered }
      return { ...posted, also: (await parts.onTexted?.(texted, tools)) ?? [] }
    },
  }
}

function lastPartOf(tools: Tools): string {
  const value = tools.effects.step('last-part')?.value
  return typeof value === 'string' ? value : ''
}

/** Of the part that closed it: the conversation itself changes with every tag. */
function closedAt({ parts, updatedAt }: Conversation): number {
  return parts.findLast(({ partType }) => partType === 'close')?.writtenAt ?? updatedAt
}

const isContactPart = (part: { author: { type: string } }) => ['user', 'lead', 'contact'].includes(part.author.type)

/** The contact's newest part with these words. */
function newest(conversation: Conversation, html: string) {
  return conversation.parts.findLast((part) => isContactPart(part) && sameWords(part.body, html))
}

/**
 * What the contact wrote while the attempt may have been under way, and after the part we saw last before it: long
 * conversations show their newest parts only, and the same words may have been said before and after.
 */
function contactPartsWithin(
  { parts }: Conversation,
  lastPart: string,
  { begunAt, endedBy }: EffectWindow,
  slackMs: number,
) {
  return parts
    .slice(parts.findIndex(({ id }) => id === lastPart) + 1)
    .filter(({ writtenAt }) => writtenAt >= begunAt - slackMs && writtenAt <= endedBy + slackMs)
    .filter(isContactPart)
}
