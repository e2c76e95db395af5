// The page can text, reply and break things, and any website open in the same browser can send requests to loopback:
// so only the page itself, under a name of this machine, may talk to it.
import type { IncomingMessage } from 'node:http'

const loopbackHosts = ['127.0.0.1', 'localhost', '[::1]']

export const securityHeaders: Readonly<Record<string, string>> = {
  'content-security-policy':
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; " +
    "base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
  'cross-origin-opener-policy': 'same-origin',
  'cross-origin-resource-policy': 'same-origin',
  'referrer-policy': 'no-referrer',
  'x-content-type-options': 'nosniff',
  'cache-control': 'no-store',
}

export function isLoopback(host: string): boolean {
  return loopbackHosts.includes(host) || host === '::1'
}

/** Why a request is refused; undefined when it may pass. */
export function refusal({ method, headers }: IncomingMessage, port: number): string | undefined {
  const hosts = loopbackHosts.map((host) => `${host}:${port}`)
  // A name that someone rebound to 127.0.0.1 still comes as itself in Host.
  if (!hosts.includes(headers.host ?? '')) return 'This page answers only under the address of this machine.'
  const origins = hosts.map((host) => `http://${host}`)
  if (headers.origin !== undefined && !origins.includes(headers.origin)) return 'Requests of other sites are refused.'
  if (headers['sec-fetch-site'] === 'cross-site') return 'Requests of other sites are refused.'
  if (method !== 'POST') return undefined
  if (headers.origin === undefined) return 'A POST needs the Origin header of this page.'
  if (headers['content-type'] !== 'application/json') return 'A POST needs the content type application/json.'
  return undefined
}
