// The span with flows of the test's own: what it promises whatever is delivered.
import { describe, expect, it, onTestFinished } from 'vitest'
import type { Delivery, NewDelivery, Priority, Tools } from '../../src/delivery.js'
import { DeliveryError } from '../../src/errors.js'
import type { ConversationId, PartId } from '../../src/message.js'
import { type Attempted, Relay } from '../../src/relay/relay.js'
import type { RelaySettings } from '../../src/relay/relay-settings.js'
import type { Store } from '../../src/store/store.js'
import { ManualClock, until } from '../support/manual-clock.js'
import { onEachEngine } from '../support/stores.js'

type Deliver = (body: string, tools: Tools, delivery: Delivery<'agent-reply'>) => Promise<unknown>

interface Running {
  readonly relay: Relay
  readonly clock: ManualClock
  /** `body: outcome` in the order in which attempts ended. */
  readonly ended: string[]
  /** Resolves when so many attempts have ended. */
  attempts(count: number): Promise<void>
}

let instances = 0

/** A relay on its own clock; stopped when the test is over. */
async function run(
  store: Store,
  deliver: Deliver,
  settings: Partial<RelaySettings> = {},
  probe: () => Promise<void> = async () => {},
  onParked: (body: string) => readonly NewDelivery[] = () => [],
): Promise<Running> {
  const clock = new ManualClock()
  const ended: string[] = []
  const flow = {
    async deliver(delivery: Delivery<'agent-reply'>, tools: Tools) {
      await deliver(delivery.payload.body, tools, delivery)
      return { state: 'delivered' as const, result: {} }
    },
    onParked: ({ payload }: Delivery<'agent-reply'>) => onParked(payload.body),
  }
  const none = { deliver: () => Promise.reject(new Error('not in this test')) }
  const relay = new Relay({
    store,
    clock,
    log: { info() {}, warn() {}, error() {} },
    random: () => 0,
    newInstanceId: () => {
      instances += 1
      return `relay-${instances}`
    },
    probe,
    flows: { 'agent-reply': flow, 'inbound-sms': none, 'reply-lookup': none, 'reply-note': none, 'away-text': none },
    // Longer than any test turns its clock, unless the test is about leases.
    settings: { leaseMs: 3_600_000, restMs: 0, ...settings },
    onAttempt: ({ delivery, settlement }: Attempted) => {
      if (delivery.kind === 'agent-reply') ended.push(`${delivery.payload.body}: ${settlement.state}`)
    },
  })
  await relay.start()
  onTestFinished(() => relay.stop())
  return {
    relay,
    clock,
    ended,
    attempts: (count) => until(`${count} attempts, only ${ended.length}`, () => ended.length >= count),
  }
}

let parts = 0

function delivery(lane: string, body: string, priority: Priority = 'live'): NewDelivery<'agent-reply'> {
  parts += 1
  const partId = String(parts) as PartId // any text is an id to the store
  return {
    kind: 'agent-reply',
    payload: {
      conversationId: '1' as ConversationId,
      partId,
      author: { kind: 'admin', id: '1' },
      body,
      attachments: [],
      writtenAt: 0,
    },
    dedupeKey: `test:${partId}`,
    lane,
    shore: 'twilio',
    priority,
    number: '+15550100100',
    rank: '',
  }
}

/** A gate that deliveries wait at. */
function gate() {
  let open = () => {}
  const opened = new Promise<void>((resolve) => {
    open = resolve
  })
  return { opened, open }
}

onEachEngine('the relay', (subject) => {
  it('takes in what a flow makes of a parking, with the parking', async () => {
    const { store } = subject
    const refuse = async (body: string) => {
      if (body === 'a1') throw new DeliveryError('no', { outcome: 'permanent', code: '21614' })
    }
    const onParked = (body: string) => [delivery('b', `${body} was parked`)]
    const { attempts, relay, ended, clock } = await run(store, refuse, {}, undefined, onParked)
    await store.ingest(delivery('a', 'a1'), clock.now())
    relay.notify()
    await attempts(2)
    expect(ended).toEqual(['a1: parked', 'a1 was parked: delivered'])
  })

  it('delivers a lane in order, one at a time, while lanes run side by side', async () => {
    const { store } = subject
    const inLane = new Map<string, number>()
    let side = 0
    let most = 0
    const all = gate()
    const { attempts, relay, ended, clock } = await run(store, async (_body, _tools, { lane }) => {
      inLane.set(lane, (inLane.get(lane) ?? 0) + 1)
      expect(inLane.get(lane)).toBe(1)
      side += 1
      most = Math.max(most, side)
      // The first of each lane waits for the others: they can only come side by side.
      if (side === 4) all.open()
      await all.opened
      side -= 1
      inLane.set(lane, 0)
    })
    for (const body of ['1', '2', '3', '4', '5']) {
      for (const lane of ['a', 'b', 'c', 'd']) await store.ingest(delivery(lane, `${lane}${body}`), clock.now())
    }
    relay.notify()
    await attempts(20)
    for (const lane of ['a', 'b', 'c', 'd']) {
      expect(ended.filter((end) => end.startsWith(lane))).toEqual(
        ['1', '2', '3', '4', '5'].map((body) => `${lane}${body}: delivered`),
      )
    }
    expect(most).toBe(4)
  })

  it('a failing head holds its own lane and no other', async () => {
    const { store } = subject
    let down = true
    const { attempts, relay, ended, clock } = await run(store, async (body) => {
      if (body === 'a1' && down) throw new DeliveryError('not now', { outcome: 'transient' })
    })
    for (const [lane, body] of [
      ['a', 'a1'],
      ['a', 'a2'],
      ['b', 'b1'],
    ] as const) {
      await store.ingest(delivery(lane, body), clock.now())
    }
    relay.notify()
    await attempts(2)
    expect(ended.toSorted()).toEqual(['a1: ready', 'b1: delivered'])
    down = false
    await until('the head and the next are delivered', () => ended.length === 4, {
      clock,
      stepMs: 500,
      after: () => store.nextDue(),
    })
    expect(ended.slice(2)).toEqual(['a1: delivered', 'a2: delivered'])
  })

  it('parks a permanent failure at once and goes on with its lane', async () => {
    const { store } = subject
    const { attempts, relay, ended, clock } = await run(store, async (body) => {
      if (body === 'bad') throw new DeliveryError('refused', { outcome: 'permanent', code: '21211' })
    })
    await store.ingest(delivery('a', 'bad'), clock.now())
    await store.ingest(delivery('a', 'good'), clock.now())
    relay.notify()
    await attempts(2)
    expect(ended).toEqual(['bad: parked', 'good: delivered'])
    expect(await store.listDeliveries({ state: 'parked', limit: 9 })).toMatchObject([
      { reason: '21211', fault: { message: 'refused', outcome: 'permanent', code: '21211' } },
    ])
  })

  it('parks what keeps failing once its budget is used up', async () => {
    const { store } = subject
    const { relay, ended, clock } = await run(
      store,
      () => Promise.reject(new DeliveryError('not now', { outcome: 'transient' })),
      { retry: { waitsMs: [100, 200], parkedWaitsMs: [60_000], jitter: 0, holdMs: 600_000 } },
    )
    await store.ingest(delivery('a', 'x'), clock.now())
    relay.notify()
    await until('three attempts', () => ended.length === 3, { clock, stepMs: 50, after: () => store.nextDue() })
    expect(ended).toEqual(['x: ready', 'x: ready', 'x: parked'])
  })

  it('takes live deliveries before bulk, and leaves places for them', async () => {
    const { store } = subject
    const held = gate()
    const begun: string[] = []
    const { relay, ended, clock, attempts } = await run(
      store,
      async (body) => {
        begun.push(body)
        if (body.startsWith('bulk')) await held.opened
      },
      { concurrency: 3, bulkConcurrency: 2 },
    )
    for (let index = 0; index < 5; index += 1)
      await store.ingest(delivery(`bulk:${index}`, `bulk ${index}`, 'bulk'), clock.now())
    await store.ingest(delivery('reply', 'reply 1'), clock.now())
    relay.notify()
    await attempts(1)
    expect(ended).toEqual(['reply 1: delivered'])
    await store.ingest(delivery('reply', 'reply 2'), clock.now())
    relay.notify()
    await attempts(2)
    expect(ended).toEqual(['reply 1: delivered', 'reply 2: delivered'])
    expect(begun.filter((body) => body.startsWith('bulk'))).toHaveLength(2)
    held.open()
    await attempts(7)
    expect(ended).toHaveLength(7)
  })

  it('pauses a shore that cannot be reached, spends nothing, and catches up in order when it is back', async () => {
    const { store } = subject
    let down = true
    const { relay, ended, clock, attempts } = await run(store, async () => {
      if (down) throw new DeliveryError('refused', { outcome: 'transient', shore: 'twilio', pausesShore: true })
      relay.shoreAnswered('twilio')
    })
    for (const lane of ['a', 'b', 'c'])
      for (const body of ['1', '2']) await store.ingest(delivery(lane, lane + body), clock.now())
    relay.notify()
    await attempts(1)
    expect((await store.pauses()).map(({ shore }) => shore)).toEqual(['twilio'])
    const spent = (await store.listDeliveries({ limit: 9 })).map(({ attempts: count }) => count)
    expect(spent).toEqual([0, 0, 0, 0, 0, 0])
    down = false
    const delivered = () => ended.filter((end) => end.endsWith('delivered'))
    await until('all are delivered', () => delivered().length === 6, {
      clock,
      stepMs: 5_000,
      after: () => store.nextDue(),
    })
    for (const lane of ['a', 'b', 'c']) {
      expect(ended.filter((end) => end.startsWith(lane) && end.endsWith('delivered'))).toEqual([
        `${lane}1: delivered`,
        `${lane}2: delivered`,
      ])
    }
    expect(await store.pauses()).toEqual([])
  })

  const noAnswer = () => new DeliveryError('timed out', { outcome: 'transient', shore: 'twilio' })

  it('parks a delivery whose call is never answered, and pauses no shore for it', async () => {
    const { store } = subject
    const { relay, ended, clock } = await run(store, () => Promise.reject(noAnswer()), {
      retry: { waitsMs: [100, 100, 100, 100, 100, 100], parkedWaitsMs: [60_000], jitter: 0, holdMs: 600_000 },
    })
    await store.ingest(delivery('a', 'x'), clock.now())
    relay.notify()
    await until('it is parked', () => ended.length === 7, { clock, stepMs: 50, after: () => store.nextDue() })
    expect(ended).toEqual([...Array.from({ length: 6 }, () => 'x: ready'), 'x: parked'])
    expect(await store.pauses()).toEqual([])
  })

  it('pauses a shore that answers no question either, spends nothing, and asks before it lets a delivery through', async () => {
    const { store } = subject
    let down = true
    const said: string[] = []
    const { relay, ended, clock, attempts } = await run(
      store,
      async (body) => {
        said.push(body)
        if (down) throw noAnswer()
      },
      {},
      async () => {
        said.push('probe')
        if (down) throw noAnswer()
      },
    )
    await store.ingest(delivery('a', 'x'), clock.now())
    relay.notify()
    await attempts(1)
    expect((await store.pauses()).map(({ shore }) => shore)).toEqual(['twilio'])
    const turn = { clock, stepMs: 1_000, after: () => store.nextDue() }
    await until('three more probes', () => said.length === 5, turn)
    expect(said).toEqual(['x', 'probe', 'probe', 'probe', 'probe'])
    down = false
    await until('it is delivered', () => ended.at(-1) === 'x: delivered', turn)
    expect(said.slice(5)).toEqual(['probe', 'x'])
    expect((await store.listDeliveries({ limit: 9 })).map(({ attempts: count }) => count)).toEqual([1])
    expect(await store.pauses()).toEqual([])
  })

  describe('a delivery that keeps failing', () => {
    const retry = { waitsMs: [100], parkedWaitsMs: [60_000, 300_000], jitter: 0, holdMs: 90_000 }
    const broken = () => new DeliveryError('not now', { outcome: 'transient', code: '30008' })

    it('is parked, tried again by itself a minute later, and goes before what came after it', async () => {
      const { store } = subject
      let mended = false
      const { relay, ended, clock } = await run(
        store,
        async (body) => {
          if (body === 'first' && !mended) throw broken()
        },
        { retry },
      )
      const begun = clock.now()
      await store.ingest(delivery('a', 'first'), begun)
      await store.ingest(delivery('a', 'second'), begun)
      relay.notify()
      const turn = { clock, stepMs: 500, after: () => store.nextDue() }
      await until('it is parked', () => ended.length === 2, turn)
      expect(ended).toEqual(['first: ready', 'first: parked'])
      mended = true
      await until('both are delivered', () => ended.length === 4, turn)
      expect(ended.slice(2)).toEqual(['first: delivered', 'second: delivered'])
      const waited = clock.now() - begun
      expect(waited).toBeGreaterThanOrEqual(60_000)
    })

    it('holds its lane no longer than it may, and is tried again at growing distances', async () => {
      const { store } = subject
      const times: number[] = []
      const { relay, ended, clock } = await run(
        store,
        async (body) => {
          if (body !== 'first') return
          times.push(clock.now())
          throw broken()
        },
        { retry },
      )
      const begun = clock.now()
      await store.ingest(delivery('a', 'first'), begun)
      relay.notify()
      const turn = { clock, stepMs: 500, after: () => store.nextDue() }
      await until('it is parked', () => ended.length === 2, turn)
      // The lane is held for what comes later, too.
      await store.ingest(delivery('a', 'second'), clock.now())
      await until('the second is delivered', () => ended.includes('second: delivered'), turn)
      const waited = clock.now() - begun
      expect(waited).toBeGreaterThanOrEqual(90_000)
      expect(times.length).toBeLessThan(5)
      const parked = () => ended.filter((end) => end === 'first: parked')
      await until('it is parked four times', () => parked().length === 4, { ...turn, stepMs: 5_000 })
      // No earlier than it should be; how much later depends on how far the clock was turned meanwhile.
      const distances = times.slice(1).map((time, index) => time - (times[index] ?? 0))
      const least = [100, 60_000, 300_000, 300_000]
      expect(distances.map((ms, index) => ms >= (least[index] ?? 0))).toEqual([true, true, true, true])
      expect(await store.listDeliveries({ state: 'parked', limit: 9 })).toMatchObject([
        { reason: '30008', attempts: 5 },
      ])
    })
  })

  it('goes on though the store could not write down a pause', async () => {
    const { store } = subject
    let down = true
    const forgetful = { ...store, pauseShore: () => Promise.reject(new Error('the store is away')) }
    const { relay, ended, clock, attempts } = await run(forgetful, async () => {
      if (down) throw new DeliveryError('refused', { outcome: 'transient', shore: 'twilio', pausesShore: true })
    })
    await store.ingest(delivery('a', 'x'), clock.now())
    relay.notify()
    await attempts(1)
    down = false
    await store.ingest(delivery('b', 'y'), clock.now())
    relay.notify()
    await attempts(2)
    expect(ended).toEqual(['x: ready', 'y: delivered'])
    await until('x is delivered', () => ended.length === 3, { clock, stepMs: 500, after: () => store.nextDue() })
    expect(ended.at(-1)).toBe('x: delivered')
  })

  it('a claim whose answer was lost leaves no lane stuck and takes none that is in hand', async () => {
    const { store } = subject
    let lose = false
    const losing: Store = {
      ...store,
      async claim(request) {
        const claimed = await store.claim(request)
        if (!lose || claimed.length === 0) return claimed
        lose = false
        throw new Error('the connection broke')
      },
    }
    const held = gate()
    const begun: string[] = []
    const { relay, ended, clock, attempts } = await run(losing, async (body) => {
      begun.push(body)
      if (body === 'in hand') await held.opened
    })
    await store.ingest(delivery('a', 'in hand'), clock.now())
    relay.notify()
    await until('in hand', () => begun.length === 1)
    lose = true
    await store.ingest(delivery('b', 'lost'), clock.now())
    relay.notify()
    await until('the lost one is delivered', () => ended.length === 1, {
      clock,
      stepMs: 500,
      after: () => store.nextDue(),
    })
    expect(lose).toBe(false)
    held.open()
    await attempts(2)
    expect(ended).toEqual(['lost: delivered', 'in hand: delivered'])
    expect(begun).toEqual(['in hand', 'lost'])
  })

  it('on stop finishes what is in hand and gives back the rest', async () => {
    const { store } = subject
    const held = gate()
    const { relay, ended, clock } = await run(store, () => held.opened)
    await store.ingest(delivery('a', 'in hand'), clock.now())
    relay.notify()
    await until('in hand', () => relay.inHand > 0)
    const stopped = relay.stop()
    // A claim that was on its way when it stopped is in hand as well.
    for (let round = 0; round < 3; round += 1) await store.nextDue()
    await store.ingest(delivery('b', 'later'), clock.now())
    held.open()
    await stopped
    expect(ended).toEqual(['in hand: delivered'])
    expect(await store.nextDue()).toBe(clock.now())
  })

  it('on stop breaks off what does not end, and another process repeats nothing that was done', async () => {
    const { store } = subject
    const never = gate()
    const done: string[] = []
    const effect = (tools: Tools, name: string, perform: () => Promise<string>) =>
      tools.effects.run(name, { perform, confirm: async () => undefined, visibleAfterMs: 0 })
    const first = await run(
      store,
      async (_body, tools) => {
        await effect(tools, 'one', async () => void done.push('one') as never)
        await Promise.race([
          never.opened,
          new Promise((_, reject) => tools.call.signal.addEventListener('abort', reject)),
        ])
      },
      { drainMs: 1_000 },
    )
    await store.ingest(delivery('a', 'x'), first.clock.now())
    first.relay.notify()
    await until('one is done', () => done.length > 0)
    const stopped = first.relay.stop()
    let over = false
    void stopped.then(() => {
      over = true
    })
    await until('it has stopped', () => over, { clock: first.clock, stepMs: 500, after: () => store.nextDue() })

    const second = await run(store, async (_body, tools) => {
      await effect(tools, 'one', async () => void done.push('one') as never)
      await effect(tools, 'two', async () => void done.push('two') as never)
    })
    await until('it is delivered', () => second.ended.length === 1, {
      clock: second.clock,
      stepMs: 500,
      after: () => store.nextDue(),
    })
    expect(done).toEqual(['one', 'two'])
  })

  it('a process that was away longer than its lease may neither call nor settle; another does its work', async () => {
    const { store } = subject
    const held = gate()
    const log: string[] = []
    const zombie = await run(
      store,
      async (_body, tools) => {
        log.push('zombie began')
        await held.opened
        try {
          tools.call.guard()
          log.push('zombie called')
        } catch (error) {
          log.push(`zombie: ${String(error)}`)
          throw error
        }
      },
      { leaseMs: 15_000 },
    )
    await store.ingest(delivery('a', 'x'), zombie.clock.now())
    zombie.relay.notify()
    await until('the zombie began', () => log.length > 0)

    const itsStore = await subject.another()
    const heir = await run(itsStore, async () => void log.push('heir called'), { leaseMs: 60_000 })
    // The heir's clock goes on, the zombie's stands still: it was suspended.
    await until('the heir called', () => log.includes('heir called'), {
      clock: heir.clock,
      stepMs: 5_000,
      after: () => itsStore.nextDue(),
    })
    await heir.attempts(1)
    zombie.clock.jump(60_000)
    held.open()
    await until('the zombie noticed', () => log.length === 3)
    expect(log).toEqual(['zombie began', 'heir called', 'zombie: LeaseLost: the lease on this lane was lost'])
    expect(zombie.ended).toEqual([])
    expect(heir.ended).toEqual(['x: delivered'])
  })
})
