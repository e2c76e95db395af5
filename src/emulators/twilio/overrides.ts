// Connection overrides: how often and how patiently a webhook is tried, written into the fragment of its URL
// (docs/usage/webhooks/webhooks-connection-overrides).

export type Failure = 'ct' | 'rt' | '4xx' | '5xx'

export interface Overrides {
  readonly connectMs: number
  readonly readMs: number
  /** For all tries together. */
  readonly totalMs: number
  readonly retries: number
  readonly retryOn: ReadonlySet<Failure>
}

const failures: readonly Failure[] = ['ct', 'rt', '4xx', '5xx']

/** Twilio's defaults where the fragment is silent: one retry, and only when no connection was made. */
export function readOverrides(url: string): Overrides {
  const hash = url.indexOf('#')
  const given = new URLSearchParams(hash === -1 ? '' : url.slice(hash + 1))
  const within = (name: string, fallback: number, [least, most]: readonly [number, number]) => {
    const text = given.get(name) ?? ''
    return /^\d+$/.test(text) ? Math.min(most, Math.max(least, Number(text))) : fallback
  }
  const policies = (given.get('rp') ?? 'ct').split(',')
  return {
    connectMs: within('ct', 5000, [100, 10_000]),
    readMs: within('rt', 15_000, [100, 15_000]),
    totalMs: within('tt', 15_000, [100, 15_000]),
    retries: within('rc', 1, [0, 5]),
    retryOn: new Set(failures.filter((failure) => policies.includes(failure) || policies.includes('all'))),
  }
}
