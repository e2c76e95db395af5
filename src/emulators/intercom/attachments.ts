// Uploaded files: kept by the twin, handed out under signed addresses that expire.
import { createHmac, timingSafeEqual } from 'node:crypto'
import type { TwinClock } from '../clock.js'
import type { HttpAnswer, HttpRequest } from '../http.js'
import { withDeadline } from './deadline.js'
import { invalid } from './errors.js'
import type { Ids } from './ids.js'

export interface AttachmentFile {
  readonly name: string
  readonly contentType: string
  readonly data: Uint8Array
}

export interface StoredAttachment {
  readonly name: string
  readonly contentType: string
  readonly size: number
  /** Signed anew whenever it is read; good for 30 minutes (help article 2339426). */
  readonly url: string
}

export interface Attachments {
  keep(file: AttachmentFile): StoredAttachment
  /** Fetches each address, as Intercom does itself, and keeps what it finds. 400 when one cannot be had. */
  fetchAll(urls: readonly string[]): Promise<readonly StoredAttachment[]>
  serve(request: HttpRequest): HttpAnswer
}

export const attachmentsPath = '/attachments/'
const lifetimeMs = 30 * 60_000
const fetchTimeoutMs = 10_000

export function createAttachments(options: {
  readonly clock: TwinClock
  readonly ids: Ids
  readonly secret: string
  readonly origin: () => string
  readonly stopped: AbortSignal
}): Attachments {
  const { clock, ids, origin, stopped } = options
  const files = new Map<string, AttachmentFile>()
  const sign = (id: string, expires: string) =>
    createHmac('sha256', options.secret).update(`${id}.${expires}`).digest('hex')

  function keep(file: AttachmentFile): StoredAttachment {
    const id = ids.uuid()
    files.set(id, file)
    return {
      name: file.name,
      contentType: file.contentType,
      size: file.data.byteLength,
      get url() {
        const expires = String(Math.floor((clock.now() + lifetimeMs) / 1000))
        const name = encodeURIComponent(file.name)
        return `${origin()}${attachmentsPath}${id}/${name}?expires=${expires}&signature=${sign(id, expires)}`
      },
    }
  }

  async function fetchOne(url: string): Promise<StoredAttachment> {
    try {
      return await withDeadline({ clock, ms: fetchTimeoutMs, stopped }, async (signal) => {
        const response = await fetch(url, { signal })
        if (!response.ok) throw new Error(`answered ${response.status}`)
        return keep({
          name: decodeURIComponent(new URL(url).pathname.split('/').at(-1) || 'file'),
          contentType: (response.headers.get('content-type') ?? 'application/octet-stream').split(';')[0] ?? '',
          data: new Uint8Array(await response.arrayBuffer()),
        })
      })
    } catch {
      // Undocumented which error this is; a 400 or 422 is what bridges in the field fall back from.
      throw invalid('attachment_urls could not be fetched')
    }
  }

  return {
    keep,
    fetchAll: (urls) => Promise.all(urls.map(fetchOne)),
    serve(request) {
      const id = request.path.slice(attachmentsPath.length).split('/')[0] ?? ''
      const file = files.get(id)
      const expires = request.query.get('expires') ?? ''
      const expected = Buffer.from(sign(id, expires))
      const given = Buffer.from(request.query.get('signature') ?? '')
      if (given.byteLength !== expected.byteLength || !timingSafeEqual(given, expected)) return { status: 403 }
      if (Number(expires) * 1000 < clock.now()) return { status: 403 }
      if (file === undefined) return { status: 404 }
      return { status: 200, headers: { 'content-type': file.contentType }, body: file.data }
    },
  }
}
