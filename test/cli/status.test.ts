// `status` over a store with a day's work in it: on a terminal, on a pipe, and as JSON.
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { main } from '../../src/cli/main.js'
import type { NewDelivery } from '../../src/delivery.js'
import type { PartId } from '../../src/message.js'
import { openStore } from '../../src/store/open.js'
import { Connection } from '../../src/store/sqlite/connection.js'
import type { Store } from '../../src/store/store.js'
import { aDelivery, address, claimOne, conversation, sid, theirs } from '../store/deliveries.js'
import { ManualClock, until } from '../support/manual-clock.js'
import { tempFolder } from '../support/temp.js'
import { testIo } from '../support/test-io.js'

const noon = Date.UTC(2026, 10, 22, 12)
const clock = new ManualClock(noon)
const seconds = 1_000
const minutes = 60 * seconds
const ours = '+15550100100'
const other = '+15550100200'

async function inStore(fill: (store: Store, now: number) => Promise<void>): Promise<string> {
  const url = `sqlite:${join(tempFolder(), 'status.sqlite')}`
  const store = await openStore(url, { now: noon })
  await fill(store, noon)
  await store.close()
  return url
}

const canary = {
  verdict: 'pass',
  hops: { sms_to_inbox_ms: 1_200, reply_accepted_ms: 900, reply_to_phone_ms: 2_300 },
  failedStep: null,
  cause: null,
  number: ours,
  everyMs: 15 * minutes,
  stopped: false,
} as const

async function aQuietDay(store: Store, now: number) {
  await store.register('serve-1', 4 * 3600 * seconds, now - 4 * 3600 * seconds)
  await store.heartbeat('serve-1', 15_000, now - 3 * seconds)
  for (const [key, tookMs] of [
    ['SM1', 900],
    ['SM2', 1_400],
  ] as const) {
    const receivedAt = now - 5 * minutes
    await store.ingest(aDelivery({ dedupeKey: key, number: ours }), receivedAt)
    const claimed = await claimOne(store, 'serve-1', now)
    await store.settle(claimed, { state: 'delivered', result: {} }, receivedAt + tookMs)
  }
  await store.saveNumbers([{ number: ours, kind: 'local', state: 'ours' }], now - minutes)
  await store.setMark('canary', now - 4 * minutes, canary)
  for (const vendor of ['twilio', 'intercom']) {
    await store.setMark(`reconcile:${vendor}`, now - 90 * seconds, { checked: 2, recovered: 0, missing: [] })
  }
}

const refused = {
  message: 'twilio answered with 400, code 21211',
  outcome: 'permanent',
  shore: 'twilio',
  code: '21211',
  status: 400,
} as const

const conversationId = conversation('77')
const beside = { shore: 'intercom', priority: 'live', rank: '' } as const
const closed = { ours: address(ours), replyTo: theirs, conversationId, textedAt: 2, closedSince: 1 }
const failedReply = { end: 'undelivered', conversationId, partId: '9' as PartId, writtenAt: 3, replyId: 4 } as const
/** What the bridge writes of its own accord. */
const byItself: readonly NewDelivery[] = [
  { ...beside, kind: 'away-text', payload: closed, dedupeKey: 'away:1', lane: 'd', number: ours },
  { ...beside, kind: 'reply-note', payload: failedReply, dedupeKey: 'reply:4:undelivered', lane: 'e', number: '' },
]

async function aBadDay(store: Store, now: number) {
  await aQuietDay(store, now)
  const hops = { ...canary.hops, reply_to_phone_ms: null }
  const failed = { verdict: 'broken', failedStep: 'reply-delivered', cause: 'the carrier filtered it (30007)' }
  await store.setMark('canary', now - 3 * minutes, { ...canary, ...failed, hops })
  await store.ingest(aDelivery({ dedupeKey: 'SM3', lane: 'a', number: ours }), now - 90 * minutes)
  await store.settle(await claimOne(store, 'serve-1', now), { state: 'parked', reason: '21211', fault: refused }, now)
  await store.ingest(aDelivery({ dedupeKey: 'SM5', lane: 'b', number: other, recovered: true }), now - 80 * minutes)
  const fault = { message: 'intercom did not answer', outcome: 'ambiguous', shore: 'intercom' } as const
  const again = { retryAt: now + 40 * seconds, holdUntil: now + 8 * minutes }
  await store.settle(
    await claimOne(store, 'serve-1', now),
    { state: 'parked', reason: 'no-answer', fault, ...again },
    now,
  )
  for (const one of byItself) {
    await store.ingest(one, now - 70 * minutes)
    await store.settle(await claimOne(store, 'serve-1', now), { state: 'delivered', result: {} }, now)
  }
  await store.ingest(aDelivery({ dedupeKey: 'SM4', lane: 'c', number: ours }), now - 3 * minutes)
  await store.saveReceipt({ messageSid: sid('SMa'), status: 'undelivered', errorCode: 30003 }, now)
  await store.saveReceipt({ messageSid: sid('SMb'), status: 'delivered' }, now)
  await store.saveReceipt({ messageSid: sid('SMb'), status: 'failed', errorCode: 30008 }, now)
  await store.pauseShore('intercom', 'intercom cannot be reached (ECONNREFUSED)', now + 5_000, now - 2 * minutes)
  await store.saveNumbers(
    [
      { number: ours, kind: 'local', state: 'ours' },
      { number: other, kind: 'toll-free', state: 'elsewhere', detail: 'its webhook is https://demo.twilio.com' },
    ],
    now,
  )
  await store.setMark('reconcile:twilio', now - 14 * minutes, { checked: 9, recovered: 1, missing: ['SM9'] })
  await store.optOut(address(ours), theirs, 'STOP', now - minutes)
  await store.takeLimit({ key: 'intercom', rule: { perMs: 0.001, burst: 20 }, cost: 5, maxWaitMs: 0, now })
}

async function show(url: string, args: readonly string[], { tty = false, columns = 100 } = {}) {
  const env = { SMS_BRIDGE_STORE: url, SMS_BRIDGE_HOME: '/nowhere' }
  const io = testIo({ tty, env, columns })
  const code = await main(['node', 'sms-bridge', 'status', ...args], io, env, clock)
  return { code, text: io.transcript().replaceAll('\u001b', '\\e').replace(/[ ]+$/gm, '') }
}

const complaintsOf = async (url: string) => {
  const { text } = await show(url, ['--json'])
  return (JSON.parse(text) as { complaints: { code: string; text: string; next: string }[] }).complaints // our own JSON
}

describe('status', () => {
  it('is healthy, degraded or down, by exit code too', async () => {
    expect((await show(await inStore(aQuietDay), [])).code).toBe(0)
    expect((await show(await inStore(aBadDay), [])).code).toBe(3)
    expect((await show(await inStore(async () => {}), [])).code).toBe(4)
  })

  it('leaves alone numbers of the account that nobody ever texted through this bridge', async () => {
    const url = await inStore(async (store, now) => {
      await aQuietDay(store, now)
      await store.saveNumbers(
        [
          { number: ours, kind: 'long-code', state: 'ours' },
          {
            number: '+15550100999',
            kind: 'long-code',
            state: 'elsewhere',
            detail: 'its texts go to https://x.example/',
          },
        ],
        now,
      )
    })
    expect((await show(url, [])).code).toBe(0)
  })

  it.each([
    ['status', [], { columns: 100 }],
    ['status-terminal', [], { tty: true }],
    ['status-narrow', [], { tty: true, columns: 60 }],
    ['status-json', ['--json'], {}],
    ['status-number', ['--number', '+1 (555) 010-0200'], {}],
  ] as const)('looks as in %s.txt', async (name, args, terminal) => {
    const shown = []
    for (const day of name === 'status-number' ? [aBadDay] : [aQuietDay, aBadDay]) {
      const { code, text } = await show(await inStore(day), args, terminal)
      shown.push(`$ ${['sms-bridge status', ...args].join(' ')}\n${text}[exit ${code}]\n`)
    }
    await expect(shown.join('\n')).toMatchFileSnapshot(`../transcripts/${name}.txt`)
  })

  it('of a store that is not there says how to begin, and makes none', async () => {
    const { code, text } = await show('sqlite:/nowhere/at/all.sqlite', [])
    expect(code).toBe(4)
    expect(text).toBe(
      '! error: There is no store at /nowhere/at/all.sqlite yet. Start the bridge once: sms-bridge serve\n',
    )
  })

  it('of a number that nothing is known of says so', async () => {
    const { code, text } = await show(await inStore(aQuietDay), ['--number', '+15550100999'])
    expect(code).toBe(6)
    expect(text).toBe(
      '! error: Nothing came to or left +15550100999 since 2026-11-21: type sms-bridge status to see all numbers\n',
    )
  })
})

describe('a relay that is down', () => {
  const first = async (fill: (store: Store, now: number) => Promise<void>) =>
    (await complaintsOf(await inStore(fill)))[0]

  it('was killed: its last heartbeat says when', async () => {
    const killed = await first(async (store, now) => store.register('serve-1', 15_000, now - 11 * minutes))
    expect(killed).toEqual({ code: 'down', text: 'relay DOWN, last heartbeat 11m ago', next: 'sms-bridge serve' })
  })

  it('was stopped in order: it said so itself', async () => {
    const stopped = await first(async (store, now) => {
      await store.register('serve-1', 15_000, now - 3600 * seconds)
      await store.unregister('serve-1', now - 20 * minutes)
    })
    expect(stopped?.text).toBe('relay DOWN, stopped 20m ago')
  })

  it('has never run', async () => {
    expect((await first(async () => {}))?.text).toBe('relay DOWN, it has never run on this store')
  })
})

describe('a bridge is degraded', () => {
  const codes = async (fill: (store: Store, now: number) => Promise<void>) => {
    const url = await inStore(async (store, now) => {
      await aQuietDay(store, now)
      await fill(store, now)
    })
    return (await complaintsOf(url)).map(({ code, text }) => `${code}: ${text}`)
  }

  it('when the canary failed, was slow, or is no longer seen; one that was ended is not missed', async () => {
    const told = async (mark: object, ageMs: number) =>
      codes(async (store, now) => store.setMark('canary', now - ageMs, { ...canary, ...mark }))
    expect(await told({}, 30 * minutes)).toEqual([])
    expect(await told({ stopped: true }, 300 * minutes)).toEqual([])
    expect(await told({}, 31 * minutes)).toEqual(['canary: the canary was last seen 31m ago, every 15m is expected'])
    expect(await told({ verdict: 'slow', failedStep: 'text-arrives', cause: null }, minutes)).toEqual([
      'canary: the canary was slow 1m ago at text-arrives',
    ])
    expect(await told({ verdict: 'broken', failedStep: null, cause: 'no answer' }, minutes)).toEqual([
      'canary: the canary failed 1m ago at its start: no answer',
    ])
  })

  it('when something waits for more than five minutes, unless a shore is paused', async () => {
    const ingest = async (store: Store, ms: number) => void (await store.ingest(aDelivery({ lane: 'z' }), noon - ms))
    expect(await codes((store) => ingest(store, 5 * minutes))).toEqual([])
    expect(await codes((store) => ingest(store, 5 * minutes + 1))).toEqual([
      'backlog: the oldest of 1 waiting delivery came 5m ago',
    ])
    const paused = await codes(async (store, now) => {
      await ingest(store, 60 * minutes)
      await store.pauseShore('intercom', 'down', now + 1, now)
    })
    expect(paused.map((line) => line.split(':')[0])).toEqual(['paused'])
  })

  it('when a number it answered for goes elsewhere, days after its last text too', async () => {
    const lost = await codes(async (store, now) => {
      await store.ingest(aDelivery({ lane: 'y', number: other }), now - 3 * 24 * 3600 * seconds)
      const claimed = await claimOne(store, 'serve-1', now)
      await store.settle(claimed, { state: 'delivered', result: {} }, now)
      await store.saveNumbers([{ number: other, kind: 'local', state: 'no-url', detail: 'no URL is set' }], now)
    })
    expect(lost).toEqual([`number: texts to ${other} do not come here: no URL is set`])
  })

  it('when reconciliation is late', async () => {
    const at = (ms: number) => (store: Store, now: number) => store.setMark('reconcile:intercom', now - ms)
    expect(await codes(at(10 * minutes))).toEqual([])
    expect(await codes(at(10 * minutes + 1))).toEqual([
      'reconciliation: reconciliation with Intercom last ran 10m ago, every 2m is usual',
    ])
  })

  it('when reconciliation has never run, unless serve has just started or the shore is paused', async () => {
    const started = (msAgo: number, fill = async (_: Store) => {}) =>
      inStore(async (store, now) => {
        await store.register('serve-1', 3600 * seconds, now - msAgo)
        await fill(store)
      })
    const never = async (url: string) => (await complaintsOf(url)).map(({ text }) => text)
    expect(await never(await started(10 * minutes))).toEqual([])
    expect(await never(await started(10 * minutes + 1))).toEqual([
      'reconciliation with Twilio has never run, every 2m is usual',
      'reconciliation with Intercom has never run, every 2m is usual',
    ])
    const paused = await started(30 * minutes, (store) => store.pauseShore('twilio', 'down', noon + 1, noon))
    expect((await never(paused)).map((text) => text.split(' ').slice(0, 3).join(' '))).toEqual([
      'Twilio paused for',
      'reconciliation with Intercom',
    ])
  })

  it('when its books do not balance, with the ids', async () => {
    const url = await inStore(aQuietDay)
    const connection = await Connection.open(url.replace('sqlite:', ''), noon)
    connection.exec(`update deliveries set state = 'ready' where id = 2`)
    connection.close()
    expect(await complaintsOf(url)).toEqual([
      {
        code: 'unbalanced',
        text: 'the books of texts in, +15550100100, 2026-11-22 do not balance: 2 received, 2 delivered, 0 suppressed, 0 parked, 0 discarded, 1 waiting, but the store holds delivered 1, ready 1; look at d_2',
        next: 'sms-bridge status --json, and report it',
      },
    ])
    expect((await show(url, [])).code).toBe(3)
  })
})

describe('watching', () => {
  const watchOf = async (args: readonly string[], tty: boolean) => {
    const env = { SMS_BRIDGE_STORE: await inStore(aQuietDay), SMS_BRIDGE_HOME: '/nowhere', NO_COLOR: '1' }
    const io = testIo({ tty, env, columns: 100 })
    const turned = new ManualClock(noon)
    const ended = main(['node', 'sms-bridge', 'status', ...args], io, env, turned)
    return { io, turned, ended }
  }

  it('draws over the last screen until Ctrl-C, which is no failure', async () => {
    const { io, turned, ended } = await watchOf(['--watch'], true)
    const drawn = (times: number) => () => io.stdout().split('\u001b[H').length > times
    await until('the first screen', drawn(1))
    await until('the second screen', drawn(2), { clock: turned, stepMs: 1_000, after: async () => {} })
    expect(turned.now() - noon).toBeGreaterThanOrEqual(5_000)
    io.interrupt()
    expect(await ended).toBe(0)
    const [, first = '', second = ''] = io.stdout().split('\u001b[H')
    expect(first.startsWith('sms-bridge  HEALTHY  1 serve running, up 4h\u001b[K\n')).toBe(true)
    expect(second.endsWith('\u001b[J')).toBe(true)
    expect(io.signalListeners()).toBe(0)
  })

  it('is a line of JSON each time on a pipe', async () => {
    const { io, turned, ended } = await watchOf(['--watch=2s', '--json'], false)
    const lines = () =>
      io
        .stdout()
        .split('\n')
        .filter((line) => line !== '')
    await until('a line', () => lines().length === 1)
    await until('two lines', () => lines().length >= 2, { clock: turned, stepMs: 1_000, after: async () => {} })
    io.interrupt()
    expect(await ended).toBe(0)
    const [first, second] = lines().map((line) => JSON.parse(line) as { at: number; verdict: string }) // our own JSON
    expect([first?.verdict, (second?.at ?? 0) - (first?.at ?? 0)]).toEqual(['healthy', 2_000])
  })

  it('is a block of text each time on a pipe', async () => {
    const { io, turned, ended } = await watchOf(['--watch', '1s'], false)
    const blocks = () =>
      io
        .stdout()
        .split('\n\n')
        .filter((block) => block !== '')
    await until('a block', () => blocks().length === 1)
    await until('two blocks', () => blocks().length >= 2, { clock: turned, stepMs: 500, after: async () => {} })
    io.interrupt()
    expect(await ended).toBe(0)
    expect(blocks()[1]).toMatch(/^sms-bridge {2}HEALTHY/)
  })
})
