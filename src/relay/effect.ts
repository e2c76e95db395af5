// Effects that must happen once. Neither vendor takes an idempotency key, so an effect is written down before it is
// tried and after it is known; what a crash or a lost answer leaves between the two is looked up, never repeated blindly.
import type { Effect, Effects, Step } from '../delivery.js'
import { DeliveryError } from '../errors.js'
import type { Claimed, Store } from '../store/store.js'

/** The lane went to another process: whatever this attempt still wants to do is no longer its business. */
export class LeaseLost extends Error {
  override readonly name = 'LeaseLost'
  constructor() {
    super('the lease on this lane was lost')
  }
}

/**
 * A call may still be on its way this long after its effect was begun: a place in the rate limit (20 s), one among the
 * concurrent calls, the deadline. Counted where nothing tells when the call really ended: after a crash.
 */
const longestCallMs = 60_000

/** When to look again, as shares of the time after which an absence is proof. */
const looks = [0.04, 0.16, 0.5, 1]

function nextLookMs(from: number, visibleAfterMs: number, now: number): number {
  const age = now - from
  const next = looks.map((share) => share * visibleAfterMs).find((at) => at > age) ?? visibleAfterMs
  return Math.max(1, Math.ceil(next - age))
}

/** Notes when a call ended without an answer. */
const unansweredStep = (name: string) => `${name}:unanswered`

export interface EffectParts {
  readonly store: Pick<Store, 'beginStep' | 'finishStep' | 'dropStep'>
  readonly claimed: Claimed
  readonly now: () => number
}

/** Runs effects of one delivery, each at most once over all its attempts. */
export function createEffects({ store, claimed, now }: EffectParts): Effects {
  const steps: Record<string, Step> = { ...claimed.delivery.steps }

  const keep = async (written: Promise<boolean>): Promise<void> => {
    if (!(await written)) throw new LeaseLost()
  }

  const finish = async (name: string, value: unknown): Promise<void> => {
    const at = now()
    await keep(store.finishStep(claimed, name, value, at))
    steps[name] = { begunAt: steps[name]?.begunAt ?? at, doneAt: at, value }
  }

  const forget = async (name: string): Promise<void> => {
    await keep(store.dropStep(claimed, name))
    delete steps[name]
  }

  /** Finds out what became of an effect whose end was never seen. */
  const resolve = async <T>(name: string, step: Step, effect: Effect<T>): Promise<T | undefined> => {
    const unanswered = steps[unansweredStep(name)]?.doneAt
    const endedBy = unanswered !== undefined && unanswered >= step.begunAt ? unanswered : step.begunAt + longestCallMs
    const found = await effect.confirm({ begunAt: step.begunAt, endedBy })
    if (found !== undefined) {
      await finish(name, found)
      return found
    }
    if (now() < endedBy + effect.visibleAfterMs) {
      throw new DeliveryError(`whether "${name}" happened is not known yet`, {
        outcome: 'ambiguous',
        code: 'unconfirmed',
        deferred: true,
        retryAfterMs: nextLookMs(endedBy, effect.visibleAfterMs, now()),
      })
    }
    await forget(name)
    return undefined
  }

  return {
    step: (name: string): Step | undefined => steps[name],
    note: finish,
    forget,
    async run<T>(name: string, effect: Effect<T>): Promise<T> {
      const step = steps[name]
      if (step?.doneAt !== undefined) return step.value as T // written by this same effect in an earlier attempt
      if (step !== undefined) {
        const found = await resolve(name, step, effect)
        if (found !== undefined) return found
      }
      const begunAt = now()
      await keep(store.beginStep(claimed, name, begunAt))
      steps[name] = { begunAt }
      try {
        const value = await effect.perform()
        await finish(name, value)
        return value
      } catch (error) {
        // Certain not to have happened: the next attempt need not look for it.
        if (error instanceof DeliveryError && error.outcome !== 'ambiguous') await forget(name)
        else if (!(error instanceof LeaseLost)) await finish(unansweredStep(name), undefined)
        throw error
      }
    },
  }
}
