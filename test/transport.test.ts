import type { ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { createServer } from 'node:net'
import { afterEach, describe, expect, it } from 'vitest'
import { classify } from '../src/classify.js'
import { systemClock } from '../src/clock.js'
import { DeliveryError } from '../src/errors.js'
import { type CallReport, createTransport, type VendorRequest } from '../src/transport.js'
import { liveCall, openLimiter, sendJson, startVendorServer, type VendorServer } from './support/vendor-server.js'

let server: VendorServer | undefined
afterEach(async () => {
  await server?.stop()
  server = undefined
})

const readError: VendorRequest['readError'] = (_status, _headers, json) => {
  const { code, message } = (json ?? {}) as { code?: number; message?: string } // the servers below answer nothing else
  return code === undefined ? undefined : { code: String(code), ...(message === undefined ? {} : { message }) }
}

async function setUp(answer: (response: ServerResponse) => void) {
  server = await startVendorServer(answer)
  const { limiter, log } = openLimiter()
  const reports: CallReport[] = []
  const transport = createTransport({
    clock: systemClock,
    limiter,
    deadlineMs: 5000,
    onCall: (report) => void reports.push(report),
  })
  const url = `${server.url}/Accounts/AC00000000000000000000000000000001/Messages.json?To=%2B15550100177`
  const creation: VendorRequest = {
    shore: 'twilio',
    method: 'POST',
    url,
    headers: { Authorization: 'Basic fake-secret' },
    body: 'Body=Private%20words%20here&To=%2B15550100177',
    creates: true,
    readError,
  }
  const reading: VendorRequest = { shore: 'twilio', method: 'GET', url, headers: {}, creates: false, readError }
  return { server, transport, limiter: log, reports, creation, reading }
}

async function failure(promise: Promise<unknown>): Promise<DeliveryError> {
  const error: unknown = await promise.then(
    () => undefined,
    (thrown: unknown) => thrown,
  )
  if (error instanceof DeliveryError) return error
  throw new Error('expected a DeliveryError', { cause: error })
}

function factsOf(error: DeliveryError) {
  const { outcome, code, status, retryAfterMs, pausesShore, deferred } = error
  const facts = {
    outcome,
    code,
    status,
    retryAfterMs,
    pausesShore: pausesShore || undefined,
    deferred: deferred || undefined,
  }
  return Object.fromEntries(Object.entries(facts).filter(([, value]) => value !== undefined))
}

const vendorWords = { code: 21610, message: 'Attempt to send to unsubscribed recipient' }

describe('what a failed call proves', () => {
  const cases: readonly [string, (response: ServerResponse) => void, creating: object, reading: object][] = [
    [
      "a 4xx with the vendor's own body is certain",
      (response) => sendJson(response, 400, vendorWords),
      { outcome: 'permanent', code: '21610', status: 400 },
      { outcome: 'permanent', code: '21610', status: 400 },
    ],
    [
      'a 4xx of a gateway is not the vendor speaking: try again',
      (response) => void response.writeHead(404, { 'content-type': 'text/html' }).end('<h1>Not Found</h1>'),
      { outcome: 'transient', status: 404 },
      { outcome: 'transient', status: 404 },
    ],
    [
      'a 401 pauses the shore and spends nothing',
      (response) => sendJson(response, 401, { code: 20003 }),
      { outcome: 'transient', code: '20003', status: 401, pausesShore: true, deferred: true },
      { outcome: 'transient', code: '20003', status: 401, pausesShore: true, deferred: true },
    ],
    [
      'a 403 pauses the shore and spends nothing',
      (response) => void response.writeHead(403).end(),
      { outcome: 'transient', status: 403, pausesShore: true, deferred: true },
      { outcome: 'transient', status: 403, pausesShore: true, deferred: true },
    ],
    [
      'a 408 may have been acted upon',
      (response) => sendJson(response, 408, vendorWords),
      { outcome: 'ambiguous', code: '21610', status: 408 },
      { outcome: 'transient', code: '21610', status: 408 },
    ],
    [
      'a 429 was never processed and says when to come back',
      (response) => sendJson(response, 429, {}, { 'retry-after': '7' }),
      { outcome: 'transient', status: 429, retryAfterMs: 7000, deferred: true },
      { outcome: 'transient', status: 429, retryAfterMs: 7000, deferred: true },
    ],
    [
      'a 500 may have come after the deed',
      (response) => sendJson(response, 500, { code: 20500 }),
      { outcome: 'ambiguous', code: '20500', status: 500 },
      { outcome: 'transient', code: '20500', status: 500 },
    ],
    [
      'a 502 of a gateway may have come after the deed',
      (response) => void response.writeHead(502, { 'content-type': 'text/html' }).end('<html>'),
      { outcome: 'ambiguous', status: 502 },
      { outcome: 'transient', status: 502 },
    ],
    [
      'a 503 pauses the shore',
      (response) => void response.writeHead(503, { 'retry-after': '30' }).end(),
      { outcome: 'ambiguous', status: 503, retryAfterMs: 30_000, pausesShore: true },
      { outcome: 'transient', status: 503, retryAfterMs: 30_000, pausesShore: true },
    ],
    [
      'a redirect is not followed',
      (response) => void response.writeHead(302, { location: 'http://127.0.0.1:9/elsewhere' }).end(),
      { outcome: 'permanent', status: 302 },
      { outcome: 'permanent', status: 302 },
    ],
    [
      'a reset connection leaves a creation unknown',
      (response) => void response.socket?.resetAndDestroy(),
      { outcome: 'ambiguous' },
      { outcome: 'transient' },
    ],
    [
      'a success that breaks off half-way leaves a creation unknown',
      (response) => {
        response.writeHead(201, { 'content-type': 'application/json', 'content-length': '100' })
        response.write('{"sid":"SM', () => response.socket?.destroy())
      },
      { outcome: 'ambiguous' },
      { outcome: 'transient' },
    ],
    [
      'a success that is not JSON leaves a creation unknown',
      (response) => void response.writeHead(200, { 'content-type': 'text/html' }).end('<html>Welcome</html>'),
      { outcome: 'ambiguous', status: 200 },
      { outcome: 'transient', status: 200 },
    ],
    [
      "a refusal stands when its body breaks off, as a gateway's",
      (response) => {
        response.writeHead(400, { 'content-type': 'application/json', 'content-length': '100' })
        response.write('{"code":', () => response.socket?.destroy())
      },
      { outcome: 'transient', status: 400 },
      { outcome: 'transient', status: 400 },
    ],
  ]

  it.each(cases)('%s, after exactly one request', async (_name, answer, creating, reading) => {
    const { transport, creation, reading: read, server } = await setUp(answer)
    const created = await failure(transport.request(creation, liveCall))
    expect(factsOf(created)).toEqual(creating)
    expect(server.seen).toHaveLength(1)
    expect(factsOf(await failure(transport.request(read, liveCall)))).toEqual(reading)
    expect(server.seen).toHaveLength(2)
    expect(created.shore).toBe('twilio')
    expect(`${created.message} ${created.stack}`).not.toMatch(/Private|fake-secret|0100177|AC0000/)
  })

  it('an answer that never comes leaves a creation unknown once the deadline has passed', async () => {
    const { transport, creation, reading, server } = await setUp(() => {})
    expect(factsOf(await failure(transport.request({ ...creation, deadlineMs: 50 }, liveCall)))).toEqual({
      outcome: 'ambiguous',
    })
    expect(factsOf(await failure(transport.request({ ...reading, deadlineMs: 50 }, liveCall)))).toEqual({
      outcome: 'transient',
    })
    expect(server.seen).toHaveLength(2)
  })

  it('the deadline holds for the body too', async () => {
    const { transport, creation } = await setUp((response) => {
      response.writeHead(201, { 'content-type': 'application/json' })
      response.write('{')
    })
    const error = await failure(transport.request({ ...creation, deadlineMs: 50 }, liveCall))
    expect(error.message).toMatch(/did not answer POST .* within 50 ms/)
    expect(error.outcome).toBe('ambiguous')
  })

  it('a refused connection is provably not done and pauses the shore', async () => {
    const { transport, creation, reports } = await setUp(() => {})
    const port = await freePort()
    const error = await failure(transport.request({ ...creation, url: `http://127.0.0.1:${port}/x` }, liveCall))
    expect(factsOf(error)).toEqual({ outcome: 'transient', pausesShore: true })
    expect(error.message).toBe('twilio cannot be reached (ECONNREFUSED)')
    expect(reports).toEqual([
      { shore: 'twilio', method: 'POST', route: '/x', failure: 'not-connected', ms: expect.any(Number) },
    ])
  })

  it('a host without an address is provably not done and pauses the shore', async () => {
    const { transport, creation } = await setUp(() => {})
    const error = await failure(transport.request({ ...creation, url: 'http://relay.invalid/x' }, liveCall))
    expect(factsOf(error)).toEqual({ outcome: 'transient', pausesShore: true })
  })

  it('a failed TLS handshake is provably not done and pauses the shore', async () => {
    const { transport, creation, server } = await setUp(() => {})
    const error = await failure(
      transport.request({ ...creation, url: server.url.replace('http:', 'https:') }, liveCall),
    )
    expect(factsOf(error)).toEqual({ outcome: 'transient', pausesShore: true })
    expect(server.seen).toHaveLength(0)
  })

  it('a connection closed during the TLS handshake is provably not done', async () => {
    const closing = createServer((socket) => socket.once('data', () => socket.end()))
    await new Promise<void>((resolve) => closing.listen(0, '127.0.0.1', resolve))
    const { port } = closing.address() as AddressInfo // listening on TCP
    const { transport, creation } = await setUp(() => {})
    const error = await failure(transport.request({ ...creation, url: `https://127.0.0.1:${port}/x` }, liveCall))
    closing.close()
    expect(factsOf(error)).toEqual({ outcome: 'transient', pausesShore: true })
  })

  it('a token that cannot be a header is never quoted', async () => {
    const { transport, creation, server } = await setUp(() => {})
    const error = await failure(
      transport.request({ ...creation, headers: { Authorization: 'Bearer fake-token\nwith a line break' } }, liveCall),
    )
    expect(factsOf(error)).toEqual({ outcome: 'transient', pausesShore: true, deferred: true })
    expect(`${error.message} ${String(error.cause)}`).not.toContain('fake-token')
    expect(server.seen).toHaveLength(0)
  })

  it("the vendor room's own verdict on a 403 stands", () => {
    const vendorError = { code: 'feature', outcome: 'permanent' } as const
    const call = { shore: 'intercom', method: 'POST', route: '/x', creates: true } as const
    expect(factsOf(classify({ kind: 'refused', status: 403, vendorError }, call))).toEqual({
      outcome: 'permanent',
      code: 'feature',
      status: 403,
    })
  })
})

describe('what an error says', () => {
  it('quotes the vendor, but neither our words nor whole numbers', async () => {
    const { transport, creation } = await setUp((response) =>
      sendJson(response, 400, {
        code: 1,
        message: `"Private words here" cannot go to +15550100177 or +1 555 010 0142. ${'x'.repeat(300)}`,
      }),
    )
    const { message } = await failure(transport.request(creation, liveCall))
    expect(message).toMatch(
      /^twilio answered POST \/Accounts\/\{id\}\/Messages\.json with 400, code 1: "…" cannot go to … or …0142\. x+…$/,
    )
  })

  it('says why a redirect is a failure', async () => {
    const { transport, reading } = await setUp((response) => void response.writeHead(301, { location: '/' }).end())
    expect((await failure(transport.request(reading, liveCall))).message).toBe(
      'twilio answered GET /Accounts/{id}/Messages.json with 301: a redirect, which is never followed with credentials; check the API base URL',
    )
  })
})

describe('before and around the wire', () => {
  const ok = (response: ServerResponse) => sendJson(response, 200, { fine: true }, { 'x-told': '41' })

  it('returns status, headers and JSON of a success', async () => {
    const { transport, creation, reports } = await setUp(ok)
    const response = await transport.request(creation, liveCall)
    expect([response.status, response.headers.get('x-told'), response.json]).toEqual([200, '41', { fine: true }])
    const route = '/Accounts/{id}/Messages.json'
    expect(reports).toEqual([{ shore: 'twilio', method: 'POST', route, status: 200, ms: expect.any(Number) }])
  })

  it('asks the limiter first and hands on what the answer tells about the limit', async () => {
    const { transport, creation, limiter } = await setUp(ok)
    const rule = { perMs: 1, burst: 1 }
    const read = (_status: number, headers: Headers) => ({
      rule: { perMs: Number(headers.get('x-told')), burst: 2 },
      holdUntil: 99,
    })
    await transport.request({ ...creation, limit: { key: 'k', rule, cost: 3, read } }, liveCall)
    expect(limiter).toEqual([
      ['pass', 'k', rule, 3, 'live'],
      ['learn', 'k', { perMs: 41, burst: 2 }],
      ['hold', 'k', 99],
    ])
  })

  it('sends nothing when the lane is no longer ours', async () => {
    const { transport, creation, server } = await setUp(ok)
    const lost = new Error('lane lost')
    const guard = () => {
      throw lost
    }
    await expect(transport.request(creation, { ...liveCall, guard })).rejects.toBe(lost)
    expect(server.seen).toHaveLength(0)
  })

  it('sends nothing once we are stopping', async () => {
    const { transport, creation, server } = await setUp(ok)
    const error = await failure(transport.request(creation, { ...liveCall, signal: AbortSignal.abort() }))
    expect(factsOf(error)).toEqual({ outcome: 'transient', deferred: true })
    expect(server.seen).toHaveLength(0)
  })

  it('a creation we gave up half-way is unknown', async () => {
    const stopping = new AbortController()
    const { transport, creation } = await setUp(() => stopping.abort())
    const error = await failure(transport.request(creation, { ...liveCall, signal: stopping.signal }))
    expect(factsOf(error)).toEqual({ outcome: 'ambiguous', deferred: true })
  })

  it('leaves no listener behind on the signal of the attempt', async () => {
    const { transport, creation } = await setUp(ok)
    const { signal } = new AbortController()
    let listeners = 0
    const { addEventListener, removeEventListener } = signal
    signal.addEventListener = (...args: Parameters<typeof addEventListener>) => {
      listeners += 1
      addEventListener.apply(signal, args)
    }
    signal.removeEventListener = (...args: Parameters<typeof removeEventListener>) => {
      listeners -= 1
      removeEventListener.apply(signal, args)
    }
    await transport.request(creation, { ...liveCall, signal })
    expect(listeners).toBe(0)
  })
})

/** A port nobody listens on. */
async function freePort(): Promise<number> {
  const probe = createServer()
  await new Promise<void>((resolve) => probe.listen(0, '127.0.0.1', resolve))
  const { port } = probe.address() as AddressInfo // listening on TCP
  await new Promise((resolve) => probe.close(resolve))
  return port
}

describe('a vendor’s clock', () => {
  it('is doubted by twice what it differs from ours, as its last answer told, once that is a minute', async () => {
    let aheadMs = 0
    const { transport, reading } = await setUp((response) => {
      response.setHeader('date', new Date(Date.now() + aheadMs).toUTCString())
      sendJson(response, 200, {})
    })
    const doubt = async (ms: number) => {
      aheadMs = ms
      await transport.request(reading, liveCall)
      return Math.round(transport.clockDoubtMs('twilio') / 60_000)
    }
    expect(transport.clockDoubtMs('twilio')).toBe(0)
    expect(await doubt(50_000)).toBe(0)
    expect(await doubt(3_600_000)).toBe(120)
    expect(await doubt(-3_600_000)).toBe(120)
    expect(transport.clockDoubtMs('intercom')).toBe(0)
    expect(await doubt(0)).toBe(0)
  })
})
