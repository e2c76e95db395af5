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

export function createHealth({ store, clock, metrics }: { store: Store; clock: Clock; metrics: Metrics }) {
  return {
    /** Alive: this process answers. */
    healthz: async (): Promise<Answer> => json(200, { status: 'alive' }),
    /** Ready: the store answers and no shore is paused. */
    readyz: async (): Promise<Answer> => {
      try {
        const pauses = await store.pauses()
        if (pauses.length === 0) return json(200, { status: 'ready' })
        const paused = pauses.map(({ shore, reason, pausedAt }) => ({
          shore,
          reason,
          since: new Date(pausedAt).toISOString(),
        }))
        return json(503, { status: 'paused', paused })
      } catch (error) {
        return json(503, { status: 'store does not answer', error: describeError(error) })
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
