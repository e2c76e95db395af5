import type { IncomingMessage } from 'node:http'

/** The body is larger than this door takes. */
export class TooLarge extends Error {
  override readonly name = 'TooLarge'
}

/** Reads at most `limit` bytes of a request's body, raw. @throws TooLarge */
export function readBody(request: IncomingMessage, limit: number): Promise<Buffer> {
  return new Promise((resolve, reject) => {
    if (Number(request.headers['content-length'] ?? 0) > limit) return reject(new TooLarge())
    const chunks: Buffer[] = []
    let size = 0
    request.on('data', (chunk: Buffer) => {
      size += chunk.length
      if (size > limit) {
        request.removeAllListeners('data')
        reject(new TooLarge())
      } else chunks.push(chunk)
    })
    request.on('end', () => resolve(chunks.length === 1 && chunks[0] ? chunks[0] : Buffer.concat(chunks)))
    request.on('error', reject)
    request.on('close', () => {
      // Comes after every request; an Error with its stack costs more than the rest of this function.
      if (!request.readableEnded) reject(new Error('the request was broken off'))
    })
  })
}
