import { type IncomingMessage, request as requestHttp } from 'node:http'
import { request as requestHttps } from 'node:https'
import { urlToHttpOptions } from 'node:url'
import { gunzipSync } from 'node:zlib'
import type { TwinClock } from '../clock.js'

export interface CallRequest {
  readonly url: string
  readonly method: 'GET' | 'HEAD' | 'POST'
  readonly headers: Readonly<Record<string, string>>
  readonly body?: string
  readonly connectMs: number
  readonly readMs: number
  readonly maxBytes: number
}

/** Why there is no answer: no connection, none in time or broken off, too long, or nothing a URL could be made of. */
export type CallFailure = 'connect' | 'read' | 'too-large' | 'bad-url'

export interface CallAnswer {
  readonly status: number
  readonly contentType: string
  readonly location: string | undefined
  readonly body: Buffer
}

/** One HTTP request over a connection of its own, no redirects followed. Never rejects. */
export function call(
  { url, method, headers, body, connectMs, readMs, maxBytes }: CallRequest,
  clock: TwinClock,
  signal: AbortSignal,
): Promise<CallAnswer | CallFailure> {
  if (signal.aborted) return Promise.resolve('connect')
  if (!URL.canParse(url) || !/^https?:$/.test(new URL(url).protocol)) return Promise.resolve('bad-url')
  return new Promise((resolve) => {
    const over = new AbortController()
    const secure = new URL(url).protocol === 'https:'
    const request = (secure ? requestHttps : requestHttp)({
      ...urlToHttpOptions(new URL(url)),
      method,
      headers: { ...headers, ...(body === undefined ? {} : { 'Content-Length': Buffer.byteLength(body) }) },
      agent: false,
    })
    let phase: 'connect' | 'read' = 'connect'
    const end = (result: CallAnswer | CallFailure) => {
      if (over.signal.aborted) return
      over.abort()
      request.destroy()
      resolve(result)
    }
    const giveUpAfter = async (ms: number, during: 'connect' | 'read') => {
      await clock.sleep(ms, over.signal)
      if (phase === during) end(during)
    }
    void giveUpAfter(connectMs, 'connect')
    signal.addEventListener('abort', () => end(phase), { signal: over.signal })
    request.on('socket', (socket) => {
      socket.once(secure ? 'secureConnect' : 'connect', () => {
        phase = 'read'
        void giveUpAfter(readMs, 'read')
      })
    })
    request.on('error', () => end(phase))
    request.on('response', (response) => read(response, maxBytes, end))
    request.end(body)
  })
}

function read(response: IncomingMessage, maxBytes: number, end: (result: CallAnswer | CallFailure) => void): void {
  const chunks: Buffer[] = []
  let size = 0
  response.on('data', (chunk: Buffer) => {
    size += chunk.byteLength
    if (size > maxBytes) end('too-large')
    else chunks.push(chunk)
  })
  response.on('error', () => end('read'))
  response.on('close', () => end('read'))
  response.on('end', () => {
    const body = unzipped(Buffer.concat(chunks), response.headers['content-encoding'])
    if (body === undefined) return end('read')
    const { 'content-type': contentType = '', location } = response.headers
    end({ status: response.statusCode ?? 0, contentType, location, body })
  })
}

function unzipped(raw: Buffer, encoding: string | undefined): Buffer | undefined {
  if (encoding !== 'gzip' || raw.byteLength === 0) return raw
  try {
    return gunzipSync(raw)
  } catch {
    return undefined
  }
}
