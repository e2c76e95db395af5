// How the text of a setting becomes its value, where that takes more than a line. Messages complete `<name> …`.
import type * as zod from 'zod'
import { UserError } from '../errors.js'
import { parseHolidays, parseHours, type WeeklyHours } from '../hours.js'

type Zod = typeof zod

interface Check {
  addIssue(message: string): void
}

const longestAwayText = 480

function teams(z: Zod) {
  return z.string().transform(
    (text, check): ReadonlyMap<string, string> =>
      byNumber(text, check, {
        value: /^\d+$/,
        fault: 'must be NUMBER=TEAM_ID pairs separated by commas',
        read: (id) => id,
      }),
  )
}

function reopen(z: Zod) {
  return z.string().transform(
    (text, check): ReadonlyMap<string, number> =>
      byNumber(text, check, {
        value: /^\d{1,3}[hd]$/,
        fault: 'must be NUMBER=TIME pairs such as *=5d or *=12h, separated by commas',
        read: (time) => Number.parseInt(time, 10) * (time.endsWith('h') ? 3_600_000 : 86_400_000),
      }),
  )
}

function hours(z: Zod) {
  return z.string().transform(
    (text, check): ReadonlyMap<string, WeeklyHours> =>
      byNumber(text, check, {
        value: /^./,
        fault: 'must be NUMBER=HOURS pairs such as *=Mon-Fri 9-18 America/Denver, separated by commas',
        read: parseHours,
      }),
  )
}

interface PairReader<T> {
  readonly value: RegExp
  /** Said of a pair that is none. */
  readonly fault: string
  readonly read: (value: string) => T
}

function byNumber<T>(text: string, check: Check, { value, fault, read }: PairReader<T>): ReadonlyMap<string, T> {
  const pairs = text.split(',').map((pair) => /^\s*(\S+?)\s*=\s*(.*?)\s*$/.exec(pair))
  const found = new Map<string, T>()
  if (pairs.some((pair) => !value.test(pair?.[2] ?? ''))) {
    check.addIssue(fault)
    return found
  }
  for (const pair of pairs) told(check, () => found.set(pair?.[1] ?? '', read(pair?.[2] ?? '')))
  fail(check, found.size < pairs.length ? 'must name each number once' : undefined)
  return found
}

function holidays(z: Zod) {
  return z.string().transform((text, check) => told(check, () => parseHolidays(text)) ?? z.NEVER)
}

function awayText(z: Zod) {
  return z.string().superRefine((text, check) => {
    const unknown = text.match(/\{[^}]*\}?/g)?.find((placeholder) => placeholder !== '{opens}')
    fail(check, unknown && `must have no placeholder but {opens}, not ${JSON.stringify(unknown)}`)
    const { length } = [...text]
    fail(check, length > longestAwayText ? `must be at most ${longestAwayText} characters, not ${length}` : undefined)
  })
}

/** Undefined when it throws a UserError, which becomes what is wrong. */
function told<T>(check: Check, read: () => T): T | undefined {
  try {
    return read()
  } catch (error) {
    if (!(error instanceof UserError)) throw error
    check.addIssue(error.message)
    return undefined
  }
}

function fail(check: Check, fault: string | undefined): void {
  if (fault !== undefined) check.addIssue(fault)
}

function publicUrl(z: Zod) {
  return absoluteUrl(z).superRefine((text, check) => fail(check, publicUrlFault(new URL(text))))
}

function country(z: Zod) {
  return z.string().refine(isCountry, 'must be a two-letter ISO 3166 country code in capitals')
}

/** Is the host this machine itself? Takes `URL.hostname`. */
function isLoopback(hostname: string): boolean {
  return hostname === 'localhost' || hostname === '[::1]' || /^127(\.\d{1,3}){3}$/.test(hostname)
}

function isCountry(text: string): boolean {
  if (!/^[A-Z]{2}$/.test(text)) return false
  // UK is an alias that the phone number tables do not know: canonical codes only.
  const isCanonical = new Intl.Locale(`und-${text}`).region === text
  return isCanonical && new Intl.DisplayNames('en', { type: 'region', fallback: 'none' }).of(text) !== undefined
}

function token(z: Zod) {
  return z.string().regex(/^[!-~]+$/, 'must not contain spaces or line breaks')
}

/** An absolute http or https URL without query, fragment and credentials; a trailing slash is dropped. */
function absoluteUrl(z: Zod) {
  return z.string().transform((text, check): string => {
    const url = URL.canParse(text) ? new URL(text) : undefined
    if (url === undefined || !['http:', 'https:'].includes(url.protocol)) {
      check.addIssue('must be an absolute http or https URL')
      return z.NEVER
    }
    if (/[?#]/.test(text)) check.addIssue('must not have a query or a fragment')
    if (url.username !== '' || url.password !== '') check.addIssue('must not have a user or a password in it')
    return `${url.origin}${url.pathname.replace(/\/+$/, '')}`
  })
}

function publicUrlFault(url: URL): string | undefined {
  if (url.protocol === 'http:' && !isLoopback(url.hostname)) return 'must be https unless it is on this machine'
  // Error 21609: Twilio takes no callback URL whose host has an underscore.
  if (url.hostname.includes('_')) return 'must not have an underscore in its host: Twilio refuses it'
  return undefined
}

/** Handed to the types of `settings`. */
export const readers = { absoluteUrl, awayText, country, holidays, hours, publicUrl, reopen, teams, token }
