// One call to Intercom: its headers, its limit, its errors, and the shape of its answer.
import type { z } from 'zod'
import type { VendorError } from '../classify.js'
import type { Clock } from '../clock.js'
import { DeliveryError } from '../errors.js'
import type { ConversationId } from '../message.js'
import type { Call, Transport, VendorRequest } from '../transport.js'
import { readIntercomError } from './errors.js'
import { readRateLimit, resetAfterRefusal, ruleFor, unknownLimit } from './rate-limit.js'

export interface WireParts {
  readonly accessToken: string
  readonly baseUrl: string
  readonly transport: Transport
  readonly clock: Clock
}

/** What 2.15 and 2.14 say alike; pinned, because an app's own version may change under us. */
const version = '2.15'

export interface Operation {
  readonly method: 'GET' | 'POST' | 'PUT' | 'DELETE'
  readonly path: string
  readonly body?: object
  /** Default: false, it reads or can be repeated. */
  readonly creates?: boolean
  readonly readError?: ReadError
}

export type ReadError = VendorRequest['readError']

export interface Wire {
  run<T>(operation: Operation, shape: z.ZodType<T>, call: Call): Promise<T>
  readonly readError: ReadError
}

export function createWire(parts: WireParts): Wire {
  const { accessToken, transport, clock } = parts
  const baseUrl = parts.baseUrl.replace(/\/$/, '')
  const headers = {
    Authorization: `Bearer ${accessToken}`,
    'Intercom-Version': version,
    // Without it Intercom answers 406.
    Accept: 'application/json',
    'Content-Type': 'application/json',
  }
  /** Calls per ten seconds, as last told. */
  let limit: number | undefined

  const readLimit = (status: number, answered: Headers) => {
    const news = readRateLimit(status, answered, limit, clock.now())
    limit = news.limit ?? limit
    return news
  }

  const readError: ReadError = (status, answered, json): VendorError | undefined => {
    const error = readIntercomError(status, answered, json)
    if (status !== 429) return error
    return { ...error, retryAfterMs: resetAfterRefusal(answered, clock.now()) - clock.now() }
  }

  async function run<T>(operation: Operation, shape: z.ZodType<T>, call: Call): Promise<T> {
    const { method, path, body, creates = false } = operation
    const { status, json } = await transport.request(
      {
        shore: 'intercom',
        method,
        url: `${baseUrl}${path}`,
        headers,
        ...(body === undefined ? {} : { body: JSON.stringify(body) }),
        creates,
        limit: { key: 'intercom', rule: ruleFor(limit ?? unknownLimit), cost: 1, read: readLimit },
        readError: operation.readError ?? readError,
      },
      call,
    )
    const read = shape.safeParse(json)
    if (read.success) return read.data
    const field = read.error.issues[0]?.path.join('.') || 'body'
    throw new DeliveryError(`intercom answered ${method} with ${status}, but its ${field} is not as documented`, {
      outcome: creates ? 'ambiguous' : 'transient',
      shore: 'intercom',
      code: 'unexpected_shape',
      status,
    })
  }

  return { run, readError }
}

export function conversationPath(id: ConversationId): string {
  return `/conversations/${encodeURIComponent(id)}`
}

/** 404; and from API 2.16 on 410 for a merged contact, whose successor the caller finds by its phone. */
export async function unlessGone<T>(found: Promise<T>): Promise<T | undefined> {
  try {
    return await found
  } catch (error) {
    // Permanent: Intercom said so itself, not a gateway that does not know the path.
    const gone = error instanceof DeliveryError && error.outcome === 'permanent'
    if (gone && (error.status === 404 || error.status === 410)) return undefined
    throw error
  }
}
