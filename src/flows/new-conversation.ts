// The conversation that a customer's text begins.
import type { EffectWindow, Tools } from '../delivery.js'
import { DeliveryError, describeError, unprovable } from '../errors.js'
import type { Conversation, IntercomClient, Part } from '../intercom/client.js'
import type { Log } from '../log.js'
import type { ContactId, ConversationId, InboundSms } from '../message.js'
import { type Address, canonical } from '../phone.js'
import type { Store } from '../store/store.js'
import { takeInReplies } from './agent-reply.js'
import { isYoung, notVisibleYet, type Person } from './contact.js'
import { sameWords } from './sms-text.js'

/** The lag of conversation search is not documented; contact search's "few minutes" is the vendor's own word. */
const conversationVisibleAfterMs = 120_000

export interface ConversationParts {
  readonly store: Store
  readonly intercom: IntercomClient
  readonly log: Log
  /** Our number → team id; `*` stands for any other number. */
  readonly teams: ReadonlyMap<string, string>
  /** The admin in whose name conversations are assigned. */
  readonly adminId: (tools: Tools) => Promise<string>
  /** Whether this part of a conversation is the customer's to read: the same rule the webhook door uses. */
  readonly isForCustomer: (part: Part) => boolean
  /** Shortens every vendor lag, for vendors that have none (the twins). */
  readonly visibleAfterMs?: number
}

export function createConversations(parts: ConversationParts) {
  const { store, intercom, log, teams, adminId, visibleAfterMs } = parts

  const open = (contact: Person, html: string, tools: Tools): Promise<ConversationId> =>
    tools.effects.run<ConversationId>('conversation', {
      visibleAfterMs: visibleAfterMs ?? conversationVisibleAfterMs,
      perform: async () => (await createAs(contact, html, tools)).conversationId,
      confirm: (attempt) => findCreated(contact.id, html, attempt, tools),
    })

  /**
   * Replies in the conversation before this one that no webhook has brought: those in the new one would overtake them,
   * since each only looks for those before it in its own. They can leave once its thread is saved, and not before.
   * @returns the conversation before; undefined when there is none, or none any more.
   */
  const takeInBefore = async (
    sms: InboundSms,
    conversationId: ConversationId,
    tools: Tools,
  ): Promise<Conversation | undefined> => {
    const before = await store.findThread(sms.to, canonical(sms.from))
    if (before === undefined || before.conversationId === conversationId) return undefined
    const conversation = await intercom.getConversation(before.conversationId, tools.call)
    if (conversation !== undefined) await takeInReplies(parts, conversation, before, tools)
    return conversation
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
  const assign = async (ours: Address, conversationId: ConversationId, tools: Tools) => {
    const team = teams.get(ours) ?? teams.get('*')
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

  return { open, takeInBefore, assign }
}
