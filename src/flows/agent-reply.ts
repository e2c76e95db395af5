import {
  type Delivery,
  type Flow,
  type FlowResult,
  type NewDelivery,
  restoredMark,
  staleAfterMs,
  type Tools,
} from '../delivery.js'
import { DeliveryError } from '../errors.js'
import type { Conversation, IntercomClient, Part } from '../intercom/client.js'
import type { AgentReply, ConversationId, MessageSid } from '../message.js'
import { isPhoneNumber, isShortCode } from '../phone.js'
import type { Store, Thread } from '../store/store.js'
import { lateMark, whenSent } from './late.js'
import { sentNotes } from './reply-note.js'
import { noteAbout, parkedNote, replyNoteDelivery } from './reply-note-delivery.js'
import { createSendText, type SendTextParts } from './send-text.js'
import { splitText, toSmsText } from './sms-text.js'

/** Twilio gives up on a reply that it could not pass on before it is stale news, s. */
const validityPeriodS = staleAfterMs['agent-reply'] / 1000
/** A conversation this young may still be on its way into our memory. */
const youngConversationMs = 600_000

// Facts noted between attempts.
const waitsFor = 'waits-for'
const firstLook = 'first-look'

export interface AgentReplyParts extends SendTextParts {
  readonly store: Store
  readonly intercom: IntercomClient
  /** Whether this part of a conversation is the customer's to read: the same rule the webhook door uses. */
  readonly isForCustomer: (part: Part) => boolean
  /** What arrives later than so long after it was written says so, ms. */
  readonly lateAfterMs: number
  /** Of the workspace; IANA. Undefined when unknown. */
  readonly timeZone: (tools: Tools) => Promise<string | undefined>
}

/** The lane of replies: one direction of one thread; until the thread is known, the conversation stands for it. */
function replyLane(thread: Thread | undefined, conversationId: ConversationId): string {
  return thread === undefined ? `out:conversation:${conversationId}` : `out:${thread.ours}:${thread.theirs}`
}

/**
 * What a teammate wrote, as a delivery. Ranked by the vendor's time and id: its webhooks come in any order. Whole
 * seconds, since not every place that tells the time tells more.
 */
export function replyDelivery(reply: AgentReply, thread: Thread | undefined): NewDelivery<'agent-reply'> {
  const second = String(Math.floor(reply.writtenAt / 1000)).padStart(12, '0')
  return {
    kind: 'agent-reply',
    payload: reply,
    dedupeKey: `intercom:part:${reply.partId}`,
    lane: replyLane(thread, reply.conversationId),
    shore: 'twilio',
    priority: 'live',
    number: thread?.ours ?? '',
    rank: `${second}:${reply.partId.padStart(20, '0')}`,
  }
}

export function replyOf(conversationId: ConversationId, part: Part): AgentReply {
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

/**
 * Takes in what teammates wrote for the customer in a conversation that was just read and has not come to an end: no
 * webhook may have brought it, or not yet. Returns the dedupe keys. A bot's words stay out: they may be from before bots
 * were relayed.
 */
export async function takeInReplies(
  { store, isForCustomer }: Pick<AgentReplyParts, 'store' | 'isForCustomer'>,
  conversation: Conversation,
  thread: Thread,
  tools: Pick<Tools, 'now'>,
  isWanted: (reply: NewDelivery<'agent-reply'>) => boolean = () => true,
): Promise<readonly string[]> {
  const restoredAt = (await store.findMark(restoredMark))?.at ?? 0
  const replies = conversation.parts
    .filter((part) => part.author.type !== 'bot' && part.writtenAt >= restoredAt && isForCustomer(part))
    .map((part) => replyDelivery(replyOf(conversation.id, part), thread))
    .filter(isWanted)
  const unsettled = new Set(
    await store.unsettled(
      replies.map(({ dedupeKey }) => dedupeKey),
      tools.now(),
    ),
  )
  for (const reply of replies) if (unsettled.has(reply.dedupeKey)) await store.ingest(reply, tools.now())
  return [...unsettled]
}

/** The first of it may have left: from then on its words stay as they are. */
const isUnderWay = (tools: Tools) => tools.effects.step('sms-0') !== undefined

/** A teammate's reply → the customer's phone. */
export function createAgentReplyFlow(parts: AgentReplyParts): Flow<'agent-reply'> {
  const { store, intercom, lateAfterMs } = parts
  const sendText = createSendText(parts)

  /**
   * Replies written before this one that have not come to an end: their webhooks are late or lost, or just behind.
   * They go first.
   */
  const ingestEarlier = async (reply: AgentReply, thread: Thread, conversation: Conversation, tools: Tools) => {
    const { rank } = replyDelivery(reply, thread)
    const written = conversation.parts.filter(({ id }) => id !== reply.partId)
    return takeInReplies(parts, { ...conversation, parts: written }, thread, tools, (one) => one.rank < rank)
  }

  /** One that came before its thread was known is in a lane beside the thread's, whose earlier replies go first. */
  const waitingInThread = async ({ payload, lane, rank }: Delivery<'agent-reply'>, thread: Thread, now: number) => {
    const ofThread = replyLane(thread, payload.conversationId)
    return lane === ofThread ? [] : store.unsettledBefore(ofThread, rank, now)
  }

  /** Waits until those before it have come to an end: at first by moments, then by seconds. */
  const letPass = async (keys: readonly string[], tools: Tools): Promise<void> => {
    if (keys.length === 0) return
    const since = tools.effects.step(waitsFor)?.begunAt ?? tools.now()
    await tools.effects.note(waitsFor, keys)
    throw new DeliveryError('an earlier reply goes first', {
      outcome: 'transient',
      code: 'earlier-first',
      deferred: true,
      retryAfterMs: Math.min(5_000, Math.max(50, tools.now() - since)),
    })
  }

  const withoutThread = async (reply: AgentReply, tools: Tools): Promise<FlowResult> => {
    const conversation = await intercom.getConversation(reply.conversationId, tools.call)
    // Counted from our first look: an outage in between must not turn a young thread into none.
    if (tools.effects.step(firstLook) === undefined) await tools.effects.note(firstLook, null)
    const lookedAt = tools.effects.step(firstLook)?.begunAt ?? tools.now()
    const wasYoung = conversation !== undefined && reply.writtenAt - conversation.createdAt < youngConversationMs
    if (!wasYoung || tools.now() - lookedAt > youngConversationMs) {
      return { state: 'suppressed', reason: 'not an SMS conversation' }
    }
    throw new DeliveryError('the conversation is not known as a thread yet', {
      outcome: 'transient',
      code: 'no-thread-yet',
      deferred: true,
      retryAfterMs: 3_000,
    })
  }

  const markFor = async ({ payload, receivedAt }: Delivery<'agent-reply'>, tools: Tools): Promise<string> => {
    const now = tools.now()
    const slackMs = intercom.clockSlackMs()
    const sentAt = whenSent({ told: payload.writtenAt, receivedAt, now, lateAfterMs, slackMs })
    const times = { sentAt, now, lateAfterMs }
    if (lateMark(times) === '') return ''
    const timeZone = await parts.timeZone(tools)
    return lateMark({ ...times, ...(timeZone !== undefined && { timeZone }) })
  }

  /** What goes to the phone, settled before the first of it leaves: links are signed anew on every read. */
  const textsFor = async (
    delivery: Delivery<'agent-reply'>,
    part: Part | undefined,
    tools: Tools,
  ): Promise<readonly string[]> => {
    const noted = tools.effects.step('texts')?.value as readonly string[] | undefined // what this wrote
    if (noted !== undefined && isUnderWay(tools)) return noted
    const { body, attachments } = part !== undefined && !part.redacted ? part : delivery.payload
    const lines = [toSmsText(body), ...attachments.map(({ name, url }) => `${name}: ${url}`)]
    const text = lines.filter((line) => line !== '').join('\n')
    const mark = text === '' ? '' : await markFor(delivery, tools)
    const texts = splitText(mark === '' ? text : `${mark} ${text}`)
    if (texts.length > 0) await tools.effects.note('texts', texts)
    return texts
  }

  return {
    async deliver(delivery, tools) {
      const reply = delivery.payload
      const thread = await store.findThreadOfConversation(reply.conversationId)
      if (thread === undefined) return withoutThread(reply, tools)
      if (!isPhoneNumber(thread.replyTo) && !isShortCode(thread.replyTo)) {
        const reason = `${thread.replyTo} is a sender that cannot receive texts`
        return { state: 'suppressed', reason, also: [replyNoteDelivery(noteAbout(delivery, 'unanswerable'))] }
      }
      const before = tools.effects.step(waitsFor)?.value as readonly string[] | undefined // what letPass wrote
      if (before !== undefined) await letPass(await store.unsettled(before, tools.now()), tools)
      let part: Part | undefined
      if (!isUnderWay(tools)) {
        // The webhook is a hint, the conversation the truth: its HTML, redactions, and replies no webhook brought.
        const conversation = await intercom.getConversation(reply.conversationId, tools.call)
        part = conversation?.parts.find(({ id }) => id === reply.partId)
        if (part?.redacted) return { state: 'suppressed', reason: 'redacted before it was sent' }
        if (conversation !== undefined) await letPass(await ingestEarlier(reply, thread, conversation, tools), tools)
        await letPass(await waitingInThread(delivery, thread, tools.now()), tools)
      }
      const texts = await textsFor(delivery, part, tools)
      if (texts.length === 0) return { state: 'suppressed', reason: 'nothing to send' }
      const messageSids: MessageSid[] = []
      for (const [index, body] of texts.entries()) {
        messageSids.push(await sendText({ delivery, thread, body, index, validityPeriodS }, tools))
      }
      const also = delivery.parkings + delivery.replays === 0 ? [] : await sentNotes(store, delivery)
      return { state: 'delivered', result: { messageSids, to: thread.replyTo, from: thread.ours }, also }
    },

    onParked: (delivery, parked) => [parkedNote(delivery, parked)],
  }
}

/** Reads a conversation of ours for replies that no webhook has brought. */
export function createReplyLookupFlow({
  store,
  intercom,
  isForCustomer,
}: Pick<AgentReplyParts, 'store' | 'intercom' | 'isForCustomer'>): Flow<'reply-lookup'> {
  return {
    async deliver({ payload: { conversationId } }, tools) {
      const thread = await store.findThreadOfConversation(conversationId)
      const conversation = thread && (await intercom.getConversation(conversationId, tools.call))
      if (thread === undefined || conversation === undefined) return { state: 'suppressed', reason: 'no such thread' }
      const found = await takeInReplies({ store, isForCustomer }, conversation, thread, tools)
      return { state: 'delivered', result: { conversationId, found: found.length } }
    },
  }
}

/** Told of a reply whose words did not come along. */
export function lookupDelivery(notificationId: string, conversationId: ConversationId): NewDelivery<'reply-lookup'> {
  return {
    kind: 'reply-lookup',
    payload: { conversationId },
    dedupeKey: `intercom:notification:${notificationId}`,
    lane: `look:${conversationId}`,
    shore: 'intercom',
    priority: 'live',
    number: '',
    rank: '',
  }
}
