// What Twilio says of a text of ours is kept; that a teammate's reply failed is told to its conversation as well.
import { deliveryOf } from '../delivery.js'
import type { AgentReply, Receipt, SmsStatus } from '../message.js'
import type { ReceiptState, Store } from '../store/store.js'
import { noteAbout, replyNoteDelivery } from './reply-note.js'

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
  if (reply?.kind === 'agent-reply') {
    const payload = reply.payload as AgentReply // of that kind
    const code = errorCode === undefined ? {} : { code: String(errorCode) }
    const note = { ...noteAbout({ id: reply.id, payload }, 'undelivered'), messageSid, ...code }
    await store.ingest(replyNoteDelivery(note), now)
  }
  return store.saveReceipt(receipt, now)
}
