import fc from 'fast-check'
import { expect, it } from 'vitest'
import type { Settlement, Shore } from '../../src/delivery.js'
import type { Claimed, Store } from '../../src/store/store.js'
import { empty, onEachEngine } from '../support/stores.js'
import { aDelivery, aFault } from './deliveries.js'
import { Model } from './model.js'

interface Ingest {
  readonly do: 'ingest'
  readonly keys: readonly number[]
  readonly rank: string
  readonly live: boolean
}
interface Claim {
  readonly do: 'claim'
  readonly who: string
  readonly limit: number
  readonly bulkLimit: number
}
interface Settle {
  readonly do: 'settle'
  readonly which: number
  readonly how: Settlement['state'] | 'held'
  readonly spent: boolean
}
interface WriteStep {
  readonly do: 'begin' | 'finish' | 'drop'
  readonly which: number
  readonly step: string
}
interface Lease {
  readonly do: 'register' | 'heartbeat' | 'unregister'
  readonly who: string
}
interface Weather {
  readonly do: 'pause' | 'resume'
  readonly shore: Shore
}
interface Wait {
  readonly do: 'wait'
  readonly ms: number
}
interface Requeue {
  readonly do: 'requeue'
}
type Action = Requeue | Ingest | Claim | Settle | WriteStep | Lease | Weather | Wait

const leaseMs = 100
const who = fc.constantFrom('one', 'two')
const which = fc.nat(50)
const shore = fc.constantFrom<Shore>('twilio', 'intercom')
const how = fc.constantFrom<Settle['how']>('delivered', 'suppressed', 'ready', 'parked', 'held', 'held')

const actions = fc.array(
  fc.oneof(
    {
      weight: 4,
      arbitrary: fc.record<Ingest>({
        do: fc.constant('ingest'),
        keys: fc.array(fc.nat(30), { minLength: 1, maxLength: 5 }),
        rank: fc.constantFrom('', '', '1', '2'),
        live: fc.boolean(),
      }),
    },
    {
      weight: 4,
      arbitrary: fc.record<Claim>({
        do: fc.constant('claim'),
        who,
        limit: fc.integer({ min: 1, max: 5 }),
        bulkLimit: fc.nat(3),
      }),
    },
    { weight: 5, arbitrary: fc.record<Settle>({ do: fc.constant('settle'), which, how, spent: fc.boolean() }) },
    {
      weight: 2,
      arbitrary: fc.record<WriteStep>({
        do: fc.constantFrom('begin', 'finish', 'drop'),
        which,
        step: fc.constantFrom('send', 'note'),
      }),
    },
    {
      weight: 2,
      arbitrary: fc.record<Lease>({ do: fc.constantFrom('register', 'heartbeat', 'heartbeat', 'unregister'), who }),
    },
    { weight: 1, arbitrary: fc.record<Weather>({ do: fc.constantFrom('pause', 'resume'), shore }) },
    { weight: 2, arbitrary: fc.record<Requeue>({ do: fc.constant('requeue') }) },
    { weight: 2, arbitrary: fc.record<Wait>({ do: fc.constant('wait'), ms: fc.nat(80) }) },
  ),
  { minLength: 5, maxLength: 60 },
)

/** Plays actions on the store and on the model, and compares every answer. */
class Game {
  readonly model = new Model()
  readonly claims: Claimed[] = []
  now = 1000

  constructor(readonly store: Store) {}

  async start(): Promise<void> {
    for (const instance of ['one', 'two']) {
      await this.store.register(instance, leaseMs, this.now)
      this.model.leases.set(instance, this.now + leaseMs)
    }
  }

  async play(action: Action): Promise<void> {
    const { store, model, now } = this
    switch (action.do) {
      case 'wait':
        this.now += action.ms
        return
      case 'ingest':
        return this.ingest(action)
      case 'claim':
        return this.claim(action)
      case 'register':
        await store.register(action.who, leaseMs, now)
        model.leases.set(action.who, now + leaseMs)
        return
      case 'heartbeat':
        expect(await store.heartbeat(action.who, leaseMs, now)).toBe(model.heartbeat(action.who, leaseMs, now))
        return
      case 'unregister':
        await store.unregister(action.who, now)
        model.leave(action.who)
        return
      case 'pause':
        await store.pauseShore(action.shore, 'down', now + 50, now)
        model.pauses.set(action.shore, Math.max(now + 50, model.pauses.get(action.shore) ?? 0))
        return
      case 'requeue':
        expect(await store.requeue(now)).toBe(model.requeue(now))
        return
      case 'resume':
        expect(await store.resumeShore(action.shore)).toBe(model.pauses.delete(action.shore))
        return
      default:
        return this.write(action)
    }
  }

  /** All at once, as concurrent webhooks come. */
  async ingest({ keys, rank, live }: Ingest): Promise<void> {
    const facts = keys.map((key) => {
      const side: Shore = key % 2 === 0 ? 'twilio' : 'intercom'
      return { key: `k${key}`, lane: `${side} ${key % 6}`, shore: side, rank }
    })
    const answers = await Promise.all(
      facts.map(({ key, ...rest }) =>
        this.store.ingest(aDelivery({ ...rest, dedupeKey: key, priority: live ? 'live' : 'bulk' }), this.now),
      ),
    )
    const played = facts.map((fact, index) => ({ ...fact, live, id: answers[index]?.id ?? 0 }))
    const duplicates = played.map((fact) => this.model.ingest(fact, this.now))
    expect(answers.map(({ duplicate }) => duplicate)).toEqual(duplicates)
  }

  async claim({ who, limit, bulkLimit }: Claim): Promise<void> {
    const { model, now } = this
    const claimed = await this.store.claim({ instance: who, limit, bulkLimit, now })
    this.claims.push(...claimed)
    expect(claimed.length).toBe(model.isRunning(who, now) ? this.#mostClaims(limit, bulkLimit) : 0)
    const wasLive = claimed.map(({ delivery }) => model.lanes.get(delivery.lane)?.live)
    expect(wasLive).toEqual(wasLive.toSorted((a, b) => Number(b) - Number(a)))
    for (const { delivery, instance } of claimed) {
      const lane = model.lanes.get(delivery.lane)
      const head = model.head(delivery.lane)
      expect([instance, lane?.owner, delivery.id]).toEqual([who, undefined, head?.id])
      expect(lane?.nextAt).toBeLessThanOrEqual(now)
      expect(head?.runAt ?? now).toBeLessThanOrEqual(now)
      expect([delivery.attempts, delivery.steps]).toEqual([head?.attempts, head?.steps])
      if (lane !== undefined) lane.owner = who
    }
  }

  #mostClaims(limit: number, bulkLimit: number): number {
    const room = { twilio: this.model.room('twilio', this.now), intercom: this.model.room('intercom', this.now) }
    let taken = 0
    for (const live of [true, false]) {
      let left = Math.min(limit - taken, live ? limit : bulkLimit)
      for (const name of this.model.due(this.now, live)) {
        const side = name.startsWith('twilio') ? 'twilio' : 'intercom'
        if (left < 1 || room[side] < 1) continue
        left -= 1
        room[side] -= 1
        taken += 1
      }
    }
    return taken
  }

  async write(action: Settle | WriteStep): Promise<void> {
    const { store, model, now } = this
    const claimed = this.claims[this.claims.length - 1 - (action.which % Math.max(1, this.claims.length))]
    if (claimed === undefined) return
    const { instance, delivery } = claimed
    if (action.do === 'settle') {
      const settlement = settlementOf(action.how, now + 30, action.spent)
      expect(await store.settle(claimed, settlement, now)).toBe(model.settle(instance, delivery.id, settlement, now))
      return
    }
    const held = model.held(instance, delivery.id)
    const { step } = action
    if (action.do === 'begin') {
      expect(await store.beginStep(claimed, step, now)).toBe(held !== undefined)
      if (held) held.steps = { ...held.steps, [step]: { begunAt: now } }
    } else if (action.do === 'finish') {
      expect(await store.finishStep(claimed, step, { at: now }, now)).toBe(held !== undefined)
      const begunAt = held?.steps[step]?.begunAt ?? now
      if (held) held.steps = { ...held.steps, [step]: { begunAt, doneAt: now, value: { at: now } } }
    } else {
      expect(await store.dropStep(claimed, step)).toBe(held !== undefined)
      const { [step]: _, ...rest } = held?.steps ?? {}
      if (held) held.steps = rest
    }
  }

  /** Nothing lost, nothing doubled, nothing in another state than it should be, and no lane asleep over work. */
  async compare(): Promise<void> {
    const listed = await this.store.listDeliveries({ limit: 1000 })
    const summaries = listed.map(({ id, dedupeKey, lane, state, attempts, runAt }) => ({
      id,
      key: dedupeKey,
      lane,
      state,
      attempts,
      runAt,
    }))
    const expected = this.model.deliveries.map(({ rank: _, steps: __, retryAt: ___, holdUntil: ____, ...rest }) => rest)
    expect(summaries).toEqual(expected.toSorted((a, b) => b.id - a.id))

    const idle = [...this.model.lanes].filter(([, lane]) => lane.owner === undefined && lane.nextAt !== undefined)
    const timesOf = (lanes: typeof idle) => lanes.map(([, lane]) => lane.nextAt ?? 0)
    const certain = timesOf(idle.filter(([name]) => this.model.head(name) !== undefined))
    // Lanes that a duplicate woke may or may not have been put to sleep again.
    const possible = timesOf(idle)
    const due = (await this.store.nextDue()) ?? Infinity
    const retries = this.model.deliveries.flatMap(({ retryAt }) => retryAt ?? [])
    expect(due).toBeLessThanOrEqual(Math.min(...certain, ...retries))
    expect([...possible, ...retries, Infinity]).toContain(due)
  }
}

function settlementOf(state: Settle['how'], runAt: number, spent: boolean): Settlement {
  const parked = { state: 'parked', reason: 'refused', fault: aFault } as const
  if (state === 'held') return { ...parked, retryAt: runAt, holdUntil: runAt + 40 }
  if (state === 'delivered') return { state, result: {} }
  if (state === 'suppressed') return { state, reason: 'opted out' }
  if (state === 'parked') return parked
  return { state, runAt, spent, fault: aFault }
}

onEachEngine('the ledger against its model', (subject) => {
  it('gives the same answers and ends in the same state, whatever happens in whatever order', async () => {
    await fc.assert(
      fc.asyncProperty(actions, async (list) => {
        await empty(subject.place)
        const game = new Game(subject.store)
        await game.start()
        for (const action of list) await game.play(action)
        await game.compare()
      }),
      { numRuns: subject.engine === 'sqlite' ? 150 : 40 },
    )
  }, 120_000)
})
