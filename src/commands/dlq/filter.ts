// Which dead letters a command is about.
import type { Context } from '../../cli/context.js'
import { archiveMs, type DeliveryId } from '../../delivery.js'
import type { ConversationId } from '../../message.js'
import { canonical, redact } from '../../phone.js'
import type { DeadLetterFilter, DeliveryFacts, Direction } from '../../store/desk.js'
import type { Store } from '../../store/store.js'
import { getAddress } from '../address.js'
import { type Moment, timeOf } from '../moment.js'

/** As typed. */
export interface FilterOptions {
  readonly id?: readonly DeliveryId[]
  readonly reason?: string
  readonly code?: string
  readonly phone?: string
  readonly number?: string
  readonly direction?: Direction
  readonly since?: Moment
  readonly until?: Moment
  readonly conversation?: string
}

export const isNarrow = (options: FilterOptions) => Object.values(options).some((value) => value !== undefined)

export async function toFilter(
  context: Context,
  options: FilterOptions,
  state: DeadLetterFilter['state'] = 'parked',
): Promise<DeadLetterFilter> {
  const { id: ids, reason, code, phone, number, direction, since, until, conversation } = options
  const now = context.clock.now()
  return {
    state,
    ...(ids !== undefined && { ids }),
    ...(reason !== undefined && { reason }),
    ...(code !== undefined && { code }),
    ...(phone !== undefined && { theirs: canonical(await getAddress(context, phone)) }),
    ...(number !== undefined && { number: await getAddress(context, number) }),
    ...(direction !== undefined && { direction }),
    ...(since !== undefined && { since: timeOf(since, now) }),
    ...(until !== undefined && { until: timeOf(until, now) }),
    ...(conversation !== undefined && { conversationId: conversation as ConversationId }), // the vendor's, as typed
    ...(state === 'discarded' && { settledSince: now - archiveMs }),
  }
}

/** For the audit: whom it concerned is in the ids. */
export function toDetail({ state: _, theirs, ...filter }: DeadLetterFilter): Readonly<Record<string, unknown>> {
  return { ...filter, ...(theirs !== undefined && { phone: redact(theirs) }) }
}

const pageSize = 200

/** All that match, page by page. */
async function* pagesOf(store: Store, filter: DeadLetterFilter): AsyncGenerator<readonly DeliveryFacts[]> {
  for (let after = 0; ; ) {
    const page = await store.listDeadLetters(filter, { after, limit: pageSize })
    const last = page.at(-1)
    if (last === undefined) return
    yield page
    after = last.id
  }
}

export async function allOf(store: Store, filter: DeadLetterFilter): Promise<DeliveryFacts[]> {
  const all: DeliveryFacts[] = []
  for await (const page of pagesOf(store, filter)) all.push(...page)
  return all
}

export const nothingMatches = 'No dead letter matches. All of them: sms-bridge dlq list'
