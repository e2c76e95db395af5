// What the steps of one test share.

import type { AttemptCall } from '../../delivery.js'
import { DeliveryError } from '../../errors.js'
import type { ContactId, ConversationId } from '../../message.js'
import type { Customer } from './customer.js'
import type { Sent, Stage } from './stage.js'
import type { Watch } from './watch.js'

/** What both hops must keep, ms. */
export const goals = { toInbox: 5_000, toPhone: 10_000 } as const
/** How often to look: vendors' own times are whole seconds, ms. */
const lookEveryMs = 300

/** What the test has made so far: for its next steps, and for cleaning up, however it ends. */
export interface Made {
  /** Words of the texts sent to us, and the conversations they stand in. */
  readonly texts: Map<string, ConversationId | undefined>
  contactId?: ContactId
  repliedAt?: number
  replyAcceptedMs?: number
  notedAt?: number
}

/** Three words for each thing that is said, none like another. */
export type Words = Readonly<Record<'first' | 'reply' | 'more' | 'note' | 'again', string>>

export interface Scene {
  readonly stage: Stage
  readonly customer: Customer
  readonly words: Words
  readonly made: Made
  readonly startedAt: number
  /** How long to wait for what should have happened, ms. */
  readonly patienceMs: number
}

/** What a step saw. */
export interface Seen {
  readonly seen: string
  readonly ms?: number
  /** Why it missed its goal. */
  readonly late?: string
}

export function watching({ stage: { clock }, patienceMs }: Scene, { signal }: AttemptCall): Watch {
  return { clock, signal, patienceMs, everyMs: lookEveryMs }
}

export function waited({ patienceMs }: Scene): string {
  return `within ${Math.round(patienceMs / 1000)} s`
}

/** Has the customer send a text. */
export async function sendText({ customer, made }: Scene, words: string, call: AttemptCall): Promise<Sent> {
  made.texts.set(words, undefined)
  try {
    return await customer.text(words, call)
  } catch (error) {
    const mayHaveLeft = error instanceof DeliveryError && error.outcome === 'ambiguous'
    if (!mayHaveLeft) made.texts.delete(words)
    throw error
  }
}

/** The conversation the test began with. */
export function firstConversation({ made, words }: Scene): ConversationId {
  const id = made.texts.get(words.first)
  if (id === undefined) throw new Error('a step was played before the one it needs')
  return id
}

/** Whether something of Intercom's was made during the test. */
export function isNew({ stage, startedAt }: Scene, createdAt: number): boolean {
  return createdAt >= startedAt - stage.outside.intercom.clockSlackMs()
}

export function inSeconds(ms: number): string {
  return `${(ms / 1000).toFixed(1)} s`
}
