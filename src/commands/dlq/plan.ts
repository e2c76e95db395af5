// What a replay would do with each dead letter, and when: decided without effects.
import { archiveMs, type DeliveryId, staleAfterMs } from '../../delivery.js'
import type { DeliveryFacts } from '../../store/desk.js'
import { shortTime } from '../times.js'
import { customerOf, deliveryName, jobName, numberOf } from './names.js'

export const verdicts = [
  'would-send',
  'already-done',
  'looked-up-first',
  'waits-behind',
  'opted-out',
  'too-old',
  'unprovable',
  'already-scheduled',
  'gone',
] as const
export type Verdict = (typeof verdicts)[number]

const skipped: ReadonlySet<Verdict> = new Set(['opted-out', 'too-old', 'unprovable', 'already-scheduled', 'gone'])

export interface Rules {
  readonly allowStale: boolean
  /** Somebody looked: what cannot be proven did not arrive. */
  readonly sendAgain: boolean
  /** What is delivered later than so long after it was sent says so, ms. */
  readonly lateAfterMs: number
  readonly now: number
}

export interface Planned {
  readonly item: DeliveryFacts
  readonly verdict: Verdict
  /** The verdict in words. */
  readonly words: string
  readonly runs: boolean
  /** Effects whose end is unknown are made again. */
  readonly again: boolean
}

export function plan(item: DeliveryFacts, rules: Rules): Planned {
  const verdict = judge(item, rules)
  const again = isAgain(item, rules) && verdict !== 'already-done'
  return { item, verdict, words: inWords(item, verdict, rules), runs: !skipped.has(verdict), again }
}

const isAgain = ({ reason }: DeliveryFacts, { sendAgain }: Rules) => reason === 'unprovable' && sendAgain

function judge(item: DeliveryFacts, { allowStale, sendAgain, now }: Rules): Verdict {
  if (item.replays > 0 && item.retryAt !== undefined) return 'already-scheduled'
  if (item.state === 'discarded' && (item.settledAt ?? 0) <= now - archiveMs) return 'gone'
  if (isDone(item)) return 'already-done'
  if (item.kind === 'agent-reply' && item.optedOutSince !== undefined) return 'opted-out'
  if (!allowStale && now - item.receivedAt > staleAfterMs[item.kind]) return 'too-old'
  if (item.reason === 'unprovable' && !sendAgain) return 'unprovable'
  if (item.reason !== 'unprovable' && isUnknown(item)) return 'looked-up-first'
  return item.behind === undefined ? 'would-send' : 'waits-behind'
}

// The names of steps are those of flows/inbound-sms.ts and flows/agent-reply.ts.

function receiptOf({ id, receipts }: DeliveryFacts, index: number) {
  return receipts.find(({ ref }) => ref === `${id}.${index}`)
}

/** Each of a reply's texts is known to have been made, or the text is known to be in the inbox. */
function isDone(item: DeliveryFacts): boolean {
  const { kind, steps } = item
  if (kind === 'reply-note') return steps.note?.doneAt !== undefined
  if (kind === 'inbound-sms') return steps.append?.doneAt !== undefined || steps.conversation?.doneAt !== undefined
  const texts = steps.texts?.value
  if (!Array.isArray(texts)) return false
  return texts.every((_, index) => isKnown(item, index))
}

const isKnown = (item: DeliveryFacts, index: number) =>
  item.steps[`sms-${index}`]?.doneAt !== undefined || receiptOf(item, index) !== undefined

/** An effect was begun, and nothing tells yet whether it took place. */
function isUnknown(item: DeliveryFacts): boolean {
  return Object.entries(item.steps).some(([name, { doneAt }]) => {
    const [, index] = /^sms-(\d+)$/.exec(name) ?? []
    return doneAt === undefined && (index === undefined || !isKnown(item, Number(index)))
  })
}

function inWords(item: DeliveryFacts, verdict: Verdict, rules: Rules): string {
  const words: Readonly<Record<Verdict, () => string>> = {
    'would-send': () => `would ${sending(item)}${isAgain(item, rules) ? ' once more' : ''}${markOf(item, rules)}`,
    'already-done': () => `already done${whereDone(item)}: nothing is sent again`,
    'looked-up-first': () => `was begun, its end is unknown: looked up before anything is sent${markOf(item, rules)}`,
    'waits-behind': () => `would ${sending(item)}, after ${deliveryName(item.behind ?? 0)}${markOf(item, rules)}`,
    'opted-out': () => `skip: ${customerOf(item)} opted out of texts from ${numberOf(item)}`,
    'too-old': () => 'skip: too old to be sent unasked (--allow-stale)',
    unprovable: () => 'skip: it may have arrived. Look; if it did not: --send-again',
    'already-scheduled': () => `skip: ${scheduledBy(item)}, at ${shortTime(item.retryAt ?? 0, rules.now)}`,
    gone: () => 'skip: discarded more than 30 days ago',
  }
  return words[verdict]()
}

function scheduledBy({ replayId }: DeliveryFacts): string {
  return replayId === undefined ? 'is being replayed' : `is being replayed by ${jobName(replayId)}`
}

function sending(item: DeliveryFacts): string {
  if (item.kind === 'inbound-sms') {
    return item.conversationId === undefined ? 'open a conversation' : `post to conversation ${item.conversationId}`
  }
  if (item.kind === 'reply-lookup')
    return `read conversation ${item.conversationId ?? ''} for replies`.replace('  ', ' ')
  if (item.kind === 'reply-note') return `write a note into conversation ${item.conversationId ?? ''}`.trimEnd()
  return `send to ${customerOf(item)} from ${numberOf(item)}`
}

/** Words that were settled in an earlier attempt stay as they are. */
function markOf({ kind, steps, sentAt }: DeliveryFacts, { now, lateAfterMs }: Rules): string {
  if (now - sentAt <= lateAfterMs || (kind !== 'inbound-sms' && kind !== 'agent-reply')) return ''
  const settled = kind === 'agent-reply' ? steps.texts : (steps.append ?? steps.conversation)
  return settled === undefined ? `, marked "[delayed, sent ${shortTime(sentAt, now)}]"` : ''
}

function whereDone(item: DeliveryFacts): string {
  if (item.kind === 'inbound-sms')
    return item.conversationId === undefined ? '' : ` in conversation ${item.conversationId}`
  const sid = receiptOf(item, 0)?.messageSid ?? item.steps['sms-0']?.value
  return typeof sid === 'string' ? ` as ${sid}` : ''
}

/**
 * When each becomes ready: one every `everyMs` from `startAt`, the oldest first, and within a lane always in the order of
 * the lane, one after the other.
 */
export function schedule(
  items: readonly Pick<DeliveryFacts, 'id' | 'lane' | 'rank' | 'receivedAt'>[],
  { startAt, everyMs }: { readonly startAt: number; readonly everyMs: number },
): { readonly id: DeliveryId; readonly at: number }[] {
  const byAge = items.toSorted((a, b) => a.receivedAt - b.receivedAt || a.id - b.id)
  const inLanes = items.toSorted((a, b) => compareBytes(a.rank, b.rank) || a.id - b.id)
  const queues = new Map<string, DeliveryId[]>()
  for (const { lane, id } of inLanes) {
    const queue = queues.get(lane) ?? []
    queue.push(id)
    queues.set(lane, queue)
  }
  const last = new Map<string, number>()
  return byAge.flatMap(({ lane }, slot) => {
    const id = queues.get(lane)?.shift()
    const at = Math.max(startAt + Math.round(slot * everyMs), (last.get(lane) ?? Number.NEGATIVE_INFINITY) + 1)
    last.set(lane, at)
    return id === undefined ? [] : [{ id, at }]
  })
}

/** As the store orders ranks. */
function compareBytes(a: string, b: string): number {
  return Buffer.compare(Buffer.from(a), Buffer.from(b))
}
