import { describe, expect, it } from 'vitest'
import { DeliveryError, type DeliveryErrorFacts } from '../../src/errors.js'
import { defaultRetryPolicy, judge, nextWait, pauseMs } from '../../src/relay/retry.js'

const now = 1_000_000
const failed = (facts: DeliveryErrorFacts, attempts = 0, pausedUntil?: number) =>
  judge({
    error: new DeliveryError('it did not work', facts),
    attempts,
    now,
    random: () => 0.5,
    policy: defaultRetryPolicy,
    pausedUntil,
  })

describe('how a failed attempt ends', () => {
  it('a permanent failure is parked at once with the vendor code', () => {
    expect(failed({ outcome: 'permanent', shore: 'twilio', code: '21211', status: 400 })).toEqual({
      state: 'parked',
      reason: '21211',
      fault: { message: 'it did not work', outcome: 'permanent', shore: 'twilio', code: '21211', status: 400 },
    })
  })

  it('a transient failure waits longer each time, with jitter', () => {
    const waits = [0, 1, 2].map((attempts) => failed({ outcome: 'transient' }, attempts))
    expect(waits.map((one) => one.state === 'ready' && one.runAt - now)).toEqual([1_100, 5_500, 16_500])
  })

  it('a transient failure that used up its budget is parked', () => {
    const { length } = defaultRetryPolicy.waitsMs
    expect(failed({ outcome: 'transient', code: '30001' }, length).state).toBe('parked')
    expect(failed({ outcome: 'transient', code: '30001' }, length - 1).state).toBe('ready')
  })

  it('an ambiguous failure that cannot be cleared up is parked as unconfirmed', () => {
    const end = failed({ outcome: 'ambiguous' }, defaultRetryPolicy.waitsMs.length)
    expect(end.state === 'parked' && end.reason).toBe('unconfirmed')
  })

  it('waiting for a limit spends no attempt', () => {
    expect(failed({ outcome: 'transient', deferred: true, retryAfterMs: 250 })).toMatchObject({
      state: 'ready',
      runAt: now + 250,
      spent: false,
    })
  })

  it('a paused shore spends no attempt, whatever the failure', () => {
    expect(failed({ outcome: 'ambiguous' }, 99, now + 5_000)).toMatchObject({
      state: 'ready',
      runAt: now + 5_000,
      spent: false,
    })
  })

  it('never tries again before the vendor said so', () => {
    expect(failed({ outcome: 'transient', retryAfterMs: 60_000 })).toMatchObject({
      state: 'ready',
      runAt: now + 60_000,
      spent: true,
    })
  })

  it('a bug of ours is retried to the budget like anything transient', () => {
    const end = judge({
      error: new TypeError('x is not a function'),
      attempts: 0,
      now,
      random: () => 0,
      policy: defaultRetryPolicy,
      pausedUntil: undefined,
    })
    expect(end).toEqual({
      state: 'ready',
      runAt: now + 1_000,
      spent: true,
      fault: { message: 'x is not a function', outcome: 'transient' },
    })
  })
})

describe('waits', () => {
  it('end with the budget', () => {
    expect(nextWait(defaultRetryPolicy.waitsMs.length + 1, defaultRetryPolicy, () => 0)).toBeUndefined()
  })

  it('of a shore double from five seconds to a minute', () => {
    expect([0, 1, 2, 3, 4, 50].map((failures) => pauseMs(failures, 5_000))).toEqual([
      5_000, 10_000, 20_000, 40_000, 60_000, 60_000,
    ])
  })
})
