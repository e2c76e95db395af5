// The story of deliveries as events in time, without a word of what was said.
import type { Fault } from '../delivery.js'
import type { AttemptEntry, DeliveryFacts, DeliveryStory, ReceiptEntry } from '../store/desk.js'
import { customerOf, deliveryName, numberOf } from './dlq/names.js'
import { dateTime } from './times.js'

export interface TimelineEvent {
  readonly at: number
  /** Undefined for a receipt of a text that no delivery is known for. */
  readonly delivery: number | undefined
  readonly kind: 'received' | 'step' | 'attempt' | 'receipt' | 'discarded' | 'due'
  readonly text: string
}

export function eventsOf(story: DeliveryStory): TimelineEvent[] {
  const { id: delivery, receivedAt, settledAt, retryAt } = story
  const events: TimelineEvent[] = [
    { at: receivedAt, delivery, kind: 'received', text: arrival(story) },
    ...stepsOf(story),
    ...story.history.map(({ endedAt: at, ...attempt }, index): TimelineEvent => {
      const last = index === story.history.length - 1
      return { at, delivery, kind: 'attempt', text: ending({ endedAt: at, ...attempt }, last ? story : undefined) }
    }),
    ...story.receipts.map(receiptEvent).map((event) => ({ ...event, delivery })),
  ]
  if (story.state === 'discarded' && settledAt !== undefined) {
    const { by = 'somebody', because = 'no reason given' } = story.result ?? {}
    events.push({ at: settledAt, delivery, kind: 'discarded', text: `discarded by ${by}: ${because}` })
  }
  if (retryAt !== undefined) events.push({ at: retryAt, delivery, kind: 'due', text: 'will be tried again' })
  return inOrder(events)
}

/** Of the same moment: what came first in the story first. */
export const inOrder = (events: readonly TimelineEvent[]) => events.toSorted((a, b) => a.at - b.at)

export function lines(events: readonly TimelineEvent[], named: boolean): string[] {
  return events.map(({ at, delivery, text }) => {
    const name = named ? [(delivery === undefined ? '' : deliveryName(delivery)).padEnd(8)] : []
    return [dateTime(at), ...name, text].join('  ')
  })
}

export function receiptEvent({ messageSid, status, errorCode, receivedAt: at }: ReceiptEntry): TimelineEvent {
  const code = errorCode === undefined ? '' : ` (${errorCode})`
  return { at, delivery: undefined, kind: 'receipt', text: `Twilio says ${messageSid} is ${status}${code}` }
}

function arrival(story: DeliveryFacts): string {
  const found = story.recoveredAt === undefined ? '' : ', found by reconciliation'
  const { conversationId: conversation = 'unknown' } = story
  if (story.kind === 'inbound-sms') return `text from ${customerOf(story)} to ${numberOf(story)} received${found}`
  if (story.kind === 'agent-reply')
    return `reply in conversation ${conversation} for ${customerOf(story)} received${found}`
  if (story.kind === 'away-text')
    return `automatic text to ${customerOf(story)} from ${numberOf(story)} due: the number is closed`
  if (story.kind === 'reply-note') return `note due in conversation ${conversation}${about(story)}`
  return `told of a reply in conversation ${conversation}${found}`
}

/** The key of such a note says which reply came to which end (flows/reply-note.ts). */
function about({ dedupeKey }: DeliveryFacts): string {
  const [, id, end] = /^reply:(\d+):(\w+)$/.exec(dedupeKey) ?? []
  return id === undefined ? '' : `: ${deliveryName(Number(id))} ${end}`
}

// What the flows do that shows outside; their notes are left out.
const effects: readonly (readonly [RegExp, (which: string) => string])[] = [
  [/^contact$/, () => 'contact'],
  [/^conversation$/, () => 'conversation'],
  [/^append$/, () => 'message in the conversation'],
  [/^team$/, () => 'assignment to the team'],
  [/^note$/, () => 'note in the conversation'],
  [/^sms-(\d+)$/, (index) => `text ${Number(index) + 1}`],
]

function stepsOf({ id: delivery, steps }: DeliveryFacts): TimelineEvent[] {
  return Object.entries(steps).flatMap(([name, { begunAt, doneAt, value }]): TimelineEvent[] => {
    const [pattern, toWords] = effects.find(([one]) => one.test(name)) ?? []
    if (pattern === undefined || toWords === undefined) return []
    const what = toWords(pattern.exec(name)?.[1] ?? '')
    if (doneAt === undefined) {
      return [{ at: begunAt, delivery, kind: 'step', text: `${what} begun; whether it was made is not known` }]
    }
    return [{ at: doneAt, delivery, kind: 'step', text: `${what} made${idOf(value)}` }]
  })
}

function idOf(value: unknown): string {
  if (typeof value === 'string') return `: ${value}`
  if (typeof value !== 'object' || value === null) return ''
  const { id, partId } = value as { readonly id?: unknown; readonly partId?: unknown } // looked at before it is used
  const known = partId ?? id
  return typeof known === 'string' && known !== '' ? `: ${known}` : ''
}

const describe = (fault: Fault | undefined) => fault?.message ?? 'no reason is known'

/** `story` for the last attempt: what came of the whole. */
function ending({ state, fault }: AttemptEntry, story: DeliveryStory | undefined): string {
  if (state === 'ready') return `not delivered, will be tried again: ${describe(fault)}`
  if (state === 'parked') return `parked: ${describe(fault)}`
  if (state === 'suppressed') return `rightly not sent${story?.reason === undefined ? '' : `: ${story.reason}`}`
  return story === undefined ? 'delivered' : `delivered${whereTo(story)}`
}

function whereTo({ result }: DeliveryStory): string {
  const { conversationId, partId, messageSids } = result ?? {}
  if (Array.isArray(messageSids)) return `: handed to Twilio as ${messageSids.join(', ')}`
  if (typeof conversationId !== 'string') return ''
  const part = typeof partId === 'string' && partId !== '' ? `, part ${partId}` : ''
  return `: conversation ${conversationId}${part}`
}
