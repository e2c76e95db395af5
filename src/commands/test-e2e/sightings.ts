// Where to look for what the test's words set off, on both shores.

import type { AttemptCall } from '../../delivery.js'
import type { Conversation } from '../../intercom/client.js'
import type { ContactId, ConversationId, SmsStatus } from '../../message.js'
import type { SentSms } from '../../twilio/messages.js'
import type { Scene } from './scene.js'
import { isSpelling, type Stage } from './stage.js'
import { says } from './words.js'

export interface Finder {
  /** The conversation in which these words stand, with its parts. */
  find(words: string): Promise<Conversation | undefined>
}

/**
 * Nothing tells which shows a new conversation first: the list or the search, which may lag. So both are asked, and
 * what the search names is read by its id, which does not lag.
 */
export function createFinder({ stage, words, startedAt }: Scene, call: AttemptCall): Finder {
  const { inbox, outside, phone, defaultRegion } = stage
  const { intercom } = outside
  /** Conversations of other people: the words will never stand in them. */
  const others = new Set<ConversationId>()
  const whose = new Map<ContactId, boolean>()

  const isTheirs = async (id: ContactId): Promise<boolean> => {
    const known = whose.get(id)
    if (known !== undefined) return known
    const contact = await intercom.getContact(id, call)
    // So new that not every part of Intercom knows it.
    if (contact === undefined) return true
    const theirs = isSpelling(contact.phone, { number: phone.number, defaultRegion })
    whose.set(id, theirs)
    return theirs
  }

  /** Read anew each time: Intercom's times are whole seconds, and cannot tell whether a text has joined since. */
  const readIfTheirs = async (id: ConversationId): Promise<Conversation | undefined> => {
    if (others.has(id)) return undefined
    const conversation = await intercom.getConversation(id, call)
    for (const contactId of conversation?.contactIds ?? []) if (await isTheirs(contactId)) return conversation
    // The bridge may have taken another contact: that is for the test to tell.
    if (conversation !== undefined && says(conversation.source.body, words.first)) return conversation
    others.add(id)
    return undefined
  }

  const search = async (said: string): Promise<Conversation | undefined> => {
    for (const { id } of await intercom.searchUpdatedSince(startedAt - intercom.clockSlackMs(), call)) {
      const conversation = await readIfTheirs(id)
      if (conversation !== undefined && holds(conversation, said)) return conversation
    }
    return undefined
  }

  const list = async (said: string): Promise<Conversation | undefined> => {
    const hit = (await inbox.listConversations(call)).find(({ source }) => says(source.body, said))
    return hit && intercom.getConversation(hit.id, call)
  }

  return {
    async find(said) {
      const [listed, searched] = await Promise.all([list(said), search(said)])
      return listed ?? searched
    },
  }
}

export function holds({ source, parts }: Conversation, words: string): boolean {
  return says(source.body, words) || parts.some(({ body }) => says(body, words))
}

export interface OnItsWay {
  readonly texts: readonly SentSms[]
  /** The phone has it: told by a receipt, or seen in what the number received. */
  readonly arrived: boolean
}

/** The texts to the phone that say this. */
export async function seekText({ outside, phone, ours }: Stage, words: string, since: number, call: AttemptCall) {
  const { twilio } = outside
  const [sent, received] = await Promise.all([
    twilio.listSent(phone.number, { since, until: Number.MAX_SAFE_INTEGER }, call),
    phone.kind === 'handset' ? undefined : twilio.listReceived(phone.number, since - twilio.clockSlackMs(), call),
  ])
  const texts = sent.filter(({ body }) => says(body, words))
  const here = received?.texts.some(({ from, body }) => from === ours.number && says(body, words)) ?? false
  return { texts, arrived: here || texts.some(({ status }) => isOnPhone(status)) } satisfies OnItsWay
}

const isOnPhone = (status: SmsStatus) => status === 'delivered' || status === 'read'
