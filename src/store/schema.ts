// The tables as Kysely sees them. All times are epoch milliseconds; JSON is kept as text.
import type { ColumnType, Generated } from 'kysely'
import type { DeliveryId, DeliveryKind, DeliveryState, Lane, Priority, Shore } from '../delivery.js'
import type { ContactId, ConversationId, MessageSid, SmsStatus } from '../message.js'
import type { Address } from '../phone.js'
import type { InstanceId } from './store.js'

export interface Schema {
  deliveries: DeliveryTable
  lanes: LaneTable
  steps: StepTable
  attempts: AttemptTable
  instances: { id: InstanceId; started_at: number; lease_until: number }
  limits: LimitTable
  shores: { shore: Shore; reason: string; paused_at: number; until: number; failures: number }
  threads: ThreadTable
  conversations: { conversation_id: ConversationId; ours: Address; theirs: Address }
  contacts: ContactTable
  receipts: ReceiptTable
  texts: TextTable
  totals: TotalTable
}

interface DeliveryTable {
  id: Generated<DeliveryId>
  kind: DeliveryKind
  dedupe_key: string
  lane: Lane
  shore: Shore
  priority: Priority
  number: string
  rank: string
  payload: string
  state: ColumnType<DeliveryState, 'ready', DeliveryState>
  attempts: Generated<number>
  received_at: number
  /** The back-off of a failed attempt; null: as soon as its turn comes, or settled. */
  run_at: number | null
  settled_at: number | null
  reason: string | null
  fault: string | null
  result: string | null
}

interface LaneTable {
  lane: Lane
  shore: Shore
  priority: Priority
  /** Null: nothing to do. */
  next_at: number | null
  owner: InstanceId | null
}

/** What an unsettled or parked delivery has done so far. */
interface StepTable {
  delivery_id: DeliveryId
  name: string
  begun_at: number
  done_at: number | null
  value: string | null
}

interface AttemptTable {
  delivery_id: DeliveryId
  ended_at: number
  state: DeliveryState
  fault: string | null
}

interface LimitTable {
  key: string
  /** Theoretical arrival time of the GCRA; null: nothing was ever taken. */
  tat: number | null
  per_ms: number | null
  burst: number | null
  /** When the vendor told us this rule; null: it is the caller's. */
  ruled_at: number | null
  held_until: number | null
}

interface ThreadTable {
  ours: Address
  theirs: Address
  reply_to: Address
  contact_id: ContactId
  /** The newest; older ones stay in `conversations`. */
  conversation_id: ConversationId
  updated_at: number
}

interface ContactTable {
  theirs: Address
  /** Null while somebody holds the right to look for it or make it. */
  contact_id: ContactId | null
  locked_by: DeliveryId | null
  locked_until: number | null
  updated_at: number
}

/** Every different thing Twilio said about a text. */
interface ReceiptTable {
  message_sid: MessageSid
  status: SmsStatus
  /** 0: none (part of the primary key, so never null). */
  error_code: number
  ref: string | null
  received_at: number
}

/** What these receipts amount to. */
interface TextTable {
  message_sid: MessageSid
  ref: string | null
  status: SmsStatus
  error_code: number | null
  conflict_at: number | null
  updated_at: number
}

interface TotalTable {
  /** UTC, `2026-11-30`. */
  day: string
  number: string
  kind: DeliveryKind
  /** Several rows add up to one figure, so that not every transaction of PostgreSQL waits for the same row. */
  slot: number
  received: number
  delivered: number
  suppressed: number
  parked: number
}
