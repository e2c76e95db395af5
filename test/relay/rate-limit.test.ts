import { expect, it } from 'vitest'
import { createLimiter } from '../../src/relay/rate-limit.js'
import { ManualClock, until } from '../support/manual-clock.js'
import { onEachEngine } from '../support/stores.js'

const log = { info() {}, warn() {}, error() {} }
const signal = new AbortController().signal
/** Ten a second, one at once. */
const rule = { perMs: 0.01, burst: 1 }

onEachEngine('the limiter', (subject) => {
  const open = () => {
    const clock = new ManualClock()
    const limiter = createLimiter({ store: subject.store, clock, log })
    const pass = (priority: 'live' | 'bulk', cost = 1) => limiter.pass({ key: 'k', rule, cost, priority, signal })
    return { clock, limiter, pass }
  }

  it('lets live calls wait in line, each at its place', async () => {
    const { clock, pass } = open()
    const passed: number[] = []
    const start = clock.now()
    const calls = [1, 2, 3].map(async () => {
      await pass('live')
      passed.push(clock.now() - start)
    })
    await until('all three passed', () => passed.length === 3, {
      clock,
      stepMs: 10,
      after: () => subject.store.nextDue(),
    })
    await Promise.all(calls)
    // Turned in steps of ten, so a wake-up is seen at the end of its step.
    expect(passed.map((at) => Math.floor(at / 100))).toEqual([0, 1, 2])
  })

  it('takes bulk only when a place is free now, so that it never stands before a live call', async () => {
    const { clock, pass } = open()
    await pass('bulk')
    await expect(pass('bulk')).rejects.toMatchObject({ outcome: 'transient', deferred: true, retryAfterMs: 100 })
    await clock.advance(100)
    await pass('bulk')
  })

  it('counts cost: a text of three segments takes three places', async () => {
    const { pass } = open()
    await pass('bulk', 3)
    await expect(pass('bulk')).rejects.toMatchObject({ retryAfterMs: 300 })
  })

  it('follows the rule the vendor tells, and holds until the vendor says', async () => {
    const { clock, limiter, pass } = open()
    await limiter.learn('k', { perMs: 1, burst: 1 })
    await pass('bulk')
    await clock.advance(1)
    await pass('bulk')
    await limiter.hold('k', clock.now() + 5_000)
    await expect(pass('bulk')).rejects.toMatchObject({ retryAfterMs: expect.closeTo(5_000, -1) })
  })
})
