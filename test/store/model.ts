// The ledger as a person would keep it: lanes, their deliveries, and who holds what. Knows the rules, no SQL.
import type { DeliveryState, Settlement, Step } from '../../src/delivery.js'

interface ModelDelivery {
  readonly id: number
  readonly key: string
  readonly lane: string
  readonly rank: string
  state: DeliveryState
  attempts: number
  runAt: number | undefined
  retryAt: number | undefined
  holdUntil: number | undefined
  steps: Record<string, Step>
}

interface ModelLane {
  readonly shore: string
  nextAt: number | undefined
  owner: string | undefined
  live: boolean
}

export class Model {
  readonly deliveries: ModelDelivery[] = []
  readonly lanes = new Map<string, ModelLane>()
  readonly leases = new Map<string, number>()
  readonly pauses = new Map<string, number>()

  head(lane: string): ModelDelivery | undefined {
    return this.deliveries
      .filter((delivery) => delivery.lane === lane && delivery.state === 'ready')
      .sort((a, b) => (a.rank === b.rank ? a.id - b.id : a.rank < b.rank ? -1 : 1))[0]
  }

  ingest(
    facts: { id: number; key: string; lane: string; shore: string; rank: string; live: boolean },
    now: number,
  ): boolean {
    const lane = this.lanes.get(facts.lane) ?? { shore: facts.shore, nextAt: undefined, owner: undefined, live: false }
    this.lanes.set(facts.lane, lane)
    lane.live = lane.nextAt === undefined ? facts.live : lane.live || facts.live
    lane.nextAt ??= now
    const known = this.deliveries.some(({ key }) => key === facts.key)
    const { id, key, rank } = facts
    if (!known) {
      this.deliveries.push({
        id,
        key,
        lane: facts.lane,
        rank,
        state: 'ready',
        attempts: 0,
        runAt: undefined,
        retryAt: undefined,
        holdUntil: undefined,
        steps: {},
      })
    }
    return known
  }

  isRunning(instance: string, now: number): boolean {
    return (this.leases.get(instance) ?? 0) > now
  }

  /** How many lanes of a shore may be taken. */
  room(shore: string, now: number): number {
    const until = this.pauses.get(shore)
    if (until === undefined) return Infinity
    const held = [...this.lanes.values()].some((lane) => lane.shore === shore && lane.owner !== undefined)
    return until > now || held ? 0 : 1
  }

  /** Lanes that have something to do now, by their shore's room. */
  due(now: number, live: boolean): string[] {
    return [...this.lanes]
      .filter(([name, lane]) => lane.owner === undefined && lane.live === live && this.head(name) !== undefined)
      .filter(([, lane]) => lane.nextAt !== undefined && lane.nextAt <= now)
      .map(([name]) => name)
  }

  free(name: string, now: number): void {
    const lane = this.lanes.get(name)
    if (lane === undefined) return
    lane.owner = undefined
    const head = this.head(name)
    lane.nextAt = head && Math.max(head.runAt ?? now, now)
    for (const { lane: of, state, retryAt, holdUntil = 0 } of this.deliveries) {
      if (of !== name || state !== 'parked' || retryAt === undefined || holdUntil <= now) continue
      lane.nextAt = Math.max(lane.nextAt ?? 0, holdUntil)
    }
  }

  requeue(now: number): boolean {
    const due = this.deliveries.filter(({ retryAt }) => retryAt !== undefined && retryAt <= now)
    for (const delivery of due) {
      delivery.state = 'ready'
      delivery.retryAt = undefined
      const lane = this.lanes.get(delivery.lane)
      if (lane !== undefined) lane.nextAt = Math.min(lane.nextAt ?? now, now)
    }
    return due.length > 0
  }

  /** The delivery, when whoever claimed it may still write. */
  held(instance: string, id: number): ModelDelivery | undefined {
    const delivery = this.deliveries.find((one) => one.id === id)
    if (delivery === undefined || delivery.state !== 'ready') return undefined
    return this.lanes.get(delivery.lane)?.owner === instance ? delivery : undefined
  }

  settle(instance: string, id: number, settlement: Settlement, now: number): boolean {
    const delivery = this.held(instance, id)
    if (delivery === undefined) return false
    delivery.state = settlement.state
    delivery.runAt = settlement.state === 'ready' ? settlement.runAt : undefined
    delivery.retryAt = settlement.state === 'parked' ? settlement.retryAt : undefined
    delivery.holdUntil = settlement.state === 'parked' ? settlement.holdUntil : undefined
    const spends = settlement.state === 'ready' ? settlement.spent : settlement.state !== 'suppressed'
    delivery.attempts += spends ? 1 : 0
    this.free(delivery.lane, now)
    return true
  }

  leave(instance: string): void {
    this.leases.delete(instance)
    for (const lane of this.lanes.values()) if (lane.owner === instance) lane.owner = undefined
  }

  heartbeat(instance: string, leaseMs: number, now: number): boolean {
    const alive = this.isRunning(instance, now)
    if (alive) this.leases.set(instance, now + leaseMs)
    for (const [other, until] of [...this.leases]) if (until <= now) this.leave(other)
    return alive
  }
}
