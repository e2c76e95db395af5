import type { IncomingMessage } from 'node:http'
import type { NewDelivery } from '../delivery.js'
import { BadWebhook } from '../errors.js'
import { parseNotification, verifyHubSignature } from '../intercom/webhook.js'
import type { AgentReply, ContactId, ConversationId } from '../message.js'
import type { Thread } from '../store/store.js'
import { readBody } from './body.js'
import { type Answer, accept, answerWebhook, type DoorParts, Refused } from './door.js'
import { createHubMarks } from './hub-marks.js'

/** A notification carries one part; with pictures as links, even a long one is far below this. */
const largestNotification = 1024 * 1024
const repliedTopic = 'conversation.admin.replied'

export interface IntercomDoorSettings {
  readonly clientSecret: string
  /** Bots' words go to customers only when someone asked for it. */
  readonly relayBots: boolean
  /** How a reply becomes a delivery. */
  readonly toDelivery: (reply: AgentReply, thread: Thread | undefined) => NewDelivery<'agent-reply'>
  /** How a notice without its reply becomes one. */
  readonly toLookup: (notificationId: string, conversationId: ConversationId) => NewDelivery<'reply-lookup'>
}

/**
 * Never answers 404, 410 or 429: Intercom takes those as a wish to be left alone and stops sending.
 */
export function createIntercomDoor(settings: IntercomDoorSettings, parts: DoorParts) {
  const { clientSecret, relayBots, toDelivery, toLookup } = settings
  const { store, metrics } = parts
  const marks = createHubMarks(parts)
  const taken: Answer = { status: 200, body: '{"ok":true}', contentType: 'application/json' }

  const handle = async (request: IncomingMessage): Promise<Answer> => {
    const raw = await readBody(request, largestNotification)
    const signature = request.headers['x-hub-signature']
    if (!verifyHubSignature(raw, typeof signature === 'string' ? signature : undefined, clientSecret)) {
      if (typeof signature === 'string' && signature !== '') marks.unsigned()
      throw new Refused('signature', 401, "X-Hub-Signature does not match this app's client secret")
    }
    const { id, topic, appId, conversation } = parseNotification(parseJson(raw))
    marks.topic(topic, appId)
    if (conversation === undefined) return taken
    const replies = conversation.replies.filter(({ author }) => author.kind !== 'bot' || relayBots)
    // Told of a reply, but only a side effect of it came along (intercom.md §4.2).
    const isRiddle = id !== null && topic === repliedTopic && conversation.replies.length === 0
    if (replies.length === 0 && !isRiddle) return taken
    const thread = await store.findThreadOfConversation(conversation.id)
    if (thread === undefined && !(await isOneOfOurs(conversation.contactIds))) {
      // The workspace's other channels: none of our business.
      metrics.refused('intercom', 'not-ours')
      return taken
    }
    for (const reply of replies) await accept('intercom', toDelivery(reply, thread), parts)
    if (isRiddle) await accept('intercom', toLookup(id, conversation.id), parts)
    return taken
  }

  /** The thread may still be on its way into the store while its contact is known. */
  const isOneOfOurs = async (contactIds: readonly ContactId[]): Promise<boolean> => {
    for (const id of contactIds) if (await store.isKnownContact(id)) return true
    return false
  }

  return {
    receiveNotification: (request: IncomingMessage) => answerWebhook('intercom', parts, () => handle(request)),
    /** Intercom sends HEAD when the URL is saved. */
    async look({ method }: IncomingMessage): Promise<Answer> {
      if (method === 'HEAD') marks.head()
      return { status: 200 }
    },
  }
}

function parseJson(raw: Buffer): unknown {
  try {
    return JSON.parse(raw.toString('utf8'))
  } catch {
    throw new BadWebhook('body', 'not JSON')
  }
}
