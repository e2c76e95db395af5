import type { TwinClock } from '../clock.js'
import type { BridgeHealth } from './types.js'

const everyMs = 2000
const deadlineMs = 2000

/** Asks the bridge's `/readyz` every two seconds until the signal aborts; calls back when the answer changes. */
export async function watchHealth(
  bridgeUrl: string,
  { clock, signal }: { clock: TwinClock; signal: AbortSignal },
  onChange: (health: BridgeHealth) => void,
): Promise<void> {
  let last = ''
  while (!signal.aborted) {
    const health = await probe(`${bridgeUrl}/readyz`, signal)
    if (signal.aborted) return
    const key = `${health.health} ${health.status}`
    if (key !== last) onChange(health)
    last = key
    await clock.sleep(everyMs, signal)
  }
}

async function probe(url: string, signal: AbortSignal): Promise<BridgeHealth> {
  try {
    const response = await fetch(url, { signal: AbortSignal.any([signal, AbortSignal.timeout(deadlineMs)]) })
    await response.arrayBuffer()
    return { health: response.ok ? 'ready' : 'not-ready', status: response.status }
  } catch {
    // Refused, reset, timed out: to the person at the page they are all the same.
    return { health: 'down', status: null }
  }
}
