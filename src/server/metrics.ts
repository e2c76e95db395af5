// prom-client, wrapped: the only file that knows it.
import { Counter, Gauge, Histogram, Registry } from 'prom-client'
import type { Store } from '../store/store.js'

/** Why a webhook was not taken in. */
export type Refusal = 'signature' | 'account' | 'too-large' | 'malformed' | 'content-type' | 'not-ours' | 'store'

export interface Metrics {
  accepted(source: string, duplicate: boolean): void
  refused(source: string, why: Refusal): void
  /** Reconciliation found what no webhook of this source brought. */
  recovered(source: string): void
  attempted(kind: string, outcome: string): void
  delivered(kind: string, ageMs: number): void
  called(shore: string, outcome: string, tookMs: number): void
  /** In the Prometheus text format; reads the store. */
  render(now: number): Promise<string>
  readonly contentType: string
}

const hopBuckets = [0.05, 0.1, 0.25, 0.5, 1, 2, 5, 10, 30, 60, 300, 3600]

export function createMetrics(store: Store): Metrics {
  const registry = new Registry()
  const registers = [registry]
  const counter = (name: string, help: string, labelNames: string[]) =>
    new Counter({ name, help, labelNames, registers })
  const gauge = (name: string, help: string, labelNames: string[] = []) =>
    new Gauge({ name, help, labelNames, registers })
  const histogram = (name: string, help: string, labelNames: string[]) =>
    new Histogram({ name, help, labelNames, buckets: hopBuckets, registers })

  const accepted = counter('sms_bridge_accepted_total', 'Webhooks stored and answered', ['source'])
  const duplicates = counter('sms_bridge_duplicates_total', 'Webhooks already known', ['source'])
  const refused = counter('sms_bridge_refused_total', 'Webhooks not taken in', ['source', 'reason'])
  const recovered = counter('sms_bridge_recovered_total', 'Found without a webhook, in the vendors’ lists', ['source'])
  const attempts = counter('sms_bridge_attempts_total', 'Delivery attempts', ['kind', 'outcome'])
  const delivered = counter('sms_bridge_delivered_total', 'Deliveries made', ['kind'])
  const hop = histogram('sms_bridge_hop_seconds', 'From webhook to delivered', ['kind'])
  const calls = histogram('sms_bridge_vendor_call_seconds', 'Calls to the vendors', ['shore', 'outcome'])
  const waiting = gauge('sms_bridge_waiting', 'Deliveries waiting or in hand')
  const parked = gauge('sms_bridge_parked', 'Deliveries in the dead-letter queue')
  const lag = gauge('sms_bridge_lag_seconds', 'Age of the oldest waiting delivery')
  const paused = gauge('sms_bridge_shore_paused', '1 while a shore is paused', ['shore'])
  const headroom = gauge('sms_bridge_limit_headroom', 'Share of a rate limit that is free', ['key'])

  return {
    contentType: registry.contentType,
    accepted(source, duplicate) {
      accepted.inc({ source })
      if (duplicate) duplicates.inc({ source })
    },
    refused: (source, reason) => refused.inc({ source, reason }),
    recovered: (source) => recovered.inc({ source }),
    attempted: (kind, outcome) => attempts.inc({ kind, outcome }),
    delivered(kind, ageMs) {
      delivered.inc({ kind })
      hop.observe({ kind }, ageMs / 1000)
    },
    called: (shore, outcome, tookMs) => calls.observe({ shore, outcome }, tookMs / 1000),
    async render(now) {
      const [summary, limits] = await Promise.all([store.summarize(now, now), store.limitHeadroom(now)])
      waiting.set(summary.waiting)
      parked.set(summary.parked)
      lag.set(summary.oldestWaitingAt === undefined ? 0 : Math.max(0, now - summary.oldestWaitingAt) / 1000)
      paused.reset()
      for (const { shore } of summary.pauses) paused.set({ shore }, 1)
      headroom.reset()
      for (const { key, free } of limits) headroom.set({ key }, free)
      return registry.metrics()
    },
  }
}
