import { describe, expect, it, onTestFinished } from 'vitest'
import { createDuties, type Duty } from '../../src/relay/duties.js'
import { openStore } from '../../src/store/open.js'
import type { Store } from '../../src/store/store.js'
import { ManualClock, until } from '../support/manual-clock.js'
import { tempFolder } from '../support/temp.js'

const leaseMs = 15_000
const everyMs = 120_000

interface LoggedLine {
  readonly event: string
  readonly fields?: object | undefined
}

async function setUp() {
  const clock = new ManualClock()
  const store = await openStore(`sqlite:${tempFolder()}/duties.sqlite`, { now: clock.now() })
  onTestFinished(() => store.close())
  const lines: LoggedLine[] = []
  const line = (event: string, fields?: object) => void lines.push({ event, fields })
  const log = { info: line, warn: line, error: line }
  const turn = { clock, stepMs: 2_500, after: () => store.pauses() }
  const start = (holder: string, run: Duty['run'], parts: { store?: Store } = {}) => {
    const duties = createDuties({
      store,
      clock,
      log,
      holder,
      leaseMs,
      duties: [{ name: 'sweep', everyMs, run }],
      ...parts,
    })
    duties.start()
    let over = false
    const stop = async () => {
      if (!over) await duties.stop()
      over = true
    }
    onTestFinished(stop)
    return { stop }
  }
  return { clock, store, lines, turn, start }
}

describe('a duty', () => {
  it('runs at once, and then again and again at its distance', async () => {
    const { clock, turn, start } = await setUp()
    const runs: number[] = []
    const begun = clock.now()
    start('a', async ({ now }) => void runs.push(now() - begun))
    await until('three runs', () => runs.length === 3, turn)
    const [first = 0, second = 0, third = 0] = runs
    // The clock is turned by seconds while the store answers.
    expect(first).toBeLessThanOrEqual(5_000)
    for (const distance of [second - first, third - second]) {
      expect(distance).toBeGreaterThanOrEqual(everyMs - 5_000)
      expect(distance).toBeLessThanOrEqual(everyMs + 10_000)
    }
  })

  it('runs on one process at a time, and on another soon after that one stopped', async () => {
    const { clock, turn, start } = await setUp()
    const runs: string[] = []
    const a = start('a', async () => void runs.push('a'))
    await until('the first run', () => runs.length === 1, turn)
    start('b', async () => void runs.push('b'))
    await until('the second run', () => runs.length === 2, turn)
    expect(runs).toEqual(['a', 'a'])
    await a.stop()
    const stoppedAt = clock.now()
    await until('the third run', () => runs.length === 3, turn)
    expect(runs).toEqual(['a', 'a', 'b'])
    expect(clock.now() - stoppedAt).toBeLessThanOrEqual(leaseMs / 3 + 5_000)
  })

  it('of a process that died is taken over when its lease has run out', async () => {
    const { clock, store, turn, start } = await setUp()
    await store.takeDuty('sweep', 'dead', clock.now() + leaseMs, clock.now())
    const diedAt = clock.now()
    const runs: number[] = []
    start('b', async ({ now }) => void runs.push(now()))
    await until('a run', () => runs.length === 1, turn)
    expect((runs[0] ?? 0) - diedAt).toBeGreaterThanOrEqual(leaseMs)
    expect((runs[0] ?? 0) - diedAt).toBeLessThanOrEqual(leaseMs + leaseMs / 3 + 5_000)
  })

  it('that takes long keeps its lease', async () => {
    const { clock, turn, start } = await setUp()
    const runs: string[] = []
    let end = () => {}
    start('a', (tools) => {
      runs.push('a')
      return new Promise((resolve) => {
        end = () => {
          tools.call.guard()
          resolve()
        }
      })
    })
    start('b', async () => void runs.push('b'))
    const begun = clock.now()
    await until('a minute has passed', () => clock.now() - begun > 4 * leaseMs, turn)
    expect(runs).toEqual(['a'])
    end()
  })

  it('is broken off when its lease may be another’s, and sends nothing more', async () => {
    const { store, lines, turn, start } = await setUp()
    let away = false
    const takeDuty: Store['takeDuty'] = async (...args) => {
      if (away) throw new Error('the store is away')
      return store.takeDuty(...args)
    }
    let tools: Parameters<Duty['run']>[0] | undefined
    const run: Duty['run'] = (given) => {
      tools = given
      return new Promise((_resolve, reject) => {
        given.call.signal.addEventListener('abort', () => reject(new Error('broken off')))
      })
    }
    start('a', run, { store: { ...store, takeDuty } })
    await until('it runs', () => tools !== undefined, turn)
    away = true
    await until('it is broken off', () => tools?.call.signal.aborted === true, turn)
    expect(() => tools?.call.guard()).toThrow('the lease on this lane was lost')
    await until('it is logged', () => lines.some(({ event }) => event === 'duty.failed'), turn)
    away = false
  })

  it('that fails is logged and runs again at its time', async () => {
    const { lines, turn, start } = await setUp()
    let runs = 0
    start('a', async () => {
      runs += 1
      throw new Error('no answer')
    })
    await until('two runs', () => runs === 2, turn)
    expect(lines.filter(({ event }) => event === 'duty.failed')).toEqual([
      { event: 'duty.failed', fields: { duty: 'sweep', error: 'no answer' } },
      { event: 'duty.failed', fields: { duty: 'sweep', error: 'no answer' } },
    ])
  })

  it('that runs when we stop is broken off and awaited, and that is no failure', async () => {
    const { store, clock, lines, turn, start } = await setUp()
    let running = false
    const a = start('a', ({ call }) => {
      running = true
      return new Promise((_resolve, reject) => {
        call.signal.addEventListener('abort', () => {
          running = false
          reject(new Error('broken off'))
        })
      })
    })
    await until('it runs', () => running, turn)
    await a.stop()
    expect(running).toBe(false)
    expect(lines).toEqual([])
    expect(await store.takeDuty('sweep', 'b', clock.now() + 1, clock.now())).toBe(true)
  })
})
