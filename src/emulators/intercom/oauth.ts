// POST /auth/eagle/token: a code from the browser becomes a token that does not expire.
import { type HttpAnswer, type HttpRequest, json } from '../http.js'
import { errorList } from './errors.js'
import type { IntercomTwinOptions } from './types.js'

export const tokenPath = '/auth/eagle/token'

export function exchangeCode({ method, headers, body }: HttpRequest, options: IntercomTwinOptions): HttpAnswer {
  const fields = readFields(headers['content-type'] ?? '', body.toString())
  const known =
    method === 'POST' &&
    options.oauth !== undefined &&
    fields.client_id === options.oauth.clientId &&
    fields.client_secret === options.clientSecret &&
    options.oauth.codes.includes(fields.code ?? '')
  if (!known) return json(401, errorList('oauth', 'unauthorized', 'Unauthorized Code'))
  const { accessToken } = options
  return json(200, { token_type: 'Bearer', token: accessToken, access_token: accessToken })
}

function readFields(contentType: string, text: string): Readonly<Record<string, string | undefined>> {
  if (contentType.includes('json')) {
    try {
      return JSON.parse(text) as Record<string, string> // the caller's own words; compared, never trusted
    } catch {
      return {}
    }
  }
  return Object.fromEntries(new URLSearchParams(text))
}
