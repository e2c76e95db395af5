// Both twins, the wires between them and the bridge, a store, and the bridge as a process: all in a time of their own.
import { randomBytes } from 'node:crypto'
import { systemClock } from '../../../src/clock.js'
import type { Config } from '../../../src/config/load.js'
import { settings } from '../../../src/config/schema.js'
import type { TwinClock } from '../../../src/emulators/clock.js'
import { startIntercomTwin } from '../../../src/emulators/intercom/server.js'
import type { IntercomTwin, IntercomTwinEvent } from '../../../src/emulators/intercom/types.js'
import { startTwilioTwin } from '../../../src/emulators/twilio/server.js'
import type { TwilioTwin, TwilioTwinEvent } from '../../../src/emulators/twilio/types.js'
import { type EngineName, newPlace } from '../../support/stores.js'
import { type BridgeProcess, startBridgeProcess } from './bridge-process.js'
import { openWire, type Wire } from './wire.js'

export const numbers = ['+15550100100', '+15550100200'] as const

/**
 * How much faster time runs here, for the bridge and both vendors alike: what the bridge waits out (a call that may
 * still be on its way, a vendor's index, a lease) is minutes long.
 */
const speed = 20
/** Longer than the twins' index lag. */
const visibleAfterMs = 5_000
/** A second of a busy machine is half a lease; and nobody needs to look a thousand times a second. */
const relay = { leaseMs: 40_000, pollMs: 3_000, restMs: 300 }
/** Real time, ms. */
const patienceMs = 40_000

/** A delivery as the store has it. */
export interface Row {
  readonly id: number
  readonly key: string
  readonly state: string
  readonly reason: string | null
}

export interface World {
  readonly twilio: TwilioTwin
  readonly intercom: IntercomTwin
  readonly clock: TwinClock
  readonly wires: Readonly<Record<'twilio' | 'intercom', Wire>>
  /** The bridge of this moment, dead or alive. */
  bridge(): BridgeProcess
  /** Starts another, once the one before is over. */
  start(): Promise<void>
  /** Calls and webhooks that the vendors have told of. */
  events(): number
  onEvent(listener: (event: TwilioTwinEvent | IntercomTwinEvent, of: 'twilio' | 'intercom') => void): void
  rows(): Promise<Row[]>
  /** Resolves with what `look` finds, looking after every event. @throws after 40 s */
  eventually<T>(what: string, look: () => T | undefined | false | Promise<T | undefined | false>): Promise<T>
  /** Resolves when it holds, or after this time of the world. */
  within(ms: number, holds: () => boolean): Promise<void>
  /** Resolves when nothing waits in the store and nothing is under way at the vendors. */
  quiet(): Promise<void>
  stop(): Promise<void>
}

export interface WorldOptions {
  readonly engine: EngineName
  /** The bridge's process. */
  readonly module: string
  readonly dialect?: '2.14' | '2.15'
  readonly newContactLagMs?: number
  readonly listLagMs?: number
}

export async function openWorld({ engine, module, ...options }: WorldOptions): Promise<World> {
  const epoch = systemClock.now()
  const clock: TwinClock = {
    now: () => Math.floor(epoch + (systemClock.now() - epoch) * speed),
    sleep: (ms, signal) => systemClock.sleep(ms / speed, signal),
  }
  const { dialect = '2.15', newContactLagMs = 0, listLagMs = 0 } = options
  const accountSid = `AC${randomBytes(16).toString('hex')}`
  const authToken = 'f'.repeat(32)
  const secrets = { accessToken: 'fake-access-token', clientSecret: 'fake-client-secret' }
  const place = newPlace(engine)
  const twilio = await startTwilioTwin({
    accountSid,
    authToken,
    numbers: numbers.map((phoneNumber) => ({ phoneNumber })),
    clock,
    listLagMs,
  })
  const intercom = await startIntercomTwin({
    ...secrets,
    admins: [{ id: '401', name: 'Dana', email: 'dana@example.com' }],
    teams: [{ id: '814', name: 'Support', adminIds: ['401'] }],
    contactAttributes: ['city'],
    clock,
    dialect,
    newContactLagMs,
    rateLimit: 300,
  })
  let current: BridgeProcess | undefined
  const running = () => (current?.isOver === false ? current.port : undefined)
  const portOf = (url: string) => Number(new URL(url).port)
  // The door's address outlives every process behind it.
  const door = await openWire(running)
  const wires = {
    twilio: await openWire(() => portOf(twilio.url)),
    intercom: await openWire(() => portOf(intercom.url)),
  }
  for (const number of numbers) twilio.setSmsUrl(number, `${door.url}/webhooks/twilio/sms#rc=5&rp=all`)
  const config: Config = {
    publicUrl: door.url,
    host: '127.0.0.1',
    port: 0,
    store: place.url,
    log: 'json',
    home: '',
    defaultRegion: 'US',
    holdMs: 600_000,
    holidays: [],
    awayText: settings.awayText.fallback,
    relayBots: false,
    teams: new Map([['*', '814']]),
    twilio: { accountSid, authTokens: [authToken], baseUrl: wires.twilio.url },
    intercom: { ...secrets, region: 'us', baseUrl: wires.intercom.url },
  }

  const listeners = new Set<Parameters<World['onEvent']>[0]>()
  let events = 0
  const tell = (of: 'twilio' | 'intercom') => (event: TwilioTwinEvent | IntercomTwinEvent) => {
    if (event.type === 'request' || event.type === 'webhook') events += 1
    for (const listener of listeners) listener(event, of)
  }
  twilio.subscribe(tell('twilio'))
  intercom.subscribe(tell('intercom'))

  /** Resolves at the next event, or soon: what the store does is told by nobody. */
  const next = async (ms: number) => {
    const over = new AbortController()
    const wake = () => over.abort()
    listeners.add(wake)
    await systemClock.sleep(ms, over.signal)
    listeners.delete(wake)
  }
  /** Intercom waits five seconds for an answer: a machine that is busy now may need more. */
  const subscribe = () =>
    eventually('Intercom may send webhooks', () =>
      intercom.setWebhook(`${door.url}/webhooks/intercom`).then(
        () => true,
        () => false,
      ),
    )
  const rows = async (): Promise<Row[]> =>
    (await place.sql('select id, dedupe_key, state, reason from deliveries order by id')).map((row) => ({
      id: Number(row.id),
      key: String(row.dedupe_key),
      state: String(row.state),
      reason: row.reason === null ? null : String(row.reason),
    }))
  const eventually: World['eventually'] = async (what, look) => {
    const deadline = systemClock.now() + patienceMs
    for (;;) {
      const found = await look()
      if (found !== undefined && found !== false) return found
      if (systemClock.now() > deadline) throw new Error(`not within ${patienceMs} ms: ${what}`)
      await next(50)
    }
  }
  return {
    twilio,
    intercom,
    clock,
    wires,
    rows,
    eventually,
    bridge() {
      if (current === undefined) throw new Error('the bridge was never started')
      return current
    },
    async start() {
      const first = current === undefined
      await current?.ended
      current = await startBridgeProcess({ module, config, time: { epoch, speed }, visibleAfterMs, relay })
      if (first) await subscribe()
    },
    events: () => events,
    onEvent: (listener) => void listeners.add(listener),
    async within(ms, holds) {
      const deadline = clock.now() + ms
      while (!holds() && clock.now() < deadline) await next((deadline - clock.now()) / speed)
    },
    async quiet() {
      for (;;) {
        await Promise.all([twilio.idle(), intercom.idle()])
        const before = events
        await eventually('nothing waits', async () => (await rows()).every(({ state }) => state !== 'ready'))
        await Promise.all([twilio.idle(), intercom.idle()])
        await next(20)
        if (events === before && (await rows()).every(({ state }) => state !== 'ready')) return
      }
    },
    async stop() {
      current?.kill('SIGKILL')
      await current?.ended
      await Promise.all([door.stop(), wires.twilio.stop(), wires.intercom.stop()])
      await Promise.all([twilio.stop(), intercom.stop()])
      await place.remove()
    },
  }
}
