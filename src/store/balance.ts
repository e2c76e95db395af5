// The balance sheet: whatever was received has been delivered, suppressed, parked or discarded, or it waits. The books
// say what was received and how it ended; what waits and what is parked is counted from the deliveries themselves.
import type { DeliveryId, DeliveryKind, DeliveryState } from '../delivery.js'
import { type Asker, question } from './question.js'
import type { OpenRows, TotalsRow } from './questions.js'
import type { Totals } from './store.js'

const dayMs = 86_400_000

export interface Sheet extends Totals {
  /** UTC, `2026-11-30`: when they were received. */
  readonly day: string
  readonly number: string
  readonly kind: DeliveryKind
  readonly waiting: number
  /** Absent: it balances. */
  readonly fault?: SheetFault
}

export interface SheetFault {
  /** How many deliveries of this sheet the store really holds, by state; states of none are absent. */
  readonly held: Readonly<Partial<Record<DeliveryState, number>>>
  /** Deliveries that contradict their own attempts; the first of them. */
  readonly ids: readonly DeliveryId[]
}

const mostIds = 20

/** The sheets of the days the books were read for. Those that do not balance are looked into. */
export async function balance(
  tx: Asker,
  totals: readonly TotalsRow[],
  open: { readonly waiting: readonly OpenRows[]; readonly parked: readonly OpenRows[]; readonly fromDay: string },
): Promise<Sheet[]> {
  const waiting = countsOf(open.waiting, open.fromDay)
  const parked = countsOf(open.parked, open.fromDay)
  const sheets = new Map<string, Sheet>()
  for (const { last_at: _, kind, ...row } of totals) {
    if (kind !== 'receipt') sheets.set(keyOf({ ...row, kind }), { ...row, kind, waiting: 0 })
  }
  for (const [key, { count, ...row }] of waiting)
    sheets.set(key, { ...(sheets.get(key) ?? blank(row)), waiting: count })
  for (const [key, row] of parked) if (!sheets.has(key)) sheets.set(key, blank(row))

  const checked: Sheet[] = []
  for (const [key, sheet] of sheets) {
    const wrong = !balances(sheet) || sheet.parked !== (parked.get(key)?.count ?? 0)
    checked.push(wrong ? { ...sheet, fault: await lookInto(tx, sheet) } : sheet)
  }
  return checked
}

function balances({ received, delivered, suppressed, parked, discarded, waiting }: Sheet): boolean {
  return received === delivered + suppressed + parked + discarded + waiting
}

type Heading = Pick<Sheet, 'day' | 'number' | 'kind'>

const keyOf = ({ day, number, kind }: Heading) => `${day} ${number} ${kind}`

function blank({ day, number, kind }: Heading): Sheet {
  const none = { received: 0, delivered: 0, suppressed: 0, parked: 0, discarded: 0, recovered: 0, waiting: 0 }
  return { day, number, kind, ...none }
}

function countsOf(rows: readonly OpenRows[], fromDay: string): Map<string, Heading & { readonly count: number }> {
  const counts = new Map<string, Heading & { readonly count: number }>()
  for (const { day: days, number, kind, count } of rows) {
    const day = new Date(days * dayMs).toISOString().slice(0, 10)
    if (day < fromDay) continue
    const heading = { day, number, kind }
    counts.set(keyOf(heading), { ...heading, count: count + (counts.get(keyOf(heading))?.count ?? 0) })
  }
  return counts
}

interface Where {
  readonly from: DeliveryId
  readonly to: DeliveryId
  readonly start: number
  readonly end: number
  readonly number: string
  readonly kind: DeliveryKind
}

const ofSheet = `d.id between :from and :to and d.received_at >= :start and d.received_at < :end
    and d.number = :number and d.kind = :kind`

const heldByState = question<Where, { state: DeliveryState; count: number }>(
  `select d.state, count(*) as count from deliveries d where ${ofSheet} group by d.state order by d.state`,
)

const endedBy = (...states: readonly DeliveryState[]) => {
  const list = states.map((state) => `'${state}'`).join(', ')
  return `exists (select 1 from attempts a where a.delivery_id = d.id and a.state in (${list}))`
}

/** Ended as none of its attempts did, not ended although one of them did, or with more attempts than there are. */
const contradictory = question<Where & { limit: number }, { id: DeliveryId }>(`
  select d.id from deliveries d where ${ofSheet} and (
    d.state = 'delivered' and not ${endedBy('delivered')}
    or d.state = 'suppressed' and not ${endedBy('suppressed')}
    or d.state in ('parked', 'discarded') and not ${endedBy('parked')}
    or d.state in ('ready', 'parked', 'discarded') and ${endedBy('delivered', 'suppressed')}
    or d.attempts > (select count(*) from attempts a where a.delivery_id = d.id))
  order by d.id limit :limit`)

const atOrAfter = question<{ id: DeliveryId }, { id: DeliveryId; received_at: number }>(
  'select id, received_at from deliveries where id >= :id order by id limit 1',
)

const lastId = question<object, { id: DeliveryId }>('select coalesce(max(id), 0) as id from deliveries')

async function lookInto(tx: Asker, { day, number, kind }: Sheet): Promise<SheetFault> {
  const start = Date.parse(day)
  const end = start + dayMs
  const [from, to] = [await firstIdSince(tx, start), await firstIdSince(tx, end)]
  const where = { from: from - aroundMidnight, to: to + aroundMidnight, start, end, number, kind }
  const held = await heldByState(tx, where)
  const ids = await contradictory(tx, { ...where, limit: mostIds })
  return {
    held: Object.fromEntries(held.map(({ state, count }) => [state, count])),
    ids: ids.map(({ id }) => id),
  }
}

/** Clocks of several machines differ a little, and transactions end in another order than they began. */
const aroundMidnight = 1_000

/** Ids grow with time, so a day's are found by halving: there is no index on every delivery's time of arrival. */
async function firstIdSince(tx: Asker, time: number): Promise<DeliveryId> {
  let low = 0
  let high = ((await lastId(tx, {}))[0]?.id ?? 0) + 1
  while (low < high) {
    const middle = Math.floor((low + high) / 2)
    const [row] = await atOrAfter(tx, { id: middle })
    if (row === undefined || row.received_at >= time) high = middle
    else low = row.id + 1
  }
  return low
}
