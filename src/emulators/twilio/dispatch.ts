// The order in which webhooks leave, and what the armed faults do to it.
import type { State } from './state.js'
import { sendWebhook, type Webhook } from './webhooks.js'

export interface Dispatcher {
  /**
   * Sends a webhook. Those of one lane leave one after another, so that a receiver sees them out of order only when
   * `reorder` is armed; Twilio itself promises no order.
   */
  dispatch(lane: string, webhook: Webhook): void
}

/** How long `reorder` waits for a webhook to be overtaken by, so that the last one is late and not lost. */
const holdMs = 1000

export function createDispatcher(state: State): Dispatcher {
  let held: AbortController | undefined
  const { work, faults, clock } = state

  function hold(send: () => Promise<void>): void {
    const overtaken = new AbortController()
    held = overtaken
    work.start(async () => {
      await clock.sleep(holdMs, AbortSignal.any([overtaken.signal, work.signal]))
      if (held === overtaken) held = undefined
      if (!work.signal.aborted) await send()
    })
  }
  return {
    dispatch(lane, webhook) {
      if (faults.webhooks.has('drop')) return
      const times = faults.webhooks.has('duplicate') ? 2 : 1
      const send = async () => {
        for (let sent = 0; sent < times; sent += 1) await sendWebhook(state, webhook)
      }
      if (held !== undefined) {
        const overtaken = held
        held = undefined
        work.start(() => send().finally(() => overtaken.abort()))
      } else if (faults.webhooks.has('reorder')) {
        hold(send)
      } else {
        work.startInLane(lane, send)
      }
    },
  }
}
