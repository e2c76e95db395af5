// A bridge at work between both twins in which nothing is wrong, and `sms-bridge doctor` beside it.
import { desiredWebhooks } from '../../src/commands/setup/webhooks.js'
import { fingerprintsMark, fingerprintsOf } from '../../src/config/fingerprints.js'
import { type CommandLine, commandLine, type RunOptions, type Shown } from './command-line.js'
import { environmentOf } from './serve-process.js'
import { openTestBridge } from './temp.js'
import { ours, oursToo, type TestBridge, type TestBridgeOptions } from './test-bridge.js'

export interface CheckJson {
  readonly id: string
  readonly state: 'ok' | 'warning' | 'failed' | 'skipped'
  readonly what: string
  readonly why: string | null
  readonly fix: string | null
  readonly who: string | null
  readonly fixable: boolean
}

export interface ReportJson {
  readonly verdict: string
  readonly summary: Readonly<Record<string, number>>
  readonly checks: readonly CheckJson[]
  readonly fixed: readonly { readonly ids: readonly string[]; readonly changes: readonly object[] }[]
}

export interface DoctorWorld extends CommandLine {
  readonly world: TestBridge
  readonly env: Readonly<Record<string, string>>
  /** SID of the Messaging Service that both numbers are in; each number decides for itself. */
  readonly serviceSid: string
  /** Runs `doctor FLAGS --json`. */
  examine(flags?: string, options?: RunOptions): Promise<{ readonly code: number; readonly report: ReportJson }>
  /** What is wrong: `failed webhook:+15550100100`. */
  wrong(flags?: string, options?: RunOptions): Promise<readonly string[]>
  /** Twilio's API, as the account. */
  twilio(path: string, fields?: Readonly<Record<string, string>>): Promise<Record<string, unknown>>
  intercom(path: string, body: object, method?: string): Promise<Record<string, unknown>>
  /** What the store would have noted in the course of time. */
  noted(mark: string, value?: unknown): Promise<void>
}

export async function openDoctorWorld(options: Partial<TestBridgeOptions> = {}): Promise<DoctorWorld> {
  const world = await openTestBridge(options)
  const { SMS_BRIDGE_HOME: _, PATH: __, ...env } = environmentOf(world.config)
  const line = commandLine({ env })
  const { accountSid, authTokens } = world.config.twilio
  const authorization = `Basic ${Buffer.from(`${accountSid}:${authTokens[0]}`).toString('base64')}`
  const twilio: DoctorWorld['twilio'] = async (path, fields) => {
    const at = path.startsWith('/v1/') ? path : `/2010-04-01/Accounts/${accountSid}${path}`
    const body = fields && { method: 'POST', body: new URLSearchParams(fields) }
    const response = await fetch(`${world.twilio.url}${at}`, { ...body, headers: { authorization } })
    if (!response.ok) throw new Error(`${path}: ${response.status}`)
    return (await response.json()) as Record<string, unknown> // the twin's answers are objects
  }
  const service = await twilio('/v1/Services', { FriendlyName: 'Support', UseInboundWebhookOnNumber: 'true' })
  const serviceSid = String(service.sid)
  const { sms, fallback } = desiredWebhooks(world.config)
  for (const number of [ours, oursToo]) {
    await twilio(`/v1/Services/${serviceSid}/PhoneNumbers`, { PhoneNumberSid: sidOf(world, number) })
    world.twilio.setSmsUrl(number, sms, fallback)
  }
  world.twilio.setCampaign(serviceSid, 'VERIFIED')
  /** Until a test says otherwise, the serve that runs was started with the settings that doctor is given. */
  let startedAlike = true
  let stopped = false
  const keep = (mark: string, value?: unknown) => world.store().setMark(mark, Date.now(), value)
  const start = (given: typeof env) => keep(fingerprintsMark, fingerprintsOf({ env: given, flags: {}, profile: {} }))
  const noted: DoctorWorld['noted'] = (mark, value) => {
    if (mark === fingerprintsMark) startedAlike = false
    return keep(mark, value)
  }
  await noted('topic:conversation.admin.replied', { appId: 'acme1234' })
  await noted('backup')
  await start(env)
  const examine: DoctorWorld['examine'] = async (flags = '', run = {}) => {
    if (startedAlike && !stopped) await start({ ...env, ...run.env })
    const shown: Shown = await line.run(`doctor ${flags} --json`, run)
    return { code: shown.code, report: JSON.parse(shown.stdout) as ReportJson } // what the command prints
  }
  const stopBridge = async () => {
    stopped = true
    await world.stopBridge()
  }
  return {
    ...line,
    world: { ...world, stopBridge },
    env,
    serviceSid,
    examine,
    async wrong(flags, run) {
      const { report } = await examine(flags, run)
      const bad = report.checks.filter(({ state }) => state === 'failed' || state === 'warning')
      return bad.map(({ id, state }) => `${state} ${id}`)
    },
    twilio,
    async intercom(path, body, method = 'POST') {
      const headers = {
        authorization: 'Bearer fake-access-token',
        'content-type': 'application/json',
        accept: 'application/json',
      }
      const response = await fetch(`${world.intercom.url}${path}`, { method, headers, body: JSON.stringify(body) })
      if (!response.ok) throw new Error(`${path}: ${response.status}`)
      return (await response.json()) as Record<string, unknown> // the twin's answers are objects
    },
    noted,
  }
}

export function sidOf({ twilio }: TestBridge, phoneNumber: string): string {
  const found = twilio.numbers().find((one) => one.phoneNumber === phoneNumber)
  if (found === undefined) throw new Error(`${phoneNumber} is no number of this twin`)
  return found.sid
}
