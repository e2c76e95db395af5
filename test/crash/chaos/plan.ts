// What happens in one run, decided by its seed alone.
import type { ApiFault } from '../../../src/emulators/faults.js'
import { type Random, randomOf } from './random.js'

/**
 * Whether webhooks may be lost for good: dropped on the way, or refused while nobody is at the door. Only
 * reconciliation finds what they told of. While this is false, no plan drops any, the bridge is started again before
 * the plan goes on, and a text or reply whose webhook was never answered 2xx may be missing (but not doubled).
 */
export const lostWebhooksAreFound = true as boolean

export type Vendor = 'twilio' | 'intercom'
const vendors = ['twilio', 'intercom'] as const

/** A customer at one of our two numbers. */
export interface Correspondent {
  readonly customer: number
  readonly number: 0 | 1
}

export type KillPoint =
  /** Between two effects: so many effects of the bridge from now. */
  | { readonly when: 'effect'; readonly count: number }
  /** The vendor has done what the so-many-th creating call from now asked; its answer is not sent yet. */
  | { readonly when: 'done'; readonly vendor: Vendor; readonly count: number }
  /** The next creating call is on its way, and arrives only so much later. */
  | { readonly when: 'on-the-way'; readonly vendor: Vendor; readonly lateMs: number }
  /** The so-many-th webhook from now was answered. */
  | { readonly when: 'webhook'; readonly count: number }

export type Action =
  | { readonly do: 'text'; readonly by: Correspondent }
  | { readonly do: 'reply'; readonly to: Correspondent; readonly close: boolean; readonly long: boolean }
  | { readonly do: 'note' | 'close'; readonly to: Correspondent }
  | {
      readonly do: 'fault'
      readonly vendor: Vendor
      readonly kind: ApiFault
      readonly times: number
      readonly ms: number
      readonly creating: boolean
    }
  /** `actions`: how many further actions it lasts. */
  | {
      readonly do: 'webhooks'
      readonly vendor: Vendor
      readonly kind: 'duplicate' | 'reorder' | 'drop'
      actions: number
    }
  | {
      readonly do: 'outage'
      readonly vendor: Vendor
      readonly kind: 'down' | 'outage' | 'refuse-credentials'
      readonly actions: number
    }
  | { readonly do: 'kill'; readonly at: KillPoint; readonly actions: number }
  | { readonly do: 'restart' }
  /** Lets so many things happen at the vendors (calls and webhooks), if they do within a few seconds. */
  | { readonly do: 'wait'; readonly events: number }

export interface Plan {
  readonly seed: number
  readonly dialect: '2.14' | '2.15'
  readonly newContactLagMs: number
  readonly listLagMs: number
  readonly actions: readonly Action[]
}

const spending = [
  'error-before',
  'error-after',
  'timeout-after',
  'reset-after',
  'reset-before',
  'truncated',
  'html',
  'slow',
] as const
/** A delivery has eight attempts; even one that meets every fault of a run must not use them up. */
const mostSpent = 4

export function planOf(seed: number): Plan {
  const random = randomOf(seed)
  const correspondents = correspondentsOf(random)
  const one = () => random.pick(correspondents)
  const upTo = (most: number, make: () => Action) => Array.from({ length: random.between(1, most) }, make)
  const greetings = correspondents.map((by): Action => ({ do: 'text', by }))
  const talk: Action[] = [
    ...upTo(10, () => ({ do: 'text', by: one() })),
    ...upTo(12, () => ({ do: 'reply', to: one(), close: random.chance(0.2), long: random.chance(0.15) })),
    ...upTo(3, () => ({ do: 'note', to: one() })),
    ...upTo(2, () => ({ do: 'close', to: one() })),
  ]
  const trouble: Action[] = [
    ...vendors.flatMap((vendor) => faultsOf(vendor, random)),
    ...upTo(2, () => outageOf(random)),
    ...upTo(2, () => webhookFaultOf(random)),
    ...Array.from({ length: random.between(2, 3) }, () => killOf(random)),
    ...(random.chance(0.4) ? [{ do: 'restart' } as const] : []),
  ]
  const mixed = shuffled([...talk, ...trouble], random)
  return {
    seed,
    dialect: random.pick(['2.14', '2.15'] as const),
    newContactLagMs: random.pick([0, 2_000]),
    listLagMs: random.pick([0, 2_000]),
    actions: [...greetings, ...mixed].flatMap((action): Action[] => [
      action,
      { do: 'wait', events: random.between(0, 8) },
    ]),
  }
}

function correspondentsOf(random: Random): readonly [Correspondent, ...Correspondent[]] {
  const customers = Array.from({ length: random.between(1, 3) }, (_, customer) => ({ customer, number: 0 }) as const)
  // Customer 0 writes to both numbers: two threads of one contact.
  return [{ customer: 0, number: 1 }, ...customers]
}

function faultsOf(vendor: Vendor, random: Random): Action[] {
  const actions: Action[] = []
  const creating = () => random.chance(0.7)
  const ms = () => random.between(1_000, 20_000)
  let left = random.between(1, mostSpent)
  while (left > 0) {
    const times = random.between(1, left)
    left -= times
    actions.push({ do: 'fault', vendor, kind: random.pick(spending), times, ms: ms(), creating: creating() })
  }
  if (random.chance(0.5)) {
    const times = random.between(1, 3)
    actions.push({ do: 'fault', vendor, kind: 'rate-limit', times, ms: 0, creating: creating() })
  }
  return actions
}

function outageOf(random: Random): Action {
  const kind = random.pick(['down', 'outage', 'refuse-credentials'] as const)
  return { do: 'outage', vendor: random.pick(vendors), kind, actions: random.between(1, 5) }
}

function webhookFaultOf(random: Random): Action {
  const kinds = lostWebhooksAreFound ? (['duplicate', 'reorder', 'drop'] as const) : (['duplicate', 'reorder'] as const)
  return { do: 'webhooks', vendor: random.pick(vendors), kind: random.pick(kinds), actions: random.between(2, 8) }
}

function killOf(random: Random): Action {
  const vendor = random.pick(vendors)
  const at = random.pick<KillPoint>([
    { when: 'effect', count: random.between(1, 25) },
    { when: 'effect', count: random.between(1, 10) },
    { when: 'done', vendor, count: random.between(1, 3) },
    { when: 'on-the-way', vendor, lateMs: random.between(0, 20_000) },
    { when: 'webhook', count: random.between(1, 8) },
  ])
  return { do: 'kill', at, actions: lostWebhooksAreFound ? random.between(0, 4) : 0 }
}

function shuffled<T>(all: readonly T[], random: Random): T[] {
  const left = [...all]
  const out: T[] = []
  while (left.length > 0) out.push(...left.splice(random.between(0, left.length - 1), 1))
  return out
}

export function show(action: Action): string {
  const thread = ({ customer, number }: Correspondent) => `customer ${customer} at number ${number}`
  switch (action.do) {
    case 'text':
      return `text of ${thread(action.by)}`
    case 'reply':
      return `${action.long ? 'long ' : ''}reply${action.close ? ' and close' : ''} to ${thread(action.to)}`
    case 'note':
    case 'close':
      return `${action.do} for ${thread(action.to)}`
    case 'fault':
      return `${action.vendor}: ${action.times} × ${action.kind}${action.creating ? ' of creating calls' : ''}`
    case 'webhooks':
      return `${action.vendor}: ${action.kind} webhooks for ${action.actions} actions`
    case 'outage':
      return `${action.vendor}: ${action.kind} for ${action.actions} actions`
    case 'kill':
      return `kill: ${JSON.stringify(action.at)}`
    case 'restart':
      return 'SIGTERM and start again'
    case 'wait':
      return `wait for ${action.events} events`
  }
}
