// The small part of node:http both twins stand on: one listener, whole bodies in, whole answers out, and the armed
// faults applied where a real network would apply them.
import { createServer, type IncomingHttpHeaders, type IncomingMessage, type ServerResponse } from 'node:http'
import type { TwinClock } from './clock.js'
import type { ArmedFault, Faults } from './faults.js'

export interface HttpRequest {
  readonly method: string
  /** The request target as it came over the wire: path and query, nothing decoded. */
  readonly target: string
  /** The path alone, still percent-encoded. */
  readonly path: string
  readonly query: URLSearchParams
  readonly headers: IncomingHttpHeaders
  /** The raw body; empty when there was none. */
  readonly body: Buffer
  /** Requests open on this listener when this one came, itself included. Hung and slow ones count. */
  readonly concurrent: number
}

export interface HttpAnswer {
  readonly status: number
  readonly headers?: Readonly<Record<string, string>>
  /** Nothing is written for HEAD, 204 and 304. */
  readonly body?: string | Uint8Array
}

/** What the peer saw: a status; its connection reset or cut; or no answer at all. */
export type HttpOutcome = number | 'reset' | 'hung'

/** The vendor's own words for the faults that answer in its name. */
export interface FaultAnswers {
  /** 429, for `rate-limit`. */
  rateLimit(request: HttpRequest): HttpAnswer
  /** 500, for `error-before` and `error-after`. */
  error(request: HttpRequest): HttpAnswer
  /** 401, for `refuse-credentials`. */
  refuse(request: HttpRequest): HttpAnswer
}

export interface HttpOptions {
  /** Default 127.0.0.1. */
  readonly host?: string | undefined
  /** Default 0: any free port; see `RunningHttp.url`. */
  readonly port?: number | undefined
  readonly clock: TwinClock
  /** Answers one request. What it throws becomes a 500 with the stack: it is a bug of the twin. */
  handle(request: HttpRequest): HttpAnswer | Promise<HttpAnswer>
  /** Bodies beyond it are answered 413 unread. Default 10 MiB. */
  readonly maxBodyBytes?: number
  /** Without them no request meets a fault. */
  readonly faults?: { readonly armed: Faults; readonly answers: FaultAnswers }
  /** Requests the faults leave alone, such as those of the sandbox's page. */
  isExempt?(request: HttpRequest): boolean
  /** Called once per request, when its fate is decided: before the answer is written. */
  onOutcome?(request: HttpRequest, outcome: HttpOutcome): void
}

export interface RunningHttp {
  /** `http://host:port`, without a trailing slash. */
  readonly url: string
  /** Closes the listener and every connection, hung ones too. */
  stop(): Promise<void>
}

/** An answer with a JSON body. */
export function json(status: number, body: unknown, headers: Readonly<Record<string, string>> = {}): HttpAnswer {
  return {
    status,
    headers: { 'content-type': 'application/json; charset=utf-8', ...headers },
    body: JSON.stringify(body),
  }
}

/** Listens, and resolves once connections are accepted. Rejects when the port is taken. */
export async function startHttp(options: HttpOptions): Promise<RunningHttp> {
  const { host = '127.0.0.1', port = 0 } = options
  let open = 0
  const server = createServer((incoming, response) => {
    open += 1
    const concurrent = open
    const gone = new AbortController()
    response.once('close', () => {
      open -= 1
      gone.abort()
    })
    void serve(options, incoming, response, { concurrent, signal: gone.signal })
  })
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject)
    server.listen(port, host, resolve)
  })
  const address = server.address()
  const bound = typeof address === 'object' && address !== null ? address.port : port
  return {
    url: `http://${host.includes(':') ? `[${host}]` : host}:${bound}`,
    stop() {
      return new Promise((resolve) => {
        server.close(() => resolve())
        server.closeAllConnections()
      })
    },
  }
}

async function serve(
  options: HttpOptions,
  incoming: IncomingMessage,
  response: ServerResponse,
  connection: { concurrent: number; signal: AbortSignal },
): Promise<void> {
  const body = await readBody(incoming, options.maxBodyBytes ?? 10 * 1024 * 1024)
  if (body === 'aborted') return
  if (body === 'too-large') {
    response.writeHead(413, { connection: 'close' }).end()
    return
  }
  const target = incoming.url ?? '/'
  const cut = target.indexOf('?')
  const request: HttpRequest = {
    method: incoming.method ?? 'GET',
    target,
    path: cut === -1 ? target : target.slice(0, cut),
    query: new URLSearchParams(cut === -1 ? '' : target.slice(cut + 1)),
    headers: incoming.headers,
    body,
    concurrent: connection.concurrent,
  }
  const faults = options.isExempt?.(request) ? undefined : options.faults
  const fault = faults?.armed.take(request.method, request.path)
  const handle = () => handled(options, request)
  const answer =
    faults === undefined || fault === undefined
      ? await handle()
      : await handleWith(fault, faults.answers, request, handle)
  const outcome = fault === undefined ? undefined : cutShort[fault.kind]
  options.onOutcome?.(request, outcome ?? (answer === undefined ? 'reset' : answer.status))
  if (outcome === 'hung') return
  if (answer === undefined) {
    incoming.socket.resetAndDestroy()
    return
  }
  if (fault?.kind === 'slow') {
    await options.clock.sleep(fault.ms, connection.signal)
    if (connection.signal.aborted) return
  }
  write(response, request, answer, fault?.kind === 'truncated')
}

/** The faults that end without a status, whatever the handler answered. */
const cutShort: Partial<Record<ArmedFault['kind'], 'reset' | 'hung'>> = {
  'timeout-after': 'hung',
  'reset-after': 'reset',
  'reset-before': 'reset',
  outage: 'reset',
  truncated: 'reset',
}

/** What goes back under a fault; undefined when the connection is reset instead. */
async function handleWith(
  fault: ArmedFault,
  answers: FaultAnswers,
  request: HttpRequest,
  handle: () => Promise<HttpAnswer>,
): Promise<HttpAnswer | undefined> {
  switch (fault.kind) {
    case 'rate-limit':
      return answers.rateLimit(request)
    case 'refuse-credentials':
      return answers.refuse(request)
    case 'error-before':
      return answers.error(request)
    case 'error-after':
      await handle()
      return answers.error(request)
    case 'reset-after':
      await handle()
      return undefined
    case 'reset-before':
    case 'outage':
      return undefined
    case 'html':
      return {
        status: 502,
        headers: { 'content-type': 'text/html' },
        body: '<html>\r\n<head><title>502 Bad Gateway</title></head>\r\n<body>\r\n<center><h1>502 Bad Gateway</h1></center>\r\n</body>\r\n</html>\r\n',
      }
    case 'timeout-after':
    case 'truncated':
    case 'slow':
      return handle()
  }
}

async function handled(options: HttpOptions, request: HttpRequest): Promise<HttpAnswer> {
  try {
    return await options.handle(request)
  } catch (error) {
    const body = error instanceof Error ? (error.stack ?? error.message) : String(error)
    return { status: 500, headers: { 'content-type': 'text/plain' }, body }
  }
}

function write(response: ServerResponse, request: HttpRequest, answer: HttpAnswer, truncated: boolean): void {
  const bodiless = request.method === 'HEAD' || answer.status === 204 || answer.status === 304
  const body = bodiless ? Buffer.alloc(0) : Buffer.from(answer.body ?? '')
  const length = answer.status === 204 || answer.status === 304 ? {} : { 'content-length': body.byteLength }
  response.writeHead(answer.status, { ...length, ...answer.headers })
  if (!truncated) {
    response.end(body)
    return
  }
  // Closed, not reset: a reset may overtake the bytes already sent, and the half of the answer must arrive.
  response.write(body.subarray(0, Math.floor(body.byteLength / 2)), () => response.socket?.destroy())
}

function readBody(incoming: IncomingMessage, limit: number): Promise<Buffer | 'aborted' | 'too-large'> {
  return new Promise((resolve) => {
    const chunks: Buffer[] = []
    let size = 0
    incoming.on('data', (chunk: Buffer) => {
      size += chunk.byteLength
      if (size > limit) resolve('too-large')
      else chunks.push(chunk)
    })
    incoming.on('end', () => resolve(Buffer.concat(chunks)))
    incoming.on('close', () => resolve('aborted'))
  })
}
