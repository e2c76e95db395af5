// `status` over a store with a day's work in it: on a terminal, on a pipe, and as JSON.
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { main } from '../../src/cli/main.js'
import { openStore } from '../../src/store/open.js'
import type { Store } from '../../src/store/store.js'
import { aDelivery, claimOne, sid } from '../store/deliveries.js'
import { ManualClock } from '../support/manual-clock.js'
import { tempFolder } from '../support/temp.js'
import { testIo } from '../support/test-io.js'

const clock = new ManualClock(Date.UTC(2026, 10, 22, 12))
const minutes = 60_000
const ours = '+15550100100'

async function inStore(fill: (store: Store, now: number) => Promise<void>): Promise<string> {
  const url = `sqlite:${join(tempFolder(), 'status.sqlite')}`
  const store = await openStore(url, { now: clock.now() })
  await fill(store, clock.now())
  await store.close()
  return url
}

async function aQuietDay(store: Store, now: number) {
  await store.register('serve-1', 15_000, now)
  for (const key of ['SM1', 'SM2']) {
    await store.ingest(aDelivery({ dedupeKey: key, number: ours }), now - 5 * minutes)
    await store.settle(await claimOne(store, 'serve-1', now), { state: 'delivered', result: {} }, now)
  }
}

async function aBadDay(store: Store, now: number) {
  await aQuietDay(store, now)
  const fault = {
    message: 'twilio answered with 400, code 21211',
    outcome: 'permanent',
    shore: 'twilio',
    code: '21211',
    status: 400,
  } as const
  await store.ingest(aDelivery({ dedupeKey: 'SM3', number: ours }), now - 90 * minutes)
  await store.settle(await claimOne(store, 'serve-1', now), { state: 'parked', reason: '21211', fault }, now)
  await store.ingest(aDelivery({ dedupeKey: 'SM4', number: ours }), now - 3 * minutes)
  await store.saveReceipt({ messageSid: sid('SMa'), status: 'undelivered', errorCode: 30003 }, now)
  await store.saveReceipt({ messageSid: sid('SMb'), status: 'delivered' }, now)
  await store.saveReceipt({ messageSid: sid('SMb'), status: 'failed', errorCode: 30008 }, now)
  await store.pauseShore('intercom', 'intercom cannot be reached (ECONNREFUSED)', now + 5_000, now)
}

async function show(url: string, args: readonly string[], tty = false) {
  const env = { SMS_BRIDGE_STORE: url, SMS_BRIDGE_HOME: '/nowhere' }
  const io = testIo({ tty, env, columns: 100 })
  const code = await main(['node', 'sms-bridge', 'status', ...args], io, env, clock)
  return { code, text: io.transcript().replaceAll('\u001b', '\\e').replace(/[ ]+$/gm, '') }
}

describe('status', () => {
  it('is healthy, degraded or down, by exit code too', async () => {
    expect((await show(await inStore(aQuietDay), [])).code).toBe(0)
    expect((await show(await inStore(aBadDay), [])).code).toBe(3)
    expect((await show(await inStore(async () => {}), [])).code).toBe(4)
  })

  it.each([
    ['status', [], false],
    ['status-terminal', [], true],
    ['status-json', ['--json'], false],
  ] as const)('looks as in %s.txt', async (name, args, tty) => {
    const quiet = await show(await inStore(aQuietDay), args, tty)
    const bad = await show(await inStore(aBadDay), args, tty)
    const shown = [quiet, bad].map(
      ({ code, text }) => `$ ${['sms-bridge status', ...args].join(' ')}\n${text}[exit ${code}]\n`,
    )
    await expect(shown.join('\n')).toMatchFileSnapshot(`../transcripts/${name}.txt`)
  })

  it('of a store that is not there says how to begin, and makes none', async () => {
    const { code, text } = await show('sqlite:/nowhere/at/all.sqlite', [])
    expect(code).toBe(4)
    expect(text).toBe(
      '! error: There is no store at /nowhere/at/all.sqlite yet. Start the bridge once: sms-bridge serve\n',
    )
  })
})
