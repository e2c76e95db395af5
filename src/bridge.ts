// The one place that knows everything: store + shores + flows + relay + server.
import { randomUUID } from 'node:crypto'
import type { Clock } from './clock.js'
import type { Config } from './config/load.js'
import type { Tools } from './delivery.js'
import { DeliveryError } from './errors.js'
import { createAgentReplyFlow, createReplyLookupFlow, lookupDelivery, replyDelivery } from './flows/agent-reply.js'
import { createAway } from './flows/away-text.js'
import { inboundDelivery } from './flows/inbound-delivery.js'
import { createInboundSmsFlow } from './flows/inbound-sms.js'
import { keepReceipt } from './flows/keep-receipt.js'
import { createReplyNoteFlow } from './flows/reply-note.js'
import type { IntercomClient } from './intercom/client.js'
import { existingContactId } from './intercom/errors.js'
import type { Log } from './log.js'
import { createDuties } from './relay/duties.js'
import { type Attempted, Relay } from './relay/relay.js'
import type { RelaySettings } from './relay/relay-settings.js'
import { defaultRetryPolicy } from './relay/retry.js'
import type { DoorParts } from './server/door.js'
import { createHealth } from './server/health.js'
import { createIntercomDoor } from './server/intercom-webhooks.js'
import { createMetrics, type Metrics } from './server/metrics.js'
import { type Route, type RunningServer, startServer } from './server/server.js'
import { createTwilioDoor } from './server/twilio-webhooks.js'
import { createShores, reconcileDuties } from './shores.js'
import type { Store } from './store/store.js'
import { explainTwilioCode, isOptOutCode } from './twilio/errors.js'
import { wordsForTeammates } from './twilio/teammate-words.js'

/** Whose token it is and where the workspace's clocks are changes rarely; asked again after so long, ms. */
const workspaceMs = 3_600_000
const reconcileEveryMs = 120_000
const purgeEveryMs = 3_600_000

export interface BridgeParts {
  readonly store: Store
  readonly clock: Clock
  readonly log: Log
  /** 0 ≤ x < 1. */
  readonly random?: () => number
  readonly relay?: Partial<RelaySettings>
  /** Shortens every vendor lag that a look-up has to wait out, ms: for vendors that have none (the twins). */
  readonly visibleAfterMs?: number
  /** How often the vendors' lists are looked through for what no webhook brought, ms; 0: never. Default two minutes. */
  readonly reconcileEveryMs?: number
  /** Called after each attempt is settled. */
  readonly onAttempt?: (attempted: Attempted) => void
}

export interface Bridge {
  /** Where it listens. */
  readonly url: string
  /** Work may have become due: look now. */
  notify(): void
  /** Takes no new webhook, finishes what is in hand, leaves the store open. */
  stop(): Promise<void>
}

/** Opens the door and starts the relay. The caller opened the store and closes it. */
export async function startBridge(config: Config, parts: BridgeParts): Promise<Bridge> {
  const { store, clock, log, random = Math.random, visibleAfterMs } = parts
  const metrics = createMetrics(store)
  const shores = await createShores(config, {
    store,
    clock,
    log,
    random,
    onCall: ({ shore, status, failure, ms }) => {
      metrics.called(shore, failure ?? String(status ?? 'none'), ms)
      if (status !== undefined && status < 500 && ![401, 403, 429].includes(status)) relay.shoreAnswered(shore)
    },
    onRecovered: (direction) => {
      metrics.recovered({ in: 'twilio-sms', out: 'intercom' }[direction])
      relay.notify()
    },
    ...(visibleAfterMs !== undefined && { graceMs: visibleAfterMs }),
  })
  const { twilio, intercom, isForCustomer } = shores

  const workspace = createWorkspace(intercom, clock)
  const shared = {
    store,
    intercom,
    lateAfterMs: parts.relay?.retry?.holdMs ?? config.holdMs,
    adminId: async (tools: Tools) => config.intercom.adminId ?? (await workspace(tools)).adminId,
    timeZone: async (tools: Tools) => (await workspace(tools)).timeZone,
  }
  const lags = visibleAfterMs === undefined ? {} : { visibleAfterMs }
  const sending = {
    twilio,
    // The fragment asks Twilio to try again when we are away for a moment; it is neither sent nor signed.
    statusCallback: (ref: string) => `${config.publicUrl}/webhooks/twilio/status?ref=${ref}#rc=5&rp=all`,
    isOptOut: ({ code }: DeliveryError) => isOptOutCode(code),
    isForCustomer,
    ...shared,
    ...lags,
  }
  const { holidays, awayText, hours } = config
  const away = createAway({ log, holidays, awayText, ...(hours !== undefined && { hours }), ...sending })
  const inboundSms = createInboundSmsFlow({
    isForCustomer,
    log,
    onTexted: away.offer,
    defaultRegion: config.defaultRegion,
    teams: config.teams,
    ...(config.reopen !== undefined && { reopen: config.reopen }),
    existingContactId,
    sentAtSlackMs: twilio.clockSlackMs,
    ...shared,
    ...lags,
  })
  const replyLookup = createReplyLookupFlow({ store, intercom, isForCustomer })
  const explain = (code: string) => {
    const known = /^\d+$/.test(code) ? explainTwilioCode(Number(code)) : undefined
    return known && { ...known, advice: wordsForTeammates(Number(code)) ?? known.advice }
  }
  const replyNote = createReplyNoteFlow({ explain, ...shared, ...lags })
  const agentReply = createAgentReplyFlow(sending)

  const relay = new Relay({
    store,
    clock,
    log,
    random,
    newInstanceId: randomUUID,
    probe: async (shore, signal) => {
      const ask = { twilio: twilio.ping, intercom: intercom.me }[shore]
      await ask({ signal, guard: () => {}, priority: 'live' }).catch((error: unknown) => {
        // Whatever it says, it is there, unless it lets us in no more.
        const { status = 599 } = error instanceof DeliveryError ? error : {}
        if (status >= 500 || status === 401 || status === 403) throw error
      })
    },
    flows: {
      'inbound-sms': inboundSms,
      'agent-reply': agentReply,
      'reply-lookup': replyLookup,
      'reply-note': replyNote,
      'away-text': away.flow,
    },
    settings: { retry: { ...defaultRetryPolicy, holdMs: config.holdMs }, ...parts.relay },
    onAttempt: (attempted) => {
      const { delivery, settlement, ageMs } = attempted
      metrics.attempted(delivery.kind, settlement.state === 'ready' ? 'retry' : settlement.state)
      if (settlement.state === 'delivered') metrics.delivered(delivery.kind, ageMs)
      parts.onAttempt?.(attempted)
    },
  })

  const everyMs = parts.reconcileEveryMs ?? reconcileEveryMs
  const duties = createDuties({
    store,
    clock,
    log,
    holder: randomUUID(),
    duties: [
      ...(everyMs === 0 ? [] : reconcileDuties(shores, { store, clock, everyMs })),
      { name: 'purge', everyMs: purgeEveryMs, run: async ({ now }) => void (await store.purgeDiscarded(now())) },
    ],
    ...(parts.relay?.leaseMs !== undefined && { leaseMs: parts.relay.leaseMs }),
  })

  // First the port: a second serve started by mistake must not take work before it finds out.
  const server = await openDoor(config, { store, clock, log, metrics, notify: () => relay.notify() })
  try {
    await relay.start()
  } catch (error) {
    await server.stop()
    throw error
  }
  duties.start()
  return {
    url: server.url,
    notify: () => relay.notify(),
    async stop() {
      await server.stop()
      await duties.stop()
      await relay.stop()
    },
  }
}

/** Asks at most once in a while, whatever the answer. */
function createWorkspace(intercom: Pick<IntercomClient, 'me'>, clock: Clock) {
  let known: { readonly at: number; readonly workspace: Awaited<ReturnType<IntercomClient['me']>> } | undefined
  return async ({ call }: Tools) => {
    const now = clock.now()
    if (known === undefined || now - known.at > workspaceMs) known = { at: now, workspace: await intercom.me(call) }
    return known.workspace
  }
}

/** The webhook door alone: what comes in is stored, and waits for a relay. */
export async function openDoor(
  config: Config,
  parts: Omit<DoorParts, 'metrics'> & { readonly metrics?: Metrics; readonly routes?: readonly Route[] },
): Promise<RunningServer> {
  const { publicUrl, host, port, relayBots } = config
  const { accountSid, authTokens } = config.twilio
  const { clientSecret } = config.intercom
  const door = { ...parts, metrics: parts.metrics ?? createMetrics(parts.store) }
  const twilio = createTwilioDoor(
    {
      publicUrl,
      accountSid,
      authTokens,
      toDelivery: inboundDelivery,
      keepReceipt: (receipt, now) => keepReceipt(parts.store, receipt, now),
    },
    door,
  )
  const intercom = createIntercomDoor(
    { clientSecret, relayBots, toDelivery: replyDelivery, toLookup: lookupDelivery },
    door,
  )
  const health = createHealth({ ...door, clientSecret })
  const routes: readonly Route[] = [
    { method: 'POST', path: '/webhooks/twilio/sms', handle: twilio.receiveSms },
    { method: 'POST', path: '/webhooks/twilio/status', handle: twilio.receiveReceipt },
    { method: 'POST', path: '/webhooks/intercom', handle: intercom.receiveNotification },
    // GET answers HEAD as well.
    { method: 'GET', path: '/webhooks/intercom', handle: intercom.look },
    { method: 'GET', path: '/healthz', handle: health.healthz },
    { method: 'GET', path: '/readyz', handle: health.readyz },
    { method: 'GET', path: '/metrics', handle: health.metrics },
    ...(parts.routes ?? []),
  ]
  return startServer(routes, { host, port, basePath: new URL(publicUrl).pathname.replace(/\/$/, '') })
}
