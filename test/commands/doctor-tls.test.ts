// The certificate of the public URL, against certificates that openssl makes here.
import { execFileSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { createServer, type Server } from 'node:https'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import { describe, expect, it, onTestFinished } from 'vitest'
import { judgeCertificate, readCertificate } from '../../src/commands/doctor/tls-check.js'
import { openDoctorWorld } from '../support/doctor-world.js'
import { tempFolder } from '../support/temp.js'

const dayMs = 86_400_000
const now = Date.parse('2026-11-24T10:00:00Z')

function hasOpenssl(): boolean {
  try {
    execFileSync('openssl', ['version'], { stdio: 'ignore' })
    return true
  } catch {
    return false
  }
}

const why = hasOpenssl() ? '' : ' (skipped: there is no openssl)'

async function startTls(days: number): Promise<string> {
  const folder = tempFolder()
  const [key, cert] = [join(folder, 'key.pem'), join(folder, 'cert.pem')]
  const made = [
    'req',
    '-x509',
    '-newkey',
    'ec',
    '-pkeyopt',
    'ec_paramgen_curve:prime256v1',
    '-nodes',
    '-subj',
    '/CN=localhost',
  ]
  execFileSync('openssl', [...made, '-days', String(days), '-keyout', key, '-out', cert], { stdio: 'ignore' })
  const server: Server = createServer({ key: readFileSync(key), cert: readFileSync(cert) }, (_, response) =>
    response.end(),
  )
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  onTestFinished(
    () =>
      new Promise<void>((resolve) => {
        server.close(() => resolve())
        server.closeAllConnections()
      }),
  )
  return `https://localhost:${(server.address() as AddressInfo).port}` // listening on TCP
}

describe.skipIf(!hasOpenssl())(`the certificate of the public URL${why}`, () => {
  it('is named when it is self-signed, however it got there', async () => {
    const url = await startTls(30)
    const stage = await openDoctorWorld()
    const { report } = await stage.examine('', { env: { SMS_BRIDGE_PUBLIC_URL: url } })
    const bad = report.checks.filter(({ who }) => who === 'web').map(({ id, what }) => `${id}: ${what}`)
    expect(bad).toEqual([`public-url: ${bad[0]?.replace('public-url: ', '')}`, 'tls: the certificate is self-signed'])
    expect(bad[0]).toContain('its certificate is not one that vendors accept')
  })

  it('is read with the day on which it ends', async () => {
    const { validTo, fault } = await readCertificate(await startTls(9), new AbortController().signal)
    expect(fault).toBe('DEPTH_ZERO_SELF_SIGNED_CERT')
    expect(Math.round((validTo - Date.now()) / dayMs)).toBe(9)
  })
})

describe('a certificate', () => {
  it.each([
    [30 * dayMs, undefined, 'ok', 'valid for sms.example.com, for 30 days, chain complete'],
    [13 * dayMs, undefined, 'warning', 'the certificate expires in 13 days'],
    [-dayMs, 'CERT_HAS_EXPIRED', 'failed', 'the certificate has expired'],
    [-dayMs, undefined, 'failed', 'the certificate has expired'],
    [30 * dayMs, 'ERR_TLS_CERT_ALTNAME_INVALID', 'failed', 'the certificate is not for sms.example.com'],
    [
      30 * dayMs,
      'UNABLE_TO_VERIFY_LEAF_SIGNATURE',
      'failed',
      'the chain is not complete: the intermediate certificate is missing',
    ],
    [30 * dayMs, 'SELF_SIGNED_CERT_IN_CHAIN', 'failed', 'the certificate is self-signed'],
    [30 * dayMs, 'CERT_REVOKED', 'failed', 'the certificate is not accepted (CERT_REVOKED)'],
  ])('that ends in %d ms with %s is %s', (leftMs, fault, state, what) => {
    expect(judgeCertificate('tls', 'sms.example.com', { validTo: now + leftMs, fault }, now)).toMatchObject({
      state,
      what,
    })
  })
})
