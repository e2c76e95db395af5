// What can go wrong on the way to and from a vendor, armed by tests and by the sandbox's switches.

/**
 * rate-limit: 429, nothing done · error-before: 500, nothing done · error-after: done, then 500 ·
 * timeout-after: done, then no answer · reset-after: done, then the connection is reset ·
 * reset-before: reset, nothing done · truncated: done, the answer breaks off half-way ·
 * html: 502 with an HTML page of a gateway, nothing done · slow: done, answered after `ms` ·
 * outage: the connection is reset for every request, nothing done ·
 * refuse-credentials: 401 whatever was sent
 */
export const apiFaults = [
  'rate-limit',
  'error-before',
  'error-after',
  'timeout-after',
  'reset-after',
  'reset-before',
  'truncated',
  'html',
  'slow',
  'outage',
  'refuse-credentials',
] as const
export type ApiFault = (typeof apiFaults)[number]

/** duplicate: every webhook is sent twice · reorder: held back until the next one has gone · drop: never sent */
export const webhookFaults = ['duplicate', 'reorder', 'drop'] as const
export type WebhookFault = (typeof webhookFaults)[number]

export interface ArmedFault {
  readonly kind: ApiFault
  /** Requests it still applies to; Infinity until it is cleared. */
  times: number
  readonly method: string | undefined
  readonly path: RegExp | undefined
  /** For `slow`. */
  readonly ms: number
}

export interface Faults {
  /** Arms a fault for the next `times` (default Infinity) matching API requests. Faults armed first apply first. */
  arm(kind: ApiFault, options?: { times?: number; method?: string; path?: RegExp; ms?: number }): void
  disarm(kind: ApiFault): void
  /** Takes the fault this request meets, counting it down. */
  take(method: string, path: string): ArmedFault | undefined
  armed(): readonly ArmedFault[]
  readonly webhooks: Set<WebhookFault>
  clear(): void
}

export function createFaults(): Faults {
  let armed: ArmedFault[] = []
  const webhooks = new Set<WebhookFault>()
  return {
    webhooks,
    armed: () => armed,
    arm(kind, { times = Number.POSITIVE_INFINITY, method, path, ms = 3000 } = {}) {
      armed.push({ kind, times, method, path, ms })
    },
    disarm(kind) {
      armed = armed.filter((fault) => fault.kind !== kind)
    },
    take(method, path) {
      const fault = armed.find(
        (one) => (one.method === undefined || one.method === method) && (one.path?.test(path) ?? true),
      )
      if (fault === undefined) return undefined
      fault.times -= 1
      if (fault.times <= 0) armed = armed.filter((one) => one !== fault)
      return fault
    },
    clear() {
      armed = []
      webhooks.clear()
    },
  }
}
