// When a number is open: what its hours and holidays say, read from text, as moments and in words.
import { UserError } from './errors.js'
import { dayMs, isZone, openZone, type Zone } from './wall-time.js'

/** Minutes of a day, `from` included and `to` not: 0 to 1440. */
interface Span {
  readonly from: number
  readonly to: number
}

export interface WeeklyHours {
  /** `Mon–Fri 9–18, Sat 10–14`; `none` for a number that `*` does not go for. */
  readonly words: string
  /** From Sunday; what runs into the next day is that day's. Without days: no hours at all, so never closed. */
  readonly week: readonly (readonly Span[])[]
  /** IANA; without it the workspace's goes. */
  readonly zone?: string
}

/** Days from `from` to `to` included, counted from 1970-01-01; or every year, as month × 100 + day. */
export type Holiday = { readonly from: number; readonly to: number } | { readonly yearly: number }

export interface ClosedPeriod {
  /** Epoch ms; the same for every moment of the period. 0 when it was never open. */
  readonly since: number
  /** Epoch ms; undefined when nothing opens within 30 days. */
  readonly until: number | undefined
}

const farthestDays = 30

const dayNames = ['Sunday', 'Monday', 'Tuesday', 'Wednesday', 'Thursday', 'Friday', 'Saturday']
const shortDays = dayNames.map((day) => day.slice(0, 3))
const monthNames = 'January February March April May June July August September October November December'.split(' ')
const sample = 'Mon-Fri 9-18 Sat 10-14 America/Denver'

/** Throws UserError, whose message completes `SMS_BRIDGE_HOURS …`. */
export function parseHours(text: string): WeeklyHours {
  if (text.trim().toLowerCase() === 'none') return { words: 'none', week: [] }
  const pieces = text.split(/\s+/).filter((piece) => piece !== '')
  const last = pieces.at(-1) ?? ''
  const zone = readDays(last) === undefined && isZone(last) ? pieces.pop() : undefined
  if (zone !== undefined && !zone.includes('/') && !/^(?:UTC|GMT)$/i.test(zone)) {
    throw new UserError(
      `must name a time zone by a place in it, such as America/New_York: ${quoted(zone)} may leave out daylight saving time`,
    )
  }
  const groups: { readonly days: string[]; readonly on: Set<number>; readonly ranges: Span[] }[] = []
  for (const piece of pieces) {
    const on = readDays(piece)
    const group = groups.at(-1)
    if (on !== undefined) {
      if (group === undefined || group.ranges.length > 0) groups.push({ days: [piece], on: new Set(on), ranges: [] })
      else {
        group.days.push(piece)
        for (const day of on) group.on.add(day)
      }
    } else if (/^\d/.test(piece)) {
      if (group === undefined) throw new UserError(`must name days such as Mon-Fri before ${quoted(piece)}`)
      group.ranges.push(readRange(piece))
    } else if (isZone(piece)) {
      throw new UserError(`must name a time zone once and at the end, not ${quoted(piece)} in between`)
    } else {
      throw new UserError(
        `must be days and hours such as ${sample}: ${quoted(piece)} is no day, no range of hours and no time zone`,
      )
    }
  }
  const idle = groups.find(({ ranges }) => ranges.length === 0)
  if (idle !== undefined) throw new UserError(`must give hours such as 9-18 after ${quoted(idle.days.join(' '))}`)
  if (groups.length === 0) throw new UserError(`must be days and hours such as ${sample}`)
  const week: Span[][] = dayNames.map(() => [])
  for (const { on, ranges } of groups) for (const day of on) for (const range of ranges) addRange(week, day, range)
  const words = groups.map(({ days, ranges }) => [...days.map(dayWords), ...ranges.map(rangeWords)].join(' '))
  return { words: words.join(', '), week: week.map(merged), ...(zone !== undefined && { zone }) }
}

/** Undefined when the piece is no day and no run of days; 0 is Sunday. */
function readDays(piece: string): readonly number[] | undefined {
  const [first = '', last = first, ...rest] = piece.split(/[-–]/).map(titled)
  const [from, to] = [shortDays.indexOf(first), shortDays.indexOf(last)]
  if (from < 0 || to < 0 || rest.length > 0) return undefined
  return Array.from({ length: ((to - from + 7) % 7) + 1 }, (_, index) => (from + index) % 7)
}

/** `to` is beyond 1440 where the range runs into the next day. */
function readRange(piece: string): Span {
  const read = /^(\d{1,2})(?::([0-5]\d))?[-–](\d{1,2})(?::([0-5]\d))?$/.exec(piece)
  const [from, to] = [minutes(read?.[1], read?.[2]), minutes(read?.[3], read?.[4])]
  if (read === null || from >= 1440 || to > 1440 || from === to) {
    throw new UserError(
      `must give hours of a 24-hour clock such as 9-18, 9:30-12:30, 22-6 or 0-24, not ${quoted(piece)}`,
    )
  }
  // Into the next day from a morning: nobody is open that long, but many write 9-5 for 9 AM to 5 PM.
  if (to > 0 && to < from && from < 720) {
    throw new UserError(
      `must give hours of a 24-hour clock, 9-17 for 9 AM to 5 PM, and ${quoted(piece)} ends the next day`,
    )
  }
  return { from, to: to < from ? to + 1440 : to }
}

function minutes(hours = '0', rest = '0'): number {
  return Number(hours) * 60 + Number(rest)
}

function addRange(week: readonly Span[][], day: number, { from, to }: Span): void {
  week[day]?.push({ from, to: Math.min(to, 1440) })
  if (to > 1440) week[(day + 1) % 7]?.push({ from: 0, to: to - 1440 })
}

function merged(spans: readonly Span[]): readonly Span[] {
  const apart: Span[] = []
  for (const span of [...spans].sort((a, b) => a.from - b.from)) {
    const before = apart.at(-1)
    if (before === undefined || span.from > before.to) apart.push(span)
    else apart[apart.length - 1] = { from: before.from, to: Math.max(before.to, span.to) }
  }
  return apart
}

/** Throws UserError, whose message completes `SMS_BRIDGE_HOLIDAYS …`. */
export function parseHolidays(text: string): readonly Holiday[] {
  return text.split(',').map((entry) => {
    const piece = entry.trim()
    const yearly = /^(\d\d)-(\d\d)$/.exec(piece)
    // Judged in a leap year: there is a 29th of February, in some years.
    if (yearly !== null && readDate(`2024-${piece}`) !== undefined) {
      return { yearly: Number(yearly[1]) * 100 + Number(yearly[2]) }
    }
    const [first = '', last = first, ...rest] = piece.split('/')
    const [from, to] = [readDate(first), readDate(last)]
    if (from === undefined || to === undefined || rest.length > 0) {
      throw new UserError(
        `must be dates such as 2026-12-25, 12-25 for every year or 2026-12-24/2027-01-01, separated by commas: ${quoted(piece)} is none`,
      )
    }
    if (to < from) throw new UserError(`must have spans whose end is not before their start, not ${quoted(piece)}`)
    return { from, to }
  })
}

/** Days since 1970-01-01; undefined when there is no such day. */
function readDate(text: string): number | undefined {
  const at = /^\d{4}-\d\d-\d\d$/.test(text) ? Date.parse(text) : Number.NaN
  // V8 takes the 30th of February for the 2nd of March.
  return Number.isNaN(at) || !new Date(at).toISOString().startsWith(text) ? undefined : at / dayMs
}

/** `*` is any other number; undefined when the number has no hours. */
export function hoursOf(byNumber: ReadonlyMap<string, WeeklyHours> | undefined, number: string) {
  const hours = byNumber?.get(number) ?? byNumber?.get('*')
  return hours === undefined || hours.week.length === 0 ? undefined : hours
}

/**
 * The closed period around a moment; undefined when the number is open then. `zone` is where the clocks count that the
 * hours go by (`hours.zone`, else the workspace's). A time that the clocks skip is reached when they are put forward; of
 * one that comes twice the first counts.
 */
export function closedPeriod(
  hours: WeeklyHours,
  holidays: readonly Holiday[],
  zone: string,
  at: number,
): ClosedPeriod | undefined {
  if (hours.week.length === 0) return undefined
  const clocks = openZone(zone)
  const today = Math.floor(clocks.wallAt(at) / dayMs)
  // Tomorrow's too: clocks put back at midnight show today once more after tomorrow has begun.
  const before = lastOpening({ hours, holidays, clocks }, today + 1, at)
  if (before !== undefined && at < before.to) return undefined
  return { since: before?.to ?? 0, until: firstOpening({ hours, holidays, clocks }, today, at)?.from }
}

/** When the opening around a moment ends, epoch ms; the moment itself when it is closed, undefined beyond 30 days. */
export function openUntil(
  hours: WeeklyHours,
  holidays: readonly Holiday[],
  zone: string,
  at: number,
): number | undefined {
  const clocks = openZone(zone)
  const today = Math.floor(clocks.wallAt(at) / dayMs)
  let end = at
  for (let day = today; day <= today + farthestDays; day++) {
    for (const { from, to } of openingsOn({ hours, holidays, clocks }, day)) {
      if (from > end) return end
      end = Math.max(end, to)
    }
  }
  return end < clocks.firstReach((today + farthestDays + 1) * dayMs) ? end : undefined
}

interface Calendar {
  readonly hours: WeeklyHours
  readonly holidays: readonly Holiday[]
  readonly clocks: Zone
}

/** In order and apart from each other, since `firstReach` never runs backwards; from and to in epoch ms. */
function openingsOn({ hours, holidays, clocks }: Calendar, day: number): readonly Span[] {
  const spans = hours.week[(day + 4) % 7] ?? [] // 1970-01-01 was a Thursday
  if (spans.length === 0 || isHoliday(day, holidays)) return []
  return spans
    .map(({ from, to }) => ({
      from: clocks.firstReach(day * dayMs + from * 60_000),
      to: clocks.firstReach(day * dayMs + to * 60_000),
    }))
    .filter(({ from, to }) => from < to)
}

function isHoliday(day: number, holidays: readonly Holiday[]): boolean {
  if (holidays.length === 0) return false
  const date = new Date(day * dayMs)
  const inYear = (date.getUTCMonth() + 1) * 100 + date.getUTCDate()
  return holidays.some((holiday) =>
    'yearly' in holiday ? holiday.yearly === inYear : holiday.from <= day && day <= holiday.to,
  )
}

/** The last that began at `at` or before: however long ago, or a long closed period would have several beginnings. */
function lastOpening(calendar: Calendar, latestDay: number, at: number): Span | undefined {
  for (let day = latestDay; day >= 0; day--) {
    const found = openingsOn(calendar, day).findLast(({ from }) => from <= at)
    if (found !== undefined) return found
  }
  return undefined
}

function firstOpening(calendar: Calendar, firstDay: number, at: number): Span | undefined {
  for (let day = firstDay; day <= firstDay + farthestDays; day++) {
    const found = openingsOn(calendar, day).find(({ from }) => from > at)
    if (found !== undefined) return found
  }
  return undefined
}

/** `Mon–Fri 9–18, Sat 10–14 America/Denver` */
export function describeHours({ words, zone }: WeeklyHours): string {
  return zone === undefined ? words : `${words} ${zone}`
}

/** `today at 2:00 PM`, `tomorrow at …`, `Monday at …`, and from 7 days on `January 4 at …`, by the clocks of `zone`. */
export function opensInWords(until: number, now: number, zone: string): string {
  const clocks = openZone(zone)
  const wall = new Date(clocks.wallAt(until))
  const inDays = Math.floor(wall.getTime() / dayMs) - Math.floor(clocks.wallAt(now) / dayMs)
  const date = `${monthNames[wall.getUTCMonth()]} ${wall.getUTCDate()}`
  const day = inDays > 6 ? date : (['today', 'tomorrow'][inDays] ?? dayNames[wall.getUTCDay()])
  // Not Intl's: it puts a narrow space before PM, which makes a text of 160 characters one of 70.
  const [hour, minute] = [wall.getUTCHours(), String(wall.getUTCMinutes()).padStart(2, '0')]
  return `${day} at ${hour % 12 || 12}:${minute} ${hour < 12 ? 'AM' : 'PM'}`
}

function dayWords(piece: string): string {
  return piece.split(/[-–]/).map(titled).join('–')
}

function rangeWords({ from, to }: Span): string {
  return `${timeWords(from)}–${timeWords(to > 1440 ? to - 1440 : to)}`
}

function timeWords(minute: number): string {
  const rest = minute % 60
  return `${Math.floor(minute / 60)}${rest === 0 ? '' : `:${String(rest).padStart(2, '0')}`}`
}

function titled(text: string): string {
  return `${text.slice(0, 1).toUpperCase()}${text.slice(1).toLowerCase()}`
}

function quoted(text: string): string {
  return JSON.stringify(text)
}
