import { describe, expect, it } from 'vitest'
import { DeliveryError } from '../../src/errors.js'
import { backOffMs, createBackOff } from '../../src/twilio/back-off.js'

const refused = () =>
  Promise.reject(
    new DeliveryError('too many calls', { outcome: 'transient', shore: 'twilio', code: '20429', status: 429 }),
  )

describe('too many calls at one time', () => {
  it('are waited out longer each time, up to half a minute, and not all equally long', () => {
    expect([1, 2, 3, 6, 20].map((count) => backOffMs(count, () => 0))).toEqual([1_000, 2_000, 4_000, 30_000, 30_000])
    expect(backOffMs(1, () => 0.5)).toBe(1_250)
  })

  it('are forgotten after an answer', async () => {
    const backOff = createBackOff(() => 0)
    await expect(backOff.watch(refused())).rejects.toMatchObject({ code: '20429', deferred: true, retryAfterMs: 1_000 })
    await expect(backOff.watch(refused())).rejects.toMatchObject({ retryAfterMs: 2_000 })
    expect(await backOff.watch(Promise.resolve('sent'))).toBe('sent')
    await expect(backOff.watch(refused())).rejects.toMatchObject({ retryAfterMs: 1_000 })
  })

  it('are another matter than any other failure', async () => {
    const failure = new DeliveryError('refused', { outcome: 'permanent', status: 400 })
    await expect(createBackOff(() => 0).watch(Promise.reject(failure))).rejects.toBe(failure)
  })
})
