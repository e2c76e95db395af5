// The bridge between both twins, over real HTTP, with short waits: tests await what phone and inbox show.
import { randomBytes } from 'node:crypto'
import { type Bridge, startBridge } from '../../src/bridge.js'
import { type Clock, systemClock } from '../../src/clock.js'
import { freePort } from '../../src/commands/sandbox-world.js'
import type { Config } from '../../src/config/load.js'
import { settings } from '../../src/config/schema.js'
import { startIntercomTwin } from '../../src/emulators/intercom/server.js'
import type { IntercomTwin, IntercomTwinOptions } from '../../src/emulators/intercom/types.js'
import { startTwilioTwin } from '../../src/emulators/twilio/server.js'
import type { TwilioTwin, TwilioTwinOptions } from '../../src/emulators/twilio/types.js'
import type { Polled } from '../../src/flows/poll-receipts.js'
import type { Sweep, SweepOptions } from '../../src/flows/reconcile-intake.js'
import type { TextSweep } from '../../src/flows/reconcile-texts.js'
import type { LogFields } from '../../src/log.js'
import type { Attempted } from '../../src/relay/relay.js'
import type { RelaySettings } from '../../src/relay/relay-settings.js'
import { createShores, type Shores } from '../../src/shores.js'
import { openStore } from '../../src/store/open.js'
import type { Store } from '../../src/store/store.js'
import { liveCall } from './vendor-server.js'

export const ours = '+15550100100'
export const oursToo = '+15550100200'
export const customer = '+15550100142'
export const otherCustomer = '+15550100177'

export interface TestBridgeOptions {
  /** `sqlite:PATH` or `postgres://…` */
  readonly storeUrl: string
  readonly config?: Partial<Config>
  readonly relay?: Partial<RelaySettings>
  readonly twilio?: Partial<TwilioTwinOptions>
  readonly intercom?: Partial<IntercomTwinOptions>
  readonly visibleAfterMs?: number
  /** The bridge's clock; a new one at each start. */
  readonly clock?: (store: Store) => Promise<Clock>
  /** Default 0: only when the test says so. */
  readonly reconcileEveryMs?: number
  /** The bridge runs in a process of its own, which the test starts; it says when Intercom may subscribe it. */
  readonly ownProcess?: boolean
}

export interface LoggedLine {
  readonly level: 'info' | 'warn' | 'error'
  readonly event: string
  readonly fields: LogFields
}

export interface TestBridge {
  readonly twilio: TwilioTwin
  readonly intercom: IntercomTwin
  readonly config: Config
  readonly attempts: Attempted[]
  readonly lines: LoggedLine[]
  store(): Store
  bridge(): Bridge
  /** Resolves with what `look` finds, as soon as it finds something; looks after every event. */
  eventually<T>(what: string, look: () => T | undefined | false | Promise<T | undefined | false>): Promise<T>
  /** Resolves when nothing waits, nothing is in hand, and the twins are quiet. */
  settled(): Promise<void>
  /** Stops the bridge and starts a new one on the same store and port. */
  restart(): Promise<void>
  /** Looks through both vendors' lists once, as the bridge does by itself when it is told to. */
  reconcile(options?: SweepOptions): Promise<{ texts: TextSweep; replies: Sweep; receipts: Polled }>
  stopBridge(): Promise<void>
  startBridge(): Promise<void>
  /** Has Intercom send its webhooks to the bridge, which must be running. */
  subscribe(): Promise<void>
  stop(): Promise<void>
}

/** Longer than a dead process's lease. */
const patienceMs = 55_000

export async function startTestBridge(options: TestBridgeOptions): Promise<TestBridge> {
  const accountSid = `AC${randomBytes(16).toString('hex')}`
  const authToken = 'f'.repeat(32)
  const twilio = await startTwilioTwin({
    accountSid,
    authToken,
    numbers: [{ phoneNumber: ours }, { phoneNumber: oursToo }],
    carrierMs: 1,
    ...options.twilio,
  })
  const intercom = await startIntercomTwin({
    clock: impatientClock,
    accessToken: 'fake-access-token',
    clientSecret: 'fake-client-secret',
    admins: [{ id: '401', name: 'Dana', email: 'dana@example.com' }],
    teams: [{ id: '814', name: 'Support', adminIds: ['401'] }],
    contactAttributes: ['city', 'state', 'country'],
    indexLagMs: 50,
    ...options.intercom,
  })
  // Last of all: a port that is free now may be anybody's later.
  const port = await freePort()
  const publicUrl = `http://127.0.0.1:${port}`
  for (const number of [ours, oursToo]) twilio.setSmsUrl(number, `${publicUrl}/webhooks/twilio/sms#rc=5&rp=all`)
  const config: Config = {
    publicUrl,
    host: '127.0.0.1',
    port,
    store: options.storeUrl,
    log: 'json',
    home: '',
    defaultRegion: 'US',
    holdMs: 600_000,
    holidays: [],
    awayText: settings.awayText.fallback,
    relayBots: false,
    teams: new Map([[ours, '814']]),
    twilio: { accountSid, authTokens: [authToken], baseUrl: twilio.url },
    intercom: {
      accessToken: 'fake-access-token',
      clientSecret: 'fake-client-secret',
      region: 'us',
      baseUrl: intercom.url,
    },
    ...options.config,
  }

  const attempts: Attempted[] = []
  const lines: LoggedLine[] = []
  const listeners = new Set<() => void>()
  const happened = () => {
    for (const listener of listeners) listener()
  }
  const ends = [twilio.subscribe(happened), intercom.subscribe(happened)]
  const line =
    (level: LoggedLine['level']) =>
    (event: string, fields: LogFields = {}) => {
      lines.push({ level, event, fields })
    }
  const log = { info: line('info'), warn: line('warn'), error: line('error') }

  const graceMs = options.visibleAfterMs ?? 150
  let store: Store | undefined
  let bridge: Bridge | undefined
  let clock: Clock | undefined
  /** What reconciles when the test says so: one for each life of the bridge, as it is in the bridge. */
  let shores: Shores | undefined
  const start = async () => {
    store = await openStore(options.storeUrl, { now: systemClock.now() })
    clock = (await options.clock?.(store)) ?? systemClock
    bridge = await startBridge(config, {
      store,
      clock,
      log,
      random: () => 0.5,
      visibleAfterMs: graceMs,
      reconcileEveryMs: options.reconcileEveryMs ?? 0,
      relay: {
        pollMs: 50,
        firstPauseMs: 50,
        retry: { waitsMs: [10, 20, 40, 80, 160], parkedWaitsMs: [200, 400, 800], jitter: 0, holdMs: 600_000 },
        ...options.relay,
      },
      onAttempt: (attempted) => {
        attempts.push(attempted)
        happened()
      },
    })
  }
  const stopBridge = async () => {
    await bridge?.stop()
    await store?.close()
    bridge = undefined
    store = undefined
    shores = undefined
  }
  const running = <T>(part: T | undefined): T => {
    if (part === undefined) throw new Error('the bridge is not running')
    return part
  }

  const eventually: TestBridge['eventually'] = async (what, look) => {
    const deadline = systemClock.now() + patienceMs
    for (;;) {
      let wake = () => {}
      const next = new Promise<void>((resolve) => {
        wake = resolve
      })
      listeners.add(wake)
      try {
        const found = await look()
        if (found !== undefined && found !== false) return found
        const left = deadline - systemClock.now()
        if (left <= 0)
          throw new Error(
            `not within ${patienceMs} ms: ${what}\n${lines
              .map((one) => JSON.stringify(one))
              .slice(-15)
              .join('\n')}`,
          )
        const over = new AbortController()
        // Events the twins do not tell of (a step written to the store) are looked for every 100 ms.
        await Promise.race([next, systemClock.sleep(Math.min(left, 100), over.signal)])
        over.abort()
      } finally {
        listeners.delete(wake)
      }
    }
  }

  const subscribe = () => intercom.setWebhook(`${publicUrl}/webhooks/intercom`)
  if (options.ownProcess !== true) {
    await start()
    await subscribe()
  }
  return {
    subscribe,
    twilio,
    intercom,
    config,
    attempts,
    lines,
    store: () => running(store),
    bridge: () => running(bridge),
    eventually,
    async settled() {
      for (;;) {
        await Promise.all([twilio.idle(), intercom.idle()])
        const count = attempts.length
        await eventually(
          'nothing waits',
          async () => (await running(store).summarize(0, systemClock.now())).waiting === 0,
        )
        await Promise.all([twilio.idle(), intercom.idle()])
        const { waiting } = await running(store).summarize(0, systemClock.now())
        if (waiting === 0 && attempts.length === count) return
      }
    },
    async restart() {
      await stopBridge()
      await start()
    },
    async reconcile(options = {}) {
      shores ??= await createShores(config, { store: running(store), clock: running(clock), log, graceMs })
      const { reconcile } = shores
      const tools = { call: liveCall, now: running(clock).now }
      return {
        texts: await reconcile.texts(tools, options),
        replies: await reconcile.replies(tools, options),
        receipts: await reconcile.receipts(tools, options),
      }
    },
    stopBridge,
    startBridge: start,
    async stop() {
      await stopBridge()
      for (const end of ends) end()
      await Promise.all([twilio.stop(), intercom.stop()])
    },
  }
}

/** Intercom tries a failed webhook again after a minute: here after a tenth of a second. */
const impatientClock = {
  now: systemClock.now,
  sleep: (ms: number, signal?: AbortSignal) => systemClock.sleep(ms > 10_000 ? 100 : ms, signal),
}
