// Both vendors as the bridge sees them, and what looks through their lists: for `serve` and for commands.
import type { Clock } from './clock.js'
import type { Config } from './config/load.js'
import type { DeliveryId, NewDelivery, Shore } from './delivery.js'
import { createReconcile, type Reconcile } from './flows/reconcile.js'
import { discardedNote } from './flows/reply-note-delivery.js'
import { createIntercomClient, type IntercomClient, type Part } from './intercom/client.js'
import { createIntercomInbox, type IntercomInbox } from './intercom/inbox.js'
import { isWrittenForCustomer } from './intercom/webhook.js'
import type { Log } from './log.js'
import type { AgentReply } from './message.js'
import type { Duty } from './relay/duties.js'
import { createLimiter } from './relay/rate-limit.js'
import type { Store } from './store/store.js'
import { type CallReport, createTransport, type Limiter } from './transport.js'
import { createTwilioClient, type TwilioClient } from './twilio/client.js'

export interface ShoresParts {
  readonly store: Store
  readonly clock: Clock
  readonly log: Log
  /** 0 ≤ x < 1. */
  readonly random?: () => number
  readonly onCall?: (report: CallReport) => void
  readonly onRecovered?: (direction: 'in' | 'out') => void
  /** How long reconciliation waits for webhooks that may be on their way, ms. Default 20 s. */
  readonly graceMs?: number
}

export interface Shores {
  readonly twilio: TwilioClient
  readonly intercom: IntercomClient
  /** Whether a part of a conversation is the customer's to read. */
  readonly isForCustomer: (part: Part) => boolean
  readonly reconcile: Reconcile
}

/** Longer than Twilio tries to deliver one webhook (15 s in all). */
const defaultGraceMs = 20_000

export async function createShores(config: Config, parts: ShoresParts): Promise<Shores> {
  const { store, clock, log, random = Math.random, onCall, onRecovered = () => {}, graceMs = defaultGraceMs } = parts
  const { relayBots, publicUrl } = config
  const limiter = createLimiter({ store, clock, log })
  const transport = createTransport({ clock, limiter, ...(onCall !== undefined && { onCall }) })
  const intercom = createIntercomClient({ ...config.intercom, transport, clock })
  const twilio = await createTwilioClient({ ...config.twilio, transport, random })
  const isForCustomer = (part: Part) => isWrittenForCustomer(part) && (part.author.type !== 'bot' || relayBots)
  const inboundUrl = `${publicUrl}/webhooks/twilio/sms`
  const sweeps = { store, clock, log, graceMs, onRecovered, twilio, intercom, isForCustomer, relayBots, inboundUrl }
  return { twilio, intercom, isForCustomer, reconcile: createReconcile(sweeps) }
}

/**
 * For a command that discards dead letters: what is taken in with those that are replies. A note in their conversation
 * says that they are kept, or tried again, and they are not any more.
 */
export async function notesOfDiscarded(
  store: Pick<Store, 'findDelivery'>,
  ids: readonly DeliveryId[],
  because: string,
): Promise<ReadonlyMap<DeliveryId, NewDelivery>> {
  const notes = new Map<DeliveryId, NewDelivery>()
  for (const id of ids) {
    const found = await store.findDelivery(id)
    if (found?.kind !== 'agent-reply') continue
    notes.set(id, discardedNote({ id, payload: found.payload as AgentReply }, because)) // of that kind
  }
  return notes
}

/** Reconciliation as one process does it for all: at once when it begins, then again and again. */
export function reconcileDuties(
  { reconcile }: Pick<Shores, 'reconcile'>,
  { store, clock, everyMs }: Pick<ShoresParts, 'store' | 'clock'> & { readonly everyMs: number },
): readonly Duty[] {
  /** A shore that rests is left alone until it may be asked again. */
  const rests = async (shore: Shore) =>
    (await store.pauses()).some((pause) => pause.shore === shore && pause.until > clock.now())

  const sweep = (
    name: string,
    shore: Shore,
    run: (tools: Parameters<Duty['run']>[0], first: boolean) => Promise<unknown>,
  ): Duty => {
    let first = true
    return {
      name,
      everyMs,
      async run(tools) {
        if (await rests(shore)) return
        await run(tools, first)
        first = false
      },
    }
  }
  return [
    sweep('reconcile:texts', 'twilio', (tools, atOnce) => reconcile.texts(tools, { atOnce })),
    sweep('reconcile:replies', 'intercom', (tools, atOnce) => reconcile.replies(tools, { atOnce })),
    sweep('reconcile:receipts', 'twilio', (tools) => reconcile.receipts(tools, {})),
  ]
}

/** Both vendors as a customer and a teammate see them, who know nothing of the bridge and its store. */
export interface Outside {
  readonly twilio: TwilioClient
  readonly intercom: IntercomClient
  /** What this admin does in the inbox. */
  inboxOf(adminId: string): IntercomInbox
}

export async function createOutside(config: Config, { clock }: Pick<ShoresParts, 'clock'>): Promise<Outside> {
  const transport = createTransport({ clock, limiter: createHoldingLimiter(clock) })
  const parts = { ...config.intercom, transport, clock }
  return {
    twilio: await createTwilioClient({ ...config.twilio, transport }),
    intercom: createIntercomClient(parts),
    inboxOf: (adminId) => createIntercomInbox({ ...parts, adminId }),
  }
}

/** For a few calls a second: they go at once, unless the vendor said to wait. */
function createHoldingLimiter(clock: Clock): Limiter {
  const heldUntil = new Map<string, number>()
  return {
    pass: async ({ key, signal }) => clock.sleep(Math.max(0, (heldUntil.get(key) ?? 0) - clock.now()), signal),
    learn: () => {},
    hold: (key, until) => void heldUntil.set(key, until),
  }
}
