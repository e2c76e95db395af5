// Effects on a clock of their own: when a lost answer may be taken for "it was not done".
import { expect, it } from 'vitest'
import type { Effect, NewDelivery } from '../../src/delivery.js'
import { DeliveryError } from '../../src/errors.js'
import { createEffects } from '../../src/relay/effect.js'
import type { Store } from '../../src/store/store.js'
import { aDelivery, aFault, claimOne } from '../store/deliveries.js'
import { ManualClock } from '../support/manual-clock.js'
import { onEachEngine } from '../support/stores.js'

const visibleAfterMs = 20_000
const noAnswer = () => new DeliveryError('no answer', { outcome: 'ambiguous', shore: 'twilio' })

/** One attempt after the other, each when the one before asks for it, until the effect is known. */
async function attemptUntilDone<T>(store: Store, clock: ManualClock, effect: Effect<T>): Promise<T> {
  for (;;) {
    const claimed = await claimOne(store, 'me', clock.now())
    const effects = createEffects({ store, claimed, now: () => clock.now() })
    try {
      return await effects.run('send', effect)
    } catch (error) {
      if (!(error instanceof DeliveryError)) throw error
      const runAt = clock.now() + (error.retryAfterMs ?? 1_000)
      await store.settle(claimed, { state: 'ready', runAt, spent: false, fault: aFault }, clock.now())
      clock.jump(runAt - clock.now())
    }
  }
}

async function begin(store: Store, delivery: NewDelivery = aDelivery()): Promise<ManualClock> {
  const clock = new ManualClock()
  await store.register('me', 3_600_000, clock.now())
  await store.ingest(delivery, clock.now())
  return clock
}

onEachEngine('an effect whose answer was lost', (subject) => {
  it('and that a slow vendor made late is found, not repeated', async () => {
    const { store } = subject
    const clock = await begin(store)
    const start = clock.now()
    let performed = 0
    const found = await attemptUntilDone(store, clock, {
      visibleAfterMs,
      perform: async () => {
        performed += 1
        clock.jump(18_000)
        throw noAnswer()
      },
      // Made at the very end of the call, shown as late as the vendor shows anything.
      confirm: async () => (clock.now() >= start + 18_000 + visibleAfterMs ? 'made' : undefined),
    })
    expect([found, performed]).toEqual(['made', 1])
  })

  it('is repeated only when the vendor would have shown it, counted from the end of its call', async () => {
    const { store } = subject
    const clock = await begin(store)
    const start = clock.now()
    const performedAt: number[] = []
    const looks: number[] = []
    const made = await attemptUntilDone(store, clock, {
      visibleAfterMs,
      perform: async () => {
        performedAt.push(clock.now() - start)
        if (performedAt.length > 1) return 'made'
        clock.jump(18_000)
        throw noAnswer()
      },
      confirm: async () => {
        looks.push(clock.now() - start)
        return undefined
      },
    })
    expect(made).toBe('made')
    expect(performedAt).toEqual([0, 38_000])
    expect(looks).toEqual([19_000, 21_200, 28_000, 38_000])
  })

  it('with its process waits for the longest call as well: nobody saw when that one ended', async () => {
    const { store } = subject
    const clock = await begin(store)
    const start = clock.now()
    const claimed = await claimOne(store, 'me', start)
    await store.beginStep(claimed, 'send', start)
    await store.settle(claimed, { state: 'ready', runAt: start, spent: false, fault: aFault }, start)
    const performedAt: number[] = []
    await attemptUntilDone(store, clock, {
      visibleAfterMs,
      perform: async () => void performedAt.push(clock.now() - start),
      confirm: async () => undefined,
    })
    expect(performedAt).toEqual([80_000])
  })
})
