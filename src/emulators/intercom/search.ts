// The query language of POST /contacts/search and /conversations/search.
import { ApiError, invalid } from './errors.js'
import type { Document } from './search-index.js'

export type FieldType = 'string' | 'integer' | 'boolean' | 'date' | 'day' | 'words' | 'tag' | 'any'

/** Tells the type of a field, or undefined when nothing can be searched by it. */
export type FieldTypes = (field: string) => FieldType | undefined

type Predicate = (document: Document) => boolean

const anyOperators = ['=', '!=', 'IN', 'NIN']
const operators: Readonly<Record<FieldType, readonly string[]>> = {
  string: [...anyOperators, '~', '!~', '^', '$'],
  words: [...anyOperators, '~', '!~', '^', '$'],
  integer: [...anyOperators, '>', '<', '>=', '<='],
  boolean: anyOperators,
  date: [...anyOperators, '>', '<'],
  // Contacts: days only, in the workspace's time zone (UTC here), and only these three.
  day: ['=', '>', '<'],
  tag: ['=', '!='],
  // Attributes whose type was never told.
  any: [...anyOperators, '~', '!~', '^', '$', '>', '<', '>=', '<='],
}

const maxDepth = 2
const maxFilters = 15
const daySeconds = 86_400

/** Reads a query; what cannot be answered throws the 400 Intercom gives. */
export function parseQuery(query: unknown, fields: FieldTypes, depth = 0): Predicate {
  if (!isRecord(query)) throw invalid('query is invalid')
  const { operator, value } = query
  if (operator === 'AND' || operator === 'OR') {
    if (!Array.isArray(value)) throw invalid(`${operator} takes a list of filters`)
    if (depth >= maxDepth) throw invalid('Search queries can be nested 2 levels deep at most')
    if (value.length > maxFilters) throw invalid(`A group takes ${maxFilters} filters at most`)
    const parts = value.map((part) => parseQuery(part, fields, depth + 1))
    return operator === 'AND'
      ? (document) => parts.every((part) => part(document))
      : (document) => parts.some((part) => part(document))
  }
  return parseFilter(query, fields)
}

function parseFilter(query: Record<string, unknown>, fields: FieldTypes): Predicate {
  const { field, operator, value } = query
  if (typeof field !== 'string' || typeof operator !== 'string') throw invalid('A filter needs field, operator, value')
  const type = fields(field)
  if (type === undefined) throw invalid(`${field} is not a searchable field`)
  if (!operators[type].includes(operator)) throw invalid(`${operator} is not supported on ${field}`)
  const list = operator === 'IN' || operator === 'NIN'
  if (list && !Array.isArray(value)) throw invalid(`${operator} takes a list of values`)
  const wanted = (Array.isArray(value) ? value : [value]).map((one) => convert(type, field, one))
  const test = comparison(operator, type, wanted)
  return (document) => {
    const found = lookUp(document, field)
    // Several values in one field (tags, contacts, words): one of them is enough.
    if (Array.isArray(found)) return test(found)
    return test(type === 'words' ? words(found) : [found])
  }
}

type Comparison = (actual: readonly unknown[]) => boolean

function comparison(operator: string, type: FieldType, wanted: readonly unknown[]): Comparison {
  const same = new Set(wanted.map((one) => normal(type, one)))
  const first = wanted[0]
  const written = String(first).toLowerCase()
  const text =
    (test: (one: string) => boolean): Comparison =>
    (actual) =>
      actual.some((one) => typeof one === 'string' && test(one.toLowerCase()))
  const number =
    (test: (one: number, other: number) => boolean): Comparison =>
    (actual) =>
      actual.some((one) => typeof one === 'number' && typeof first === 'number' && test(one, first))
  const not =
    (test: Comparison): Comparison =>
    (actual) =>
      !test(actual)
  const equal: Comparison = (actual) => actual.some((one) => same.has(normal(type, one)))
  switch (operator) {
    case '=':
    case 'IN':
      return equal
    case '!=':
    case 'NIN':
      return not(equal)
    case '~':
      return text((one) => one.includes(written))
    case '!~':
      return not(text((one) => one.includes(written)))
    case '^':
      return text((one) => one.startsWith(written))
    case '$':
      return text((one) => one.endsWith(written))
    case '>':
      if (type === 'day') return number((one, other) => day(one) > day(other))
      // "Greater (or equal) than", says the page on conversations.
      return number((one, other) => (type === 'date' ? one >= other : one > other))
    case '<':
      if (type === 'day') return number((one, other) => day(one) < day(other))
      return number((one, other) => (type === 'date' ? one <= other : one < other))
    case '>=':
      return number((one, other) => one >= other)
    default:
      return number((one, other) => one <= other)
  }
}

const day = (seconds: number) => Math.floor(seconds / daySeconds)

function normal(type: FieldType, value: unknown): unknown {
  if (type === 'day' && typeof value === 'number') return day(value)
  if (type === 'any' && value !== null && value !== undefined) return String(value)
  if (type === 'words' && typeof value === 'string') return value.toLowerCase()
  return value ?? null
}

function words(value: unknown): readonly string[] {
  return typeof value === 'string' ? (value.replace(/<[^>]*>/g, ' ').match(/[\p{L}\p{N}]+/gu) ?? []) : []
}

/** "The value you search for has to match the accepted type, otherwise the query will fail." */
function convert(type: FieldType, field: string, value: unknown): unknown {
  if (value === null || value === undefined) return null
  if (type === 'integer' || type === 'date' || type === 'day') {
    const number = typeof value === 'string' && value !== '' ? Number(value) : value
    if (typeof number !== 'number' || !Number.isFinite(number)) throw invalid(`${field} takes a number`)
    return number
  }
  if (type === 'boolean') {
    if (value === true || value === 'true') return true
    if (value === false || value === 'false') return false
    throw invalid(`${field} takes true or false`)
  }
  return type === 'any' || typeof value === 'string' ? value : String(value)
}

function lookUp(document: Document, field: string): unknown {
  if (field in document) return document[field]
  return field.split('.').reduce<unknown>((inside, name) => (isRecord(inside) ? inside[name] : undefined), document)
}

export interface Found {
  readonly ids: readonly string[]
  readonly total: number
  readonly pages: Readonly<Record<string, unknown>>
}

export interface Paging {
  readonly defaultPerPage: number
  readonly sort?: unknown
  readonly perPage?: unknown
  readonly startingAfter?: unknown
}

/** One page of the entries. The cursor holds the place of the last entry seen, so that nothing is seen twice. */
export function paginate(entries: readonly (readonly [string, Document])[], paging: Paging): Found {
  const { field, descending } = parseSort(paging.sort)
  const place = ([id, document]: readonly [string, Document]): Place => [
    field === undefined ? null : (lookUp(document, field) ?? null),
    id,
  ]
  const compare = (a: Place, b: Place) => {
    const order = ascending(a[0], b[0]) || ascending(a[1], b[1])
    return descending ? -order : order
  }
  const sorted = entries.map(place).sort(compare)
  const from = parseCursor(paging.startingAfter)
  const next = from === undefined ? 0 : sorted.findIndex((one) => compare(one, from) > 0)
  const start = next === -1 ? sorted.length : next
  const perPage = Math.min(Math.max(Number(paging.perPage ?? paging.defaultPerPage) || paging.defaultPerPage, 1), 150)
  const page = sorted.slice(start, start + perPage)
  const last = page.at(-1)
  const more = start + perPage < sorted.length && last !== undefined
  return {
    ids: page.map(([, id]) => id),
    total: sorted.length,
    pages: {
      type: 'pages',
      page: Math.floor(start / perPage) + 1,
      per_page: perPage,
      total_pages: Math.ceil(sorted.length / perPage),
      ...(more ? { next: { per_page: perPage, starting_after: cursor(last) } } : {}),
    },
  }
}

type Place = readonly [key: unknown, id: string]

const cursor = (place: Place) => Buffer.from(JSON.stringify(place)).toString('base64')

function parseCursor(startingAfter: unknown): Place | undefined {
  if (startingAfter === undefined || startingAfter === null) return undefined
  try {
    const place: unknown = JSON.parse(Buffer.from(String(startingAfter), 'base64').toString())
    if (Array.isArray(place) && typeof place[1] === 'string') return [place[0], place[1]]
  } catch {
    // Not one of ours: said below.
  }
  throw invalid('starting_after is invalid')
}

function parseSort(sort: unknown): { field: string | undefined; descending: boolean } {
  if (!isRecord(sort)) return { field: undefined, descending: false }
  const { field, order = 'descending' } = sort
  if (order !== 'ascending' && order !== 'descending') {
    throw new ApiError(400, 'invalid_sort_order', 'sort.order must be ascending or descending')
  }
  return { field: typeof field === 'string' ? field : undefined, descending: order === 'descending' }
}

function ascending(a: unknown, b: unknown): number {
  if (a === b) return 0
  if (a === null || a === undefined) return -1
  if (b === null || b === undefined) return 1
  return a < b ? -1 : 1
}

export function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}
