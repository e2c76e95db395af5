// The part of the contract that people at a keyboard use: dead letters, what was done about them and by whom, and the
// story of a text. It works whether any process delivers or not.
import type { DeliveryId, DeliveryKind, DeliveryState, Fault, Lane, NewDelivery, Step } from '../delivery.js'
import type { ConversationId, MessageSid, SmsStatus } from '../message.js'
import type { Address } from '../phone.js'

/** in: from a customer to us; out: from us to them. */
export type Direction = 'in' | 'out'

/** What is left out does not narrow. */
export interface DeadLetterFilter {
  readonly state: 'parked' | 'discarded'
  readonly ids?: readonly DeliveryId[]
  readonly reason?: string
  /** The vendor's code, of the last fault. */
  readonly code?: string
  /** The customer, in the one spelling under which they are remembered. */
  readonly theirs?: Address
  /** Our number. */
  readonly number?: string
  readonly direction?: Direction
  /** Received then or later, epoch ms. */
  readonly since?: number
  /** Received before, epoch ms. */
  readonly until?: number
  /** Replies of this conversation, and texts that would be posted to it. */
  readonly conversationId?: ConversationId
  /** Parked or discarded then or later, epoch ms. */
  readonly settledSince?: number
}

export interface DeadLetterGroup {
  readonly reason: string
  readonly code: string | undefined
  readonly direction: Direction
  readonly count: number
  readonly oldestAt: number
  readonly customers: number
  /** How many are tried again by themselves, and when the first of them is. */
  readonly returning: number
  readonly nextRetryAt: number | undefined
  /** Of one of them. */
  readonly fault: Fault | undefined
}

export interface ReceiptEntry {
  readonly messageSid: MessageSid
  readonly ref: string | undefined
  readonly status: SmsStatus
  readonly errorCode: number | undefined
  readonly receivedAt: number
}

/** What is known of a delivery, its words apart. */
export interface DeliveryFacts {
  readonly id: DeliveryId
  readonly kind: DeliveryKind
  readonly direction: Direction
  readonly state: DeliveryState
  readonly lane: Lane
  readonly rank: string
  readonly dedupeKey: string
  /** Ours and theirs are empty while they are not known. */
  readonly ours: string
  readonly theirs: string
  /** Where a reply was written, or where a text would be posted now. */
  readonly conversationId: ConversationId | undefined
  /** When its author sent it, as far as we know. */
  readonly sentAt: number
  readonly receivedAt: number
  readonly recoveredAt: number | undefined
  readonly settledAt: number | undefined
  readonly attempts: number
  readonly reason: string | undefined
  readonly fault: Fault | undefined
  readonly result: Readonly<Record<string, unknown>> | undefined
  readonly parkedAt: number | undefined
  readonly retryAt: number | undefined
  readonly replays: number
  readonly replayId: AuditId | undefined
  /** Since when its customer must not be texted from this number of ours. */
  readonly optedOutSince: number | undefined
  /** The delivery that goes first: ready, and before it in its lane. */
  readonly behind: DeliveryId | undefined
  readonly steps: Readonly<Record<string, Step>>
  /** Of the texts it made. */
  readonly receipts: readonly ReceiptEntry[]
}

export interface AttemptEntry {
  readonly endedAt: number
  readonly state: DeliveryState
  readonly fault: Fault | undefined
}

export interface DeliveryStory extends DeliveryFacts {
  /** Oldest first. */
  readonly history: readonly AttemptEntry[]
}

export type AuditId = number

/** Something a person did. */
export interface Deed {
  /** `user@host` */
  readonly actor: string
  readonly action: string
  readonly detail: Readonly<Record<string, unknown>>
}

export interface AuditEntry extends Deed {
  readonly id: AuditId
  readonly at: number
}

export interface ReplayItem {
  readonly id: DeliveryId
  /** When it becomes ready again, epoch ms. */
  readonly at: number
  /** Forgets effects whose end is unknown, so that they are made once more: somebody looked, and they are not there. */
  readonly again: boolean
}

/** Where the deliveries of a replay are now. */
export interface ReplayProgress {
  /** Their time has not come. */
  readonly scheduled: number
  readonly inHand: number
  readonly delivered: number
  readonly suppressed: number
  /** Parked again, for people alone. */
  readonly failed: number
  readonly discarded: number
  /** When the first and the last of those scheduled become ready. */
  readonly nextAt: number | undefined
  readonly lastAt: number | undefined
}

/** Whose story to tell. */
export type TraceSubject =
  | { readonly theirs: Address }
  | { readonly conversationId: ConversationId }
  /** A text: one that came in under this key, or one of ours. */
  | { readonly messageSid: MessageSid; readonly dedupeKey: string }

export interface TracedThread {
  readonly ours: Address
  readonly theirs: Address
  /** The newest last. */
  readonly conversationIds: readonly ConversationId[]
}

export interface Trace {
  readonly threads: readonly TracedThread[]
  /** Oldest first; the newest `limit` of them. */
  readonly deliveries: readonly DeliveryStory[]
  /** Of a text of ours that no delivery is known for. */
  readonly receipts: readonly ReceiptEntry[]
}

export interface Desk {
  deadLetterGroups(filter: DeadLetterFilter): Promise<readonly DeadLetterGroup[]>
  /** In the order of their ids, from the first after `after`. */
  listDeadLetters(
    filter: DeadLetterFilter,
    page: { readonly after: DeliveryId; readonly limit: number },
  ): Promise<readonly DeliveryFacts[]>
  findDelivery(id: DeliveryId): Promise<(DeliveryStory & { readonly payload: unknown }) | undefined>

  /**
   * Sets when each of these becomes ready again; from then on whoever delivers works them off. Passes over what is in
   * another state by now or is being replayed already. Returns the ids of the others.
   */
  scheduleReplay(request: {
    /** The entry of the audit that stands for the whole replay. */
    readonly replayId: AuditId
    readonly from: DeadLetterFilter['state']
    readonly items: readonly ReplayItem[]
    readonly now: number
  }): Promise<readonly DeliveryId[]>
  /** Takes back what has not become ready yet, some hundreds at a time, the last first. Returns their ids. */
  cancelReplay(replayId: AuditId): Promise<readonly DeliveryId[]>
  replayProgress(replayId: AuditId): Promise<ReplayProgress>
  /**
   * Passes over what is parked no more. Returns the ids of the others. `note` is kept as their result; what stands in
   * `also` for one of them is taken in with that or not at all.
   */
  discardDeadLetters(
    ids: readonly DeliveryId[],
    note: Readonly<Record<string, unknown>>,
    now: number,
    also?: ReadonlyMap<DeliveryId, NewDelivery>,
  ): Promise<readonly DeliveryId[]>
  /** Forgets the words of what was discarded 30 days ago or earlier; its rows stay. Returns how many. */
  purgeDiscarded(now: number): Promise<number>

  writeAudit(deed: Deed, now: number): Promise<AuditId>
  /** Adds to an entry's detail what came of it. */
  completeAudit(id: AuditId, outcome: Readonly<Record<string, unknown>>): Promise<void>
  /** Newest first. */
  listAudit(filter: {
    readonly id?: AuditId
    readonly action?: string
    readonly since?: number
    readonly limit: number
  }): Promise<readonly AuditEntry[]>

  /** Undefined when nothing is known. */
  trace(subject: TraceSubject, limit: number): Promise<Trace | undefined>
  /** Whether any process delivers at this moment. */
  isServed(now: number): Promise<boolean>
}
