// Everything `status` shows, read in one transaction.
import { type DeliveryKind, deliveryOf, type Fault } from '../delivery.js'
import type { MessageSid } from '../message.js'
import { balance, type Sheet } from './balance.js'
import { type Hops, measureHops } from './hops.js'
import { headroomOf } from './limit-headroom.js'
import { type Asker, question } from './question.js'
import * as ask from './questions.js'
import type { InstanceId, Mark, NumberState, ShorePause } from './store.js'

export interface SurveyRequest {
  /** Epoch ms. Books are kept by the UTC day, so those of its whole day count. */
  readonly since: number
  readonly now: number
  /** Only what concerns this number of ours: books, last events, hops, dead letters, failures. */
  readonly number?: string
}

export interface Process {
  readonly id: InstanceId
  readonly startedAt: number
  readonly lastBeatAt: number
  readonly leaseUntil: number
}

export interface DeadLetters {
  readonly reason: string
  readonly count: number
  readonly oldestAt: number
  /** How many of them will be tried again by themselves, and when the first. */
  readonly returning: number
  readonly nextRetryAt: number | undefined
  /** Of one of them. */
  readonly fault: Fault | undefined
}

export interface Survey {
  /** The first day of `since`. */
  readonly fromDay: string
  /** From that day on, oldest first. */
  readonly sheets: readonly Sheet[]
  /** Sheets of the last 30 days at least, that do not balance. */
  readonly wrongSheets: readonly Sheet[]
  /** When the last of each kind came, within the last 30 days at least. */
  readonly lastAt: Readonly<Partial<Record<DeliveryKind | 'receipt', number>>>
  /** Numbers of ours that customers texted, within the last 30 days at least. */
  readonly texted: readonly string[]
  readonly hops: Hops
  readonly queue: {
    readonly ready: number
    readonly oldestAt: number | undefined
    readonly retrying: number
    readonly nextRetryAt: number | undefined
    readonly lanesHeld: number
  }
  /** Most frequent first. */
  readonly deadLetters: readonly DeadLetters[]
  readonly failures: readonly { readonly errorCode: number | undefined; readonly count: number }[]
  /** Texts that are said both to have arrived and to have failed. */
  readonly conflicts: readonly MessageSid[]
  readonly pauses: readonly ShorePause[]
  readonly limits: readonly { readonly key: string; readonly free: number }[]
  readonly numbers: readonly NumberState[]
  readonly optOuts: { readonly all: number; readonly recent: number }
  /** With those whose lease ran out and that nobody has buried yet. */
  readonly processes: readonly Process[]
  readonly marks: Readonly<Record<string, Mark>>
}

const dayMs = 86_400_000
/** How far back the books are looked at, whatever `since` says. */
const booksDays = 30
/** Failed texts that are looked at one by one when only those of one number are wanted. */
const mostTexts = 5_000

const dayOf = (time: number) => new Date(time).toISOString().slice(0, 10)

export async function survey(tx: Asker, { since, now, number }: SurveyRequest): Promise<Survey> {
  const wanted = (row: { readonly number: string }) => number === undefined || row.number === number
  const fromDay = dayOf(since)
  const booksFrom = dayOf(Math.min(since, now - booksDays * dayMs))
  const waiting = await ask.waitingByDay(tx, { now })
  const parked = (await ask.parkedByDay(tx, {})).filter(wanted)
  const totals = (await ask.totalsFrom(tx, { day: booksFrom })).filter(wanted)
  const sheets = await balance(tx, totals, { waiting: waiting.filter(wanted), parked, fromDay: booksFrom })
  const [held] = await ask.lanesHeld(tx, { now })
  const [optOuts] = await ask.countOptOuts(tx, { since })
  const pauses = await ask.allPauses(tx, {})
  const numbers = await ask.allNumbers(tx, {})
  const processes = await ask.instances(tx, {})
  const marks = await ask.allMarks(tx, {})
  return {
    fromDay,
    sheets: sheets.filter(({ day }) => day >= fromDay),
    wrongSheets: sheets.filter(({ fault }) => fault !== undefined),
    lastAt: lastOfEach(totals),
    texted: [...new Set(totals.filter(({ kind }) => kind === 'inbound-sms').map((row) => row.number))],
    hops: await measureHops(tx, since, number),
    queue: {
      ready: sum(waiting.map(({ count }) => count)),
      oldestAt: earliest(waiting.map(({ oldest }) => oldest)),
      retrying: sum(waiting.map(({ retrying }) => retrying)),
      nextRetryAt: earliest(waiting.map((row) => row.next_retry)),
      lanesHeld: held?.lanes ?? 0,
    },
    deadLetters: byReason(parked),
    ...(await undelivered(tx, since, number)),
    pauses: pauses.map(({ paused_at: pausedAt, ...rest }) => ({ ...rest, pausedAt })),
    limits: headroomOf(await ask.limitsInUse(tx, {}), now),
    numbers: numbers.map(ask.toNumberState),
    optOuts: { all: optOuts?.all ?? 0, recent: optOuts?.recent ?? 0 },
    processes: processes.map(toProcess),
    marks: Object.fromEntries(marks.map(({ name, at, value }) => [name, { at, value: value && JSON.parse(value) }])),
  }
}

const sum = (counts: readonly number[]) => counts.reduce((total, count) => total + count, 0)

function earliest(times: readonly (number | null)[]): number | undefined {
  const known = times.filter((time) => time !== null)
  return known.length === 0 ? undefined : Math.min(...known)
}

function lastOfEach(totals: readonly ask.TotalsRow[]): Survey['lastAt'] {
  const last: Partial<Record<DeliveryKind | 'receipt', number>> = {}
  for (const { kind, last_at: at } of totals) if (at > (last[kind] ?? 0)) last[kind] = at
  return last
}

function byReason(rows: Awaited<ReturnType<typeof ask.parkedByDay>>): DeadLetters[] {
  const reasons = [...new Set(rows.map(({ reason }) => reason))]
  return reasons
    .map((reason): DeadLetters => {
      const of = rows.filter((row) => row.reason === reason)
      const fault = of.find((row) => row.fault !== null)?.fault
      return {
        reason,
        count: sum(of.map(({ count }) => count)),
        oldestAt: Math.min(...of.map(({ oldest }) => oldest)),
        returning: sum(of.map(({ retried }) => retried)),
        nextRetryAt: earliest(of.map((row) => row.next_retry)),
        fault: fault ? (JSON.parse(fault) as Fault) : undefined, // written by settle
      }
    })
    .sort((a, b) => b.count - a.count || (a.reason < b.reason ? -1 : 1))
}

const idsOfNumber = question<{ number: string; ids: readonly number[] }, { id: number }>({
  sqlite: 'select id from deliveries where id in (select value from json_each(:ids)) and number = :number',
  postgres: 'select id from deliveries where id = any(:ids) and number = :number',
})

async function undelivered(
  tx: Asker,
  since: number,
  number: string | undefined,
): Promise<Pick<Survey, 'failures' | 'conflicts'>> {
  const conflicting = await ask.conflictsSince(tx, { since, limit: mostTexts })
  if (number === undefined) {
    const failures = await ask.failuresSince(tx, { since })
    return {
      failures: failures.map((row) => ({ errorCode: row.error_code ?? undefined, count: row.count })),
      conflicts: conflicting.map((row) => row.message_sid),
    }
  }
  const failed = await ask.failedTextsSince(tx, { since, limit: mostTexts })
  const ids = [...failed, ...conflicting].flatMap(({ ref }) => deliveryOf(ref) ?? [])
  const ours = new Set((await idsOfNumber(tx, { number, ids })).map(({ id }) => id))
  const isOurs = ({ ref }: { readonly ref: string | null }) => ours.has(deliveryOf(ref) ?? -1)
  const counts = new Map<number | undefined, number>()
  for (const { error_code: code } of failed.filter(isOurs)) {
    counts.set(code ?? undefined, (counts.get(code ?? undefined) ?? 0) + 1)
  }
  return {
    failures: [...counts].map(([errorCode, count]) => ({ errorCode, count })).sort((a, b) => b.count - a.count),
    conflicts: conflicting.filter(isOurs).map((row) => row.message_sid),
  }
}

function toProcess(row: Awaited<ReturnType<typeof ask.instances>>[number]): Process {
  const { id, started_at: startedAt, beat_at: beatAt, lease_until: leaseUntil } = row
  return { id, startedAt, lastBeatAt: beatAt ?? startedAt, leaseUntil }
}
