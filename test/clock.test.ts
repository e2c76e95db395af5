import { describe, expect, it } from 'vitest'
import { createSteadyClock } from '../src/clock.js'

const hour = 3_600_000

/** A machine whose clock can be set. */
function machine(atLeast?: number) {
  let elapsed = 0
  let offset = 1_000_000
  const setBacks: number[] = []
  const clock = createSteadyClock({
    wall: () => elapsed + offset,
    elapsed: () => elapsed,
    onSetBack: (ms) => setBacks.push(ms),
    ...(atLeast !== undefined && { atLeast }),
  })
  return {
    clock,
    setBacks,
    pass: (ms: number) => {
      elapsed += ms
    },
    set: (ms: number) => {
      offset += ms
    },
  }
}

describe('a steady clock', () => {
  it('is the machine’s own while nobody sets that', () => {
    const { clock, pass, setBacks } = machine()
    const times = [clock.now()]
    for (const ms of [1, 0, 5_000, hour]) {
      pass(ms)
      times.push(clock.now())
    }
    expect(times).toEqual([1_000_000, 1_000_001, 1_000_001, 1_005_001, 4_605_001])
    expect(setBacks).toEqual([])
  })

  it('goes on when the machine’s is set back, says so once, and is the machine’s again when that has caught up', () => {
    const { clock, pass, set, setBacks } = machine()
    pass(10)
    set(-hour)
    expect(clock.now()).toBe(1_000_010)
    pass(500)
    expect(clock.now()).toBe(1_000_510)
    expect(setBacks).toEqual([hour])
    set(hour + 20_000)
    expect(clock.now()).toBe(1_020_510)
    pass(1)
    expect(clock.now()).toBe(1_020_511)
    expect(setBacks).toEqual([hour])
  })

  it('follows small corrections without ever going back', () => {
    const { clock, pass, set, setBacks } = machine()
    set(-300)
    expect(clock.now()).toBe(1_000_000)
    pass(200)
    expect(clock.now()).toBe(1_000_000)
    pass(200)
    expect(clock.now()).toBe(1_000_100)
    expect(setBacks).toEqual([])
  })

  it('begins no earlier than what was known before, unless that is a running lease', () => {
    const back = machine(1_000_000 + hour)
    expect([back.clock.now(), back.setBacks]).toEqual([1_000_000 + hour, [hour]])
    back.pass(7)
    expect(back.clock.now()).toBe(1_000_007 + hour)
    const well = machine(1_000_000 + 15_000)
    expect([well.clock.now(), well.setBacks]).toEqual([1_000_000, []])
  })
})
