// What stands between the public URL and the bridge, named by what it does wrong.
import { randomBytes } from 'node:crypto'
import { describe, expect, it, onTestFinished } from 'vitest'
import { systemClock } from '../../src/clock.js'
import { proveSignature, proveUrl } from '../../src/commands/setup/self-test.js'
import { callUnder, findWorkspace } from '../../src/commands/setup/vendors.js'
import { startIntercomTwin } from '../../src/emulators/intercom/server.js'
import { openTestBridge } from '../support/temp.js'
import type { TestBridge } from '../support/test-bridge.js'
import { type SeenRequest, startVendorServer } from '../support/vendor-server.js'

const parts = { signal: new AbortController().signal, deadlineMs: 3000 }

/** A proxy before the bridge, which does to each request what it is told. */
async function proxyTo(world: () => TestBridge, change: (request: SeenRequest) => Partial<SeenRequest>) {
  const proxy = await startVendorServer(async (response, request) => {
    const { method, url, headers, body } = { ...request, ...change(request) }
    const passed = await fetch(`${world().bridge().url}${url}`, {
      method,
      headers: {
        'content-type': String(headers['content-type']),
        'x-twilio-signature': String(headers['x-twilio-signature']),
      },
      ...(method === 'POST' && { body }),
    })
    response.writeHead(passed.status, { 'content-type': passed.headers.get('content-type') ?? 'text/plain' })
    response.end(await passed.text())
  })
  onTestFinished(() => proxy.stop())
  return proxy
}

async function behindProxy(change: (request: SeenRequest) => Partial<SeenRequest>) {
  let world: TestBridge | undefined
  const bridge = () => {
    if (world === undefined) throw new Error('not started')
    return world
  }
  const proxy = await proxyTo(bridge, change)
  world = await openTestBridge({ config: { publicUrl: proxy.url } })
  const { accountSid, authTokens } = world.config.twilio
  return { publicUrl: proxy.url, accountSid, authTokens, clientSecret: 'fake-client-secret' }
}

async function lastOf(checks: ReturnType<typeof proveUrl>) {
  return (await checks).at(-1)
}

describe('the public URL', () => {
  it('is proven when the proxy passes everything on', async () => {
    const checks = await proveUrl(await behindProxy(() => ({})), parts)
    expect(checks.map(({ id, ok }) => [id, ok])).toEqual([
      ['reachable', true],
      ['ours', true],
      ['signature', true],
    ])
  })

  it.each([
    ['drops the query', ({ url }: SeenRequest) => (url.startsWith('/healthz') ? {} : { url: url.split('?')[0] ?? '' })],
    ['writes the body anew', ({ body }: SeenRequest) => ({ body: body.replaceAll('+', '').replace('&Empty=', '') })],
  ])('is refused when the proxy %s', async (_name, change) => {
    const check = await lastOf(proveUrl(await behindProxy(change), parts))
    expect(check).toMatchObject({ id: 'signature', ok: false })
    expect(check?.detail).toContain('The proxy must pass path, query and body on unchanged')
  })

  it('stores nothing of the self-test', async () => {
    const world = await openTestBridge()
    const { accountSid, authTokens } = world.config.twilio
    expect((await proveSignature({ publicUrl: world.config.publicUrl, accountSid, authTokens }, parts)).ok).toBe(true)
    expect(await world.store().findReceiptByRef('self-test')).toBeUndefined()
  })

  it('is not proven by a bridge with another auth token, or another client secret', async () => {
    const world = await openTestBridge()
    const { publicUrl, twilio } = world.config
    const { accountSid, authTokens } = twilio
    const clientSecret = 'fake-client-secret'
    const otherToken = await lastOf(proveUrl({ publicUrl, accountSid, clientSecret, authTokens: ['other'] }, parts))
    expect(otherToken?.detail).toContain('another TWILIO_AUTH_TOKEN')
    const otherSecret = await lastOf(proveUrl({ publicUrl, accountSid, authTokens, clientSecret: 'other' }, parts))
    expect(otherSecret).toMatchObject({ id: 'ours', ok: false })
    expect(otherSecret?.detail).toContain('with another Intercom client secret')
  })

  it.each([
    ['a redirect', 301, { location: 'https://www.example.com/' }, 'redirects to https://www.example.com/'],
    ['a path that is not passed on', 404, {}, 'the proxy does not pass this path on'],
    ['a proxy without a bridge', 502, {}, 'the proxy is there, the bridge behind it is not'],
    ['another program', 200, {}, 'is answered by something else than sms-bridge'],
  ])('names %s', async (_name, status, headers, words) => {
    const server = await startVendorServer((response) => void response.writeHead(status, headers).end('<html>'))
    onTestFinished(() => server.stop())
    const door = { publicUrl: server.url, accountSid: 'AC', authTokens: ['t'], clientSecret: 's' }
    expect((await lastOf(proveUrl(door, parts)))?.detail).toContain(words)
  })

  it('names a port where nothing listens', async () => {
    const door = { publicUrl: 'http://127.0.0.1:1', accountSid: 'AC', authTokens: ['t'], clientSecret: 's' }
    const check = await lastOf(proveUrl(door, parts))
    expect(check?.ok).toBe(false)
    expect(check?.detail).toMatch(/cannot be reached/)
  })
})

describe('the nonce', () => {
  it('is answered only in bounds, and the answer is told apart from any webhook’s signature', async () => {
    const world = await openTestBridge()
    const ask = async (query: string) => (await fetch(`${world.bridge().url}/healthz${query}`)).json()
    const nonce = randomBytes(16).toString('hex')
    expect(await ask(`?nonce=${nonce}`)).toEqual({ status: 'alive', proof: expect.stringMatching(/^[0-9a-f]{64}$/) })
    for (const bad of [
      '',
      '?nonce=',
      '?nonce=short',
      `?nonce=${'a'.repeat(65)}`,
      '?nonce=%00%00%00%00%00%00%00%00%00',
    ]) {
      expect(await ask(bad)).toEqual({ status: 'alive' })
    }
  })
})

describe('the region of a workspace', () => {
  it('is found by asking every region that refuses the token, and believed from where it answers', async () => {
    const at = async (accessToken: string, region: 'US' | 'EU' | 'AU') => {
      const twin = await startIntercomTwin({ accessToken, clientSecret: 's', region })
      onTestFinished(() => twin.stop())
      return twin.url
    }
    const hosts = { us: await at('other', 'US'), eu: await at('mine', 'EU'), au: await at('other', 'AU') }
    const tools = { clock: systemClock, call: callUnder(parts.signal) }
    expect(await findWorkspace({ accessToken: 'mine', region: 'au', hosts }, tools)).toMatchObject({
      region: 'eu',
      baseUrl: hosts.eu,
      name: 'Sandbox',
    })
    expect(await findWorkspace({ accessToken: 'nobodys', region: 'us', hosts }, tools)).toBeUndefined()
  })
})
