import { once } from 'node:events'
import { createServer, get, type IncomingMessage, request } from 'node:http'
import type { AddressInfo } from 'node:net'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import type { TwinClock } from '../../src/emulators/clock.js'
import { createEvents } from '../../src/emulators/page/events.js'
import { startSandboxPage } from '../../src/emulators/page/server.js'
import type { PageState } from '../../src/emulators/page/types.js'
import { company, customer, startTestPage, type TestPage } from './test-page.js'

describe('the page’s server', () => {
  let world: TestPage
  beforeEach(async () => {
    world = await startTestPage()
  })
  afterEach(() => world.stop())

  const port = () => new URL(world.url()).port
  /** fetch would not let us forge these headers. */
  const send = (method: string, path: string, headers: Record<string, string>, body = '') =>
    new Promise<IncomingMessage & { text: string }>((resolve, reject) => {
      const sent = request(world.url(), { method, path, headers }, async (response) => {
        const chunks: Buffer[] = []
        for await (const chunk of response) chunks.push(chunk)
        resolve(Object.assign(response, { text: Buffer.concat(chunks).toString() }))
      })
      sent.on('error', reject)
      sent.end(body)
    })
  const post = (action: string, fields: unknown, headers: Record<string, string> = {}) =>
    send(
      'POST',
      `/api/${action}`,
      { origin: world.url(), 'content-type': 'application/json', ...headers },
      typeof fields === 'string' ? fields : JSON.stringify(fields),
    )
  const text = { from: customer, to: company, body: 'Hello' }
  const state = async (): Promise<PageState> => JSON.parse((await send('GET', '/api/state', {})).text)

  it('sends what the page posts', async () => {
    expect((await post('text', text)).statusCode).toBe(200)
    expect(world.twilio.messages()).toMatchObject([text])
  })

  it.each([
    ['a name rebound to this machine', { host: 'evil.example:80' }],
    ['another port of this machine', { host: '127.0.0.1:1' }],
    ['another site', { origin: 'https://evil.example' }],
    ['another port’s page', { origin: 'http://127.0.0.1:1' }],
    ['a sandboxed frame', { origin: 'null' }],
    ['a plain form', { 'content-type': 'text/plain' }],
    ['a request marked as cross-site', { 'sec-fetch-site': 'cross-site' }],
  ])('refuses a post from %s', async (_name, headers) => {
    expect((await post('text', text, headers)).statusCode).toBe(403)
    expect(world.twilio.messages()).toEqual([])
  })

  it('refuses a post that does not say where it comes from', async () => {
    const headers = { 'content-type': 'application/json' }
    expect((await send('POST', '/api/text', headers, JSON.stringify(text))).statusCode).toBe(403)
  })

  it.each([
    ['a rebound name', { host: 'evil.example' }],
    ['another site', { origin: 'https://evil.example' }],
  ])('shows its state to nobody under %s', async (_name, headers) => {
    expect((await send('GET', '/api/state', headers)).statusCode).toBe(403)
    expect((await send('GET', '/', headers)).statusCode).toBe(403)
  })

  it.each(['localhost', '127.0.0.1', '[::1]'])('answers as %s', async (host) => {
    expect((await send('GET', '/', { host: `${host}:${port()}` })).statusCode).toBe(200)
  })

  it('forbids the browser everything but its own files, and has no inline script or style', async () => {
    const { headers, text } = await send('GET', '/', {})
    expect(headers['content-security-policy']).toBe(
      "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; " +
        "base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
    )
    expect(headers['x-content-type-options']).toBe('nosniff')
    expect(text.match(/<script(?![^>]*src="\/)|<style| style=| on\w+=|https?:\/\//g)).toBeNull()
  })

  it.each(['/../server.js', '/%2e%2e/server.js', '/server.js', '/index.html', '/api/nothing'])(
    'has nothing at %s',
    async (path) => {
      expect((await send('GET', path, {})).statusCode).toBe(404)
    },
  )

  it.each([
    ['Nothing was given for "body".', 'text', { ...text, body: ' \n' }],
    ['"body" may have 1600 characters; this has 1601.', 'text', { ...text, body: 'x'.repeat(1601) }],
    ['"+15550109999" is not a known to.', 'text', { ...text, to: '+15550109999' }],
    ['"0555" is not an international phone number. Write it like +15550100142.', 'add-handset', { number: '0555' }],
    [`${company} belongs to the company. Choose another number for a customer.`, 'add-handset', { number: company }],
    ['That conversation is no longer there.', 'reply', { conversationId: '1', body: 'x', close: false }],
    ['"nonsense" is not a known kind.', 'set-fault', { vendor: 'twilio', kind: 'nonsense', on: true, once: false }],
    ['The request is not JSON.', 'text', '{'],
    ['The request is not a JSON object.', 'text', '7'],
  ])('does not do what it cannot, and says: %s', async (error, action, fields) => {
    const answer = await post(action, fields)
    expect([answer.statusCode, JSON.parse(answer.text)]).toEqual([400, { error }])
  })

  it('tells of a text that the bridge does not take, and how often it was tried', async () => {
    world.twilio.setSmsUrl(company, `${world.bridgeUrl.replace(/\d+$/, '1')}/sms#rc=0`)
    await post('text', text)
    await world.twilio.idle()
    expect((await state()).texts).toMatchObject([{ state: 'sent', refused: 1, direction: 'from-customer' }])
  })

  it('shows the latest 500 texts and 200 lines of the ledger', async () => {
    for (let count = 1; count <= 501; count += 1) world.twilio.text({ ...text, body: `Text ${count}` })
    for (let count = 1; count <= 201; count += 1) world.addRow({ id: `d_${count}` })
    const { texts, ledger } = await state()
    expect([texts.length, texts[0]?.body, texts.at(-1)?.body]).toEqual([500, 'Text 2', 'Text 501'])
    expect([ledger.length, ledger[0]?.id, ledger.at(-1)?.id]).toEqual([200, 'd_201', 'd_2'])
  })

  it('ends the event streams that are open when it stops', async () => {
    const stream = await openStream(`${world.url()}/api/events`)
    const ended = new Promise((resolve) => stream.once('close', resolve))
    await world.stopPage()
    await ended
    await world.startPage()
  })

  it('listens on loopback only', async () => {
    const { twilio, intercom, bridgeUrl } = world
    const ledger = { list: async () => [], subscribe: () => () => {} }
    await expect(startSandboxPage({ twilio, intercom, ledger, bridgeUrl, host: '0.0.0.0' })).rejects.toThrow(
      'The sandbox page has no login, so it listens on loopback only, not on 0.0.0.0.',
    )
  })
})

describe('the event stream', () => {
  it('says at once that something changed, and makes one event of all that follows in the quiet time', async () => {
    const stop = new AbortController()
    const sleepers: (() => void)[] = []
    const clock: TwinClock = { now: () => 0, sleep: () => new Promise((wake) => void sleepers.push(wake)) }
    const events = createEvents({ clock, signal: stop.signal })
    const server = createServer((_request, response) => events.open(response, {})).listen(0, '127.0.0.1')
    await once(server, 'listening')
    // Listening on a port, so its address is no path.
    const stream = await openStream(`http://127.0.0.1:${(server.address() as AddressInfo).port}`)
    const chunks = stream[Symbol.asyncIterator]()
    const next = async () => String((await chunks.next()).value)

    expect(await next()).toBe('retry: 1000\nevent: change\ndata: 0\n\n')
    for (let count = 0; count < 100; count += 1) events.changed()
    expect(await next()).toBe('event: change\ndata: 1\n\n')
    sleepers.shift()?.()
    expect(await next()).toBe('event: change\ndata: 2\n\n')
    stop.abort()
    sleepers.shift()?.()
    stream.destroy()
    server.close()
    await once(server, 'close')
  })
})

async function openStream(url: string): Promise<IncomingMessage> {
  const stream = await new Promise<IncomingMessage>((resolve) => get(url, resolve))
  // A stream that is cut off ends with an error; what matters here is that it ends.
  stream.on('error', () => {})
  return stream.setEncoding('utf8')
}
