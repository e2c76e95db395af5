import type { Delivery, EffectWindow, Flow, Tools } from '../delivery.js'
import { DeliveryError, describeError, unprovable } from '../errors.js'
import type { Conversation, IntercomClient, Part } from '../intercom/client.js'
import type { Log } from '../log.js'
import type { ContactId, ConversationId, InboundSms, PartId } from '../message.js'
import { canonical } from '../phone.js'
import type { Store, Thread } from '../store/store.js'
import { takeInReplies } from './agent-reply.js'
import type { Texted } from './away-text.js'
import { readConsent } from './consent.js'
import { createContacts, isYoung, notVisibleYet, type Person } from './contact.js'
import { lateMark, whenSent } from './late.js'
import { sameWords, toInboxHtml } from './sms-text.js'

/** The lag of conversation search is not documented; contact search's "few minutes" is the vendor's own word. */
const conversationVisibleAfterMs = 120_000
/** Reading a conversation by its id is no search; a little time for the vendor's replicas. */
const partVisibleAfterMs = 10_000

export interface InboundSmsParts {
  readonly store: Store
  readonly intercom: IntercomClient
  readonly log: Log
  readonly defaultRegion: string
  /** Our number → team id; `*` stands for any other number. */
  readonly teams: ReadonlyMap<string, string>
  /** Our number → how long after it was closed a text opens its conversation again, ms; `*` as above. */
  readonly reopen?: ReadonlyMap<string, number>
  /** The admin in whose name conversations are assigned. */
  readonly adminId: (tools: Tools) => Promise<string>
  /** What arrives later than so long after it was sent says so, ms. */
  readonly lateAfterMs: number
  /** Whether this part of a conversation is the customer's to read: the same rule the webhook door uses. */
  readonly isForCustomer: (part: Part) => boolean
  /** How far from our clock the one may be that tells when a text was sent, ms. */
  readonly sentAtSlackMs: () => number
  /** Of the workspace; IANA. Undefined when unknown. */
  readonly timeZone: (tools: Tools) => Promise<string | undefined>
  /** Shortens every vendor lag, for vendors that have none (the twins). */
  readonly visibleAfterMs?: number
  /** Called with each text that is in its conversation; again after a crash. */
  readonly onTexted?: (texted: Texted, tools: Tools) => Promise<void>
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
}

interface Appended {
  readonly partId: PartId
}

/** A customer's text → their open conversation, or a new one. */
export function createInboundSmsFlow(parts: InboundSmsParts): Flow<'inbound-sms'> {
  const { store, intercom, log, teams, adminId, visibleAfterMs, lateAfterMs } = parts
  const contacts = createContacts(parts)

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
    return { state: 'delivered', result: { conversationId, contactId, partId } }
  }

  const create = async (delivery: Delivery<'inbound-sms'>, tools: Tools): Promise<Posted> => {
    const sms = delivery.payload
    const html = await wordsOf(delivery, tools)
    const contact = await contacts.resolve(delivery, tools)
    const conversationId = await tools.effects.run<ConversationId>('conversation', {
      visibleAfterMs: visibleAfterMs ?? conversationVisibleAfterMs,
      perform: async () => (await createAs(contact, html, tools)).conversationId,
      confirm: (attempt) => findCreated(contact.id, html, attempt, tools),
    })
    await takeInBefore(sms, conversationId, tools)
    const thread = { ours: sms.to, theirs: canonical(sms.from), replyTo: sms.from }
    await store.saveThread({ ...thread, contactId: contact.id, conversationId }, tools.now())
    const assigned = await assign(sms, conversationId, tools)
    return { state: 'delivered', result: { conversationId, contactId: contact.id, created: true, ...assigned } }
  }

  /**
   * Replies in the conversation before this one that no webhook has brought: those in the new one would overtake them,
   * since each only looks for those before it in its own. They can leave once its thread is saved, and not before.
   */
  const takeInBefore = async (sms: InboundSms, conversationId: ConversationId, tools: Tools): Promise<void> => {
    const before = await store.findThread(sms.to, canonical(sms.from))
    if (before === undefined || before.conversationId === conversationId) return
    const conversation = await intercom.getConversation(before.conversationId, tools.call)
    if (conversation !== undefined) await takeInReplies(parts, conversation, before, tools)
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
  const findCreated = async (contactId: ContactId, html: string, attempt: EffectWindow, tools: Tools) => {
    const slackMs = intercom.clockSlackMs()
    let wordless: ConversationId | undefined
    for (const { id, createdAt, source } of await intercom.searchConversations(contactId, tools.call)) {
      if (createdAt < attempt.begunAt - slackMs || createdAt > attempt.endedBy + slackMs) continue
      const isIt = sameWords(source.body, html)
      if (!isIt && !source.redacted) continue
      if ((await store.findThreadOfConversation(id)) !== undefined) continue
      if (isIt) return id
      wordless = id
    }
    if (wordless === undefined) return undefined
    throw unprovable(`conversation ${wordless} begins with a message whose words were removed: it may be this text`)
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

  const keepConsent = async (sms: InboundSms, tools: Tools): Promise<void> => {
    const said = readConsent(sms.body)
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
      const posted = await deliver(delivery, tools)
      const { conversationId } = posted.result
      await parts.onTexted?.({ sms, conversationId, at: sms.sentAt ?? delivery.receivedAt }, tools)
      return posted
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
