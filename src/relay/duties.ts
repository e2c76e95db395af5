// What one process does for all of them, again and again: each duty under a lease row of its own, so that another
// process takes it over within a lease's life when its holder dies.
import type { Clock } from '../clock.js'
import type { Tools } from '../delivery.js'
import { describeError } from '../errors.js'
import type { Log } from '../log.js'
import type { InstanceId, Store } from '../store/store.js'
import { LeaseLost } from './effect.js'

export type DutyTools = Pick<Tools, 'call' | 'now'>

export interface Duty {
  /** Names its lease row. */
  readonly name: string
  /** From the start of one run to the start of the next, ms; a process that takes the duty over runs it at once. */
  readonly everyMs: number
  run(tools: DutyTools): Promise<void>
}

export interface DutiesParts {
  readonly store: Pick<Store, 'takeDuty' | 'giveUpDuty'>
  readonly clock: Clock
  readonly log: Log
  readonly duties: readonly Duty[]
  /** Who holds the leases: this life of this process. */
  readonly holder: InstanceId
  /** Default 15 s. */
  readonly leaseMs?: number
}

export interface Duties {
  start(): void
  /** Breaks off what is running, waits for its end, and leaves the duties to others. */
  stop(): Promise<void>
}

export function createDuties({ store, clock, log, duties, holder, leaseMs = 15_000 }: DutiesParts): Duties {
  const stopping = new AbortController()
  const { signal } = stopping
  let loops: readonly Promise<void>[] = []

  /** When our lease on it was last known to be good, epoch ms; undefined: it is not ours, or nobody can tell. */
  const take = async ({ name }: Duty): Promise<number | undefined> => {
    const now = clock.now()
    try {
      return (await store.takeDuty(name, holder, now + leaseMs, now)) ? now : undefined
    } catch (error) {
      log.warn('duty.lease-failed', { duty: name, error: describeError(error) })
      return undefined
    }
  }

  /** One run, broken off when we stop or the lease may have become another's. Never rejects. */
  const run = async (duty: Duty, takenAt: number): Promise<void> => {
    const over = new AbortController()
    const stop = () => over.abort()
    signal.addEventListener('abort', stop, { once: true })
    let renewedAt = takenAt
    const guard = () => {
      if (clock.now() - renewedAt > (leaseMs * 2) / 3) throw new LeaseLost()
    }
    const done = new AbortController()
    const renew = async () => {
      for (;;) {
        await clock.sleep(leaseMs / 3, done.signal)
        if (done.signal.aborted) return
        renewedAt = (await take(duty)) ?? renewedAt
        try {
          guard()
        } catch {
          over.abort()
          return
        }
      }
    }
    const renewing = renew()
    try {
      await duty.run({ call: { signal: over.signal, guard, priority: 'live' }, now: () => clock.now() })
    } catch (error) {
      if (!signal.aborted) log.warn('duty.failed', { duty: duty.name, error: describeError(error) })
    } finally {
      done.abort()
      signal.removeEventListener('abort', stop)
      await renewing
    }
  }

  const loop = async (duty: Duty): Promise<void> => {
    let dueAt: number | undefined
    while (!signal.aborted) {
      const takenAt = await take(duty)
      if (takenAt === undefined) dueAt = undefined
      else if (dueAt === undefined || takenAt >= dueAt) {
        dueAt = takenAt + duty.everyMs
        await run(duty, takenAt)
      }
      const untilDue = dueAt === undefined ? leaseMs : dueAt - clock.now()
      await clock.sleep(Math.max(0, Math.min(leaseMs / 3, untilDue)), signal)
    }
  }

  return {
    start() {
      loops = duties.map(loop)
    },
    async stop() {
      stopping.abort()
      await Promise.all(loops)
      for (const { name } of duties) {
        // Those that are another's stay with it; ours would run out by themselves.
        await store.giveUpDuty(name, holder).catch((error: unknown) => {
          log.warn('duty.not-given-up', { duty: name, error: describeError(error) })
        })
      }
    },
  }
}
