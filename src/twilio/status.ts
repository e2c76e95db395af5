import type { SmsStatus } from '../message.js'

const statuses: Readonly<Record<SmsStatus, true>> = {
  accepted: true,
  scheduled: true,
  queued: true,
  sending: true,
  sent: true,
  delivered: true,
  undelivered: true,
  failed: true,
  canceled: true,
  read: true,
}

export function isSmsStatus(text: string): text is SmsStatus {
  return Object.hasOwn(statuses, text)
}
