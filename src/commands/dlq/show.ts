import type { Context } from '../../cli/context.js'
import { type ExitCode, exitCodes } from '../../cli/exit-codes.js'
import type { DeliveryId } from '../../delivery.js'
import { redact } from '../../phone.js'
import type { DeliveryStory } from '../../store/desk.js'
import type { Store } from '../../store/store.js'
import { actorOf } from '../actor.js'
import { explainFault } from '../advice.js'
import { eventsOf, inOrder, lines, type TimelineEvent } from '../timeline.js'
import { plural } from '../words.js'
import { toJson } from './list.js'
import { customerOf, deliveryName, jobName, numberOf } from './names.js'

export interface ShowOptions {
  /** Shows the words and the whole number; the audit keeps that. */
  readonly reveal: boolean
  readonly json: boolean
}

type Found = DeliveryStory & { readonly payload: unknown }

/** One delivery: what happened to it, why it is where it is, and what to do about it. */
export async function show(context: Context, id: DeliveryId, { reveal, json }: ShowOptions): Promise<ExitCode> {
  const { io, env, clock } = context
  const store = await context.store()
  try {
    const found = await store.findDelivery(id)
    if (found === undefined) {
      io.err(`There is no delivery ${deliveryName(id)}. Those in the queue: sms-bridge dlq list --each`)
      return exitCodes.nothingMatched
    }
    const deed = { actor: actorOf(env), action: 'dlq.show --reveal', detail: { id: deliveryName(id) } }
    if (reveal) await store.writeAudit(deed, clock.now())
    const events = inOrder([...eventsOf(found), ...(await replayOf(store, found))])
    const payload = reveal ? found.payload : mask(found.payload)
    if (json) {
      const timeline = events.map(({ at, kind, text }) => ({ at, kind, text }))
      const advice = found.reason === undefined ? null : adviceOf(found, found.reason)
      io.out(JSON.stringify({ schema_version: 1, ...toJson(found), advice, timeline, payload }, null, 2))
    } else await print(context, { found, events, payload, reveal })
    return exitCodes.ok
  } finally {
    await store.close()
  }
}

async function replayOf(store: Store, { id, replayId }: Found): Promise<TimelineEvent[]> {
  if (replayId === undefined) return []
  const [entry] = await store.listAudit({ id: replayId, limit: 1 })
  if (entry === undefined) return []
  return [
    { at: entry.at, delivery: id, kind: 'attempt', text: `replay ${jobName(replayId)} asked for by ${entry.actor}` },
  ]
}

function adviceOf({ fault }: Found, reason: string) {
  const { title, advice, remedy, fixer, nextStep } = explainFault(reason, fault)
  return { title, advice, remedy: remedy ?? null, fix_by: fixer, next_step: nextStep }
}

const kindInWords = {
  'inbound-sms': 'text',
  'agent-reply': 'reply',
  'reply-lookup': 'look-up of a reply',
  'reply-note': 'note about a reply',
  'away-text': 'automatic text',
} as const

interface Screen {
  readonly found: Found
  readonly events: readonly TimelineEvent[]
  readonly payload: unknown
  readonly reveal: boolean
}

async function print({ io }: Context, { found, events, payload, reveal }: Screen): Promise<void> {
  const { bold } = await io.colour()
  const [from, to] = [customerOf(found), numberOf(found)]
  const way = found.direction === 'in' ? `from ${from} to ${to}` : `from ${to} to ${from}`
  io.out(`${bold(deliveryName(found.id))}  ${kindInWords[found.kind]} ${way}  ${bold(found.state.toUpperCase())}`)
  const line = (label: string, text: string) => io.out(`${label.padEnd(10)}${text}`)
  if (found.reason !== undefined && found.state !== 'suppressed') {
    const { title, advice, remedy, fix_by: fixBy, next_step: nextStep } = adviceOf(found, found.reason)
    line('reason', `${found.reason}: ${title}`)
    line('means', advice)
    line('fix by', fixBy)
    if (remedy !== null) line('how', remedy)
    if (found.state === 'parked') line('next', nextStep)
  }
  for (const { messageSid, errorCode } of failedOf(found)) {
    const { title, advice, remedy } = explainFault(String(errorCode ?? 'unknown'))
    line('then', `${messageSid} was not delivered${errorCode === undefined ? '' : ` (${errorCode}): ${title}`}`)
    if (errorCode !== undefined) line('means', advice)
    if (remedy !== undefined) line('how', remedy)
  }
  io.out('')
  for (const text of lines(events, false)) io.out(text)
  io.out('')
  const fields = Object.entries(payload as Readonly<Record<string, unknown>>) // a payload is an object
  const width = Math.max(...fields.map(([key]) => key.length)) + 2
  for (const [key, value] of fields) io.out(`${key.padEnd(width)}${inWords(value)}`)
  if (!reveal)
    io.err(`The words and the whole number: sms-bridge dlq show ${deliveryName(found.id)} --reveal (kept in the audit)`)
}

/** Texts that were handed over and did not arrive. */
function failedOf({ receipts }: Found) {
  const failed = receipts.filter(({ status }) => status === 'failed' || status === 'undelivered')
  return failed.filter(({ messageSid }, index) => failed.findIndex((one) => one.messageSid === messageSid) === index)
}

const inWords = (value: unknown) => (typeof value === 'string' ? value : JSON.stringify(value))

/** Ids and times stay, words and numbers do not. */
const shown = new Set([
  'messageSid',
  'conversationId',
  'partId',
  'author',
  'messagingServiceSid',
  'sentAt',
  'writtenAt',
  'replyId',
  'end',
  'code',
  'textedAt',
  'closedSince',
])

function mask(payload: unknown): Readonly<Record<string, unknown>> {
  const fields = Object.entries(payload as Readonly<Record<string, unknown>>) // a payload is an object
  return Object.fromEntries(fields.map(([key, value]) => [key, shown.has(key) ? value : maskField(value)]))
}

function maskField(value: unknown): string {
  if (Array.isArray(value)) return plural(value.length, 'file')
  if (typeof value !== 'string') return '…'
  const redacted = redact(value)
  return redacted === value ? plural([...value].length, 'character') : redacted
}
