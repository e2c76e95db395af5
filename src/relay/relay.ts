// The span: takes the oldest delivery of each lane, delivers it, settles it. Knows neither what is delivered nor to whom.
import type { Clock } from '../clock.js'
import {
  type AttemptCall,
  type Delivery,
  type DeliveryKind,
  type Flow,
  type FlowResult,
  type Flows,
  type NewDelivery,
  type Settlement,
  type Shore,
  shores,
  type Tools,
} from '../delivery.js'
import { describeError } from '../errors.js'
import type { Log } from '../log.js'
import type { Claimed, InstanceId, Store } from '../store/store.js'
import { createEffects, LeaseLost } from './effect.js'
import { Lease } from './lease.js'
import { defaultRelaySettings, type RelaySettings } from './relay-settings.js'
import { judge, toFault } from './retry.js'
import { ShoreWatch } from './shore-watch.js'

export interface Attempted {
  readonly delivery: Delivery
  readonly settlement: Settlement
  /** How long this attempt took, ms. */
  readonly tookMs: number
  /** From the webhook's arrival to now, ms. */
  readonly ageMs: number
}

export interface RelayParts {
  readonly store: Store
  readonly flows: Flows
  readonly clock: Clock
  readonly log: Log
  readonly random: () => number
  readonly newInstanceId: () => InstanceId
  /** Asks a shore a question that changes nothing; rejects when it gives no answer. */
  readonly probe: (shore: Shore, signal: AbortSignal) => Promise<void>
  readonly settings?: Partial<RelaySettings>
  readonly onAttempt?: (attempted: Attempted) => void
}

interface InHand {
  readonly lane: string
  readonly shore: Shore
  readonly done: Promise<void>
  readonly abort: AbortController
}

export class Relay {
  readonly #parts: RelayParts
  readonly #settings: RelaySettings
  readonly #lease: Lease
  readonly #inHand = new Map<number, InHand>()
  #bulkInHand = 0
  readonly #stopping = new AbortController()
  /** Ends the current sleep; replaced after each. */
  #wake = new AbortController()
  #loop: Promise<void> = Promise.resolve()
  #unsubscribe: () => void = () => {}
  readonly #shores: ShoreWatch
  #requeueAt = Number.NEGATIVE_INFINITY
  /** A claim got no answer: lanes may be ours that are not in hand. */
  #claimLost = false

  constructor(parts: RelayParts) {
    this.#parts = parts
    this.#settings = { ...defaultRelaySettings, ...parts.settings }
    const { store, clock, log, newInstanceId } = parts
    const { firstPauseMs } = this.#settings
    const onResumed = () => this.notify()
    this.#shores = new ShoreWatch({ store, clock, log, probe: parts.probe, firstPauseMs, onResumed })
    this.#lease = new Lease({ store, clock, log, newInstanceId, leaseMs: this.#settings.leaseMs })
  }

  async start(): Promise<void> {
    await this.#lease.start(() => this.#breakOff())
    this.#unsubscribe = this.#parts.store.onWork(() => this.notify())
    this.#loop = this.#run()
  }

  /** Something has become due: look now. */
  notify(): void {
    // With a reason of its own: without one each call would make an exception with its stack.
    if (!this.#wake.signal.aborted) this.#wake.abort('work')
  }

  /** A vendor answered a call, whatever it said: its shore is there. */
  shoreAnswered(shore: Shore): void {
    this.#shores.answered(shore)
  }

  /** Deliveries in hand at this moment. */
  get inHand(): number {
    return this.#inHand.size
  }

  /** Takes nothing more, finishes what is in hand (breaks it off after `drainMs`), gives up the lease. */
  async stop(): Promise<void> {
    this.#unsubscribe()
    this.#stopping.abort()
    this.notify()
    await this.#loop
    const drained = new AbortController()
    const all = Promise.all([...this.#inHand.values()].map(({ done }) => done)).then(() => drained.abort())
    await this.#parts.clock.sleep(this.#settings.drainMs, drained.signal)
    if (!drained.signal.aborted) await this.#breakOff()
    await all
    await this.#lease.stop()
  }

  async #breakOff(): Promise<void> {
    const all = [...this.#inHand.values()]
    for (const { abort } of all) abort.abort(new LeaseLost())
    await Promise.all(all.map(({ done }) => done))
  }

  async #run(): Promise<void> {
    const { clock, log } = this.#parts
    while (!this.#stopping.signal.aborted) {
      const wake = this.#wake
      const lookedAt = clock.now()
      let sleepMs = this.#settings.pollMs
      try {
        sleepMs = await this.#takeWork()
      } catch (error) {
        log.error('relay.claim-failed', { error: describeError(error) })
      }
      if (sleepMs > 0 && !this.#stopping.signal.aborted) {
        await clock.sleep(sleepMs, wake.signal)
        // Woken though there was nothing to be had a moment ago (a paused shore): thousands of webhooks a second must
        // not mean as many looks.
        const { restMs } = this.#settings
        if (clock.now() - lookedAt < restMs) await clock.sleep(restMs, this.#stopping.signal)
      }
      if (this.#wake.signal.aborted) this.#wake = new AbortController()
    }
  }

  /** Starts what is due; returns how long to sleep, ms. */
  async #takeWork(): Promise<number> {
    const { store, clock } = this.#parts
    const { concurrency, bulkConcurrency, pollMs } = this.#settings
    const { instance } = this.#lease
    const inHand = [...this.#inHand.values()]
    const room = (shore: Shore) => concurrency - inHand.filter((one) => one.shore === shore).length
    const atMost = Object.fromEntries(shores.map((shore) => [shore, room(shore)]))
    const limit = shores.reduce((sum, shore) => sum + Math.max(0, room(shore)), 0)
    if (limit <= 0) return pollMs
    const now = clock.now()
    const bulkLimit = Math.max(0, Math.min(limit, bulkConcurrency - this.#bulkInHand))
    if (this.#claimLost) {
      await store.release(
        instance,
        inHand.map(({ lane }) => lane),
      )
    }
    if (now >= this.#requeueAt) {
      this.#requeueAt = now + pollMs
      await store.requeue(now)
    }
    this.#claimLost = true
    const claimed = await store.claim({ instance, limit, bulkLimit, atMost, now })
    this.#claimLost = false
    for (const one of claimed) this.#begin(one)
    if (claimed.length > 0) return 0
    await this.#shores.look()
    const due = await store.nextDue()
    // Due but not to be had (a paused shore, another process's probe): look again at the next poll.
    return due === undefined || due <= now ? pollMs : Math.min(pollMs, due - now)
  }

  #begin(claimed: Claimed): void {
    const abort = new AbortController()
    const { id, lane, shore, priority } = claimed.delivery
    if (priority === 'bulk') this.#bulkInHand += 1
    const done = this.#attempt(claimed, abort.signal).finally(() => {
      this.#inHand.delete(id)
      if (priority === 'bulk') this.#bulkInHand -= 1
      this.notify()
    })
    this.#inHand.set(id, { lane, shore, done, abort })
  }

  /** Never rejects. */
  async #attempt(claimed: Claimed, signal: AbortSignal): Promise<void> {
    const { clock, log, store } = this.#parts
    const { delivery, instance } = claimed
    const startedAt = clock.now()
    const call: AttemptCall = {
      signal,
      priority: delivery.priority,
      guard: () => this.#lease.guard(instance),
    }
    const effects = createEffects({ store, claimed, now: () => clock.now() })
    const { also = [], ...settlement } = await this.#deliver(
      delivery,
      { call, effects, now: () => clock.now() },
      signal,
    )
    if (!(await this.#settle(claimed, settlement, also))) {
      log.warn('delivery.lease-lost', { id: delivery.id, kind: delivery.kind })
      return
    }
    const now = clock.now()
    this.#report({ delivery, settlement, tookMs: now - startedAt, ageMs: now - delivery.receivedAt })
  }

  /** Settles even if the store is away for a while: as long as our lease lives, nobody else can free the lane. */
  async #settle(claimed: Claimed, settlement: Settlement, also: readonly NewDelivery[]): Promise<boolean> {
    const { clock, log, store } = this.#parts
    const { delivery } = claimed
    for (;;) {
      try {
        return await store.settle(claimed, settlement, clock.now(), also)
      } catch (error) {
        log.error('delivery.settle-failed', { id: delivery.id, error: describeError(error) })
        if (claimed.instance !== this.#lease.instance || this.#stopping.signal.aborted) return false
        await clock.sleep(this.#settings.pollMs, this.#stopping.signal)
      }
    }
  }

  #flowOf({ kind }: Delivery): Flow<DeliveryKind> {
    return this.#parts.flows[kind] as Flow<DeliveryKind> // the table pairs each kind with its payload
  }

  async #deliver(
    delivery: Delivery,
    tools: Tools,
    signal: AbortSignal,
  ): Promise<Settlement & Pick<FlowResult, 'also'>> {
    const { clock, random } = this.#parts
    try {
      const restsUntil = await this.#shores.reopen(delivery.shore)
      if (restsUntil !== undefined) {
        const fault = { message: `${delivery.shore} is paused`, outcome: 'transient', shore: delivery.shore } as const
        return { state: 'ready', runAt: restsUntil, spent: false, fault }
      }
      return await this.#flowOf(delivery).deliver(delivery, tools)
    } catch (error) {
      // Broken off: give the lane back as it is (the fence refuses if it is no longer ours).
      if (error instanceof LeaseLost || signal.aborted) {
        return { state: 'ready', runAt: clock.now(), spent: false, fault: toFault(error) }
      }
      const pausedUntil = await this.#shores.pauseIfDown(error).catch((cause: unknown) => {
        this.#parts.log.error('shore.not-paused', { error: describeError(cause) })
        return undefined
      })
      const settlement = judge({ error, delivery, now: clock.now(), random, policy: this.#settings.retry, pausedUntil })
      if (settlement.state !== 'parked') return settlement
      return { ...settlement, also: this.#flowOf(delivery).onParked?.(delivery, settlement) ?? [] }
    }
  }

  #report(attempted: Attempted): void {
    const { delivery, settlement, tookMs, ageMs } = attempted
    const fault = 'fault' in settlement ? settlement.fault : undefined
    this.#parts.log.info('delivery.attempted', {
      id: delivery.id,
      kind: delivery.kind,
      attempt: delivery.attempts + 1,
      outcome: settlement.state === 'ready' ? 'retry' : settlement.state,
      tookMs,
      ageMs,
      ...('reason' in settlement && { reason: settlement.reason }),
      ...(fault !== undefined && { fault: fault.message, code: fault.code, certainty: fault.outcome }),
    })
    this.#parts.onAttempt?.(attempted)
  }
}
