// Dead letters as people look for them.
import { type Kysely, type RawBuilder, sql } from 'kysely'
import type { DeliveryId } from '../delivery.js'
import {
  conversationOf,
  directionOf,
  fieldOf,
  oursOf,
  selectFacts,
  theirsOf,
  toFacts,
  withThread,
} from './delivery-facts.js'
import type { DeadLetterFilter, DeadLetterGroup, DeliveryFacts } from './desk.js'
import type { Schema } from './schema.js'
import { bigint, type Dialect, literal, statement, type Tx, text } from './statement.js'

type Narrowing = { readonly [Name in keyof Omit<DeadLetterFilter, 'state'>]-?: DeadLetterFilter[Name] | null }

function narrowingOf({ state: _, ...filter }: DeadLetterFilter): Narrowing {
  const none = { ids: null, reason: null, code: null, theirs: null, number: null, direction: null }
  return { ...none, since: null, until: null, conversationId: null, settledSince: null, ...filter }
}

const isOrAny = (column: RawBuilder<unknown>, value: string | null) =>
  sql<boolean>`(${text(value)} is null or ${column} = ${text(value)})`
const isFrom = (column: RawBuilder<number | null>, value: number | null) =>
  sql<boolean>`(${bigint(value)} is null or ${column} >= ${bigint(value)})`
const isBefore = (column: RawBuilder<number | null>, value: number | null) =>
  sql<boolean>`(${bigint(value)} is null or ${column} < ${bigint(value)})`

function isOneOf(dialect: Dialect, ids: readonly DeliveryId[] | null): RawBuilder<boolean> {
  return dialect === 'sqlite'
    ? sql`(${ids} is null or d.id in (select value from json_each(${ids})))`
    : sql`(cast(${ids} as bigint[]) is null or d.id = any(cast(${ids} as bigint[])))`
}

function matching(db: Kysely<Schema>, state: DeadLetterFilter['state'], args: Narrowing, dialect: Dialect) {
  return withThread(db, dialect)
    .where('d.state', '=', literal(state))
    .where(isOneOf(dialect, args.ids))
    .where(isOrAny(sql`d.reason`, args.reason))
    .where(isOrAny(fieldOf(dialect, 'd.fault', 'code'), args.code))
    .where(isOrAny(theirsOf(dialect), args.theirs))
    .where(isOrAny(oursOf, args.number))
    .where(isOrAny(directionOf, args.direction))
    .where(isOrAny(conversationOf, args.conversationId))
    .where(isFrom(sql`d.received_at`, args.since))
    .where(isBefore(sql`d.received_at`, args.until))
    .where(isFrom(sql`d.settled_at`, args.settledSince))
}

function grouping(state: DeadLetterFilter['state']) {
  return statement((db, args: Narrowing, dialect) =>
    db
      .selectFrom(
        matching(db, state, args, dialect)
          .select([sql<string>`coalesce(d.reason, 'unknown')`.as('reason'), 'd.received_at', 'd.retry_at', 'd.fault'])
          .select([fieldOf(dialect, 'd.fault', 'code').as('code'), directionOf.as('direction')])
          .select(sql<string | null>`nullif(${theirsOf(dialect)}, '')`.as('theirs'))
          .as('one'),
      )
      .select(['reason', 'code', 'direction'])
      .select([sql<number>`count(*)`.as('count'), sql<number>`min(received_at)`.as('oldest_at')])
      .select([sql<number>`count(distinct theirs)`.as('customers'), sql<number>`count(retry_at)`.as('returning')])
      .select([sql<number | null>`min(retry_at)`.as('next_retry_at'), sql<string | null>`max(fault)`.as('fault')])
      .groupBy(['reason', 'code', 'direction'])
      .orderBy('count', 'desc')
      .orderBy('reason')
      .orderBy('direction'),
  )
}

function listing(state: DeadLetterFilter['state']) {
  return statement((db, args: Narrowing & { after: DeliveryId; limit: number }, dialect) =>
    selectFacts(matching(db, state, args, dialect), dialect)
      .where('d.id', '>', args.after)
      .orderBy('d.id')
      .limit(args.limit),
  )
}

// One statement each, so that the state is a literal and the partial indexes are seen.
const groups = { parked: grouping('parked'), discarded: grouping('discarded') }
const lists = { parked: listing('parked'), discarded: listing('discarded') }

export async function deadLetterGroups(tx: Tx, filter: DeadLetterFilter): Promise<readonly DeadLetterGroup[]> {
  const rows = await groups[filter.state](tx, narrowingOf(filter))
  return rows.map(({ oldest_at: oldestAt, next_retry_at: nextRetryAt, code, fault, ...row }) => ({
    ...row,
    oldestAt,
    code: code ?? undefined,
    nextRetryAt: nextRetryAt ?? undefined,
    fault: fault === null ? undefined : (JSON.parse(fault) as DeadLetterGroup['fault']), // written by settle
  }))
}

export async function listDeadLetters(
  tx: Tx,
  filter: DeadLetterFilter,
  page: { readonly after: DeliveryId; readonly limit: number },
): Promise<readonly DeliveryFacts[]> {
  return toFacts(tx, await lists[filter.state](tx, { ...narrowingOf(filter), ...page }))
}
