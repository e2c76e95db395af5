// Webhooks get lost: both vendors' own lists are looked through for what none of them brought.
import { createReceiptPoll, type Polled, type PollParts } from './poll-receipts.js'
import type { Sweep, SweepOptions, SweepTools } from './reconcile-intake.js'
import { createReplySweep, type ReplySweepParts } from './reconcile-replies.js'
import { createTextSweep, type TextSweep, type TextSweepParts } from './reconcile-texts.js'

/** The three run apart: each talks to one vendor and has its own way of going wrong. Whatever is thrown ends a sweep. */
export interface Reconcile {
  /** Customers' texts, at Twilio. */
  texts(tools: SweepTools, options: SweepOptions): Promise<TextSweep>
  /** Teammates' replies, at Intercom. */
  replies(tools: SweepTools, options: SweepOptions): Promise<Sweep>
  /** What became of texts of ours. */
  receipts(tools: SweepTools, options: Pick<SweepOptions, 'dryRun'>): Promise<Polled>
}

export function createReconcile(parts: TextSweepParts & ReplySweepParts & PollParts): Reconcile {
  return { texts: createTextSweep(parts), replies: createReplySweep(parts), receipts: createReceiptPoll(parts) }
}
