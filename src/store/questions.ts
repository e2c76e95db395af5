// What people and `/metrics` ask of the store. Every question is answered from counters or from a partial index over
// the few rows it is about, never by walking the deliveries.
import type { DeliveryKind } from '../delivery.js'
import type { MessageSid } from '../message.js'
import { question } from './question.js'
import type { InstanceId, NumberState, ShorePause, Totals } from './store.js'

type Nothing = Readonly<Record<never, never>>

/** Days since 1970: the UTC day of a time, cut by both engines in the same way. */
const dayOf = (column: string) => `${column} / 86400000`

export type TotalsRow = Totals & {
  readonly day: string
  readonly number: string
  readonly kind: DeliveryKind | 'receipt'
  readonly last_at: number
}

export const totalsFrom = question<{ day: string }, TotalsRow>(`
  select day, number, kind, sum(received) as received, sum(delivered) as delivered, sum(suppressed) as suppressed,
    sum(parked) as parked, sum(discarded) as discarded, sum(recovered) as recovered, max(last_at) as last_at
  from totals where day >= :day
  group by day, number, kind order by day, number, kind`)

export interface OpenRows {
  /** Days since 1970. */
  readonly day: number
  readonly number: string
  readonly kind: DeliveryKind
  readonly count: number
}

export const waitingByDay = question<
  { now: number },
  OpenRows & { readonly oldest: number; readonly retrying: number; readonly next_retry: number | null }
>(`
  select ${dayOf('received_at')} as day, number, kind, count(*) as count, min(received_at) as oldest,
    sum(case when run_at > :now then 1 else 0 end) as retrying,
    min(case when run_at > :now then run_at end) as next_retry
  from deliveries where state = 'ready' group by 1, 2, 3 order by 1, 2, 3`)

export const parkedByDay = question<
  Nothing,
  OpenRows & {
    readonly reason: string
    readonly oldest: number
    readonly retried: number
    readonly next_retry: number | null
    /** Of any one of them. */
    readonly fault: string | null
  }
>(`
  select ${dayOf('received_at')} as day, number, kind, coalesce(reason, 'unknown') as reason, count(*) as count,
    min(received_at) as oldest, count(retry_at) as retried, min(retry_at) as next_retry, max(fault) as fault
  from deliveries where state = 'parked' group by 1, 2, 3, 4 order by 1, 2, 3, 4`)

export const waitingNow = question<Nothing, { waiting: number; oldest: number | null }>(
  `select count(*) as waiting, min(received_at) as oldest from deliveries where state = 'ready'`,
)

export const parkedNow = question<Nothing, { parked: number }>(
  `select count(*) as parked from deliveries where state = 'parked'`,
)

export const lanesHeld = question<{ now: number }, { lanes: number }>(`
  select count(distinct lane) as lanes from deliveries
  where state = 'parked' and retry_at is not null and hold_until > :now`)

/** Those whose lease ran out stay until another process buries them. */
export const instances = question<
  Nothing,
  { id: InstanceId; started_at: number; beat_at: number | null; lease_until: number }
>('select id, started_at, beat_at, lease_until from instances order by started_at, id')

export const allPauses = question<Nothing, Omit<ShorePause, 'pausedAt'> & { readonly paused_at: number }>(
  'select shore, reason, paused_at, until, failures from shores order by shore',
)

export const failuresSince = question<{ since: number }, { error_code: number | null; count: number }>(`
  select error_code, count(*) as count from texts
  where status in ('undelivered', 'failed') and updated_at >= :since
  group by error_code order by count desc, error_code`)

/** One by one, for whoever wants only those of one number. */
export const failedTextsSince = question<
  { since: number; limit: number },
  { ref: string | null; error_code: number | null }
>(`
  select ref, error_code from texts where status in ('undelivered', 'failed') and updated_at >= :since
  order by updated_at desc limit :limit`)

export const conflictsSince = question<
  { since: number; limit: number },
  { message_sid: MessageSid; ref: string | null }
>(`
  select message_sid, ref from texts where conflict_at is not null and conflict_at >= :since
  order by conflict_at desc, message_sid limit :limit`)

export const limitsInUse = question<
  Nothing,
  { key: string; tat: number; per_ms: number; burst: number; held_until: number | null }
>('select key, tat, per_ms, burst, held_until from limits where tat is not null order by key')

export const allNumbers = question<
  Nothing,
  Pick<NumberState, 'number' | 'kind' | 'state'> & { readonly detail: string | null; readonly checked_at: number }
>('select number, kind, state, detail, checked_at from numbers order by number')

export function toNumberState(row: Awaited<ReturnType<typeof allNumbers>>[number]): NumberState {
  const { checked_at: checkedAt, detail, ...rest } = row
  return { ...rest, ...(detail === null ? {} : { detail }), checkedAt }
}

export const countOptOuts = question<{ since: number }, { all: number; recent: number }>(`
  select count(*) as "all", coalesce(sum(case when since >= :since then 1 else 0 end), 0) as recent from opt_outs`)

export const allMarks = question<Nothing, { name: string; at: number; value: string | null }>(
  'select name, at, value from marks order by name',
)

/**
 * How long the newest deliveries took, ms, as one text of numbers: the last `depth` ids are looked at and no more. Rows
 * of their own would take ten times as long to hand over as to find.
 */
export const newestTimes = question<
  { depth: number; since: number },
  { readonly kind: DeliveryKind; readonly number: string; readonly took: string; readonly arrived: string | null }
>(`
  select d.kind, d.number, string_agg(cast(d.settled_at - d.received_at as text), ' ') as took,
    string_agg(case when t.status in ('delivered', 'read') then cast(t.updated_at - d.received_at as text) end, ' ')
      as arrived
  from deliveries d left join texts t on d.kind = 'agent-reply' and t.ref = d.id || '.0'
  where d.id > (select coalesce(max(id), 0) from deliveries) - :depth and d.state = 'delivered'
    and d.received_at >= :since and d.recovered_at is null and d.replays = 0
  group by d.kind, d.number`)
