// The certificate of the public URL, as vendors see it.

import { isIP } from 'node:net'
import { connect } from 'node:tls'
import { type Finding, failed, ok, skipped, type Trouble, warning } from './finding.js'
import type { Stage } from './stage.js'
import { isLoopback } from './url-checks.js'

export interface Certificate {
  /** Epoch ms. */
  readonly validTo: number
  /** Node's code for what is wrong with it; undefined when nothing is. */
  readonly fault: string | undefined
}

/** Renewed by Let’s Encrypt a month before: two weeks before the end something is broken. */
const soonMs = 14 * 86_400_000

export async function checkTls(stage: Stage, signal: AbortSignal): Promise<readonly Finding[]> {
  const id = 'tls'
  const url = await stage.need('publicUrl')
  if (url.startsWith('http:')) {
    return [skipped(id, `${url} is plain http${isLoopback(url) ? ' on this machine' : ''}: there is no certificate`)]
  }
  let certificate: Certificate
  try {
    certificate = await readCertificate(url, signal)
  } catch {
    return [skipped(id, 'no TLS connection: see public-url')]
  }
  return [judgeCertificate(id, new URL(url).hostname, certificate, stage.now)]
}

/** Rejects when there is no TLS at all. A certificate that is wrong is told of. */
export function readCertificate(url: string, signal: AbortSignal): Promise<Certificate> {
  const { hostname, port } = new URL(url)
  const host = hostname.replace(/^\[|\]$/g, '')
  return new Promise((resolve, reject) => {
    const socket = connect({
      host,
      port: port === '' ? 443 : Number(port),
      ...(isIP(host) === 0 && { servername: host }),
      rejectUnauthorized: false,
    })
    const stop = () => socket.destroy(new Error('stopped'))
    signal.addEventListener('abort', stop, { once: true })
    socket.once('close', () => signal.removeEventListener('abort', stop))
    socket.once('error', reject)
    socket.once('secureConnect', () => {
      const { valid_to: end } = socket.getPeerCertificate()
      // Typed as an Error, and in fact its code.
      const fault = socket.authorized ? undefined : String(socket.authorizationError)
      resolve({ validTo: Date.parse(end), fault })
      socket.end()
    })
  })
}

export function judgeCertificate(id: string, host: string, { validTo, fault }: Certificate, now: number): Finding {
  const why = 'Twilio and Intercom refuse it: no webhook arrives'
  const told = (what: string, fix: string): Trouble => ({ what, why, fix, who: 'web' })
  const renew = 'renew it: the web server or its ACME client should have'
  const days = Math.floor((validTo - now) / 86_400_000)
  if (fault !== undefined && /EXPIRED/.test(fault)) return failed(id, told('the certificate has expired', renew))
  if (validTo <= now) return failed(id, told('the certificate has expired', renew))
  if (fault === 'ERR_TLS_CERT_ALTNAME_INVALID')
    return failed(id, told(`the certificate is not for ${host}`, `get one for ${host}`))
  if (fault === 'UNABLE_TO_VERIFY_LEAF_SIGNATURE' || fault === 'UNABLE_TO_GET_ISSUER_CERT_LOCALLY')
    return failed(
      id,
      told(
        'the chain is not complete: the intermediate certificate is missing',
        'let the web server send the full chain',
      ),
    )
  if (fault !== undefined && /SELF_SIGNED/.test(fault))
    return failed(id, told('the certificate is self-signed', 'get one from a public authority such as Let’s Encrypt'))
  if (fault !== undefined) return failed(id, told(`the certificate is not accepted (${fault})`, 'get a valid one'))
  if (validTo - now < soonMs) {
    return warning(id, {
      ...told(`the certificate expires in ${days} days`, renew),
      why: 'from then on no webhook arrives',
    })
  }
  return ok(id, `valid for ${host}, for ${days} days, chain complete`)
}
