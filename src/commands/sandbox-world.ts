// The whole product without an account: both twins and the bridge between them, on free local ports.
import { randomBytes } from 'node:crypto'
import { createServer } from 'node:net'
import { type Bridge, type BridgeParts, startBridge } from '../bridge.js'
import type { Clock } from '../clock.js'
import type { Config } from '../config/load.js'
import { settings } from '../config/schema.js'
import { startIntercomTwin } from '../emulators/intercom/server.js'
import type { IntercomTwin } from '../emulators/intercom/types.js'
import { startTwilioTwin } from '../emulators/twilio/server.js'
import type { TwilioTwin } from '../emulators/twilio/types.js'
import type { Log } from '../log.js'
import { openStore } from '../store/open.js'
import type { Store } from '../store/store.js'

/** The company's number in the sandbox. */
export const companyNumber = '+15550100100'
const secondNumber = '+15550100200'
const teams = [
  { id: '814', name: 'Support', adminIds: ['401', '402'] },
  { id: '815', name: 'Sales', adminIds: ['402'] },
]
const admins = [
  { id: '401', name: 'Dana', email: 'dana@example.com' },
  { id: '402', name: 'Sam', email: 'sam@example.com' },
]
/** The twins show at once what they made, but for Intercom's search: a look-up must outwait that. */
const visibleAfterMs = 4_000

export interface World {
  readonly twilio: TwilioTwin
  readonly intercom: IntercomTwin
  readonly bridge: Bridge
  readonly store: Store
  readonly publicUrl: string
  readonly config: Config
  stop(): Promise<void>
}

export interface WorldParts {
  /** `sqlite:PATH` or `postgres://…` */
  readonly storeUrl: string
  readonly clock: Clock
  readonly log: Log
  readonly onAttempt?: NonNullable<BridgeParts['onAttempt']>
  /** Default: no number has hours. */
  readonly hours?: Pick<Config, 'hours' | 'holidays' | 'awayText'>
  /** Another number of the account, whose texts no bridge gets. */
  readonly spareNumber?: string
}

const noHours = { holidays: [], awayText: settings.awayText.fallback }

export async function startWorld({
  storeUrl,
  clock,
  log,
  hours = noHours,
  onAttempt,
  spareNumber,
}: WorldParts): Promise<World> {
  // Ends what was started, last first, whatever fails on the way.
  const stops: (() => Promise<void>)[] = []
  const stop = async () => {
    for (const end of stops.toReversed()) await end()
  }
  try {
    const authToken = randomBytes(16).toString('hex')
    const accountSid = `AC${randomBytes(16).toString('hex')}`
    const accessToken = randomBytes(16).toString('hex')
    const clientSecret = randomBytes(16).toString('hex')
    const twilio = await startTwilioTwin({
      accountSid,
      authToken,
      numbers: [companyNumber, secondNumber, ...(spareNumber === undefined ? [] : [spareNumber])].map(
        (phoneNumber) => ({
          phoneNumber,
        }),
      ),
    })
    stops.push(() => twilio.stop())
    const contactAttributes = ['city', 'state', 'country']
    const intercom = await startIntercomTwin({ accessToken, clientSecret, admins, teams, contactAttributes })
    stops.push(() => intercom.stop())
    const store = await openStore(storeUrl, { now: clock.now() })
    stops.push(() => store.close())

    // Last of all: a port that is free now may be anybody's later.
    const port = await freePort()
    const publicUrl = `http://127.0.0.1:${port}`
    for (const number of [companyNumber, secondNumber]) {
      twilio.setSmsUrl(number, `${publicUrl}/webhooks/twilio/sms#rc=5&rp=all`)
    }
    const config: Config = {
      publicUrl,
      host: '127.0.0.1',
      port,
      store: storeUrl,
      log: 'json',
      home: '',
      defaultRegion: 'US',
      holdMs: 600_000,
      relayBots: false,
      teams: new Map([
        [companyNumber, '814'],
        [secondNumber, '815'],
      ]),
      ...hours,
      twilio: { accountSid, authTokens: [authToken], baseUrl: twilio.url },
      intercom: { accessToken, clientSecret, region: 'us', baseUrl: intercom.url },
    }
    const bridge = await startBridge(config, {
      store,
      clock,
      log,
      visibleAfterMs,
      ...(onAttempt !== undefined && { onAttempt }),
    })
    stops.push(() => bridge.stop())
    await intercom.setWebhook(`${publicUrl}/webhooks/intercom`)
    return { twilio, intercom, bridge, store, publicUrl, config, stop }
  } catch (error) {
    await stop()
    throw error
  }
}

/** The webhook URL must be known before the door is opened, so a free port is looked for first. */
export function freePort(): Promise<number> {
  return new Promise((resolve, reject) => {
    const probe = createServer()
    probe.on('error', reject)
    probe.listen(0, '127.0.0.1', () => {
      const address = probe.address()
      const port = typeof address === 'object' && address !== null ? address.port : 0
      probe.close(() => resolve(port))
    })
  })
}
