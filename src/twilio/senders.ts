import { SegmentedMessage } from 'sms-segments-calculator'
import { type Address, isPhoneNumber, isShortCode } from '../phone.js'
import type { LimitRule } from '../store/store.js'

export type SenderKind = 'long-code' | 'toll-free' | 'short-code' | 'alphanumeric'

interface Sender {
  readonly segmentsPerSecond: number
}

/** US and Canada: Twilio's pages on 30001 and 21611. Alphanumeric: widely quoted, not in the pages at hand. */
const senders: Readonly<Record<SenderKind, Sender>> = {
  'long-code': { segmentsPerSecond: 1 },
  'toll-free': { segmentsPerSecond: 3 },
  'short-code': { segmentsPerSecond: 100 },
  alphanumeric: { segmentsPerSecond: 10 },
}

const tollFree = /^\+1(?:800|833|844|855|866|877|888)\d{7}$/
/** 1,600 characters, Twilio's longest text, as UCS-2: what one text may cost must fit through at once. */
const mostSegments = 24

export function senderKind(address: Address): SenderKind {
  if (isShortCode(address)) return 'short-code'
  if (!isPhoneNumber(address)) return 'alphanumeric'
  return tollFree.test(address) ? 'toll-free' : 'long-code'
}

/** The pace of a sender, in segments. What may pass at once is as far as we look ahead into Twilio's own queue. */
export function senderRule(address: Address): LimitRule {
  const { segmentsPerSecond } = senders[senderKind(address)]
  return { perMs: segmentsPerSecond / 1000, burst: Math.max(mostSegments, segmentsPerSecond) }
}

/** How many segments a text is billed and paced as. */
export function segmentsOf(text: string): number {
  return new SegmentedMessage(text).segmentsCount
}
