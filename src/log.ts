import { pino } from 'pino'
import { type Clock, systemClock } from './clock.js'

export type LogFields = Readonly<Record<string, unknown>>

/** Log lines: an event such as `delivery.attempted` and its facts. Callers never pass bodies or secrets. */
export interface Log {
  info(event: string, fields?: LogFields): void
  warn(event: string, fields?: LogFields): void
  error(event: string, fields?: LogFields): void
}

type Level = keyof Log

export interface LogOptions {
  readonly format: 'json' | 'pretty'
  /** The least that is written. */
  readonly level?: Level
  /** Takes whole lines, with their line break. */
  readonly write: (line: string) => void
  readonly clock?: Clock
}

export function createLog({ format, level = 'info', write, clock = systemClock }: LogOptions): Log {
  const log = pino(
    {
      level,
      base: null,
      messageKey: 'event',
      formatters: { level: (label) => ({ level: label }) },
      timestamp: () => `,"time":"${new Date(clock.now()).toISOString()}"`,
    },
    { write: format === 'json' ? write : (line: string) => write(inWords(JSON.parse(line))) },
  )
  const line =
    (at: Level) =>
    (event: string, fields: LogFields = {}) =>
      log[at](guarded(fields), event)
  return { info: line('info'), warn: line('warn'), error: line('error') }
}

const forbidden = /^body$|authorization|secret|token|password/i

/** The last guard: what looks like a body or a secret is dropped, however deep. */
function guarded(value: unknown): unknown {
  if (value instanceof Error) return value.message
  if (Array.isArray(value)) return value.map(guarded)
  if (typeof value !== 'object' || value === null) return value
  return Object.fromEntries(
    Object.entries(value)
      .filter(([name]) => !forbidden.test(name))
      .map(([name, inner]) => [name, guarded(inner)]),
  )
}

function inWords({ level, time, event, ...fields }: Record<string, unknown>): string {
  const facts = Object.entries(fields).map(([name, value]) => `${name}=${inWord(value)}`)
  const words = [String(time).slice(11, 19), ...(level === 'info' ? [] : [`${level}:`]), inWord(event), ...facts]
  return `${words.join(' ')}\n`
}

function inWord(value: unknown): string {
  return typeof value === 'string' && /^[!-~…]+$/.test(value) && !/["=]/.test(value) ? value : JSON.stringify(value)
}
