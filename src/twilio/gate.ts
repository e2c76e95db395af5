// At most so many calls at one time: Twilio limits concurrency, not rate. Live calls go in before bulk ones.
import type { Priority } from '../delivery.js'

export interface Gate {
  /** Runs `work` when a place is free. Rejects with `stopped()` when the signal aborts before that. */
  through<T>(
    request: { readonly priority: Priority; readonly signal: AbortSignal; readonly stopped: () => Error },
    work: () => Promise<T>,
  ): Promise<T>
}

export function createGate(places: number): Gate {
  let free = places
  const waiting: Readonly<Record<Priority, Set<() => void>>> = { live: new Set(), bulk: new Set() }

  function enter(priority: Priority, signal: AbortSignal, stopped: () => Error): Promise<void> {
    if (free > 0) {
      free -= 1
      return Promise.resolve()
    }
    return new Promise((resolve, reject) => {
      const leave = () => {
        waiting[priority].delete(go)
        reject(stopped())
      }
      const go = () => {
        signal.removeEventListener('abort', leave)
        resolve()
      }
      waiting[priority].add(go)
      signal.addEventListener('abort', leave, { once: true })
    })
  }

  function exit(): void {
    for (const line of [waiting.live, waiting.bulk]) {
      for (const next of line) {
        line.delete(next)
        next()
        return
      }
    }
    free += 1
  }

  return {
    async through({ priority, signal, stopped }, work) {
      if (signal.aborted) throw stopped()
      await enter(priority, signal, stopped)
      try {
        return await work()
      } finally {
        exit()
      }
    },
  }
}
