// What the store's tests put into it.
import type { Fault, NewDelivery } from '../../src/delivery.js'
import type { ContactId, ConversationId, MessageSid } from '../../src/message.js'
import { type Address, parseAddress } from '../../src/phone.js'
import type { Claimed, Store } from '../../src/store/store.js'

export const ours = parseAddress('+15550100001')
export const theirs = parseAddress('+15550100177')

let lastSid = 0

export function aDelivery(facts: Partial<NewDelivery<'inbound-sms'>> = {}): NewDelivery<'inbound-sms'> {
  lastSid += 1
  const messageSid = sid(`SM${String(lastSid).padStart(32, '0')}`)
  return {
    kind: 'inbound-sms',
    payload: { messageSid, from: theirs, to: ours, body: 'Where is my parcel? 📦', media: [] },
    dedupeKey: `twilio:${messageSid}`,
    lane: 'intercom:+15550100001:+15550100177',
    shore: 'intercom',
    priority: 'live',
    number: ours,
    rank: '',
    ...facts,
  }
}

export const aFault: Fault = { message: 'Intercom is not there', outcome: 'transient', shore: 'intercom', status: 503 }

// The brands are only made here: tests write vendors' ids by hand.
export const sid = (text: string) => text as MessageSid
export const conversation = (text: string) => text as ConversationId
export const contact = (text: string) => text as ContactId
export const address = (text: string): Address => parseAddress(text)

export function claimAll(store: Store, instance: string, now: number): Promise<Claimed[]> {
  return store.claim({ instance, limit: 100, bulkLimit: 100, now })
}

/** The one delivery that is due. */
export async function claimOne(store: Store, instance: string, now: number): Promise<Claimed> {
  const [claimed, ...more] = await claimAll(store, instance, now)
  if (claimed === undefined || more.length > 0) throw new Error(`${claimed ? more.length + 1 : 0} deliveries are due`)
  return claimed
}
