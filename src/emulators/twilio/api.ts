// What the resources of the API share: routes, forms, dates and pages.
import { type HttpAnswer, type HttpRequest, json } from '../http.js'
import type { State } from './state.js'

export interface Route {
  readonly method: 'GET' | 'POST' | 'DELETE'
  /** The whole path; its groups are handed to `handle`. */
  readonly path: RegExp
  handle(request: HttpRequest, ids: readonly string[]): HttpAnswer
}

/** A form body's parameters; none for any other type, so a JSON body reads as a form that names nothing. */
export function readForm({ headers, body }: HttpRequest): URLSearchParams {
  const isForm = headers['content-type']?.startsWith('application/x-www-form-urlencoded') ?? false
  return new URLSearchParams(isForm ? body.toString('utf8') : '')
}

/** `Thu, 24 Aug 2023 05:01:45 +0000`, in whole seconds. */
export function rfc2822(ms: number): string {
  return new Date(ms).toUTCString().replace('GMT', '+0000')
}

/** `2015-07-30T20:12:31Z`, as the v1 products write dates. */
export function iso8601(ms: number): string {
  return `${new Date(ms).toISOString().slice(0, 19)}Z`
}

interface Cut<T> {
  readonly items: readonly T[]
  readonly page: number
  readonly size: number
  readonly start: number
  /** Queries of this page, the first, the one before and the one after. */
  readonly queries: { readonly here: string; readonly first: string; readonly before?: string; readonly after?: string }
}

/**
 * Cuts a page out of `all`. The token, not the page's number, says where it starts, so that rows arriving meanwhile
 * shift nothing: `PA` + SID, after that row; `PB` + SID, before it.
 */
function cutPage<T extends { readonly sid: string }>(
  all: readonly T[],
  query: URLSearchParams,
  byDefault: number,
): Cut<T> {
  const size = Math.min(1000, Math.max(1, Number(query.get('PageSize') ?? byDefault) || byDefault))
  const page = Math.max(0, Number(query.get('Page') ?? 0) || 0)
  const token = query.get('PageToken') ?? ''
  const at = all.findIndex(({ sid }) => sid === token.slice(2))
  const start = at === -1 ? page * size : token.startsWith('PB') ? Math.max(0, at - size) : at + 1
  const items = all.slice(start, start + size)
  const last = items.at(-1)
  const first = items[0]
  const written = (number: number, mark?: string) => {
    const filters = new URLSearchParams(query)
    for (const name of ['PageSize', 'Page', 'PageToken']) filters.delete(name)
    filters.append('PageSize', String(size))
    filters.append('Page', String(number))
    if (mark !== undefined) filters.append('PageToken', mark)
    return filters.toString()
  }
  return {
    items,
    page,
    size,
    start,
    queries: {
      here: written(page, token === '' ? undefined : token),
      first: written(0),
      ...(page > 0 && first !== undefined ? { before: written(page - 1, `PB${first.sid}`) } : {}),
      ...(last !== undefined && start + size < all.length ? { after: written(page + 1, `PA${last.sid}`) } : {}),
    },
  }
}

/** A page of the 2010 API: 50 rows unless asked otherwise, its URIs relative to the origin. */
export function listPage<T extends { readonly sid: string }>(
  request: HttpRequest,
  key: string,
  all: readonly T[],
  render: (row: T) => unknown,
): HttpAnswer {
  const { items, page, size, start, queries } = cutPage(all, request.query, 50)
  const uri = (query: string) => `${request.path}?${query}`
  return json(200, {
    [key]: items.map(render),
    page,
    page_size: size,
    start,
    end: Math.max(start, start + items.length - 1),
    uri: uri(queries.here),
    first_page_uri: uri(queries.first),
    next_page_uri: queries.after === undefined ? null : uri(queries.after),
    previous_page_uri: queries.before === undefined ? null : uri(queries.before),
  })
}

/** A page of a v1 product: 20 rows unless asked otherwise, absolute URLs in `meta`. */
export function listPageV1<T extends { readonly sid: string }>(
  state: State,
  request: HttpRequest,
  key: string,
  all: readonly T[],
  render: (row: T) => unknown,
): HttpAnswer {
  const { items, page, size, queries } = cutPage(all, request.query, 20)
  const url = (query: string) => `${state.origin}${request.path}?${query}`
  return json(200, {
    meta: {
      page,
      page_size: size,
      first_page_url: url(queries.first),
      previous_page_url: queries.before === undefined ? null : url(queries.before),
      next_page_url: queries.after === undefined ? null : url(queries.after),
      key,
      url: url(queries.here),
    },
    [key]: items.map(render),
  })
}
