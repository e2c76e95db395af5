import type { Context } from '../../cli/context.js'
import { type ExitCode, exitCodes } from '../../cli/exit-codes.js'
import type { DeadLetterGroup, DeliveryFacts } from '../../store/desk.js'
import { explainFault } from '../advice.js'
import { dateTime } from '../times.js'
import { plural, span } from '../words.js'
import { type FilterOptions, isNarrow, nothingMatches, toFilter } from './filter.js'
import { customerOf, deliveryName, jobName, numberOf } from './names.js'

export interface ListOptions {
  readonly filter: FilterOptions
  /** One line each, at most so many; undefined: grouped. */
  readonly limit: number | undefined
  readonly discarded: boolean
  readonly json: boolean
}

/** What could not be delivered, why, and what to type next. */
export async function list(context: Context, options: ListOptions): Promise<ExitCode> {
  const store = await context.store()
  try {
    const filter = await toFilter(context, options.filter, options.discarded ? 'discarded' : 'parked')
    const { limit } = options
    if (limit === undefined && !options.discarded) {
      const groups = await store.deadLetterGroups(filter)
      if (groups.length === 0) return nothing(context, options)
      await showGroups(context, groups, options)
      return exitCodes.ok
    }
    const most = limit ?? 50
    const found = await store.listDeadLetters(filter, { after: 0, limit: most + 1 })
    if (found.length === 0) return nothing(context, options)
    await showItems(context, found.slice(0, most), options)
    if (found.length > most) context.io.err(`There are more: type --limit ${most * 2}`)
    return exitCodes.ok
  } finally {
    await store.close()
  }
}

function nothing({ io }: Context, { filter, discarded, json, limit }: ListOptions): ExitCode {
  const key = limit === undefined && !discarded ? 'groups' : 'items'
  if (json) io.out(JSON.stringify({ schema_version: 1, [key]: [] }, null, 2))
  if (isNarrow(filter)) io.err(nothingMatches)
  else if (!json)
    io.out(discarded ? 'Nothing was discarded in the last 30 days.' : 'No dead letters. Nothing waits for you.')
  return isNarrow(filter) ? exitCodes.nothingMatched : exitCodes.ok
}

async function showGroups({ io, clock }: Context, groups: readonly DeadLetterGroup[], { json }: ListOptions) {
  const now = clock.now()
  const advised = groups.map((group) => ({ ...group, ...explainFault(group.reason, group.fault) }))
  if (json) {
    const rows = advised.map((group) => ({
      reason: group.reason,
      code: group.code ?? null,
      direction: group.direction,
      count: group.count,
      oldest_at: group.oldestAt,
      phones: group.customers,
      returning: group.returning,
      next_retry_at: group.nextRetryAt ?? null,
      fix_by: group.fixer,
      next_step: group.nextStep,
    }))
    io.out(JSON.stringify({ schema_version: 1, groups: rows }, null, 2))
    return
  }
  const head = ['REASON', 'CODE', 'DIR', 'COUNT', 'OLDEST', 'PHONES', 'NEXT TRY', 'FIX BY', 'NEXT STEP']
  const rows = advised.map((group) => [
    group.reason,
    group.code ?? '',
    group.direction,
    String(group.count),
    span(now - group.oldestAt),
    String(group.customers),
    nextTry(group.nextRetryAt, now),
    group.fixer,
    group.nextStep,
  ])
  io.out(await io.table(head, rows))
  const count = groups.reduce((sum, group) => sum + group.count, 0)
  io.err(`${plural(count, 'dead letter')}. One by one: sms-bridge dlq list --each`)
}

function nextTry(at: number | undefined, now: number): string {
  if (at === undefined) return 'by hand'
  return at <= now ? 'now' : `in ${span(at - now)}`
}

async function showItems({ io, clock }: Context, items: readonly DeliveryFacts[], { json, discarded }: ListOptions) {
  const now = clock.now()
  if (json) {
    io.out(JSON.stringify({ schema_version: 1, items: items.map(toJson) }, null, 2))
    return
  }
  const rows = items.map((item) => {
    const who = [deliveryName(item.id), item.direction, numberOf(item), customerOf(item), span(now - item.receivedAt)]
    const { because = '', by = '' } = item.result ?? {}
    return discarded
      ? [...who, item.reason ?? '', dateTime(item.settledAt ?? 0), String(by), String(because)]
      : [...who, String(item.attempts), item.reason ?? '', retryOf(item, now)]
  })
  const who = ['ID', 'DIR', 'NUMBER', 'CUSTOMER', 'AGE']
  const rest = discarded ? ['REASON', 'DISCARDED', 'BY', 'BECAUSE'] : ['ATTEMPTS', 'REASON', 'NEXT TRY']
  io.out(await io.table([...who, ...rest], rows))
  io.err(`More about one: sms-bridge dlq show ${deliveryName(items[0]?.id ?? 0)}`)
}

function retryOf({ retryAt, replays, replayId }: DeliveryFacts, now: number): string {
  const job = retryAt !== undefined && replays > 0 && replayId !== undefined ? ` (${jobName(replayId)})` : ''
  return `${nextTry(retryAt, now)}${job}`
}

/** Customers by their last four digits, as everywhere but in `show --reveal`. */
export function toJson(item: DeliveryFacts) {
  return {
    id: deliveryName(item.id),
    kind: item.kind,
    direction: item.direction,
    state: item.state,
    number: item.ours,
    customer: customerOf(item),
    conversation: item.conversationId ?? null,
    received_at: item.receivedAt,
    settled_at: item.settledAt ?? null,
    attempts: item.attempts,
    replays: item.replays,
    job: item.replayId === undefined ? null : jobName(item.replayId),
    reason: item.reason ?? null,
    error: item.fault?.message ?? null,
    next_retry_at: item.retryAt ?? null,
    ...(item.state === 'discarded' && { discarded: item.result ?? null }),
  }
}
