import { describe, expect, it } from 'vitest'
import { main } from '../../src/cli/main.js'
import { listenForSignals } from '../../src/cli/signals.js'
import { testIo } from '../support/test-io.js'

/** An environment that does something when a setting is read from it. */
function environmentThat(acts: () => void): Readonly<Record<string, string>> {
  return new Proxy(
    {},
    {
      get() {
        acts()
        return undefined
      },
    },
  )
}

describe('the front door', () => {
  it('says an error of the program’s own with its stack, and exits 1', async () => {
    const io = testIo()
    const env = environmentThat(() => {
      throw new TypeError('broken environment')
    })
    const code = await main(['node', 'sms-bridge', 'status'], io, env)
    expect(code).toBe(1)
    expect(io.stdout()).toBe('')
    expect(io.stderr()).toMatch(/^error: TypeError: broken environment\n {4}at /)
  })

  it('exits 130 when interrupted in the middle of a command', async () => {
    const io = testIo()
    const env = environmentThat(() => io.interrupt())
    expect(await main(['node', 'sms-bridge', 'status', '--store', 'bogus'], io, env)).toBe(130)
    expect(io.signalListeners()).toBe(0)
  })
})

describe('signals', () => {
  it('let a command that takes them over stop in its own time, and end it at the second', async () => {
    const io = testIo()
    const signals = listenForSignals(io)
    const stop = signals.takeOver()
    let ended = false
    void signals.ended.then(() => {
      ended = true
    })

    io.interrupt()
    await Promise.resolve()
    expect({ stopping: stop.aborted, ended }).toEqual({ stopping: true, ended: false })

    io.interrupt()
    expect(await signals.ended).toBe(130)
  })
})
