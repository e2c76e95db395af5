// The bridge's end of the webhooks: keeps what came, answers as told.
import { createHmac } from 'node:crypto'
import { createServer, type IncomingHttpHeaders } from 'node:http'
import type { AddressInfo } from 'node:net'

export interface Delivered {
  readonly method: string
  readonly headers: IncomingHttpHeaders
  readonly raw: string
  /** The parsed notification; HEAD has none. */
  readonly event: Notification
}

export interface Notification {
  readonly id: string | null
  readonly topic: string
  readonly data: { readonly item: unknown }
  readonly [more: string]: unknown
}

export interface Hub {
  readonly url: string
  /** POSTs, in the order in which they came; pings left out. */
  readonly received: readonly Delivered[]
  readonly all: readonly Delivered[]
  /** The statuses for the coming POSTs, one each; then 200. `hang` answers never. */
  answers: (number | 'hang')[]
  headStatus: number
  topics(): readonly string[]
  /** Resolves when this many POSTs (pings left out) have come. */
  untilReceived(count: number): Promise<void>
  stop(): Promise<void>
}

export async function startHub(wantedPort = 0): Promise<Hub> {
  const all: Delivered[] = []
  let waiting: { count: number; resolve: () => void }[] = []
  const server = createServer(async (request, response) => {
    const chunks: Buffer[] = []
    for await (const chunk of request) chunks.push(chunk)
    const raw = Buffer.concat(chunks).toString()
    const event = raw === '' ? { id: null, topic: '', data: { item: null } } : JSON.parse(raw)
    all.push({ method: request.method ?? '', headers: request.headers, raw, event })
    if (request.method === 'HEAD') {
      response.writeHead(hub.headStatus).end()
      return
    }
    const answer = event.topic === 'ping' ? 200 : (hub.answers.shift() ?? 200)
    if (answer !== 'hang') response.writeHead(answer).end()
    const due = waiting.filter(({ count }) => count <= hub.received.length)
    waiting = waiting.filter((one) => !due.includes(one))
    for (const { resolve } of due) resolve()
  })
  await new Promise<void>((resolve) => server.listen(wantedPort, '127.0.0.1', resolve))
  const { port } = server.address() as AddressInfo // listening on TCP
  const hub: Hub = {
    url: `http://127.0.0.1:${port}/webhooks/intercom`,
    all,
    get received() {
      return all.filter(({ method, event }) => method === 'POST' && event.topic !== 'ping')
    },
    answers: [],
    headStatus: 200,
    topics: () => hub.received.map(({ event }) => event.topic),
    untilReceived(count) {
      if (hub.received.length >= count) return Promise.resolve()
      return new Promise((resolve) => waiting.push({ count, resolve }))
    },
    stop: () =>
      new Promise((resolve) => {
        server.close(() => resolve())
        server.closeAllConnections()
      }),
  }
  return hub
}

export function signatureOf(raw: string, secret: string): string {
  return `sha1=${createHmac('sha1', secret).update(raw).digest('hex')}`
}
