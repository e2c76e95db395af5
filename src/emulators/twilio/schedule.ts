// Messages to be sent later: ScheduleType=fixed with SendAt (docs/messaging/features/message-scheduling).
import type { TwinClock } from '../clock.js'
import { Refused } from './errors.js'

const dayMs = 86_400_000
const leastAheadMs = 15 * 60_000
const mostAheadMs = 35 * dayMs

/**
 * When to send, epoch ms; null for at once. 35111's page has a schedule without a service sent at once, 35118's has it
 * refused: the twin refuses, so that nobody relies on the other.
 *
 * @throws Refused
 */
export function readSendAt(form: URLSearchParams, now: number): number | null {
  if (form.get('ScheduleType') !== 'fixed') return null
  if (!form.get('MessagingServiceSid')) throw new Refused(35118)
  const text = form.get('SendAt') ?? ''
  if (text === '') throw new Refused(35111)
  const sendAt = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d+)?Z$/.test(text) ? Date.parse(text) : Number.NaN
  const aheadMs = sendAt - now
  if (!(aheadMs >= leastAheadMs && aheadMs <= mostAheadMs)) throw new Refused(35114)
  return sendAt
}

/** Sleeps day by day: one timer of node's holds less than 25 of them. */
export async function untilDue(clock: TwinClock, sendAt: number, signal: AbortSignal): Promise<void> {
  while (clock.now() < sendAt && !signal.aborted) await clock.sleep(Math.min(dayMs, sendAt - clock.now()), signal)
}
