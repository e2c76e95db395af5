// Two fresh accounts at the twins, and `sms-bridge init` between them.
import { randomBytes } from 'node:crypto'
import { createServer } from 'node:http'
import { onTestFinished } from 'vitest'
import { systemClock } from '../../src/clock.js'
import { freePort } from '../../src/commands/sandbox-world.js'
import { startIntercomTwin } from '../../src/emulators/intercom/server.js'
import type { IntercomTwin, IntercomTwinOptions } from '../../src/emulators/intercom/types.js'
import { startTwilioTwin } from '../../src/emulators/twilio/server.js'
import type { TwilioTwin, TwilioTwinOptions } from '../../src/emulators/twilio/types.js'

export const mainNumber = '+15550100100'
export const otherNumber = '+15550100200'
const accessToken = 'fake-access-token'
const clientSecret = 'fake-client-secret'

export interface InitWorld {
  readonly twilio: TwilioTwin
  readonly intercom: IntercomTwin
  readonly accountSid: string
  readonly authToken: string
  readonly port: number
  readonly publicUrl: string
  /** Where the twins are, as a proxy would be given. */
  readonly vendors: Readonly<Record<string, string>>
  /** Everything a run without a person needs. */
  readonly env: Readonly<Record<string, string>>
  /** The person has saved the endpoint in the Developer Hub, some time before. */
  subscribe(topics?: readonly string[]): Promise<void>
  /** What Twilio says of a resource of the account, as JSON. */
  read(path: string): Promise<Record<string, unknown>>
  write(path: string, fields: Readonly<Record<string, string>>): Promise<Record<string, unknown>>
}

export interface InitWorldOptions {
  readonly twilio?: Partial<TwilioTwinOptions>
  readonly intercom?: Partial<IntercomTwinOptions>
}

export async function startInitWorld(options: InitWorldOptions = {}): Promise<InitWorld> {
  const accountSid = `AC${randomBytes(16).toString('hex')}`
  const authToken = randomBytes(16).toString('hex')
  const numbers = [{ phoneNumber: mainNumber }, { phoneNumber: otherNumber }]
  const twilio = await startTwilioTwin({ accountSid, authToken, numbers, ...options.twilio })
  const intercom = await startIntercomTwin({
    accessToken,
    clientSecret,
    appId: 'acme1234',
    admins: [{ id: '401', name: 'Dana', email: 'dana@example.com' }],
    teams: [{ id: '814', name: 'Support', adminIds: ['401'] }],
    ...options.intercom,
  })
  onTestFinished(async () => {
    await Promise.all([twilio.stop(), intercom.stop()])
  })
  const port = await freePort()
  const publicUrl = `http://127.0.0.1:${port}`
  const vendors = { TWILIO_API_BASE_URL: twilio.url, INTERCOM_API_BASE_URL: intercom.url }
  const authorization = `Basic ${Buffer.from(`${accountSid}:${authToken}`).toString('base64')}`
  const ask = async (path: string, init: RequestInit) => {
    const at = path.startsWith('/v1/') ? path : `/2010-04-01/Accounts/${accountSid}${path}`
    const response = await fetch(`${twilio.url}${at}`, { ...init, headers: { authorization } })
    if (!response.ok) throw new Error(`${path}: ${response.status}`)
    return (await response.json()) as Record<string, unknown> // the twin's answers are objects
  }
  return {
    twilio,
    intercom,
    accountSid,
    authToken,
    port,
    publicUrl,
    vendors,
    env: {
      ...vendors,
      SMS_BRIDGE_PUBLIC_URL: publicUrl,
      SMS_BRIDGE_PORT: String(port),
      TWILIO_ACCOUNT_SID: accountSid,
      TWILIO_AUTH_TOKEN: authToken,
      INTERCOM_ACCESS_TOKEN: accessToken,
      INTERCOM_CLIENT_SECRET: clientSecret,
    },
    async subscribe(topics) {
      // Somebody has to answer the HEAD; later the door stands in its place.
      const stand = createServer((_request, response) => response.end())
      await new Promise<void>((resolve) => stand.listen(port, '127.0.0.1', resolve))
      await intercom.setWebhook(`${publicUrl}/webhooks/intercom`, topics)
      await intercom.idle()
      await new Promise<void>((resolve) => {
        stand.close(() => resolve())
        stand.closeAllConnections()
      })
    },
    read: (path) => ask(path, { method: 'GET' }),
    write: (path, fields) => ask(path, { method: 'POST', body: new URLSearchParams(fields) }),
  }
}

/** The sid of a number or a short code of ours. */
export function sidOf({ twilio }: InitWorld, phoneNumber: string): string {
  const found = twilio.numbers().find((one) => one.phoneNumber === phoneNumber)
  if (found === undefined) throw new Error(`${phoneNumber} is no number of this twin`)
  return found.sid
}

/** Real time, but what would be waited for a minute is given up after two seconds. */
export const hurriedClock = () => {
  const begun = Date.now()
  return {
    now: () => begun + (Date.now() - begun) * 30,
    sleep: (ms: number, signal?: AbortSignal) => systemClock.sleep(ms / 30, signal),
  }
}
