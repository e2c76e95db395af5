// One authenticated API call, and how the routes read it.
import { invalid, missing } from './errors.js'
import { isRecord } from './search.js'
import type { World } from './state.js'

export interface Call {
  readonly world: World
  /** The API version in force for this call. */
  readonly version: string
  readonly params: Readonly<Record<string, string>>
  readonly query: URLSearchParams
  readonly body: Readonly<Record<string, unknown>>
}

/** Answers with the JSON of a 200, or throws an ApiError. */
export type Handler = (call: Call) => unknown

export interface Route {
  readonly method: string
  /** `/contacts/{id}/tags`; earlier routes win over later ones. */
  readonly pattern: string
  readonly handler: Handler
}

export function route(method: string, pattern: string, handler: Handler): Route {
  return { method, pattern, handler }
}

export function parseBody(raw: Buffer): Readonly<Record<string, unknown>> {
  if (raw.byteLength === 0) return {}
  try {
    const body: unknown = JSON.parse(raw.toString())
    if (isRecord(body)) return body
  } catch {
    // Said below.
  }
  throw invalid('The body is not a JSON object')
}

export function param(call: Call, name: string): string {
  return call.params[name] ?? ''
}

/** A string field: undefined when absent, null when null. Numbers are taken too: the page's own examples mix them. */
export function field(body: Readonly<Record<string, unknown>>, name: string): string | null | undefined {
  const value = body[name]
  if (value === undefined || value === null) return value
  if (typeof value === 'string') return value
  if (typeof value === 'number') return String(value)
  throw invalid(`${name} is invalid`)
}

export function required(body: Readonly<Record<string, unknown>>, name: string): string {
  const value = field(body, name)
  if (value === undefined || value === null || value === '') throw missing(name)
  return value
}

/** A Unix time in seconds, as epoch ms. */
export function time(body: Readonly<Record<string, unknown>>, name: string): number | undefined {
  const value = field(body, name)
  if (value === undefined || value === null) return undefined
  const seconds = Number(value)
  if (!Number.isInteger(seconds) || seconds < 0) throw invalid(`${name} is invalid`)
  return seconds * 1000
}
