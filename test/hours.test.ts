import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { UserError } from '../src/errors.js'
import {
  closedPeriod,
  describeHours,
  hoursOf,
  opensInWords,
  openUntil,
  parseHolidays,
  parseHours,
} from '../src/hours.js'
import { openZone } from '../src/wall-time.js'

const denver = 'America/Denver'
const iso = (at: number | undefined) => (at === undefined ? undefined : new Date(at).toISOString().slice(0, 16))

function closed(hours: string, at: string, { holidays = '', zone = denver } = {}) {
  const dates = holidays === '' ? [] : parseHolidays(holidays)
  const period = closedPeriod(parseHours(hours), dates, zone, Date.parse(`${at}:00Z`))
  return period && [iso(period.since), iso(period.until)]
}

describe('hours as text', () => {
  it.each([
    ['Mon-Fri 9-18 America/Denver', 'Mon–Fri 9–18 America/Denver'],
    ['mon-FRI 9-18 sat 10-14 Europe/Berlin', 'Mon–Fri 9–18, Sat 10–14 Europe/Berlin'],
    ['Sat Sun 9:30-12:30 13-17', 'Sat Sun 9:30–12:30 13–17'],
    ['Mon–Fri 9–18', 'Mon–Fri 9–18'],
    ['Fri-Mon 22-6', 'Fri–Mon 22–6'],
    ['Mon-Sun 0-24 UTC', 'Mon–Sun 0–24 UTC'],
    ['  Tue   18-0  ', 'Tue 18–24'],
    ['NONE', 'none'],
  ])('%s is said as %s', (text, words) => {
    expect(describeHours(parseHours(text))).toBe(words)
  })

  it.each([
    ['', 'must be days and hours such as Mon-Fri 9-18 Sat 10-14 America/Denver'],
    ['America/Denver', 'must be days and hours such as Mon-Fri 9-18 Sat 10-14 America/Denver'],
    ['9-18', 'must name days such as Mon-Fri before "9-18"'],
    ['Mon-Fri', 'must give hours such as 9-18 after "Mon-Fri"'],
    ['Mon 9-18 Sat Sun UTC', 'must give hours such as 9-18 after "Sat Sun"'],
    [
      'Mon-Fry 9-18',
      'must be days and hours such as Mon-Fri 9-18 Sat 10-14 America/Denver: "Mon-Fry" is no day, no range of hours and no time zone',
    ],
    [
      'Mon 9-18 America/Dever',
      'must be days and hours such as Mon-Fri 9-18 Sat 10-14 America/Denver: "America/Dever" is no day, no range of hours and no time zone',
    ],
    ['Mon 9-18 Europe/Berlin Tue 9-18', 'must name a time zone once and at the end, not "Europe/Berlin" in between'],
    ['Mon 9am-5pm', 'must give hours of a 24-hour clock such as 9-18, 9:30-12:30, 22-6 or 0-24, not "9am-5pm"'],
    ['Mon 24-6', 'must give hours of a 24-hour clock such as 9-18, 9:30-12:30, 22-6 or 0-24, not "24-6"'],
    ['Mon 9-24:30', 'must give hours of a 24-hour clock such as 9-18, 9:30-12:30, 22-6 or 0-24, not "9-24:30"'],
    ['Mon 9-9', 'must give hours of a 24-hour clock such as 9-18, 9:30-12:30, 22-6 or 0-24, not "9-9"'],
    ['Mon 9-5', 'must give hours of a 24-hour clock, 9-17 for 9 AM to 5 PM, and "9-5" ends the next day'],
    [
      'Mon 9-17 EST',
      'must name a time zone by a place in it, such as America/New_York: "EST" may leave out daylight saving time',
    ],
    ['Mon 9:60-10', 'must give hours of a 24-hour clock such as 9-18, 9:30-12:30, 22-6 or 0-24, not "9:60-10"'],
  ])('%j is refused with its bad piece', (text, fault) => {
    expect(() => parseHours(text)).toThrow(new UserError(fault))
  })

  it('merge where ranges touch or overlap, also over midnight', () => {
    expect(parseHours('Mon 9-12 11-13 13-17 22-6 Tue 5-7').week).toEqual([
      [],
      [
        { from: 540, to: 1020 },
        { from: 1320, to: 1440 },
      ],
      [{ from: 0, to: 420 }],
      [],
      [],
      [],
      [],
    ])
  })

  it('of * go for any other number but those with none', () => {
    const [all, some] = [parseHours('Mon-Sun 8-22'), parseHours('Mon 9-10')]
    const byNumber = new Map([
      ['*', all],
      ['+15550100100', some],
      ['+15550100101', parseHours('none')],
    ])
    expect(hoursOf(byNumber, '+15550100100')).toBe(some)
    expect(hoursOf(byNumber, '+15550100101')).toBeUndefined()
    expect(hoursOf(byNumber, '+15550100102')).toBe(all)
    expect(hoursOf(new Map(), '+15550100100')).toBeUndefined()
    expect(hoursOf(undefined, '+15550100100')).toBeUndefined()
  })
})

describe('holidays as text', () => {
  it('are dates, dates of every year, and spans', () => {
    expect(parseHolidays('1970-01-02, 12-25,02-29 ,1970-01-31/1970-02-01')).toEqual([
      { from: 1, to: 1 },
      { yearly: 1225 },
      { yearly: 229 },
      { from: 30, to: 31 },
    ])
  })

  it.each([
    '2026-02-30',
    '2025-02-29',
    '13-01',
    '02-30',
    '12-24/12-26',
    '2026-1-1',
    '',
    '2026-01-01/2026-01-02/2026-01-03',
  ])('%j is none', (text) => {
    expect(() => parseHolidays(text)).toThrow(
      new UserError(
        `must be dates such as 2026-12-25, 12-25 for every year or 2026-12-24/2027-01-01, separated by commas: ${JSON.stringify(text)} is none`,
      ),
    )
  })

  it('do not end before they begin', () => {
    expect(() => parseHolidays('2027-01-01/2026-12-24')).toThrow(
      new UserError('must have spans whose end is not before their start, not "2027-01-01/2026-12-24"'),
    )
  })
})

describe('a closed period', () => {
  it('runs from the last closing to the next opening', () => {
    const office = 'Mon-Fri 9-12 13-18'
    // Denver is 7 hours behind UTC in November; the 23rd of 2026 is a Monday.
    expect(closed(office, '2026-11-24T16:00')).toBeUndefined()
    expect(closed(office, '2026-11-24T18:59')).toBeUndefined()
    expect(closed(office, '2026-11-24T19:00')).toEqual(['2026-11-24T19:00', '2026-11-24T20:00'])
    expect(closed(office, '2026-11-24T19:59')).toEqual(['2026-11-24T19:00', '2026-11-24T20:00'])
    expect(closed(office, '2026-11-25T03:00')).toEqual(['2026-11-25T01:00', '2026-11-25T16:00'])
    expect(closed(office, '2026-11-28T12:00')).toEqual(['2026-11-28T01:00', '2026-11-30T16:00'])
  })

  it('does not break a night at midnight', () => {
    const bar = 'Fri Sat 18-2'
    expect(closed(bar, '2026-11-28T08:59')).toBeUndefined()
    expect(closed(bar, '2026-11-28T09:00')).toEqual(['2026-11-28T09:00', '2026-11-29T01:00'])
    expect(closed('Mon-Sun 22-6 6-22', '2026-11-28T05:00')).toBeUndefined()
  })

  it('goes through holidays, which end a night at their midnight', () => {
    const holidays = '2026-11-26'
    expect(closed('Mon-Fri 9-18', '2026-11-26T18:00', { holidays })).toEqual(['2026-11-26T01:00', '2026-11-27T16:00'])
    expect(closed('Mon-Sun 22-6', '2026-11-26T06:59', { holidays })).toBeUndefined()
    expect(closed('Mon-Sun 22-6', '2026-11-26T07:00', { holidays })).toEqual(['2026-11-26T07:00', '2026-11-27T07:00'])
    expect(closed('Mon-Sun 0-24', '2028-02-29T12:00', { holidays: '02-29' })).toEqual([
      '2028-02-29T07:00',
      '2028-03-01T07:00',
    ])
  })

  it('has no end when nothing opens within 30 days, and one beginning however long it is', () => {
    const holidays = '2026-01-01/2028-01-01'
    expect(closed('Mon-Fri 9-18', '2026-01-02T00:00', { holidays })).toEqual(['2026-01-01T01:00', undefined])
    expect(closed('Mon-Fri 9-18', '2027-11-30T00:00', { holidays })).toEqual(['2026-01-01T01:00', undefined])
    expect(closed('Mon-Fri 9-18', '2027-12-20T00:00', { holidays })).toEqual(['2026-01-01T01:00', '2028-01-03T16:00'])
    expect(closed('Mon 9-18', '2026-01-02T00:00', { holidays: '1970-01-01/2028-01-01' })).toEqual([
      '1970-01-01T00:00',
      undefined,
    ])
  })

  it('is never there without hours', () => {
    expect(closed('none', '2026-11-28T12:00', { holidays: '2026-11-28' })).toBeUndefined()
  })

  it('begins or ends when clocks are put forward past its time', () => {
    // 2026-03-08: 2:00 becomes 3:00, at 9:00 UTC.
    expect(closed('Sun 2:30-5', '2026-03-08T08:59')).toEqual(['2026-03-01T12:00', '2026-03-08T09:00'])
    expect(closed('Sun 2:30-5', '2026-03-08T09:00')).toBeUndefined()
    expect(closed('Sun 0-2:30', '2026-03-08T09:00')).toEqual(['2026-03-08T09:00', '2026-03-15T06:00'])
    expect(closed('Sun 0-2 3-5', '2026-03-08T09:00')).toBeUndefined()
    expect(closed('Sun 2:15-2:45', '2026-03-08T12:00')).toEqual(['2026-03-01T09:45', '2026-03-15T08:15'])
  })

  it('goes by the first of a time that comes twice', () => {
    // 2026-11-01: 2:00 becomes 1:00, at 8:00 UTC.
    expect(closed('Sun 1:30-5', '2026-11-01T07:29')).toEqual(['2026-10-25T11:00', '2026-11-01T07:30'])
    expect(closed('Sun 1:30-5', '2026-11-01T08:10')).toBeUndefined()
    expect(closed('Sun 0-1:30', '2026-11-01T08:10')).toEqual(['2026-11-01T07:30', '2026-11-08T07:00'])
    expect(closed('Sun 0-2', '2026-11-01T08:59')).toBeUndefined()
  })

  it('goes on when clocks are put back into the day before', () => {
    // Newfoundland until 2011: at 0:01 it became 23:01, at 2:31 UTC.
    expect(closed('Sun 0-5', '2010-11-07T02:29', { zone: 'America/St_Johns' })?.[1]).toBe('2010-11-07T02:30')
    expect(closed('Sun 0-5', '2010-11-07T02:45', { zone: 'America/St_Johns' })).toBeUndefined()
    expect(closed('Sat 9-24', '2010-11-07T02:45', { zone: 'America/St_Johns' })?.[0]).toBe('2010-11-07T02:30')
  })

  it('knows a day that never was, and half an hour of summer', () => {
    // Samoa had no 30th of December 2011, a Friday; clocks on Lord Howe go forward by 30 minutes at 2:00.
    expect(closed('Fri 9-18', '2011-12-30T12:00', { zone: 'Pacific/Apia' })).toEqual([
      '2011-12-24T04:00',
      '2012-01-05T19:00',
    ])
    expect(closed('Sun 2:10-4', '2026-10-03T15:29', { zone: 'Australia/Lord_Howe' })?.[1]).toBe('2026-10-03T15:30')
  })
})

describe('an opening', () => {
  const until = (hours: string, at: string, { holidays = '', zone = denver } = {}) => {
    const dates = holidays === '' ? [] : parseHolidays(holidays)
    return iso(openUntil(parseHours(hours), dates, zone, Date.parse(`${at}:00Z`)))
  }
  it('ends where nothing touches it', () => {
    expect(until('Mon-Fri 9-12 13-18', '2026-11-24T18:59')).toBe('2026-11-24T19:00')
    expect(until('Mon-Sun 22-6 6-8', '2026-11-24T06:00')).toBe('2026-11-24T15:00')
    expect(until('Sun 0-2 3-5', '2026-03-08T07:30')).toBe('2026-03-08T11:00')
    expect(until('Mon-Sun 0-24', '2026-11-24T12:00', { holidays: '11-26' })).toBe('2026-11-26T07:00')
  })

  it('has no end where nothing closes within 30 days, and is over at once when it is closed', () => {
    expect(until('Mon-Sun 0-24', '2026-11-24T12:00')).toBeUndefined()
    expect(until('Mon-Sun 0-24', '2026-03-01T06:30')).toBeUndefined()
    expect(until('Mon 9-10', '2026-11-24T12:00')).toBe('2026-11-24T12:00')
  })
})

const zones = [denver, 'Europe/Berlin', 'Asia/Kolkata', 'Australia/Lord_Howe', 'Pacific/Apia', 'America/St_Johns']
const clockTime = (half: number) => `${Math.floor(half / 2)}:${half % 2 ? '30' : '00'}`
const half = fc.integer({ min: 0, max: 47 })
const range = fc
  .tuple(half, half)
  // What looks like 9 AM to 5 PM is refused.
  .filter(([from, to]) => from !== to && !(to > 0 && to < from && from < 24))
  .map((both) => both.map(clockTime).join('-'))
const group = fc.tuple(
  fc.subarray(['Mon', 'Tue', 'Wed', 'Thu', 'Fri', 'Sat', 'Sun'], { minLength: 1 }),
  fc.array(range, { minLength: 1, maxLength: 3 }),
)
const anyHours = fc
  .array(group, { minLength: 1, maxLength: 2 })
  .map((groups) => groups.map(([days, ranges]) => [...days, ...ranges].join(' ')).join(' '))
// Where clocks change: most of what can go wrong is there.
const changes = [
  '2026-03-08T09:00Z',
  '2026-11-01T08:00Z',
  '2026-03-29T01:00Z',
  '2026-10-25T01:00Z',
  '2011-12-30T10:00Z',
]
changes.push('2026-04-04T15:00Z', '2026-10-03T15:30Z', '2010-03-14T03:31Z', '2010-11-07T02:31Z')
const minute = 60_000
const anyMoment = fc.oneof(
  fc.integer({ min: Date.UTC(1971, 0) / minute, max: Date.UTC(2040, 0) / minute }).map((count) => count * minute),
  fc
    .tuple(fc.constantFrom(...changes), fc.integer({ min: -3000, max: 3000 }))
    .map(([change, away]) => Date.parse(change) + away * minute),
)
const anyHolidays = fc.constantFrom('12-25', '2026-03-29,11-01', '2026-10-24/2026-10-26')

describe('any closed period', () => {
  it('has no open minute in it and open ones around it, and looks the same from each of its minutes', () => {
    fc.assert(
      fc.property(
        anyHours,
        anyHolidays,
        fc.constantFrom(...zones),
        anyMoment,
        fc.double({ min: 0, max: 1, noNaN: true }),
        (text, dates, zone, at, share) => {
          const [hours, holidays] = [parseHours(text), parseHolidays(dates)]
          const look = (moment: number) => closedPeriod(hours, holidays, zone, moment)
          const period = look(at)
          if (period === undefined) return
          const { since, until } = period
          expect(since).toBeLessThanOrEqual(at)
          expect(look(since)).toEqual(period)
          if (since > 0) expect(look(since - 1)).toBeUndefined()
          if (until === undefined) return
          expect(until).toBeGreaterThan(at)
          expect(look(until)).toBeUndefined()
          expect(look(until - 1)).toEqual(period)
          expect(look(since + Math.floor((until - since) * share * 0.999_999))).toEqual(period)
        },
      ),
      { numRuns: 400 },
    )
  })

  it('agrees with the clock on the wall where no clock changes', () => {
    fc.assert(
      fc.property(anyHours, anyMoment, (text, at) => {
        const hours = parseHours(text)
        const wall = at / minute + 330 // Kolkata is 5:30 ahead, all year
        const spans = hours.week[(Math.floor(wall / 1440) + 4) % 7] ?? []
        const isOpen = spans.some(({ from, to }) => from <= wall % 1440 && wall % 1440 < to)
        expect(closedPeriod(hours, [], 'Asia/Kolkata', at) === undefined).toBe(isOpen)
      }),
      { numRuns: 400 },
    )
  })
})

describe('the wall’s clock', () => {
  it('shows no earlier time before it reaches one, and that or a later one then', () => {
    fc.assert(
      fc.property(fc.constantFrom(...zones), anyMoment, fc.integer({ min: 1, max: 2000 }), (zone, wall, back) => {
        const { wallAt, firstReach } = openZone(zone)
        const at = firstReach(wall)
        expect(wallAt(at)).toBeGreaterThanOrEqual(wall)
        expect(wallAt(at - 1)).toBeLessThan(wall)
        expect(wallAt(at - back * minute)).toBeLessThan(wall)
        expect(firstReach(wall + back * minute)).toBeGreaterThanOrEqual(at)
      }),
      { numRuns: 1000 },
    )
  })
})

describe('when it opens, in words', () => {
  // Tuesday, 11:30 in Denver
  const now = Date.parse('2026-11-24T18:30Z')
  it.each([
    ['2026-11-24T21:00Z', 'today at 2:00 PM'],
    ['2026-11-25T06:59Z', 'today at 11:59 PM'],
    ['2026-11-25T07:00Z', 'tomorrow at 12:00 AM'],
    ['2026-11-25T16:00Z', 'tomorrow at 9:00 AM'],
    ['2026-11-26T19:30Z', 'Thursday at 12:30 PM'],
    ['2026-11-30T16:00Z', 'Monday at 9:00 AM'],
    ['2026-12-01T16:00Z', 'December 1 at 9:00 AM'],
    ['2027-01-04T16:05Z', 'January 4 at 9:05 AM'],
  ])('%s is %s', (until, words) => {
    expect(opensInWords(Date.parse(until), now, denver)).toBe(words)
  })
})
