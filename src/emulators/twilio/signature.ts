import { createHmac } from 'node:crypto'

/** The URL Twilio requests and signs: as configured, byte for byte, without fragment and userinfo. */
export function requestedUrl(configured: string): string {
  const hash = configured.indexOf('#')
  const url = hash === -1 ? configured : configured.slice(0, hash)
  return url.replace(/^(https?:\/\/)[^/?#@]*@/i, '$1')
}

/** X-Twilio-Signature: HMAC-SHA1 over the URL and, for form POSTs, every name and value sorted by name. */
export function signatureOf(authToken: string, url: string, params: readonly (readonly [string, string])[]): string {
  const sorted = [...params].sort(([a], [b]) => (a < b ? -1 : a > b ? 1 : 0))
  const signed = url + sorted.map(([name, value]) => name + value).join('')
  return createHmac('sha1', authToken).update(signed, 'utf8').digest('base64')
}
