// From when on a sweep looks, and how far it is noted to have come.
import { restoredMark, staleAfterMs } from '../delivery.js'
import type { Log } from '../log.js'
import type { Mark, Store } from '../store/store.js'
import { overlapMs, type Sweep, type SweepOptions, type SweptNumber } from './reconcile-intake.js'

/** How far the first sweep of all looks back, ms: what came before is none of this bridge's business. */
const firstMs = 900_000
/** After a longer absence people have answered in other ways: older than this is brought by `--since` only, ms. */
const longestMs = staleAfterMs['inbound-sms']

export interface WindowParts {
  readonly store: Pick<Store, 'findMark' | 'setMark'>
  readonly log: Log
}

export interface Window {
  readonly since: number
  /** Nothing older is taken in, whatever the clocks' differences made us ask for: it may have been delivered. */
  readonly notBefore: number
  /** Where the last complete sweep began; undefined when there was none. */
  readonly mark: Mark | undefined
}

export async function openWindow(
  { store, log }: WindowParts,
  name: string,
  now: number,
  options: SweepOptions,
): Promise<Window> {
  const mark = await store.findMark(name)
  if (options.since !== undefined) return { since: options.since, notBefore: 0, mark }
  const notBefore = (await store.findMark(restoredMark))?.at ?? 0
  // A mark in the future was made by a clock that has been set back since.
  const from = mark === undefined ? now - firstMs : Math.min(mark.at, now) - overlapMs
  const since = Math.max(from, now - longestMs, notBefore)
  if (since > from && since > notBefore) log.warn('reconcile.older-left', { mark: name, fromMs: from, untilMs: since })
  return { since, notBefore, mark }
}

export interface Swept {
  readonly begunAt: number
  /** Everything until then has been seen, epoch ms. */
  readonly at: number
  readonly sweep: Sweep
  readonly options: SweepOptions
  /** What the next sweep wants to know besides. */
  readonly more?: Readonly<Record<string, unknown>>
}

/** Notes what a sweep did. It has come to `at` only if nothing is missing and nothing after the last mark was left out. */
export async function closeWindow(
  { store }: WindowParts,
  name: string,
  { since, mark }: Window,
  { begunAt, at, sweep, options, more }: Swept,
): Promise<void> {
  if (options.dryRun) return
  const missing = sweep.numbers.flatMap((row) => row.missing)
  const sum = (count: (row: SweptNumber) => number) => sweep.numbers.reduce((total, row) => total + count(row), 0)
  const reaches = options.since === undefined || mark === undefined || since <= mark.at
  await store.setMark(name, missing.length === 0 && reaches ? at : (mark?.at ?? since), {
    at: begunAt,
    checked: sum(({ checked }) => checked),
    recovered: sum(({ recovered }) => recovered.length),
    missing,
    ...more,
  })
}
