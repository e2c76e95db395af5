import { join } from 'node:path'
import { describe, expect, it, onTestFinished } from 'vitest'
import { nextPoll } from '../../src/flows/poll-receipts.js'
import type { SweepOptions, SweptNumber } from '../../src/flows/reconcile-intake.js'
import { closeWindow, openWindow } from '../../src/flows/reconcile-window.js'
import { openStore } from '../../src/store/open.js'
import { tempFolder } from '../support/temp.js'

const minute = 60_000
const hour = 60 * minute
const day = 24 * hour
const now = Date.UTC(2026, 10, 22, 12)
const name = 'reconcile:twilio'

async function setUp() {
  const store = await openStore(`sqlite:${join(tempFolder(), 'window.sqlite')}`, { now })
  onTestFinished(() => store.close())
  const warned: unknown[] = []
  const log = {
    info: () => {},
    warn: (event: string, fields?: object) => void warned.push([event, fields]),
    error: () => {},
  }
  const parts = { store, log }
  const sweep = async (begunAt: number, options: SweepOptions = {}, missing: readonly string[] = []) => {
    const window = await openWindow(parts, name, begunAt, options)
    const row: SweptNumber = { number: '', direction: 'in', checked: 2, known: 1, recovered: ['SM1'], missing }
    const done = { since: window.since, numbers: [row] }
    await closeWindow(parts, name, window, { begunAt, at: begunAt - 5_000, sweep: done, options })
    return window.since
  }
  const mark = () => store.findMark(name)
  return { store, warned, sweep, mark }
}

describe('a sweep', () => {
  it('looks back a quarter of an hour when it is the first of all', async () => {
    const { sweep, mark } = await setUp()
    expect(await sweep(now)).toBe(now - 15 * minute)
    expect(await mark()).toEqual({ at: now - 5_000, value: { at: now, checked: 2, recovered: 1, missing: [] } })
  })

  it('begins ten minutes before the point to which the last one came', async () => {
    const { sweep } = await setUp()
    await sweep(now)
    expect(await sweep(now + 5 * hour)).toBe(now - 5_000 - 10 * minute)
  })

  it('begins before now though the clock has been set back since the last one', async () => {
    const { store, sweep } = await setUp()
    await store.setMark(name, now + hour)
    expect(await sweep(now)).toBe(now - 10 * minute)
  })

  it('leaves alone what is older than three days, and says so once', async () => {
    const { warned, sweep, mark } = await setUp()
    await sweep(now)
    expect(await sweep(now + 5 * day)).toBe(now + 2 * day)
    expect(warned).toEqual([
      ['reconcile.older-left', { mark: name, fromMs: now - 5_000 - 10 * minute, untilMs: now + 2 * day }],
    ])
    expect((await mark())?.at).toBe(now + 5 * day - 5_000)
    await sweep(now + 5 * day + 2 * minute)
    expect(warned).toHaveLength(1)
  })

  it('comes to no new point while something is missing', async () => {
    const { sweep, mark } = await setUp()
    await sweep(now)
    await sweep(now + hour, {}, ['SM9'])
    expect(await mark()).toEqual({
      at: now - 5_000,
      value: { at: now + hour, checked: 2, recovered: 1, missing: ['SM9'] },
    })
  })

  it('by hand comes to a new point only if it leaves no gap behind the last one', async () => {
    const { sweep, mark } = await setUp()
    await sweep(now)
    expect(await sweep(now + 5 * hour, { since: now + 4 * hour })).toBe(now + 4 * hour)
    expect((await mark())?.at).toBe(now - 5_000)
    await sweep(now + 5 * hour, { since: now - hour })
    expect((await mark())?.at).toBe(now + 5 * hour - 5_000)
  })

  it('on a dry run notes nothing', async () => {
    const { sweep, mark } = await setUp()
    await sweep(now, { dryRun: true })
    expect(await mark()).toBe(undefined)
  })
})

describe('a text of ours without a final state', () => {
  it.each([
    ['a quarter of an hour', 15 * minute, hour],
    ['an hour', hour, 6 * hour],
    ['six hours and a bit', 6 * hour + minute, 12 * hour],
  ])('asked about after %s is asked about again', (_, age, next) => {
    expect(nextPoll(now, now + age)).toBe(now + next)
  })

  it('is asked about no more after twelve hours', () => {
    expect(nextPoll(now, now + 12 * hour)).toBe(undefined)
  })
})
