// What both vendors' doors share: how a request comes in and how an answer goes out.
import type { Clock } from '../clock.js'
import type { NewDelivery } from '../delivery.js'
import { BadWebhook, describeError } from '../errors.js'
import type { Log } from '../log.js'
import type { Store } from '../store/store.js'
import { TooLarge } from './body.js'
import type { Metrics, Refusal } from './metrics.js'

export interface Answer {
  readonly status: number
  readonly body?: string
  readonly contentType?: string
}

export interface DoorParts {
  readonly store: Store
  readonly clock: Clock
  readonly log: Log
  readonly metrics: Metrics
  /** Ends the relay's sleep. */
  readonly notify: () => void
}

export type Source = 'twilio-sms' | 'twilio-status' | 'intercom'

/** A request that is turned away: counted, logged without its contents, and answered so that a person can find out why. */
export class Refused extends Error {
  override readonly name = 'Refused'
  readonly why: Refusal
  readonly status: number
  constructor(why: Refusal, status: number, message: string) {
    super(message)
    this.why = why
    this.status = status
  }
}

/** Runs one webhook to its answer. Whatever goes wrong becomes an answer of its own; nothing stops the process. */
export async function answerWebhook(
  source: Source,
  { log, metrics }: DoorParts,
  handle: () => Promise<Answer>,
): Promise<Answer> {
  try {
    return await handle()
  } catch (error) {
    const refused = toRefused(error)
    metrics.refused(source, refused.why)
    log.warn('webhook.refused', { source, reason: refused.why, detail: refused.message })
    const { status, message } = refused
    return { status, body: JSON.stringify({ error: message }), contentType: 'application/json' }
  }
}

function toRefused(error: unknown): Refused {
  if (error instanceof Refused) return error
  if (error instanceof TooLarge)
    return new Refused('too-large', 413, 'the body is larger than any webhook of this kind')
  if (error instanceof BadWebhook) return new Refused('malformed', 400, error.message)
  // Not stored: 503 gives the vendor's retry, its fallback and our reconciliation something to do.
  return new Refused('store', 503, `not stored: ${describeError(error)}`)
}

/** Stores a delivery and wakes the relay. Resolves only after the row is on disk. */
export async function accept(source: Source, delivery: NewDelivery, parts: DoorParts): Promise<void> {
  const { duplicate } = await parts.store.ingest(delivery, parts.clock.now())
  parts.metrics.accepted(source, duplicate)
  if (!duplicate) parts.notify()
}
