import { setMaxListeners } from 'node:events'

/** What goes on behind the API: webhooks and carrier steps, counted so that `idle` and `stop` can wait for them. */
export interface Work {
  /** Aborts on stop. Tasks return, without error, when they see it. */
  readonly signal: AbortSignal
  start(task: () => Promise<void>): void
  /** Starts `task` once every earlier task of this lane has ended. */
  startInLane(lane: string, task: () => Promise<void>): void
  idle(): Promise<void>
  stop(): Promise<void>
}

export function createWork(): Work {
  const stopping = new AbortController()
  setMaxListeners(0, stopping.signal)
  const running = new Set<Promise<void>>()
  const lanes = new Map<string, Promise<void>>()
  let waiting: (() => void)[] = []

  function start(task: () => Promise<void>): Promise<void> {
    const run = task().finally(() => {
      running.delete(run)
      if (running.size > 0) return
      const resolved = waiting
      waiting = []
      for (const resolve of resolved) resolve()
    })
    running.add(run)
    return run
  }
  const idle = () => (running.size === 0 ? Promise.resolve() : new Promise<void>((resolve) => waiting.push(resolve)))
  return {
    signal: stopping.signal,
    start(task) {
      if (!stopping.signal.aborted) void start(task)
    },
    startInLane(lane, task) {
      if (stopping.signal.aborted) return
      const before = lanes.get(lane) ?? Promise.resolve()
      const run = start(async () => {
        await before
        if (!stopping.signal.aborted) await task()
      })
      lanes.set(lane, run)
      void run.finally(() => {
        if (lanes.get(lane) === run) lanes.delete(lane)
      })
    },
    idle,
    stop() {
      stopping.abort()
      return idle()
    },
  }
}
