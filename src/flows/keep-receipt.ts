// What Twilio says of a text of ours is kept; that a reply or an automatic text failed is told to its conversation as well.
import { deliveryOf } from '../delivery.js'
import type { AgentReply, AwayText, PartId, Receipt, ReplyNote, SmsStatus } from '../message.js'
import type { ReceiptState, Store } from '../store/store.js'
import { noteAbout, replyNoteDelivery } from './reply-note-delivery.js'

const failures: ReadonlySet<SmsStatus> = new Set(['failed', 'undelivered'])

/** First the note, then the receipt: after a crash between the two the receipt comes again, or is asked for. */
export async function keepReceipt(
  store: Pick<Store, 'findDelivery' | 'ingest' | 'saveReceipt'>,
  receipt: Receipt,
  now: number,
): Promise<ReceiptState> {
  const { messageSid, status, errorCode } = receipt
  const replyId = failures.has(status) ? deliveryOf(receipt.ref) : undefined
  const reply = replyId === undefined ? undefined : await store.findDelivery(replyId)
  const about = reply === undefined ? undefined : failedNote(reply)
  if (about !== undefined) {
    const code = errorCode === undefined ? {} : { code: String(errorCode) }
    await store.ingest(replyNoteDelivery({ ...about, messageSid, ...code }), now)
  }
  return store.saveReceipt(receipt, now)
}

type Found = NonNullable<Awaited<ReturnType<Store['findDelivery']>>>

/** Undefined for what no conversation shows. */
function failedNote({ id, kind, payload, receivedAt }: Found): ReplyNote | undefined {
  if (kind === 'agent-reply') return noteAbout({ id, payload: payload as AgentReply }, 'undelivered') // of that kind
  if (kind !== 'away-text') return undefined
  const { conversationId } = payload as AwayText // of that kind
  const nobodys = { partId: '' as PartId, quiet: 'automatic' as const } // no part of the conversation holds its words
  return { end: 'undelivered', conversationId, writtenAt: receivedAt, replyId: id, ...nobodys }
}
