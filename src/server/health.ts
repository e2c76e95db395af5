import type { Clock } from '../clock.js'
import { describeError } from '../errors.js'
import type { Store } from '../store/store.js'
import type { Answer } from './door.js'
import type { Metrics } from './metrics.js'

const json = (status: number, value: unknown): Answer => ({
  status,
  body: JSON.stringify(value),
  contentType: 'application/json',
})

/** Whoever asks how often: the store is written to no more than once in this time, ms. */
const betweenWritesMs = 1_000

export function createHealth({ store, clock, metrics }: { store: Store; clock: Clock; metrics: Metrics }) {
  let writtenAt = Number.NEGATIVE_INFINITY
  /** A full disk or a standby answers every question, and can keep no webhook. */
  const write = async (): Promise<void> => {
    const now = clock.now()
    if (now >= writtenAt && now < writtenAt + betweenWritesMs) return
    await store.setMark('readyz', now)
    writtenAt = now
  }
  return {
    /** Alive: this process answers. */
    healthz: async (): Promise<Answer> => json(200, { status: 'alive' }),
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
