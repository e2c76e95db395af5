import type { Context } from '../cli/context.js'
import { type ExitCode, exitCodes } from '../cli/exit-codes.js'
import type { ConversationId, MessageSid } from '../message.js'
import { canonical, redact } from '../phone.js'
import type { Trace } from '../store/desk.js'
import type { Store } from '../store/store.js'
import { findAddress, getAddress } from './address.js'
import { deliveryName } from './dlq/names.js'
import { eventsOf, inOrder, lines, receiptEvent } from './timeline.js'

export interface TraceOptions {
  /** So many events at most, the newest. */
  readonly limit: number
  readonly json: boolean
}

/** One timeline of a text, a customer or a conversation, across both systems. */
export async function trace(context: Context, subject: string, { limit, json }: TraceOptions): Promise<ExitCode> {
  const { io } = context
  const store = await context.store()
  try {
    const found = await find(context, store, subject.trim(), limit)
    if (found === undefined) {
      const hint = /^d_\d+$/.test(subject.trim())
        ? `A delivery by itself: sms-bridge dlq show ${subject.trim()}. Here type`
        : 'Type'
      io.err(`Nothing is known of ${subject}. ${hint} a phone number, a text’s SM… or a conversation’s id.`)
      return exitCodes.nothingMatched
    }
    const all = inOrder([...found.deliveries.flatMap(eventsOf), ...found.receipts.map(receiptEvent)])
    const events = all.slice(-limit)
    if (json) {
      const shown = events.map(({ at, delivery, kind, text }) => ({
        at,
        delivery: delivery === undefined ? null : deliveryName(delivery),
        kind,
        text,
      }))
      const threads = found.threads.map(({ ours, theirs, conversationIds }) => ({
        number: ours,
        customer: redact(theirs),
        conversations: conversationIds,
      }))
      io.out(JSON.stringify({ schema_version: 1, threads, events: shown }, null, 2))
      return exitCodes.ok
    }
    for (const { ours, theirs, conversationIds } of found.threads) {
      const earlier = conversationIds.length > 1 ? ` (before: ${conversationIds.slice(0, -1).join(', ')})` : ''
      io.out(`${redact(theirs)} and ${ours}: conversation ${conversationIds.at(-1) ?? 'unknown'}${earlier}`)
    }
    if (all.length > events.length) io.err(`Earlier events are left out: type --limit ${limit * 2}`)
    for (const line of lines(events, true)) io.out(line)
    return exitCodes.ok
  } finally {
    await store.close()
  }
}

const isText = (subject: string) => /^(SM|MM)\w+$/.test(subject)

async function find(context: Context, store: Store, subject: string, limit: number): Promise<Trace | undefined> {
  if (isText(subject)) {
    const messageSid = subject as MessageSid // Twilio's own spelling
    return store.trace({ messageSid, dedupeKey: `twilio:${subject}` }, limit)
  }
  // Digits alone may be a conversation, or a number without its country code: what is known wins.
  const digits = /^\d+$/.test(subject)
  const conversation = digits && (await store.trace({ conversationId: subject as ConversationId }, limit)) // Intercom's own spelling
  if (conversation) return conversation
  const address = digits ? await findAddress(context, subject) : await getAddress(context, subject)
  return address && store.trace({ theirs: canonical(address) }, limit)
}
