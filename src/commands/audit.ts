import type { Context } from '../cli/context.js'
import { type ExitCode, exitCodes } from '../cli/exit-codes.js'
import type { AuditEntry } from '../store/desk.js'
import { type Moment, timeOf } from './moment.js'
import { dateTime } from './times.js'

export interface AuditOptions {
  readonly since: Moment | undefined
  readonly limit: number
  readonly json: boolean
}

/** Who did what by command, the newest first. */
export async function audit(context: Context, { since, limit, json }: AuditOptions): Promise<ExitCode> {
  const { io, clock } = context
  const store = await context.store()
  try {
    const from = since === undefined ? {} : { since: timeOf(since, clock.now()) }
    const found = await store.listAudit({ ...from, limit: limit + 1 })
    const entries = found.slice(0, limit)
    if (json) io.out(JSON.stringify({ schema_version: 1, entries }, null, 2))
    else if (entries.length === 0) io.out('Nothing was done by command yet.')
    else io.out(await io.table(['WHEN', 'WHO', 'WHAT', 'DETAIL'], entries.map(toRow)))
    if (found.length > limit) io.err(`There are more: type --limit ${limit * 2}`)
    return entries.length === 0 && since !== undefined ? exitCodes.nothingMatched : exitCodes.ok
  } finally {
    await store.close()
  }
}

function toRow({ at, actor, action, detail }: AuditEntry): string[] {
  const parts = Object.entries(detail).flatMap(([name, value]) =>
    isNothing(value) ? [] : [`${name} ${inWords(value)}`],
  )
  return [dateTime(at), actor, action, parts.join(' · ')]
}

const isNothing = (value: unknown) =>
  value === false || value === 0 || (typeof value === 'object' && value !== null && Object.keys(value).length === 0)

const mostShown = 5

function inWords(value: unknown): string {
  if (Array.isArray(value)) {
    const more = value.length > mostShown ? [`${value.length - mostShown} more`] : []
    return [...value.slice(0, mostShown), ...more].join(', ')
  }
  if (typeof value !== 'object' || value === null) return String(value)
  return Object.entries(value)
    .map(([name, one]) => `${name} ${inWords(one)}`)
    .join(', ')
}
