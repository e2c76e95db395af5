// A bare HTTP server in a vendor's place, for answers that no twin would give.
import { createServer, type IncomingHttpHeaders, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import type { Call, Limiter } from '../../src/transport.js'

export interface SeenRequest {
  readonly method: string
  readonly url: string
  readonly headers: IncomingHttpHeaders
  readonly body: string
}

export interface VendorServer {
  readonly url: string
  readonly seen: readonly SeenRequest[]
  stop(): Promise<void>
}

export async function startVendorServer(
  answer: (response: ServerResponse, request: SeenRequest, index: number) => void,
): Promise<VendorServer> {
  const seen: SeenRequest[] = []
  const server = createServer(async (request, response) => {
    const chunks: Buffer[] = []
    for await (const chunk of request) chunks.push(chunk)
    const body = Buffer.concat(chunks).toString('utf8')
    const one = { method: request.method ?? '', url: request.url ?? '', headers: request.headers, body }
    seen.push(one)
    answer(response, one, seen.length - 1)
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const { port } = server.address() as AddressInfo // listening on TCP
  return {
    url: `http://127.0.0.1:${port}`,
    seen,
    stop: () =>
      new Promise((resolve) => {
        server.close(() => resolve())
        server.closeAllConnections()
      }),
  }
}

export function sendJson(
  response: ServerResponse,
  status: number,
  json: unknown,
  headers: Record<string, string> = {},
) {
  response.writeHead(status, { 'content-type': 'application/json', ...headers }).end(JSON.stringify(json))
}

export const liveCall: Call = { signal: new AbortController().signal, guard: () => {}, priority: 'live' }

/** Lets everything pass and writes down what it was asked and told. */
export function openLimiter() {
  const log: unknown[][] = []
  const limiter: Limiter = {
    pass: async ({ key, rule, cost, priority }) => void log.push(['pass', key, rule, cost, priority]),
    learn: (key, rule) => void log.push(['learn', key, rule]),
    hold: (key, until) => void log.push(['hold', key, until]),
  }
  return { limiter, log }
}
