import { describe, expect, it } from 'vitest'
import { DeliveryError, type DeliveryErrorFacts, StoreError } from '../../src/errors.js'
import { defaultRetryPolicy, type Judged, judge, nextWait, pauseMs } from '../../src/relay/retry.js'

const now = 1_000_000
const fresh = { kind: 'inbound-sms', attempts: 0, parkings: 0, replays: 0, receivedAt: now } as const
const failed = (facts: DeliveryErrorFacts, attempts = 0, pausedUntil?: number, more: Partial<Judged> = {}) =>
  judge({
    error: new DeliveryError('it did not work', facts),
    delivery: { ...fresh, attempts, ...more },
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

  const { length: budget } = defaultRetryPolicy.waitsMs
  const minute = 60_000
  const hour = 60 * minute

  it('is parked under the vendor’s code, or in a word for what happened', () => {
    const reasonOf = (facts: DeliveryErrorFacts) => {
      const end = failed(facts, budget)
      return end.state === 'parked' ? end.reason : end.state
    }
    expect(reasonOf({ outcome: 'transient', shore: 'twilio', code: '30001', status: 400 })).toBe('30001')
    expect(reasonOf({ outcome: 'ambiguous', shore: 'twilio' })).toBe('no-answer')
    expect(reasonOf({ outcome: 'ambiguous', shore: 'intercom', status: 500 })).toBe('server-error')
    expect(reasonOf({ outcome: 'transient', shore: 'intercom', status: 404 })).toBe('gateway')
    expect(reasonOf({ outcome: 'transient' })).toBe('bug')
  })

  it('what may have happened and cannot be found out is parked at once', () => {
    expect(failed({ outcome: 'ambiguous', code: 'unprovable', unprovable: true })).toMatchObject({
      state: 'parked',
      reason: 'unprovable',
    })
  })

  it('comes back a minute after it was parked, then at growing distances, and holds its lane ten minutes in all', () => {
    const parkings = [0, 1, 2, 3, 4, 5, 6, 20]
    const ends = parkings.map((count) =>
      failed({ outcome: 'transient', code: 'x' }, budget + count, undefined, { parkings: count, parkedAt: now - 7 }),
    )
    const jitter = 1 + defaultRetryPolicy.jitter * 0.5
    expect(
      ends.map(
        (end) => end.state === 'parked' && end.retryAt !== undefined && Math.round((end.retryAt - now) / jitter),
      ),
    ).toEqual([minute, 5 * minute, 15 * minute, hour, 3 * hour, 6 * hour, 6 * hour, 6 * hour])
    expect(new Set(ends.map((end) => end.state === 'parked' && end.holdUntil))).toEqual(
      new Set([now - 7 + 10 * minute]),
    )
  })

  it('comes back by itself only while it is news: a text for three days, a reply for four hours', () => {
    const comesBack = (kind: Judged['kind'], ageMs: number) => {
      const end = failed({ outcome: 'transient' }, budget, undefined, { kind, receivedAt: now - ageMs })
      return end.state === 'parked' && end.retryAt !== undefined
    }
    expect([comesBack('inbound-sms', 71 * hour), comesBack('inbound-sms', 72 * hour)]).toEqual([true, false])
    expect([comesBack('agent-reply', 3 * hour), comesBack('agent-reply', 4 * hour)]).toEqual([true, false])
  })

  it('never comes back by itself when the fault is permanent, or a person has replayed it', () => {
    const byHand = (end: ReturnType<typeof failed>) => end.state === 'parked' && end.retryAt === undefined
    expect(byHand(failed({ outcome: 'permanent', code: '21211' }))).toBe(true)
    expect(byHand(failed({ outcome: 'transient' }, budget, undefined, { replays: 1 }))).toBe(true)
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
      delivery: fresh,
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

describe('trouble with the store', () => {
  it('spends no attempt: nothing the delivery could help', () => {
    const error = new StoreError('Trouble with the store: database or disk is full')
    const end = judge({
      error,
      delivery: { ...fresh, attempts: 99 },
      now,
      random: () => 0,
      policy: defaultRetryPolicy,
      pausedUntil: undefined,
    })
    expect(end).toMatchObject({ state: 'ready', runAt: now + 1_000, spent: false })
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
