import type { NewDelivery } from '../delivery.js'
import type { InboundSms } from '../message.js'
import { canonical } from '../phone.js'

/** A customer's text, as a delivery: the same whether a webhook brought it or a list. */
export function inboundDelivery(sms: InboundSms): NewDelivery<'inbound-sms'> {
  return {
    kind: 'inbound-sms',
    payload: sms,
    dedupeKey: inboundKey(sms),
    lane: `in:${sms.to}:${canonical(sms.from)}`,
    shore: 'intercom',
    priority: 'live',
    number: sms.to,
    rank: '',
  }
}

export function inboundKey({ messageSid }: Pick<InboundSms, 'messageSid'>): string {
  return `twilio:${messageSid}`
}
