// Deliveries as people ask about them: with their thread, and what keeps them from being sent.
import { type Kysely, type RawBuilder, sql } from 'kysely'
import type { DeliveryId, Fault, Step } from '../delivery.js'
import type { Address } from '../phone.js'
import type { AttemptEntry, DeliveryFacts, DeliveryStory, Direction, ReceiptEntry } from './desk.js'
import type { Schema } from './schema.js'
import { type Dialect, isAmong, literal, statement, type Tx } from './statement.js'

const place = (dialect: Dialect, whole: RawBuilder<string>, part: RawBuilder<string>): RawBuilder<number> =>
  dialect === 'sqlite' ? sql`instr(${whole}, ${part})` : sql`strpos(${whole}, ${part})`

/**
 * A text field of a JSON column, as written: no escapes are undone, so it fits ids and codes. Read as text, since
 * PostgreSQL refuses the whole document when any word in it holds half of a surrogate pair; what looks like a field
 * inside other words has its quotes escaped.
 */
export function fieldOf(dialect: Dialect, column: string, name: string): RawBuilder<string | null> {
  const json = sql<string>`coalesce(${sql.ref(column)}, '')`
  const opening = `"${name}":"`
  const start = place(dialect, json, sql.lit(opening))
  const rest = sql<string>`substr(${json}, ${start} + ${sql.lit(opening.length)})`
  const end = place(dialect, rest, sql.lit('"'))
  return sql`case when ${start} = 0 then null else substr(${rest}, 1, ${end} - 1) end`
}

/** A lane's name ends in our number and the customer's, once both are known. */
function customerInLane(dialect: Dialect): RawBuilder<string> {
  const marked = sql<string>`':' || d.number || ':'`
  const start = place(dialect, sql`d.lane`, marked)
  return sql`case when d.number = '' or ${start} = 0 then ''
    else substr(d.lane, ${start} + length(d.number) + 2) end`
}

export const oursOf = sql<string>`coalesce(c.ours, d.number)`
export const theirsOf = (dialect: Dialect) => sql<Address | ''>`coalesce(c.theirs, ${customerInLane(dialect)})`
export const conversationOf = sql<string | null>`coalesce(c.conversation_id, t.conversation_id)`
export const directionOf = sql<Direction>`case when d.kind = 'inbound-sms' then 'in' else 'out' end`

/** `d` with its conversation (of a reply), its thread, and the opt-out that concerns it. */
export function withThread(db: Kysely<Schema>, dialect: Dialect) {
  return db
    .selectFrom('deliveries as d')
    .leftJoin('conversations as c', (join) =>
      join.on('c.conversation_id', '=', sql`${fieldOf(dialect, 'd.payload', 'conversationId')}`),
    )
    .leftJoin('threads as t', (join) =>
      join.on('t.ours', '=', sql`${oursOf}`).on('t.theirs', '=', sql`${theirsOf(dialect)}`),
    )
    .leftJoin('opt_outs as o', (join) =>
      join.on('o.ours', '=', sql`${oursOf}`).on('o.theirs', '=', sql`${theirsOf(dialect)}`),
    )
}

export function selectFacts(joined: ReturnType<typeof withThread>, dialect: Dialect) {
  return joined
    .select(['d.id', 'd.kind', 'd.state', 'd.lane', 'd.rank', 'd.dedupe_key', 'd.payload', 'd.received_at'])
    .select(['d.recovered_at', 'd.settled_at', 'd.attempts', 'd.reason', 'd.fault', 'd.result', 'd.parked_at'])
    .select(['d.retry_at', 'd.replays', 'd.replay_id', 'o.since as opted_out_since'])
    .select([directionOf.as('direction'), oursOf.as('ours'), theirsOf(dialect).as('theirs')])
    .select(conversationOf.as('conversation_id'))
    .select((eb) =>
      eb
        .selectFrom('deliveries as e')
        .select('e.id')
        .whereRef('e.lane', '=', 'd.lane')
        .where('e.state', '=', literal('ready'))
        .where(sql<boolean>`(e.rank < d.rank or (e.rank = d.rank and e.id < d.id))`)
        .orderBy('e.rank')
        .orderBy('e.id')
        .limit(1)
        .as('behind'),
    )
}

export type FactsRow = Awaited<ReturnType<typeof byIds>>[number]

const byIds = statement((db, args: { ids: readonly DeliveryId[] }, dialect) =>
  selectFacts(withThread(db, dialect), dialect)
    .where(isAmong(dialect, 'd.id', args.ids))
    .orderBy('d.id'),
)

const stepsOf = statement((db, args: { ids: readonly DeliveryId[] }, dialect) =>
  db
    .selectFrom('steps')
    .selectAll()
    .where(isAmong(dialect, 'delivery_id', args.ids)),
)

const attemptsOf = statement((db, args: { ids: readonly DeliveryId[] }, dialect) =>
  db
    .selectFrom('attempts')
    .selectAll()
    .where(isAmong(dialect, 'delivery_id', args.ids))
    .orderBy('ended_at'),
)

/** Texts carry the reference `<delivery id>.<index>`; a slash is the character after the point. */
const receiptsOf = statement((db, args: { ids: readonly DeliveryId[] }, dialect) => {
  const ids =
    dialect === 'sqlite'
      ? sql<{ id: DeliveryId }>`(select value as id from json_each(${args.ids}))`
      : sql<{ id: DeliveryId }>`(select unnest(cast(${args.ids} as bigint[])) as id)`
  return db
    .selectFrom(ids.as('one'))
    .innerJoin('texts as t', (join) =>
      join.on('t.ref', '>=', sql<string>`one.id || '.'`).on('t.ref', '<', sql<string>`one.id || '/'`),
    )
    .innerJoin('receipts as r', 'r.message_sid', 't.message_sid')
    .select(['one.id', 't.ref', 'r.message_sid', 'r.status', 'r.error_code', 'r.received_at'])
    .orderBy('r.received_at')
    .orderBy('r.message_sid')
})

function gather<Row, Entry>(rows: readonly Row[], idOf: (row: Row) => DeliveryId, toEntry: (row: Row) => Entry) {
  const found = new Map<DeliveryId, Entry[]>()
  for (const row of rows) {
    const entries = found.get(idOf(row)) ?? []
    entries.push(toEntry(row))
    found.set(idOf(row), entries)
  }
  return (id: DeliveryId): readonly Entry[] => found.get(id) ?? []
}

const parseFault = (json: string | null) => (json === null ? undefined : (JSON.parse(json) as Fault)) // written by settle

type StepRow = Awaited<ReturnType<typeof stepsOf>>[number]

function toStep({ name, begun_at: begunAt, done_at: doneAt, value }: StepRow): readonly [string, Step] {
  const done = doneAt === null ? {} : { doneAt }
  return [name, { begunAt, ...done, ...(value === null ? {} : { value: JSON.parse(value) as unknown }) }]
}

export function toReceipt(row: {
  readonly message_sid: ReceiptEntry['messageSid']
  readonly ref: string | null
  readonly status: ReceiptEntry['status']
  readonly error_code: number
  readonly received_at: number
}): ReceiptEntry {
  const errorCode = row.error_code === 0 ? undefined : row.error_code
  const { message_sid: messageSid, ref, status, received_at: receivedAt } = row
  return { messageSid, ref: ref ?? undefined, status, errorCode, receivedAt }
}

/** When its author sent it; whoever wrote the payload may have known. */
function sentAtOf({ payload, received_at: receivedAt }: FactsRow): number {
  const { sentAt, writtenAt } = JSON.parse(payload) as { readonly sentAt?: number; readonly writtenAt?: number } // of a text, of a reply
  return sentAt ?? writtenAt ?? receivedAt
}

export async function toFacts(tx: Tx, rows: readonly FactsRow[]): Promise<DeliveryFacts[]> {
  const ids = rows.map(({ id }) => id)
  const steps = gather(await stepsOf(tx, { ids }), (row) => row.delivery_id, toStep)
  const receipts = gather(await receiptsOf(tx, { ids }), (row) => row.id, toReceipt)
  return rows.map((row) => ({
    id: row.id,
    kind: row.kind,
    direction: row.direction,
    state: row.state,
    lane: row.lane,
    rank: row.rank,
    dedupeKey: row.dedupe_key,
    ours: row.ours,
    theirs: row.theirs,
    conversationId: (row.conversation_id ?? undefined) as DeliveryFacts['conversationId'], // a column of theirs
    sentAt: sentAtOf(row),
    receivedAt: row.received_at,
    recoveredAt: row.recovered_at ?? undefined,
    settledAt: row.settled_at ?? undefined,
    attempts: row.attempts,
    reason: row.reason ?? undefined,
    fault: parseFault(row.fault),
    result: row.result === null ? undefined : (JSON.parse(row.result) as DeliveryFacts['result']), // written by settle
    parkedAt: row.parked_at ?? undefined,
    retryAt: row.retry_at ?? undefined,
    replays: row.replays,
    replayId: row.replay_id ?? undefined,
    optedOutSince: row.opted_out_since ?? undefined,
    behind: row.behind ?? undefined,
    steps: Object.fromEntries(steps(row.id)),
    receipts: receipts(row.id),
  }))
}

/** In the order of their ids. */
export async function readStories(tx: Tx, ids: readonly DeliveryId[]): Promise<DeliveryStory[]> {
  const facts = await toFacts(tx, await byIds(tx, { ids }))
  const history = gather(
    await attemptsOf(tx, { ids }),
    (row) => row.delivery_id,
    (row): AttemptEntry => ({ endedAt: row.ended_at, state: row.state, fault: parseFault(row.fault) }),
  )
  return facts.map((one) => ({ ...one, history: history(one.id) }))
}

const payloadOf = statement((db, args: { id: DeliveryId }) =>
  db.selectFrom('deliveries').select('payload').where('id', '=', args.id),
)

export async function findDelivery(
  tx: Tx,
  id: DeliveryId,
): Promise<(DeliveryStory & { readonly payload: unknown }) | undefined> {
  const [story] = await readStories(tx, [id])
  const [row] = await payloadOf(tx, { id })
  return story && row && { ...story, payload: JSON.parse(row.payload) as unknown }
}
