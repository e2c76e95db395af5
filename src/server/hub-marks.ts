// What has been seen of Intercom's side: which topics come, whether the URL was looked at, whether the secret is wrong.
import type { Clock } from '../clock.js'
import { describeError } from '../errors.js'
import type { Log } from '../log.js'
import type { Store } from '../store/store.js'

/** Marks are for people who look on: one in so many ms is enough, and costs nothing. */
const everyMs = 10_000

export interface HubMarks {
  /** A signed notification of this topic came. */
  topic(topic: string, appId: string): void
  /** The URL was looked at, as when it is saved. */
  head(): void
  /** A notification came that another secret has signed. */
  unsigned(): void
}

export function createHubMarks({ store, clock, log }: { store: Store; clock: Clock; log: Log }): HubMarks {
  const last = new Map<string, number>()
  const mark = (name: string, value?: unknown) => {
    const now = clock.now()
    if (now - (last.get(name) ?? Number.NEGATIVE_INFINITY) < everyMs) return
    last.set(name, now)
    // Nobody waits for it: the answer has to leave within half a second.
    store.setMark(name, now, value).catch((error: unknown) => {
      last.delete(name)
      log.warn('mark.not-written', { mark: name, error: describeError(error) })
    })
  }
  return {
    topic: (topic, appId) => mark(`topic:${topic}`, { appId }),
    head: () => mark('hub-head'),
    unsigned: () => mark('hub-unsigned'),
  }
}
