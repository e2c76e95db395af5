import type { Clock } from '../../clock.js'
import { DeliveryError } from '../../errors.js'

export interface Watch {
  readonly clock: Clock
  readonly signal: AbortSignal
  readonly patienceMs: number
  readonly everyMs: number
}

export interface Sighting<T> {
  readonly found: T
  /** When, epoch ms of our clock. */
  readonly at: number
}

/**
 * Looks again and again until there is something to see; undefined when patience is over. Faults that pass are looked
 * through, and thrown only when nothing else came.
 * @throws DeliveryError when the vendor does not let us in, or said no to the last look as well.
 */
export async function watch<T>(
  look: () => Promise<T | undefined>,
  { clock, signal, patienceMs, everyMs }: Watch,
): Promise<Sighting<T> | undefined> {
  const until = clock.now() + patienceMs
  for (;;) {
    signal.throwIfAborted()
    let fault: DeliveryError | undefined
    const begunAt = clock.now()
    try {
      const found = await look()
      if (found !== undefined) return { found, at: clock.now() }
    } catch (error) {
      signal.throwIfAborted()
      if (!(error instanceof DeliveryError) || error.status === 401 || error.status === 403) throw error
      fault = error
    }
    const now = clock.now()
    if (now >= until) {
      if (fault !== undefined) throw fault
      return undefined
    }
    await clock.sleep(Math.min(Math.max(everyMs - (now - begunAt), 0), until - now), signal)
  }
}
