// The webhook door: one small HTTP server, its routes as a table.
import { createServer, type IncomingMessage, type Server } from 'node:http'
import { type HttpBindings, serve } from '@hono/node-server'
import { Hono } from 'hono'
import { UserError } from '../errors.js'
import type { Answer } from './door.js'

export type Handler = (request: IncomingMessage) => Promise<Answer>

export interface Route {
  readonly method: 'GET' | 'POST'
  readonly path: string
  readonly handle: Handler
}

export interface ServerSettings {
  readonly host: string
  /** 0 takes any free port. */
  readonly port: number
  /** Also serve under this path, for proxies that pass on the public URL's path as it is; empty for none. */
  readonly basePath: string
}

export interface RunningServer {
  /** Where it listens, e.g. `http://127.0.0.1:8080`. */
  readonly url: string
  /** Takes no new connection, lets running requests end, then closes. */
  stop(): Promise<void>
}

// A slow or silent client must not hold a socket: Twilio and Intercom are done in seconds.
const limits = {
  maxHeaderSize: 16 * 1024,
  headersTimeout: 10_000,
  requestTimeout: 15_000,
  keepAliveTimeout: 65_000,
  connectionsCheckingInterval: 5_000,
}

/** @throws UserError when the port is taken or may not be used. */
export async function startServer(routes: readonly Route[], settings: ServerSettings): Promise<RunningServer> {
  const app = new Hono<{ Bindings: HttpBindings }>()
  for (const { method, path, handle } of routes) {
    for (const at of new Set([path, settings.basePath + path])) {
      app.on(method, at, async (context) => {
        const { status, body, contentType } = await handle(context.env.incoming)
        return new Response(body ?? null, { status, headers: contentType ? { 'content-type': contentType } : {} })
      })
    }
  }
  // The path is right, the method is not: 404 would tell Intercom that nobody lives here.
  for (const path of new Set(routes.flatMap(({ path }) => [path, settings.basePath + path]))) {
    app.all(path, (context) => context.json({ error: `${context.req.method} is not taken here` }, 405))
  }
  app.notFound((context) => context.json({ error: `nothing at ${context.req.path}` }, 404))

  let server: Server | undefined
  await new Promise<void>((resolve, reject) => {
    server = serve(
      { fetch: app.fetch, hostname: settings.host, port: settings.port, createServer, serverOptions: limits },
      () => resolve(),
    ) as Server // createServer of node:http makes no other
    server.on('error', (error: NodeJS.ErrnoException) => reject(explain(error, settings)))
  })
  if (server === undefined) throw new Error('the server was not created')
  const running = server
  running.maxRequestsPerSocket = 10_000
  const address = running.address()
  const port = typeof address === 'object' && address !== null ? address.port : settings.port
  const host = settings.host.includes(':') ? `[${settings.host}]` : settings.host
  return { url: `http://${host}:${port}`, stop: () => drain(running) }
}

/**
 * A request that is on its way when we stop must not be cut off: a load balancer may not send it again. Kept-alive
 * connections end with their next answer, and an idle one only right after everything that has arrived was read.
 */
function drain(server: Server): Promise<void> {
  server.prependListener('request', (_, response) => {
    response.shouldKeepAlive = false
  })
  return new Promise((resolve) => {
    // A kept-alive socket falls idle only after its last answer, so once is not enough.
    const idle = setInterval(() => setImmediate(() => server.closeIdleConnections()), 50)
    const stuck = setTimeout(() => server.closeAllConnections(), limits.requestTimeout)
    const close = () =>
      server.close(() => {
        clearInterval(idle)
        clearTimeout(stuck)
        resolve()
      })
    // The first may come before the sockets are looked at, the second comes after.
    setImmediate(() => setImmediate(close))
  })
}

function explain(error: NodeJS.ErrnoException, { host, port }: ServerSettings): Error {
  if (error.code === 'EADDRINUSE') {
    return new UserError(
      `port ${port} on ${host} is taken by another program.\nStop it, or choose another: --port ${port + 1}`,
    )
  }
  if (error.code === 'EACCES') {
    return new UserError(`port ${port} on ${host} needs more rights.\nChoose one above 1023: --port 8080`)
  }
  if (error.code === 'EADDRNOTAVAIL' || error.code === 'ENOTFOUND') {
    return new UserError(`this machine has no address "${host}".\nUse --host 127.0.0.1, or 0.0.0.0 for every address`)
  }
  return error
}
