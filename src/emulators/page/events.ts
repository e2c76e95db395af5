// Server-Sent Events that say only "something changed": the browser then asks for the state when it is ready for it,
// so a slow tab never piles up a backlog here.
import type { ServerResponse } from 'node:http'
import type { TwinClock } from '../clock.js'

/** The least time between two events, ms: a burst of changes becomes one. */
const quietMs = 50

export interface Events {
  open(response: ServerResponse, headers: Readonly<Record<string, string>>): void
  changed(): void
}

export function createEvents({ clock, signal }: { clock: TwinClock; signal: AbortSignal }): Events {
  const open = new Set<ServerResponse>()
  let count = 0
  let busy = false
  let again = false

  async function send(): Promise<void> {
    busy = true
    do {
      again = false
      count += 1
      for (const response of open) response.write(`event: change\ndata: ${count}\n\n`)
      await clock.sleep(quietMs, signal)
    } while (again && !signal.aborted)
    busy = false
  }

  return {
    open(response, headers) {
      response.writeHead(200, { ...headers, 'content-type': 'text/event-stream' })
      // The browser comes back a second after the stream breaks.
      response.write(`retry: 1000\nevent: change\ndata: ${count}\n\n`)
      open.add(response)
      response.once('close', () => open.delete(response))
    },
    changed() {
      if (busy) again = true
      else void send()
    },
  }
}
