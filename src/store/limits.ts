// GCRA. A row holds the theoretical arrival time (tat): when a bucket drained at `perMs` would be empty. `cost` moves
// it by cost / perMs; burst / perMs is how far it may run ahead of now. A hold stops the limiter's clock until it ends.
import { type RawBuilder, sql } from 'kysely'
import { headroomOf } from './limit-headroom.js'
import { limitsInUse } from './questions.js'
import { larger, real, statement, type Tx } from './statement.js'
import type { LimitAnswer, LimitRequest, LimitRule, Store } from './store.js'

interface Row {
  tat: number | null
  per_ms: number | null
  burst: number | null
  held_until: number | null
}

/** A cost above the burst must pass some day: it then needs a bucket that is quite empty. */
const headStartMs = (row: { per_ms: number; burst: number }, cost: number) => Math.max(row.burst, cost) / row.per_ms

const take = statement(
  (
    db,
    args: { key: string; cost: number; now: number; latest: number; tat: number; perMs: number; burst: number },
    dialect,
  ) => {
    const max = (a: RawBuilder<number>, b: RawBuilder<number>) => larger(dialect, a, b)
    const cost = real(args.cost)
    // The vendor's word, once it has spoken, outweighs the caller's.
    const perMs = sql<number>`case when limits.ruled_at is null then excluded.per_ms else limits.per_ms end`
    const burst = sql<number>`case when limits.ruled_at is null then excluded.burst else limits.burst end`
    const start = max(real(args.now), sql`coalesce(limits.held_until, 0)`)
    const moved = sql<number>`${max(start, sql`coalesce(limits.tat, 0)`)} + ${cost} / (${perMs})`
    const goAt = max(start, sql`${moved} - ${max(burst, cost)} / (${perMs})`)
    return db
      .insertInto('limits')
      .values({ key: args.key, tat: args.tat, per_ms: args.perMs, burst: args.burst })
      .onConflict((oc) =>
        oc
          .column('key')
          .doUpdateSet({ tat: moved, per_ms: perMs, burst })
          .where(sql<boolean>`${goAt} <= ${real(args.latest)}`),
      )
      .returning(['tat', 'per_ms', 'burst', 'held_until'])
  },
)

const find = statement((db, args: { key: string }) =>
  db.selectFrom('limits').select(['tat', 'per_ms', 'burst', 'ruled_at', 'held_until']).where('key', '=', args.key),
)

const setRule = statement((db, args: { key: string; perMs: number; burst: number; now: number }) =>
  db
    .insertInto('limits')
    .values({ key: args.key, per_ms: args.perMs, burst: args.burst, ruled_at: args.now })
    .onConflict((oc) =>
      oc.column('key').doUpdateSet({
        per_ms: sql`excluded.per_ms`,
        burst: sql`excluded.burst`,
        ruled_at: sql`excluded.ruled_at`,
      }),
    ),
)

const hold = statement((db, args: { key: string; until: number }, dialect) =>
  db
    .insertInto('limits')
    .values({ key: args.key, held_until: args.until })
    .onConflict((oc) =>
      oc.column('key').doUpdateSet({
        held_until: larger(dialect, sql<number>`coalesce(limits.held_until, 0)`, sql`excluded.held_until`),
      }),
    ),
)

const waitMs = (goAt: number, now: number) => Math.max(0, Math.ceil(goAt - now))

export async function takeLimit(tx: Tx, request: LimitRequest): Promise<LimitAnswer> {
  const { key, rule, cost, maxWaitMs, now } = request
  const [taken] = await take(tx, {
    key,
    cost,
    now,
    latest: now + maxWaitMs,
    tat: now + cost / rule.perMs,
    perMs: rule.perMs,
    burst: rule.burst,
  })
  const row: (Row & { ruled_at?: number | null }) | undefined = taken ?? (await find(tx, { key }))[0]
  if (row === undefined) throw new Error(`The limit ${key} was neither taken nor found`)
  const theirs = taken !== undefined || (row.ruled_at ?? null) !== null
  const current = {
    per_ms: theirs ? (row.per_ms ?? rule.perMs) : rule.perMs,
    burst: theirs ? (row.burst ?? rule.burst) : rule.burst,
  }
  const start = Math.max(now, row.held_until ?? 0)
  const tat = row.tat ?? 0
  if (taken !== undefined) {
    return { granted: true, waitMs: waitMs(Math.max(start, tat - headStartMs(current, cost)), now) }
  }
  const goAt = Math.max(start, Math.max(start, tat) + cost / current.per_ms - headStartMs(current, cost))
  // At least 1: whoever refuses and says "now" makes its caller spin.
  return { granted: false, waitMs: Math.max(1, waitMs(goAt - maxWaitMs, now)) }
}

export async function setLimitRule(tx: Tx, key: string, rule: LimitRule, now: number): Promise<void> {
  await setRule(tx, { key, perMs: rule.perMs, burst: rule.burst, now })
}

export async function holdLimit(tx: Tx, key: string, until: number): Promise<void> {
  await hold(tx, { key, until })
}

export async function limitHeadroom(tx: Tx, now: number): ReturnType<Store['limitHeadroom']> {
  return headroomOf(await limitsInUse(tx, {}), now)
}
