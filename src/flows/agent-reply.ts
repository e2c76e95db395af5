import type { Delivery, Flow, FlowResult, NewDelivery, Tools } from '../delivery.js'
import { DeliveryError } from '../errors.js'
import type { Conversation, IntercomClient, Part } from '../intercom/client.js'
import type { AgentReply, ConversationId, MessageSid } from '../message.js'
import { isPhoneNumber, isShortCode } from '../phone.js'
import type { Store, Thread } from '../store/store.js'
import type { TwilioClient } from '../twilio/client.js'
import { splitText, toSmsText } from './sms-text.js'

/** Twilio's own recipe for lost answers: none in the list after about two minutes means it was not made. */
const messageVisibleAfterMs = 120_000
/** A reply older than this is stale news for the customer: Twilio gives up on it, s. */
const validityPeriodS = 14_400
/** A conversation this young may still be on its way into our memory. */
const youngConversationMs = 600_000

export interface AgentReplyParts {
  readonly store: Store
  readonly intercom: IntercomClient
  readonly twilio: TwilioClient
  /** Where Twilio reports on a text; carries our reference. */
  readonly statusCallback: (ref: string) => string
  /** Whether this part of a conversation is the customer's to read: the same rule the webhook door uses. */
  readonly isForCustomer: (part: Part) => boolean
  /** Shortens every vendor lag, for vendors that have none (the twins). */
  readonly visibleAfterMs?: number
}

/** The lane of replies: one direction of one thread; until the thread is known, the conversation stands for it. */
function replyLane(thread: Thread | undefined, conversationId: ConversationId): string {
  return thread === undefined ? `out:conversation:${conversationId}` : `out:${thread.ours}:${thread.theirs}`
}

/** What a teammate wrote, as a delivery. Ranked by the vendor's time and id: its webhooks come in any order. */
export function replyDelivery(reply: AgentReply, thread: Thread | undefined): NewDelivery<'agent-reply'> {
  return {
    kind: 'agent-reply',
    payload: reply,
    dedupeKey: `intercom:part:${reply.partId}`,
    lane: replyLane(thread, reply.conversationId),
    shore: 'twilio',
    priority: 'live',
    number: thread?.ours ?? '',
    rank: `${String(reply.writtenAt).padStart(15, '0')}:${reply.partId.padStart(20, '0')}`,
  }
}

function replyOf(conversationId: ConversationId, part: Part): AgentReply {
  const kind = part.author.type === 'bot' ? 'bot' : part.author.type === 'team' ? 'team' : 'admin'
  const author = { kind, id: part.author.id } as const
  return {
    conversationId,
    partId: part.id,
    author,
    body: part.body,
    attachments: part.attachments,
    writtenAt: part.writtenAt,
  }
}

/** A teammate's reply → the customer's phone. */
export function createAgentReplyFlow(parts: AgentReplyParts): Flow<'agent-reply'> {
  const { store, intercom, twilio, statusCallback, isForCustomer, visibleAfterMs } = parts

  /**
   * Replies written before this one that have not come to an end: their webhooks are late or lost, or just behind.
   * They go first. Resolves to how many there are.
   */
  const ingestEarlier = async (reply: AgentReply, thread: Thread, conversation: Conversation, tools: Tools) => {
    const mine = replyDelivery(reply, thread)
    const earlier = conversation.parts
      .filter((part) => part.id !== reply.partId && isForCustomer(part))
      .map((part) => replyDelivery(replyOf(conversation.id, part), thread))
      .filter(({ rank }) => rank < mine.rank)
    const unsettled = new Set(await store.unsettled(earlier.map(({ dedupeKey }) => dedupeKey)))
    for (const one of earlier) if (unsettled.has(one.dedupeKey)) await store.ingest(one, tools.now())
    return unsettled.size
  }

  const send = (delivery: Delivery<'agent-reply'>, thread: Thread, body: string, index: number, tools: Tools) => {
    const ref = `${delivery.id}.${index}`
    const sms = { from: thread.ours, to: thread.theirs, body, ref }
    return tools.effects.run<MessageSid>(`sms-${index}`, {
      visibleAfterMs: visibleAfterMs ?? messageVisibleAfterMs,
      perform: async () => {
        const sid = await twilio.sendSms({ ...sms, statusCallback: statusCallback(ref), validityPeriodS }, tools.call)
        // From now on this text is known as ours, so that no other look-up takes it for its own.
        await store.saveReceipt({ messageSid: sid, status: 'queued', ref }, tools.now())
        return sid
      },
      confirm: async (begunAt) => {
        const told = await store.findReceiptByRef(ref)
        if (told !== undefined) return told.messageSid
        const sent = await twilio.listSent(thread.theirs, begunAt, tools.call)
        // Oldest first. Trial accounts put words of their own in front; From may be null while the text is queued.
        for (const one of sent.toReversed()) {
          if (!one.body.endsWith(body) || (one.from !== undefined && one.from !== thread.ours)) continue
          if ((await store.findReceipt(one.messageSid)) !== undefined) continue
          await store.saveReceipt({ messageSid: one.messageSid, status: one.status, ref }, tools.now())
          return one.messageSid
        }
        return undefined
      },
    })
  }

  const withoutThread = async (reply: AgentReply, tools: Tools): Promise<FlowResult> => {
    const conversation = await intercom.getConversation(reply.conversationId, tools.call)
    if (conversation !== undefined && tools.now() - conversation.createdAt < youngConversationMs) {
      throw new DeliveryError('the conversation is not known as a thread yet', {
        outcome: 'transient',
        code: 'no-thread-yet',
        deferred: true,
        retryAfterMs: 3_000,
      })
    }
    return { state: 'suppressed', reason: 'not an SMS conversation' }
  }

  return {
    async deliver(delivery, tools) {
      const reply = delivery.payload
      const thread = await store.findThreadOfConversation(reply.conversationId)
      if (thread === undefined) return withoutThread(reply, tools)
      if (!isPhoneNumber(thread.theirs) && !isShortCode(thread.theirs)) {
        return { state: 'suppressed', reason: `${thread.theirs} is a sender that cannot receive texts` }
      }
      // The webhook is a hint, the conversation the truth: its HTML, redactions, and replies no webhook brought.
      const conversation = await intercom.getConversation(reply.conversationId, tools.call)
      const part = conversation?.parts.find(({ id }) => id === reply.partId)
      const begun = tools.effects.step('sms-0') !== undefined
      if (!begun) {
        if (part?.redacted) return { state: 'suppressed', reason: 'redacted before it was sent' }
        if (conversation !== undefined && (await ingestEarlier(reply, thread, conversation, tools)) > 0) {
          throw new DeliveryError('an earlier reply goes first', {
            outcome: 'transient',
            code: 'earlier-first',
            deferred: true,
            retryAfterMs: 50,
          })
        }
      }
      const written = part !== undefined && !part.redacted ? part : reply
      const lines = [toSmsText(written.body), ...written.attachments.map(({ name, url }) => `${name}: ${url}`)]
      const texts = splitText(lines.filter((line) => line !== '').join('\n'))
      if (texts.length === 0) return { state: 'suppressed', reason: 'nothing to send' }
      const messageSids: MessageSid[] = []
      for (const [index, text] of texts.entries()) messageSids.push(await send(delivery, thread, text, index, tools))
      return { state: 'delivered', result: { messageSids, to: thread.theirs, from: thread.ours } }
    },
  }
}
