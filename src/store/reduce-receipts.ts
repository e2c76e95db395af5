import type { SmsStatus } from '../message.js'

export interface KnownReceipt {
  readonly status: SmsStatus
  readonly errorCode: number | undefined
  readonly ref: string | undefined
}

export interface ReducedReceipts extends KnownReceipt {
  readonly conflict: boolean
}

// Callbacks come in any order (docs/messaging/guides/track-outbound-message-status): a later state outranks an
// earlier one, so a terminal state is never overwritten by one that is not.
const order: readonly SmsStatus[] = [
  'accepted',
  'scheduled',
  'queued',
  'sending',
  'sent',
  'delivered',
  'undelivered',
  'failed',
  'canceled',
  'read',
]

const arrived: readonly SmsStatus[] = ['delivered', 'read']
const failed: readonly SmsStatus[] = ['undelivered', 'failed']

const rankOf = (receipt: KnownReceipt) => order.indexOf(receipt.status)

/** Depends on the set of receipts alone, not on their order. Undefined for none. */
export function reduceReceipts(receipts: readonly KnownReceipt[]): ReducedReceipts | undefined {
  const strongestFirst = receipts.toSorted(
    (a, b) => rankOf(b) - rankOf(a) || (a.errorCode ?? Infinity) - (b.errorCode ?? Infinity) || compareRefs(a, b),
  )
  const [strongest] = strongestFirst
  if (strongest === undefined) return undefined
  return {
    status: strongest.status,
    errorCode: strongestFirst.find(({ errorCode }) => errorCode !== undefined)?.errorCode,
    ref: strongestFirst.find(({ ref }) => ref !== undefined)?.ref,
    conflict:
      receipts.some(({ status }) => arrived.includes(status)) && receipts.some(({ status }) => failed.includes(status)),
  }
}

function compareRefs(a: KnownReceipt, b: KnownReceipt): number {
  const left = a.ref ?? ''
  const right = b.ref ?? ''
  return left < right ? -1 : left > right ? 1 : 0
}
