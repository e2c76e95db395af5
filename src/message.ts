// The words of the house. Vendor JSON is turned into these at the door and never goes further.
import type { Address } from './phone.js'

export type MessageSid = string & { readonly brand: 'MessageSid' }
export type ConversationId = string & { readonly brand: 'ConversationId' }
export type PartId = string & { readonly brand: 'PartId' }
export type ContactId = string & { readonly brand: 'ContactId' }

/** A text a customer sent to one of our numbers. */
export interface InboundSms {
  readonly messageSid: MessageSid
  readonly from: Address
  readonly to: Address
  /** As sent, NUL bytes removed. May be empty when there is media. */
  readonly body: string
  readonly messagingServiceSid?: string
  readonly media: readonly { readonly contentType: string; readonly url: string }[]
  /** What the vendor took it for, and has answered: only where the account has words of its own for these. */
  readonly keyword?: 'start' | 'stop' | 'help'
  /** When Twilio received it, epoch ms; absent when its webhook came at once. */
  readonly sentAt?: number
  /** Where the sender's number is registered, as far as Twilio knows. */
  readonly city?: string
  readonly state?: string
  readonly zip?: string
  readonly country?: string
}

/**
 * A text that is only one of these, in any case, ends or resumes texts to its sender
 * (docs/messaging/tutorials/advanced-opt-out; the blog post on the FCC's rule of April 2025: REVOKE, OPTOUT).
 */
export const stopWords: readonly string[] = [
  'STOP',
  'STOPALL',
  'UNSUBSCRIBE',
  'CANCEL',
  'END',
  'QUIT',
  'REVOKE',
  'OPTOUT',
]
export const startWords: readonly string[] = ['START', 'UNSTOP', 'YES']

export type AuthorKind = 'admin' | 'team' | 'bot'

/** Something a teammate wrote for the customer, whatever part type carried it. */
export interface AgentReply {
  readonly conversationId: ConversationId
  readonly partId: PartId
  readonly author: { readonly kind: AuthorKind; readonly id: string }
  /** HTML or plain text, as it came. */
  readonly body: string
  readonly attachments: readonly { readonly name: string; readonly url: string }[]
  /** Epoch milliseconds, one-second resolution. */
  readonly writtenAt: number
}

/** Told that a teammate replied, but not with what: the conversation has to be read. */
export interface ReplyLookup {
  readonly conversationId: ConversationId
}

/**
 * What became of a reply that did not simply arrive. waiting: not sent yet, tried again by itself · refused: not sent,
 * and only a person can have it sent · undelivered: sent, and the carrier did not deliver it · unanswerable: its
 * customer's number cannot receive texts · discarded: a person took it out, and it is not sent · sent: it left after all.
 */
export type ReplyEnd = 'waiting' | 'refused' | 'undelivered' | 'unanswerable' | 'discarded' | 'sent'

/** To be told to whoever reads the conversation. */
export interface ReplyNote {
  readonly end: ReplyEnd
  readonly conversationId: ConversationId
  readonly partId: PartId
  /** Epoch milliseconds. */
  readonly writtenAt: number
  /** The delivery of the reply. */
  readonly replyId: number
  /** The text of ours that failed. */
  readonly messageSid?: MessageSid
  /** The vendor's code, or why it was parked. */
  readonly code?: string
  /** Why it was discarded, in the words of whoever did it. */
  readonly because?: string
  /** A machine wrote it: nobody is called for. `automatic`: the bridge itself, outside the hours. */
  readonly quiet?: true | 'automatic'
}

/** To be told to a customer who texted outside the hours of a number. */
export interface AwayText {
  readonly ours: Address
  /** The customer, as their text spelled it. */
  readonly replyTo: Address
  readonly conversationId: ConversationId
  /** Epoch milliseconds. */
  readonly textedAt: number
  /** When the number closed, epoch ms. */
  readonly closedSince: number
}

/** A text of ours on its way to a customer. */
export interface OutboundSms {
  readonly from: Address
  readonly to: Address
  readonly body: string
  /** Comes back in every status callback: `<delivery id>.<index of the text>`. */
  readonly ref: string
}

/** Twilio's message states, in the order in which a message passes through them. */
export type SmsStatus =
  | 'accepted'
  | 'scheduled'
  | 'queued'
  | 'sending'
  | 'sent'
  | 'delivered'
  | 'undelivered'
  | 'failed'
  | 'canceled'
  | 'read'

/** What Twilio told us about a text of ours. */
export interface Receipt {
  readonly messageSid: MessageSid
  readonly status: SmsStatus
  /** Twilio's error code, e.g. 30003; undefined when there is none. */
  readonly errorCode?: number
  readonly ref?: string
}
