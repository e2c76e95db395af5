import type { Outcome } from './errors.js'
import type { AgentReply, AwayText, InboundSms, ReplyLookup, ReplyNote } from './message.js'

/** Every kind of delivery and what it carries. A new kind is a new line here; the compiler names what is missing. */
export interface Payloads {
  'inbound-sms': InboundSms
  'agent-reply': AgentReply
  'reply-lookup': ReplyLookup
  'reply-note': ReplyNote
  'away-text': AwayText
}
export type DeliveryKind = keyof Payloads

const hourMs = 3_600_000
/**
 * How long a parked delivery is tried again by itself, ms since it was received. After that it is stale: a person
 * decides whether it is still worth delivering.
 */
export const staleAfterMs: Readonly<Record<DeliveryKind, number>> = {
  'inbound-sms': 72 * hourMs,
  'agent-reply': 4 * hourMs,
  'reply-lookup': 4 * hourMs,
  'reply-note': 24 * hourMs,
  // Its flow ends what is too old to be of use.
  'away-text': 72 * hourMs,
}

/** What a person discards can be taken back, and keeps its words, for so long, ms. */
export const archiveMs = 30 * 24 * hourMs

/** The side a lane delivers to. A shore is paused as a whole when it is down. */
export const shores = ['twilio', 'intercom'] as const
export type Shore = (typeof shores)[number]

/** Live: a person is waiting. Bulk: campaigns; never ahead of anything live. */
export type Priority = 'live' | 'bulk'

/** One direction of one thread: first in, first out. */
export type Lane = string

export type DeliveryId = number

/** Whose text a reference stands for: `17.0` is the first text of delivery 17. */
export function deliveryOf(ref: string | null | undefined): DeliveryId | undefined {
  const [, id] = /^(\d{1,15})\.\d+$/.exec(ref ?? '') ?? []
  return id === undefined ? undefined : Number(id)
}

/**
 * ready: waiting or being delivered · delivered · suppressed: rightly not sent, with a reason ·
 * parked: in the dead-letter queue · discarded: taken out of it by a person, with a reason.
 */
export const deliveryStates = ['ready', 'delivered', 'suppressed', 'parked', 'discarded'] as const
export type DeliveryState = (typeof deliveryStates)[number]

export interface NewDelivery<K extends DeliveryKind = DeliveryKind> {
  readonly kind: K
  readonly payload: Payloads[K]
  /** Unique for ever: `twilio:SM…`, `intercom:part:…`. */
  readonly dedupeKey: string
  readonly lane: Lane
  readonly shore: Shore
  readonly priority: Priority
  /** Our number, for the books; empty while it is not known. */
  readonly number: string
  /**
   * Order inside the lane where the vendor gives one (compared byte by byte, then by arrival); empty means by
   * arrival alone.
   */
  readonly rank: string
  /** No webhook brought it: reconciliation found it in the vendor's lists. */
  readonly recovered?: true
}

/** What one delivery has done so far, by step name. */
export interface Step {
  /** When the effect was begun, epoch ms. */
  readonly begunAt: number
  /** When it was known to be done; undefined while that is unknown. */
  readonly doneAt?: number
  /** What it made (an id, usually); JSON. */
  readonly value?: unknown
}

type DeliveryOf<K extends DeliveryKind> = K extends DeliveryKind
  ? NewDelivery<K> & {
      readonly id: DeliveryId
      readonly state: DeliveryState
      /** Attempts already spent. */
      readonly attempts: number
      /** How often it has been parked since a person last replayed it, or ever. */
      readonly parkings: number
      /** How often a person has replayed it. */
      readonly replays: number
      /** When it was first parked, epoch ms: later deliveries of its lane wait for it no longer than so long. */
      readonly parkedAt?: number
      readonly receivedAt: number
      readonly steps: Readonly<Record<string, Step>>
    }
  : never

/** The one row everything revolves around. */
export type Delivery<K extends DeliveryKind = DeliveryKind> = DeliveryOf<K>

/** Why an attempt did not deliver, as kept in the store. */
export interface Fault {
  readonly message: string
  readonly outcome: Outcome
  readonly shore?: string
  readonly code?: string
  readonly status?: number
}

/** How an attempt ended. */
export type Settlement =
  | { readonly state: 'delivered'; readonly result: Readonly<Record<string, unknown>> }
  | { readonly state: 'suppressed'; readonly reason: string }
  /** Try again; `spent` says whether this counts against the budget. */
  | { readonly state: 'ready'; readonly runAt: number; readonly spent: boolean; readonly fault: Fault }
  | {
      readonly state: 'parked'
      readonly reason: string
      readonly fault: Fault
      /** When it is tried again by itself, epoch ms; absent: only when a person says so. */
      readonly retryAt?: number
      /** Until then what comes later in its lane waits for it, epoch ms; only while `retryAt` is set. */
      readonly holdUntil?: number
    }

export type Parked = Extract<Settlement, { readonly state: 'parked' }>

/** When an effect whose end was not seen may have taken place, epoch ms of our clock. */
export interface EffectWindow {
  readonly begunAt: number
  readonly endedBy: number
}

/** An outside effect that must happen once. */
export interface Effect<T> {
  readonly perform: () => Promise<T>
  /**
   * Looks for what an attempt may have made; undefined when nothing is found.
   * @throws DeliveryError, unprovable, when the vendor shows something that may be it and may not.
   */
  readonly confirm: (attempt: EffectWindow) => Promise<T | undefined>
  /** How long after `begunAt` the vendor's lists may still not show it, ms: before that, not found proves nothing. */
  readonly visibleAfterMs: number
}

/** The effects of one delivery, written down as they happen: each takes place at most once over all attempts. */
export interface Effects {
  /** What is written down about a step, done or begun. */
  step(name: string): Step | undefined
  /** Notes a fact the delivery needs when it is resumed. */
  note(name: string, value: unknown): Promise<void>
  /** Forgets a step that did not happen, or no longer counts. */
  forget(name: string): Promise<void>
  run<T>(name: string, effect: Effect<T>): Promise<T>
}

/** What an attempt lends to each outside call. */
export interface AttemptCall {
  readonly signal: AbortSignal
  /** Runs right before bytes go on the wire; throws when the lane may no longer be ours. */
  readonly guard: () => void
  readonly priority: Priority
}

export interface Tools {
  readonly call: AttemptCall
  readonly effects: Effects
  /** Epoch ms. */
  readonly now: () => number
}

export type FlowResult = Extract<Settlement, { readonly state: 'delivered' | 'suppressed' }> & {
  /** Taken in with the end of this one, or not at all. */
  readonly also?: readonly NewDelivery[]
}

/** What the product does with one kind of delivery. Anything that does not end well is thrown. */
export interface Flow<K extends DeliveryKind> {
  deliver(delivery: Delivery<K>, tools: Tools): Promise<FlowResult>
  /** What is taken in when it is parked, for a while or for a person: with the parking, or not at all. */
  onParked?(delivery: Delivery<K>, parked: Parked): readonly NewDelivery[]
}
export type Flows = { readonly [K in DeliveryKind]: Flow<K> }

/**
 * The mark that says when the store was put back to an earlier state: what the vendors show from before then may have
 * been delivered, though the store does not know it.
 */
export const restoredMark = 'restored'
