// The contract both engines keep. `now` is always a parameter (epoch ms); nothing here reads a clock.
import type {
  Delivery,
  DeliveryId,
  DeliveryKind,
  DeliveryState,
  Fault,
  Lane,
  NewDelivery,
  Settlement,
  Shore,
} from '../delivery.js'
import type { ContactId, ConversationId, MessageSid, Receipt, SmsStatus } from '../message.js'
import type { Address } from '../phone.js'
import type { Desk } from './desk.js'

/** Names one life of one process. A process whose lease ran out takes a new one. */
export type InstanceId = string

/** Rights to act on a lane: the holder's instance must still own it when anything is written. */
export interface Claimed {
  readonly delivery: Delivery
  readonly instance: InstanceId
}

export interface Ingested {
  readonly id: DeliveryId
  readonly duplicate: boolean
}

/** (our number, their number) ↔ (contact, conversation). */
export interface Thread {
  readonly ours: Address
  readonly theirs: Address
  /** As the customer's texts spell it; `theirs` is the one spelling under which the thread is kept. */
  readonly replyTo: Address
  readonly contactId: ContactId
  readonly conversationId: ConversationId
}

export interface LimitRule {
  /** Cost units per millisecond that may pass for ever. */
  readonly perMs: number
  /** Cost units that may pass at once after a pause. */
  readonly burst: number
}

export interface LimitRequest {
  readonly key: string
  /** Used unless the vendor has told the store another rule (`setLimitRule`). */
  readonly rule: LimitRule
  readonly cost: number
  /** Reserve a place up to this far in the future; 0 takes only what is free now. */
  readonly maxWaitMs: number
  readonly now: number
}
/** Granted: wait `waitMs`, then go. Refused: nothing was reserved; ask again in `waitMs`. */
export interface LimitAnswer {
  readonly granted: boolean
  readonly waitMs: number
}

/** A text's delivery state after every receipt so far; the same whatever order they came in. */
export interface ReceiptState {
  readonly messageSid: MessageSid
  readonly ref: string | undefined
  readonly status: SmsStatus
  readonly errorCode: number | undefined
  /** Twilio has said both that it arrived and that it failed. */
  readonly conflict: boolean
  readonly updatedAt: number
}

/** How far something has come. */
export interface Mark {
  /** Epoch ms. */
  readonly at: number
  readonly value: unknown
}

/** A number of ours as last seen at the vendor. */
export interface NumberState {
  readonly number: string
  readonly kind: string
  /** `ours`: its texts come to this bridge; else why they do not, in one word. */
  readonly state: string
  readonly detail?: string
  readonly checkedAt: number
}

export interface ShorePause {
  readonly shore: Shore
  readonly reason: string
  readonly pausedAt: number
  /** Until then nothing is claimed; after it one delivery at a time probes. */
  readonly until: number
  /** Pauses in a row, without a success between them. */
  readonly failures: number
}

export interface DeliverySummary {
  readonly id: DeliveryId
  readonly kind: DeliveryKind
  readonly state: DeliveryState
  readonly lane: Lane
  readonly number: string
  readonly dedupeKey: string
  readonly attempts: number
  readonly receivedAt: number
  readonly settledAt: number | undefined
  readonly runAt: number | undefined
  readonly reason: string | undefined
  readonly fault: Fault | undefined
}

export interface Totals {
  readonly received: number
  readonly delivered: number
  readonly suppressed: number
  readonly parked: number
  readonly discarded: number
  /** How many of the received were found by reconciliation. */
  readonly recovered: number
}

export interface Summary {
  /** Counted per UTC day; days from `since` on. */
  readonly totals: readonly ({
    readonly day: string
    readonly number: string
    readonly kind: DeliveryKind | 'receipt'
  } & Totals & { /** When the last of the received came. */ readonly lastAt: number })[]
  /** Deliveries now ready (waiting or in hand). */
  readonly waiting: number
  /** When the oldest waiting one was received. */
  readonly oldestWaitingAt: number | undefined
  /** Deliveries now parked. */
  readonly parked: number
  readonly pauses: readonly ShorePause[]
  /** Processes with a running lease. */
  readonly instances: readonly { readonly id: InstanceId; readonly leaseUntil: number; readonly startedAt: number }[]
  /** Texts that Twilio says both arrived and failed, since `since`. */
  readonly conflicts: number
  /** Texts whose final state is a failure, by Twilio code, of receipts since `since`. */
  readonly failures: readonly { readonly errorCode: number | undefined; readonly count: number }[]
}

export interface Store extends Desk {
  readonly engine: 'sqlite' | 'postgres'

  /** Durable when it resolves. Concurrent calls share a commit. Duplicates are success. */
  ingest(delivery: NewDelivery, now: number): Promise<Ingested>

  /**
   * Those of the keys under which nothing has come to an end yet, in the order given: never ingested, still ready, or
   * parked for a while in which what comes later waits.
   */
  unsettled(dedupeKeys: readonly string[], now: number): Promise<readonly string[]>
  /** Those of the keys under which nothing was ever ingested, in the order given. */
  unseen(dedupeKeys: readonly string[]): Promise<readonly string[]>

  /** Keys of what has not come to an end in a lane (as above) and goes before this rank, in the order of the lane. */
  unsettledBefore(lane: Lane, rank: string, now: number): Promise<readonly string[]>

  /** Starts a lease; lanes may be claimed under it until it runs out. */
  register(instance: InstanceId, leaseMs: number, now: number): Promise<void>
  /** Extends the lease and frees the lanes of processes whose lease ran out. False: ours had run out, take a new id. */
  heartbeat(instance: InstanceId, leaseMs: number, now: number): Promise<boolean>
  /** Gives up the lease and every lane held under it; the mark `serve-stopped` says when. */
  unregister(instance: InstanceId, now: number): Promise<void>

  /**
   * Takes up to `limit` due lanes, live ones first, and returns the head of each. At most `bulkLimit` of them are
   * bulk, and no shore gets more than `atMost` says. Lanes of a paused shore stay; of a shore whose pause has run out at most one is taken while it probes.
   */
  claim(request: {
    readonly instance: InstanceId
    readonly limit: number
    readonly bulkLimit: number
    /** So that the backlog of one shore leaves places for the other. */
    readonly atMost?: Readonly<Partial<Record<Shore, number>>>
    readonly now: number
  }): Promise<Claimed[]>
  /** Frees the instance's lanes but those kept: what a claim took whose answer was lost. */
  release(instance: InstanceId, keep: readonly Lane[]): Promise<void>
  /** Parked deliveries whose time to be tried again has come become ready. True when there were any. */
  requeue(now: number): Promise<boolean>
  /** When the next idle lane or parked delivery falls due; undefined when none will. Pauses are not looked at. */
  nextDue(): Promise<number | undefined>

  /** Writes down that an effect is about to happen. False: the lane is no longer ours, do nothing. */
  beginStep(claimed: Claimed, name: string, now: number): Promise<boolean>
  /** Writes down what an effect made, begun or not. False: the lane is no longer ours. */
  finishStep(claimed: Claimed, name: string, value: unknown, now: number): Promise<boolean>
  /** Forgets a step that is proven not to have happened. False: the lane is no longer ours. */
  dropStep(claimed: Claimed, name: string): Promise<boolean>
  /**
   * Ends an attempt and frees the lane; `also` is taken in with it or not at all. False: the lane is no longer ours,
   * nothing was written.
   */
  settle(claimed: Claimed, settlement: Settlement, now: number, also?: readonly NewDelivery[]): Promise<boolean>

  /** GCRA over rows shared by all processes. */
  takeLimit(request: LimitRequest): Promise<LimitAnswer>
  /** What the vendor told us its limit is; from then on used instead of the caller's rule. */
  setLimitRule(key: string, rule: LimitRule, now: number): Promise<void>
  /** Nothing passes before `until`. */
  holdLimit(key: string, until: number): Promise<void>
  /** How far from full a limit is: 1 idle, 0 used up. Keys never used are absent. */
  limitHeadroom(now: number): Promise<readonly { readonly key: string; readonly free: number }[]>

  pauseShore(shore: Shore, reason: string, until: number, now: number): Promise<void>
  /** A success: the shore works. True if it had been paused. */
  resumeShore(shore: Shore): Promise<boolean>
  pauses(): Promise<readonly ShorePause[]>

  findThread(ours: Address, theirs: Address): Promise<Thread | undefined>
  findThreadOfConversation(conversationId: ConversationId): Promise<Thread | undefined>
  /** The newest conversation of a thread; older ones stay known, so that a late reply still finds its way. */
  saveThread(thread: Thread, now: number): Promise<void>

  /** The contact remembered for a customer's (canonical) address. */
  findContact(theirs: Address): Promise<ContactId | undefined>
  saveContact(theirs: Address, contactId: ContactId, now: number): Promise<void>
  forgetContact(theirs: Address, contactId: ContactId): Promise<void>
  isKnownContact(contactId: ContactId): Promise<boolean>
  /**
   * Only one delivery at a time may look for or create the contact of an address. True: it is ours until `until`
   * or `saveContact`. Taking it again under the same delivery id is fine.
   */
  lockContact(theirs: Address, by: DeliveryId, until: number, now: number): Promise<boolean>

  saveReceipt(receipt: Receipt, now: number): Promise<ReceiptState>
  findReceiptByRef(ref: string): Promise<ReceiptState | undefined>
  findReceipt(messageSid: MessageSid): Promise<ReceiptState | undefined>

  /**
   * Texts of ours whose state is not final and that are due to be asked about, longest due first. A new text is due
   * 15 minutes after it became known.
   */
  textsToPoll(now: number, limit: number): Promise<readonly ReceiptState[]>
  /** When to ask about a text again; undefined: never. Final states end the asking by themselves. */
  pollAgain(messageSid: MessageSid, at: number | undefined): Promise<void>

  /** They wrote a word that means it, or the vendor refused to text them. The first time counts. */
  optOut(ours: Address, theirs: Address, source: string, now: number): Promise<void>
  optIn(ours: Address, theirs: Address): Promise<void>
  /** Since when, epoch ms; undefined when they may be texted. */
  optedOutSince(ours: Address, theirs: Address): Promise<number | undefined>

  /** Replaces what was known of our numbers. */
  saveNumbers(numbers: readonly Omit<NumberState, 'checkedAt'>[], now: number): Promise<void>
  listNumbers(): Promise<readonly NumberState[]>
  /** Numbers of ours that a customer has ever texted, as far as the books go back. */
  textedNumbers(): Promise<readonly Address[]>

  /** True: the duty is the holder's until then. Taking it again extends it; one that ran out may be taken over. */
  takeDuty(name: string, holder: string, until: number, now: number): Promise<boolean>
  giveUpDuty(name: string, holder: string): Promise<void>
  findMark(name: string): Promise<Mark | undefined>
  /** `value` is kept as JSON. */
  setMark(name: string, at: number, value?: unknown): Promise<void>

  /**
   * For a store that was put back to an earlier state, and that nobody serves: what was under way then is parked until a
   * person decides, ids begin far above those given since, and `restoredMark` is set. Tells how many are parked so.
   */
  takeUpRestored(now: number): Promise<{ readonly parked: number }>

  /** The latest time on record, epoch ms: of a delivery's arrival or the end of a lease. Undefined in a new store. */
  latestTime(): Promise<number | undefined>

  summarize(since: number, now: number): Promise<Summary>
  /** Newest first. */
  listDeliveries(filter: { readonly state?: DeliveryState; readonly limit: number }): Promise<DeliverySummary[]>

  /** Called once if the store can never answer again: only a new process can help. Returns how to stop. */
  onLost(listener: (error: Error) => void): () => void
  /** Called when another process or connection may have made work due. Returns how to stop. */
  onWork(listener: () => void): () => void
  close(): Promise<void>
}
