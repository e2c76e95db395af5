// Too many calls at one time (20429): every lane that met it waits, longer each time, and not all equally long.
import { DeliveryError } from '../errors.js'

const firstMs = 1_000
const longestMs = 30_000

/** How long to wait after the `count`th refusal in a row, ms; up to half as much again at random. */
export function backOffMs(count: number, random: () => number): number {
  return Math.round(Math.min(longestMs, firstMs * 2 ** (count - 1)) * (1 + random() / 2))
}

export interface BackOff {
  /** Passes an answer or a failure through; a refusal for too many calls says how long to wait. */
  watch<T>(call: Promise<T>): Promise<T>
}

export function createBackOff(random: () => number): BackOff {
  let inARow = 0
  return {
    async watch(call) {
      try {
        const answer = await call
        inARow = 0
        return answer
      } catch (error) {
        if (!(error instanceof DeliveryError) || error.status !== 429) throw error
        inARow += 1
        throw new DeliveryError(error.message, {
          outcome: error.outcome,
          status: error.status,
          deferred: true,
          retryAfterMs: backOffMs(inARow, random),
          cause: error,
          ...(error.shore !== undefined && { shore: error.shore }),
          ...(error.code !== undefined && { code: error.code }),
        })
      }
    },
  }
}
