// What happens to a message after the API took it: its sender's queue, the carrier, the receipts.

import type { Dispatcher } from './dispatch.js'
import { optOutKey } from './opt-out.js'
import { fetchMedia } from './outgoing-media.js'
import { untilDue } from './schedule.js'
import { countSegments } from './segments.js'
import { change, type Entry, findNumber, newEntry, record, type State, serviceOf } from './state.js'
import type { TwinFate } from './types.js'
import type { Params } from './webhooks.js'

export interface Outbound {
  /** Records a message and starts its way to the handset, at once or at its time. */
  send(entry: Entry): void
  /** Ends a scheduled message. */
  cancel(entry: Entry): void
  /** Texts the sender of an inbound message what its webhook answered, unless they opted out or it goes in circles. */
  reply(inbound: Entry, body: string): void
  /** Twilio's own texts about STOP, START and HELP: they pass the block they announce. */
  confirm(inbound: Entry, body: string): void
}

/** Codes found by Twilio itself: such a message never reached a carrier, so it is failed and not undelivered. */
const failsBeforeCarrier = new Set<unknown>([21610, 21703, 30001, 30002, 30036, 30037, 30500])

/** Codes of inbound filtering, which `setFate` keeps for the texts a handset sends. */
const inboundOnly = new Set<unknown>([30038, 30039])

/** Whether a handset of this fate never shows what is sent to it. */
export function losesMessages(fate: TwinFate | undefined): fate is number {
  return typeof fate === 'number' && !inboundOnly.has(fate)
}

/** @param arrive called when a message reaches another number of the account, which then receives it. */
export function createOutbound(state: State, dispatcher: Dispatcher, arrive: (entry: Entry) => void): Outbound {
  const { clock, work } = state

  function send(entry: Entry): void {
    record(state, entry)
    // Test-credential sends are accepted and go nowhere, without callbacks (docs/iam/test-credentials).
    if (entry.sender === '+15005550006') return
    if (entry.sendAt === null) start(entry)
    else void startAt(entry.sendAt, entry)
  }

  /** Not counted as work until its time: `idle` would wait for days. */
  async function startAt(sendAt: number, entry: Entry): Promise<void> {
    await untilDue(clock, sendAt, work.signal)
    if (!work.signal.aborted && entry.message.status === 'scheduled') start(entry)
  }

  function start(entry: Entry): void {
    const before = state.lastHandedOver.get(entry.sender)
    const handedOver = toCarrier(entry, before)
    state.lastHandedOver.set(entry.sender, handedOver)
    work.start(async () => {
      await handedOver
      if (entry.message.status === 'sent') await toHandset(entry)
    })
  }

  async function toCarrier(entry: Entry, before: Promise<void> | undefined): Promise<void> {
    if (entry.message.status === 'accepted') {
      await clock.sleep(state.carrierMs, work.signal)
      if (work.signal.aborted) return
    }
    if (entry.message.status !== 'queued') {
      entry.segments = countSegments(entry.message.body)
      change(state, entry, { status: 'queued', from: entry.sender })
      callBack(entry)
    }
    await clock.sleep(state.carrierMs, work.signal)
    await before
    if (work.signal.aborted) return
    change(state, entry, { status: 'sending' })
    const fate = state.fates.get(entry.message.to)
    const refused = isOptedOut(state, entry) ? 21610 : await fetchMedia(state, entry)
    if (work.signal.aborted) return
    const expired = clock.now() - (entry.sendAt ?? entry.message.createdAt) > entry.validityMs ? 30036 : undefined
    const errorCode = expired ?? refused ?? (failsBeforeCarrier.has(fate) ? fate : undefined)
    if (typeof errorCode === 'number') change(state, entry, { status: 'failed', errorCode })
    else change(state, entry, { status: 'sent', sentAt: clock.now() })
    callBack(entry)
  }

  async function toHandset(entry: Entry): Promise<void> {
    const fate = state.fates.get(entry.message.to)
    if (fate === 'no-receipt') return
    await clock.sleep(state.carrierMs, work.signal)
    if (work.signal.aborted) return
    const lost = losesMessages(fate)
    change(state, entry, lost ? { status: 'undelivered', errorCode: fate } : { status: 'delivered' })
    callBack(entry)
    if (!lost && findNumber(state, entry.message.to) !== undefined) arrive(entry)
  }

  function callBack(entry: Entry): void {
    if (entry.callbackUrl === null) return
    dispatcher.dispatch(`status:${entry.message.sid}`, {
      entry,
      target: { url: entry.callbackUrl, method: 'POST' },
      fallback: undefined,
      params: statusParams(state, entry),
      onAnswer: () => undefined,
    })
  }

  function answerTo({ message: { from, to } }: Entry, body: string): Entry {
    return newEntry(state, {
      message: { direction: 'outbound-reply', from: to, to: from ?? '', body, status: 'queued' },
      segments: countSegments(body),
    })
  }

  return {
    send,
    cancel(entry) {
      change(state, entry, { status: 'canceled' })
      callBack(entry)
    },
    confirm: (inbound, body) => send(answerTo(inbound, body)),
    reply(inbound, body) {
      const ours = inbound.message.to
      const theirs = inbound.message.from ?? ''
      const number = findNumber(state, ours)
      const service = number === undefined ? undefined : serviceOf(state, number)
      if (state.optOuts.has(optOutKey(state, ours, service, theirs))) return
      const entry = answerTo(inbound, body)
      if (state.loopGuard.admits(ours, theirs)) return send(entry)
      Object.assign(entry.message, { status: 'failed', errorCode: 14107 })
      record(state, entry)
    },
  }
}

/** A service looks when the message's turn comes: all that Advanced Opt-Out took, and a STOP since it was taken. */
function isOptedOut(state: State, { message, sender }: Entry): boolean {
  const service = state.services.find(({ sid }) => sid === message.messagingServiceSid)
  return service !== undefined && state.optOuts.has(optOutKey(state, sender, service, message.to))
}

/** The order seen on the wire (nyaruka/courier), with the fields of failures and receipts where they were seen. */
function statusParams(state: State, { message }: Entry): Params {
  const { sid, status, errorCode, messagingServiceSid, from, to } = message
  const receipt = status === 'delivered' || status === 'undelivered'
  return [
    ['MessageStatus', status],
    ['ApiVersion', '2010-04-01'],
    ['SmsSid', sid],
    ['SmsStatus', status],
    ...(errorCode === null ? [] : [['ErrorCode', String(errorCode)] as const]),
    ['To', to],
    ['From', from ?? ''],
    ['MessageSid', sid],
    ['AccountSid', state.accountSid],
    ...(messagingServiceSid === null ? [] : [['MessagingServiceSid', messagingServiceSid] as const]),
    ...(receipt ? [['RawDlrDoneDate', carrierDate(state.clock.now())] as const] : []),
  ]
}

/** YYMMDDhhmm, by the carrier's clock. */
function carrierDate(now: number): string {
  return new Date(now).toISOString().replace(/\D/g, '').slice(2, 12)
}
