// The sandbox's page: a customer's handset, a teammate's inbox and the bridge's ledger side by side, in the browser.
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import { realClock, type TwinClock } from '../clock.js'
import type { IntercomTwin } from '../intercom/types.js'
import type { TwilioTwin } from '../twilio/types.js'
import { createActions } from './actions.js'
import { loadAssets } from './assets.js'
import { createEvents } from './events.js'
import { parseFields, RefusedAction } from './fields.js'
import { isLoopback, refusal, securityHeaders } from './guard.js'
import { createHandsets } from './handsets.js'
import { watchHealth } from './health.js'
import { takeSnapshot } from './snapshot.js'
import type { BridgeHealth, LedgerFeed } from './types.js'

export interface SandboxPageOptions {
  readonly twilio: TwilioTwin
  readonly intercom: IntercomTwin
  readonly ledger: LedgerFeed
  /** The bridge's public URL, without a trailing slash. */
  readonly bridgeUrl: string
  /** A loopback host; default 127.0.0.1. */
  readonly host?: string
  /** Default 0: any free port. */
  readonly port?: number
  readonly clock?: TwinClock
}

/** Two customers to begin with, so that there is something to type into. */
const firstHandsets = ['+15550100142', '+15550100177']
const mostBodyBytes = 64 * 1024

/** Rejects when the host is not loopback or the port is taken. */
export async function startSandboxPage(
  options: SandboxPageOptions,
): Promise<{ readonly url: string; stop(): Promise<void> }> {
  const { twilio, intercom, ledger, bridgeUrl, host = '127.0.0.1', clock = realClock } = options
  if (!isLoopback(host))
    throw new Error(`The sandbox page has no login, so it listens on loopback only, not on ${host}.`)

  const stopping = new AbortController()
  const events = createEvents({ clock, signal: stopping.signal })
  const handsets = createHandsets(firstHandsets)
  const actions = createActions({ twilio, intercom, handsets })
  const assets = await loadAssets()
  let health: BridgeHealth = { health: 'checking', status: null }
  let port = 0

  async function answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const path = (request.url ?? '/').split('?')[0] ?? '/'
    const refused = refusal(request, port)
    if (refused !== undefined) return sendJson(response, 403, { error: refused })
    if (request.method === 'POST') {
      const action = actions.get(path.slice('/api/'.length))
      if (!path.startsWith('/api/') || action === undefined)
        return sendJson(response, 404, { error: 'No such action.' })
      action(parseFields(await readBody(request)))
      events.changed()
      return sendJson(response, 200, {})
    }
    if (request.method !== 'GET') return sendJson(response, 405, { error: 'Only GET and POST.' })
    if (path === '/api/events') return events.open(response, securityHeaders)
    if (path === '/api/state') {
      const bridge = { url: bridgeUrl, ...health }
      const state = await takeSnapshot({ twilio, intercom, ledger, handsets }, bridge, clock.now())
      return sendJson(response, 200, state)
    }
    const asset = assets.get(path)
    if (asset === undefined) return sendJson(response, 404, { error: 'Not found.' })
    response.writeHead(200, { ...securityHeaders, 'content-type': asset.contentType }).end(asset.content)
  }

  const server = createServer((request, response) => {
    answer(request, response).catch((error: unknown) => {
      const message = error instanceof Error ? error.message : String(error)
      sendJson(response, error instanceof RefusedAction ? 400 : 500, { error: message })
    })
  })
  port = await listen(server, host, options.port ?? 0)

  const unsubscribe = [twilio, intercom, ledger].map((source) => source.subscribe(() => events.changed()))
  const watching = watchHealth(bridgeUrl, { clock, signal: stopping.signal }, (found) => {
    health = found
    events.changed()
  })

  return {
    url: `http://${host.includes(':') && !host.startsWith('[') ? `[${host}]` : host}:${port}`,
    async stop() {
      for (const end of unsubscribe) end()
      stopping.abort()
      await new Promise<void>((resolve) => {
        server.close(() => resolve())
        server.closeAllConnections()
      })
      await watching
    },
  }
}

function listen(server: ReturnType<typeof createServer>, host: string, wanted: number): Promise<number> {
  return new Promise((resolve, reject) => {
    server.once('error', reject)
    server.listen(wanted, host.replace(/^\[(.*)\]$/, '$1'), () => {
      const address = server.address()
      resolve(typeof address === 'object' && address !== null ? address.port : wanted)
    })
  })
}

async function readBody(request: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = []
  let size = 0
  for await (const chunk of request as AsyncIterable<Buffer>) {
    size += chunk.byteLength
    if (size > mostBodyBytes) throw new RefusedAction('That is too much at once.')
    chunks.push(chunk)
  }
  return Buffer.concat(chunks).toString('utf8')
}

function sendJson(response: ServerResponse, status: number, body: unknown): void {
  if (response.headersSent) return
  response.writeHead(status, { ...securityHeaders, 'content-type': 'application/json; charset=utf-8' })
  response.end(JSON.stringify(body))
}
