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
  instances: InstanceTable
  /** What only one process does at a time. */
  duties: { name: string; holder: string; until: number }
  /** How far something has come. */
  marks: { name: string; at: number; value: string | null }
  limits: LimitTable
  shores: { shore: Shore; reason: string; paused_at: number; until: number; failures: number }
  threads: ThreadTable
  conversations: { conversation_id: ConversationId; ours: Address; theirs: Address }
  contacts: ContactTable
  receipts: ReceiptTable
  texts: TextTable
  totals: TotalTable
  numbers: NumberTable
  opt_outs: OptOutTable
  audit: AuditTable
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
  /** When reconciliation found it; null: a webhook brought it. */
  recovered_at: number | null
  /** When it was first parked since it was received or replayed. */
  parked_at: number | null
  /** While parked: when it becomes ready again by itself; null: never. */
  retry_at: number | null
  /** While parked: until then its lane waits for it. */
  hold_until: number | null
  parkings: Generated<number>
  replays: Generated<number>
  /** The entry of the audit table that replayed it last. */
  replay_id: number | null
}

interface InstanceTable {
  id: InstanceId
  started_at: number
  lease_until: number
  /** When it last showed that it lives. */
  beat_at: number | null
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
  /** When to ask the vendor what became of it; null: its state is final, or asking has been given up. */
  poll_at: number | null
}

interface TotalTable {
  /** UTC, `2026-11-30`. */
  day: string
  number: string
  kind: DeliveryKind | 'receipt'
  /** Several rows add up to one figure, so that not every transaction of PostgreSQL waits for the same row. */
  slot: number
  received: number
  delivered: number
  suppressed: number
  parked: number
  discarded: number
  /** How many of the received were found by reconciliation. */
  recovered: number
  /** When the last of the received came. */
  last_at: number
}

/** Numbers of ours as last seen at the vendor. */
interface NumberTable {
  number: string
  kind: string
  /** `ours`: its texts come to this bridge; else why they do not. */
  state: string
  detail: string | null
  checked_at: number
}

/** Who must not be texted. A row goes when they opt in again. */
interface OptOutTable {
  ours: Address
  theirs: Address
  since: number
  /** How we know: their word, or a refusal's code. */
  source: string
}

/** What people did, by command. */
interface AuditTable {
  id: Generated<number>
  at: number
  actor: string
  action: string
  /** JSON. */
  detail: string
}
