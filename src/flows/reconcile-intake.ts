// What a sweep does with what the vendors' lists show: counts it, leaves alone what is known, takes in the rest.
import type { Clock } from '../clock.js'
import type { NewDelivery, Tools } from '../delivery.js'
import { DeliveryError, describeError } from '../errors.js'
import type { Log } from '../log.js'
import type { Store } from '../store/store.js'

export type SweepTools = Pick<Tools, 'call' | 'now'>

/** Younger than so long by the vendor's word, its webhook may still be on its way, ms: far more than clocks differ. */
export const overlapMs = 600_000

export interface SweepOptions {
  /** Older than this is left alone, epoch ms. */
  readonly notBefore?: number
  /** From when on, epoch ms; default: where the last sweep came to, minus the overlap. */
  readonly since?: number
  /** Only looks. */
  readonly dryRun?: boolean
  /** Nothing waits for a webhook that may be on its way: there was nobody to take it. */
  readonly atOnce?: boolean
}

/** What was found of one number and direction. */
export interface SweptNumber {
  readonly number: string
  readonly direction: 'in' | 'out'
  /** Listed by the vendor. */
  readonly checked: number
  readonly known: number
  /** Ids that no webhook brought: taken in, or only found on a dry run. */
  readonly recovered: readonly string[]
  /** Ids that could not be taken in. */
  readonly missing: readonly string[]
}

export interface Sweep {
  readonly since: number
  readonly numbers: readonly SweptNumber[]
}

export interface Found {
  readonly id: string
  readonly dedupeKey: string
  readonly number: string
  readonly direction: 'in' | 'out'
  /** Epoch ms, by the vendor's clock. */
  readonly at: number
  /** Asked only for what is taken in; undefined when it turns out to be none of ours. */
  readonly toDelivery: () => Promise<NewDelivery | undefined>
}

export interface IntakeParts {
  readonly store: Pick<Store, 'unseen' | 'ingest'>
  readonly clock: Pick<Clock, 'sleep'>
  readonly log: Log
  /** How long a webhook may take that is on its way, ms. */
  readonly graceMs: number
  readonly onRecovered: (direction: SweptNumber['direction']) => void
}

interface Counts {
  checked: number
  known: number
  readonly recovered: string[]
  readonly missing: string[]
}

export interface Intake {
  /** Oldest first, as lanes want it. */
  offer(listed: readonly Found[]): Promise<void>
  /** Waits for webhooks that may be on their way, takes in what none has brought then, and tells what was done. */
  finish(): Promise<readonly SweptNumber[]>
}

export function createIntake(parts: IntakeParts, tools: SweepTools, options: SweepOptions): Intake {
  const { store, clock, log, graceMs, onRecovered } = parts
  const rows = new Map<string, Counts & Pick<SweptNumber, 'number' | 'direction'>>()
  const young: Found[] = []

  const rowOf = ({ number, direction }: Found) => {
    const key = `${number} ${direction}`
    const row = rows.get(key) ?? { number, direction, checked: 0, known: 0, recovered: [], missing: [] }
    rows.set(key, row)
    return row
  }

  const unseenOf = async (found: readonly Found[]): Promise<readonly Found[]> => {
    const unseen = new Set(await store.unseen(found.map(({ dedupeKey }) => dedupeKey)))
    const known = found.filter(({ dedupeKey }) => !unseen.has(dedupeKey))
    for (const one of known) rowOf(one).known += 1
    return found.filter(({ dedupeKey }) => unseen.has(dedupeKey))
  }

  const take = async (one: Found): Promise<void> => {
    const row = rowOf(one)
    if (options.dryRun) {
      row.recovered.push(one.id)
      return
    }
    try {
      const delivery = await one.toDelivery()
      if (delivery === undefined) return
      const { duplicate } = await store.ingest({ ...delivery, recovered: true }, tools.now())
      if (duplicate) {
        row.known += 1
        return
      }
      row.recovered.push(one.id)
      log.info('reconcile.recovered', { id: one.id, direction: one.direction })
      onRecovered(one.direction)
    } catch (error) {
      // The vendor is away or we are stopping: the next sweep begins where this one did.
      if (tools.call.signal.aborted || (error instanceof DeliveryError && error.outcome !== 'permanent')) throw error
      row.missing.push(one.id)
      log.error('reconcile.not-ingested', { id: one.id, error: describeError(error) })
    }
  }

  return {
    async offer(listed) {
      const found = listed.filter(({ at }) => at >= (options.notBefore ?? 0))
      for (const one of found) rowOf(one).checked += 1
      for (const one of await unseenOf(found)) {
        if (options.atOnce || one.at < tools.now() - overlapMs) await take(one)
        else young.push(one)
      }
    },
    async finish() {
      if (young.length > 0) {
        await clock.sleep(graceMs, tools.call.signal)
        tools.call.guard()
        for (const one of await unseenOf(young)) await take(one)
      }
      return [...rows.values()]
    },
  }
}
