// What has been seen of the vendors' sides: which topics come, whether the URL was looked at, which secrets sign.
import type { Clock } from '../clock.js'
import { describeError } from '../errors.js'
import type { Log } from '../log.js'
import type { Store } from '../store/store.js'

/** Marks are for people who look on: one in so many ms is enough, and costs nothing. */
const everyMs = 10_000

export interface DoorMarks {
  /** Notes it unless it was noted a moment ago. */
  note(name: string, value?: unknown): void
}

export interface HubMarks {
  /** A signed notification of this topic came. */
  topic(topic: string, appId: string): void
  /** The URL was looked at, as when it is saved. */
  head(): void
  /** A notification came that another secret has signed. */
  unsigned(): void
}

type MarkParts = { readonly store: Store; readonly clock: Clock; readonly log: Log }

export function createDoorMarks({ store, clock, log }: MarkParts): DoorMarks {
  const last = new Map<string, number>()
  const note = (name: string, value?: unknown) => {
    const now = clock.now()
    if (now - (last.get(name) ?? Number.NEGATIVE_INFINITY) < everyMs) return
    last.set(name, now)
    // Nobody waits for it: the answer has to leave within half a second.
    store.setMark(name, now, value).catch((error: unknown) => {
      last.delete(name)
      log.warn('mark.not-written', { mark: name, error: describeError(error) })
    })
  }
  return { note }
}

export function createHubMarks(parts: MarkParts): HubMarks {
  const { note } = createDoorMarks(parts)
  return {
    topic: (topic, appId) => note(`topic:${topic}`, { appId }),
    head: () => note('hub-head'),
    unsigned: () => note('hub-unsigned'),
  }
}
