// Accounts/{AC}/Messages/{MM}/Media: behind Basic auth here, and at a CDN of another origin that takes none.
import { type HttpAnswer, type HttpRequest, json } from '../http.js'
import { listPage, type Route, rfc2822 } from './api.js'
import { twilioError } from './errors.js'
import { type Entry, findEntry, type State, type StoredMedia } from './state.js'

export function mediaRoutes(state: State): Route[] {
  const base = '^/2010-04-01/Accounts/\\w+/Messages/(\\w+)/Media'
  const withMedia = (handle: (media: StoredMedia, entry: Entry) => HttpAnswer): Route['handle'] => {
    return (_, [messageSid = '', sid = '']) => {
      const entry = findEntry(state, messageSid)
      const media = entry?.media.find((one) => one.sid === sid)
      return entry === undefined || media === undefined ? twilioError(20404) : handle(media, entry)
    }
  }
  return [
    {
      method: 'GET',
      path: new RegExp(`${base}\\.json$`),
      handle(request, [messageSid = '']) {
        const entry = findEntry(state, messageSid)
        if (entry === undefined) return twilioError(20404)
        return listPage(request, 'media_list', entry.media, (media) => render(state, entry, media))
      },
    },
    {
      method: 'GET',
      path: new RegExp(`${base}/(\\w+)\\.json$`),
      handle: withMedia((media, entry) => json(200, render(state, entry, media))),
    },
    {
      method: 'GET',
      path: new RegExp(`${base}/(\\w+)$`),
      handle: withMedia((media) => ({
        status: 307,
        headers: { location: `${state.cdnOrigin}/${state.accountSid}/${media.token}` },
      })),
    },
    {
      method: 'DELETE',
      path: new RegExp(`${base}/(\\w+)(?:\\.json)?$`),
      handle: withMedia((media, entry) => {
        entry.media.splice(entry.media.indexOf(media), 1)
        return { status: 204 }
      }),
    },
  ]
}

/** The CDN knows a medium by its secret address alone, and refuses a request that brings credentials as S3 does. */
export function serveCdn(state: State, { path, headers, method }: HttpRequest): HttpAnswer {
  if (headers.authorization !== undefined) {
    return {
      status: 400,
      headers: { 'content-type': 'application/xml' },
      body: '<Error><Code>InvalidArgument</Code><Message>Only one auth mechanism allowed</Message></Error>',
    }
  }
  const media = state.entries
    .flatMap((entry) => (entry.deleted ? [] : entry.media))
    .find(({ token }) => path === `/${state.accountSid}/${token}`)
  if (media === undefined || (method !== 'GET' && method !== 'HEAD')) return { status: 404 }
  return { status: 200, headers: { 'content-type': media.contentType }, body: media.data }
}

function render(state: State, { message }: Entry, { sid, contentType, createdAt }: StoredMedia): unknown {
  return {
    account_sid: state.accountSid,
    content_type: contentType,
    date_created: rfc2822(createdAt),
    date_updated: rfc2822(createdAt),
    parent_sid: message.sid,
    sid,
    uri: `/2010-04-01/Accounts/${state.accountSid}/Messages/${message.sid}/Media/${sid}.json`,
  }
}
