import type { IncomingMessage } from 'node:http'
import type { Clock } from '../clock.js'
import { describeError } from '../errors.js'
import type { Store } from '../store/store.js'
import type { Answer } from './door.js'
import type { Metrics } from './metrics.js'
import { proofOf } from './proof.js'

const json = (status: number, value: unknown): Answer => ({
  status,
  body: JSON.stringify(value),
  contentType: 'application/json',
})

/** Whoever asks how often: the store is written to no more than once in this time, ms. */
const betweenWritesMs = 1_000

export interface HealthParts {
  readonly store: Store
  readonly clock: Clock
  readonly metrics: Metrics
  /** Proven to whoever asks with a nonce, never told. */
  readonly clientSecret: string
}

export function createHealth({ store, clock, metrics, clientSecret }: HealthParts) {
  let writtenAt = Number.NEGATIVE_INFINITY
  /** A full disk or a standby answers every question, and can keep no webhook. */
  const write = async (): Promise<void> => {
    const now = clock.now()
    if (now >= writtenAt && now < writtenAt + betweenWritesMs) return
    await store.setMark('readyz', now)
    writtenAt = now
  }
  return {
    /** Alive: this process answers, and proves with `?nonce=` whose it is. */
    healthz: async ({ url = '' }: IncomingMessage): Promise<Answer> => {
      const nonce = new URLSearchParams(url.split('?')[1]).get('nonce')
      const proof = nonce === null ? undefined : proofOf(clientSecret, nonce)
      return json(200, { status: 'alive', ...(proof !== undefined && { proof }) })
    },
    /** Ready: the store takes webhooks and no shore is paused. */
    readyz: async (): Promise<Answer> => {
      try {
        await write()
        const pauses = await store.pauses()
        if (pauses.length === 0) return json(200, { status: 'ready' })
        const paused = pauses.map(({ shore, reason, pausedAt }) => ({
          shore,
          reason,
          since: new Date(pausedAt).toISOString(),
        }))
        return json(503, { status: 'paused', paused })
      } catch (error) {
        return json(503, { status: 'store takes no webhook', error: describeError(error) })
      }
    },
    metrics: async (): Promise<Answer> => {
      try {
        return { status: 200, body: await metrics.render(clock.now()), contentType: metrics.contentType }
      } catch (error) {
        return json(503, { status: 'store does not answer', error: describeError(error) })
      }
    },
  }
}
