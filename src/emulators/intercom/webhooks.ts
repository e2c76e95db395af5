// The Developer Hub's side: one URL for the app, topics ticked, and the delivery rules of the webhook pages.
import { createHmac } from 'node:crypto'
import type { TwinClock } from '../clock.js'
import type { Faults } from '../faults.js'
import { withDeadline } from './deadline.js'
import type { Ids } from './ids.js'
import { topics as allTopics } from './notices.js'
import type { Notice } from './state.js'

const timeoutMs = 5_000
const retryMs = 60_000
const throttleMs = { first: 60_000, longest: 2 * 60 * 60_000 }

export interface Webhooks {
  /** Rejects when HEAD is not answered 2xx. */
  set(url: string, topics: readonly string[] | undefined): Promise<void>
  notify(notice: Notice): void
  /** Resolves when nothing is under way or waiting for its retry. */
  idle(): Promise<void>
}

export interface WebhooksOptions {
  readonly appId: string
  readonly clientSecret: string
  readonly clock: TwinClock
  readonly faults: Faults
  readonly ids: Ids
  readonly stopped: AbortSignal
  attempted(notice: Notice, status: number | 'failed'): void
}

interface Subscription {
  readonly url: string
  readonly topics: ReadonlySet<string>
  /** Since a 429: nothing is sent before, and each further 429 doubles the wait. */
  throttledUntil: number
  throttleMs: number
}

interface Notification extends Notice {
  readonly id: string | null
  readonly createdAt: number
  readonly firstSentAt: number
  attempts: number
}

export function createWebhooks(options: WebhooksOptions): Webhooks {
  const { clock, faults, stopped } = options
  let subscription: Subscription | undefined
  let held: Notification | undefined
  /** The last first attempt of each key. */
  const lanes = new Map<string, Promise<void>>()
  const underWay = new Set<Promise<void>>()

  function track(work: Promise<void>): void {
    underWay.add(work)
    void work.finally(() => underWay.delete(work))
  }

  /** Resolves when the first attempt has ended; what follows it goes on by itself. */
  function start(notification: Notification): Promise<void> {
    const before = lanes.get(notification.key) ?? Promise.resolve()
    const first = before.then(() => attempt(notification))
    const lane = first.then(() => undefined)
    lanes.set(notification.key, lane)
    track(first.then((status) => followUp(notification, status)))
    return lane.then(() => {
      if (lanes.get(notification.key) === lane) lanes.delete(notification.key)
    })
  }

  async function attempt(notification: Notification): Promise<number | 'failed' | 'dropped'> {
    await untilUnthrottled(notification)
    if (subscription === undefined || stopped.aborted) return 'dropped'
    if (clock.now() - notification.createdAt > throttleMs.longest) return 'dropped'
    notification.attempts += 1
    const body = JSON.stringify(envelope(options.appId, notification))
    const status = await send(subscription.url, 'POST', body)
    if (stopped.aborted) return 'dropped'
    options.attempted(notification, status)
    return status
  }

  async function untilUnthrottled(notification: Notification): Promise<void> {
    const waiting = () => Math.min(subscription?.throttledUntil ?? 0, notification.createdAt + throttleMs.longest + 1)
    while (waiting() > clock.now() && !stopped.aborted) await clock.sleep(waiting() - clock.now(), stopped)
  }

  async function followUp(notification: Notification, first: number | 'failed' | 'dropped'): Promise<void> {
    let status = first
    let retries = 0
    while (status !== 'dropped' && subscription !== undefined) {
      if (status === 410) {
        subscription = undefined
        return
      }
      if (status === 429) {
        throttle(subscription)
      } else if (typeof status === 'number' && status >= 200 && status < 300) {
        subscription.throttleMs = throttleMs.first
        return
      } else {
        // Exactly one retry, after a minute; then the notification is marked failed and forgotten.
        if (retries === 1) return
        retries += 1
        await clock.sleep(retryMs, stopped)
      }
      status = await attempt(notification)
    }
  }

  function throttle(current: Subscription): void {
    if (current.throttledUntil > clock.now()) return
    current.throttledUntil = clock.now() + current.throttleMs
    current.throttleMs = Math.min(current.throttleMs * 2, throttleMs.longest)
  }

  async function send(url: string, method: 'HEAD' | 'POST', body?: string): Promise<number | 'failed'> {
    const headers = {
      'user-agent': 'intercom-parrot-service-client/1.0',
      accept: 'application/json',
      ...(body === undefined ? {} : { 'content-type': 'application/json', 'x-hub-signature': signatureOf(body) }),
    }
    try {
      return await withDeadline({ clock, ms: timeoutMs, stopped }, async (signal) => {
        const response = await fetch(url, { method, redirect: 'manual', signal, headers, body: body ?? null })
        await response.arrayBuffer()
        return response.status
      })
    } catch {
      // Refused, reset or timed out: to Intercom all one.
      return 'failed'
    }
  }

  const signatureOf = (body: string) => `sha1=${createHmac('sha1', options.clientSecret).update(body).digest('hex')}`

  function dispatch(notification: Notification): void {
    if (faults.webhooks.has('drop')) return
    if (held !== undefined) {
      const late = held
      held = undefined
      track(start(notification).then(() => start(late)))
    } else if (faults.webhooks.has('reorder')) {
      held = notification
    } else {
      track(start(notification))
    }
    // The same notification again, under the same id.
    if (faults.webhooks.has('duplicate')) track(start({ ...notification, attempts: 0 }))
  }

  const notificationOf = (notice: Notice, id: string | null): Notification => ({
    ...notice,
    id,
    createdAt: clock.now(),
    firstSentAt: clock.now(),
    attempts: 0,
  })

  return {
    async set(url, topics = allTopics) {
      const status = await send(url, 'HEAD')
      if (status === 'failed' || status < 200 || status >= 300) {
        throw new Error(`${url} did not answer HEAD with 2xx (${status})`)
      }
      subscription = { url, topics: new Set(topics), throttledUntil: 0, throttleMs: throttleMs.first }
      const item = { type: 'ping', message: 'something something interzen' }
      track(start(notificationOf({ topic: 'ping', item, key: 'ping' }, null)))
    },
    notify(notice) {
      if (subscription?.topics.has(notice.topic)) dispatch(notificationOf(notice, `notif_${options.ids.uuid()}`))
    },
    async idle() {
      if (held !== undefined && !faults.webhooks.has('reorder')) {
        const late = held
        held = undefined
        track(start(late))
      }
      while (underWay.size > 0) await Promise.all(underWay)
    },
  }
}

function envelope(appId: string, notification: Notification): Readonly<Record<string, unknown>> {
  return {
    type: 'notification_event',
    app_id: appId,
    data: { type: 'notification_event_data', item: notification.item },
    links: {},
    id: notification.id,
    topic: notification.topic,
    delivery_status: notification.id === null ? null : 'pending',
    delivery_attempts: notification.attempts,
    delivered_at: 0,
    first_sent_at: Math.floor(notification.firstSentAt / 1000),
    created_at: Math.floor(notification.createdAt / 1000),
    self: null,
  }
}
