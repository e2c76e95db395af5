// Every setting once. Whoever reads the table pays for nothing else: zod and the readers are handed in by load.ts.
import type * as zod from 'zod'

type Zod = typeof zod
type Readers = typeof import('./readers.js').readers

export interface Setting<T> {
  readonly env: string
  /** As the command line takes it, e.g. `--port <number>`. */
  readonly flag?: string
  /** Its value is never shown. */
  readonly secret?: true
  readonly required?: true
  /** Used when nothing is set; given as a person would type it. */
  readonly fallback?: string
  readonly help: string
  /** A value that would be accepted, for "what to type next". */
  readonly example: string
  /** The only values there are; for shells that complete them. */
  readonly choices?: readonly string[]
  /** Reads the trimmed, non-empty text. Messages complete the sentence `<name> …`. */
  readonly type: (z: Zod, read: Readers) => zod.ZodType<T>
  /** What is wrong with it, for text that is taken as it stands: such a setting is read without loading zod. */
  readonly fault?: (text: string) => string | undefined
}

const logFormats = ['json', 'pretty'] as const
const yesOrNo = ['true', 'false'] as const
const regions = ['us', 'eu', 'au'] as const

export const settings = {
  publicUrl: {
    env: 'SMS_BRIDGE_PUBLIC_URL',
    flag: '--public-url <url>',
    required: true,
    help: 'where Twilio and Intercom reach this bridge',
    example: 'https://sms.example.com',
    type: (z: Zod, read: Readers) => read.publicUrl(z),
  },
  host: {
    env: 'SMS_BRIDGE_HOST',
    flag: '--host <address>',
    fallback: '127.0.0.1',
    help: 'address to listen on',
    example: '127.0.0.1',
    type: (z: Zod) => z.string().regex(/^[\w.:%-]+$/, 'must be a host name or an IP address'),
  },
  port: {
    env: 'SMS_BRIDGE_PORT',
    flag: '--port <number>',
    fallback: '8080',
    help: 'port to listen on, 0 for any free one',
    example: '8080',
    type: (z: Zod) => z.string().refine(isPort, 'must be a whole number from 0 to 65535').transform(Number),
  },
  store: {
    env: 'SMS_BRIDGE_STORE',
    flag: '--store <url>',
    help: 'where deliveries are kept: sqlite:PATH (default: a file in the data folder) or postgres://…',
    example: 'sqlite:/var/lib/sms-bridge/sms-bridge.sqlite',
    type: (z: Zod) => z.string(),
    fault: storeFault,
  },
  log: {
    env: 'SMS_BRIDGE_LOG',
    flag: '--log <format>',
    help: 'log lines: json or pretty (default: pretty on a terminal, else json)',
    example: 'json',
    choices: logFormats,
    type: (z: Zod) => z.enum(logFormats, 'must be json or pretty'),
  },
  home: {
    env: 'SMS_BRIDGE_HOME',
    help: 'folder of the profile and the data (default: the platform’s config and data folders)',
    example: '/var/lib/sms-bridge',
    type: (z: Zod) => z.string(),
  },
  profile: {
    env: 'SMS_BRIDGE_PROFILE',
    flag: '--profile <name>',
    fallback: 'default',
    help: 'which profile to use: a name, or the path of its file',
    example: 'staging',
    type: (z: Zod) => z.string(),
  },
  defaultRegion: {
    env: 'SMS_BRIDGE_DEFAULT_REGION',
    fallback: 'US',
    help: 'country of phone numbers written without a country code',
    example: 'US',
    type: (z: Zod, read: Readers) => read.country(z),
  },
  hold: {
    env: 'SMS_BRIDGE_HOLD',
    fallback: '10m',
    help: 'how long a customer’s later messages wait for one that could not be delivered and is tried again, at most 10m',
    example: '2m',
    type: (z: Zod) =>
      z
        .string()
        .regex(/^\d{1,3}[sm]$/, 'must be seconds or minutes such as 90s or 10m')
        .transform((text) => Number.parseInt(text, 10) * (text.endsWith('m') ? 60_000 : 1_000))
        .refine((ms) => ms <= 600_000, 'must be at most 10m'),
  },
  relayBots: {
    env: 'SMS_BRIDGE_RELAY_BOTS',
    fallback: 'false',
    help: 'also text what bots write for the customer',
    example: 'true',
    choices: yesOrNo,
    type: (z: Zod) => z.enum(yesOrNo, 'must be true or false').transform((text) => text === 'true'),
  },
  teams: {
    env: 'SMS_BRIDGE_TEAMS',
    flag: '--teams <pairs>',
    help: 'Intercom team for conversations by the number that was texted; * is any other number',
    example: '+15550100100=814,*=815',
    type: (z: Zod, read: Readers) => read.teams(z),
  },
  reopen: {
    env: 'SMS_BRIDGE_REOPEN',
    flag: '--reopen <pairs>',
    help: 'how long after it was closed a text opens the conversation again, by the number that was texted; otherwise it opens a new one',
    example: '+15550100100=5d,*=12h',
    type: (z: Zod, read: Readers) => read.reopen(z),
  },
  hours: {
    env: 'SMS_BRIDGE_HOURS',
    flag: '--hours <pairs>',
    help: 'when the number that was texted is open; outside its hours a customer gets one automatic text. Without a time zone at the end the workspace’s goes; none is no hours',
    example: '+15550100100=Mon-Fri 9-18 Sat 10-14 America/Denver,*=Mon-Sun 8-22',
    type: (z: Zod, read: Readers) => read.hours(z),
  },
  holidays: {
    env: 'SMS_BRIDGE_HOLIDAYS',
    help: 'dates on which every number with hours is closed, in its own time zone: once, every year, or from one to another',
    example: '2026-11-26,12-25,2026-12-28/2027-01-01',
    type: (z: Zod, read: Readers) => read.holidays(z),
  },
  awayText: {
    env: 'SMS_BRIDGE_AWAY_TEXT',
    fallback: 'Thanks for your text. We are closed right now and will answer when we open again: {opens}.',
    help: 'the automatic text outside the hours, at most 480 characters; {opens} is when the number opens again',
    example: 'Thanks for your text. We are closed and will answer {opens}.',
    type: (z: Zod, read: Readers) => read.awayText(z),
  },
  twilioAccountSid: {
    env: 'TWILIO_ACCOUNT_SID',
    required: true,
    help: 'SID of the Twilio account',
    example: 'AC0123456789abcdef0123456789abcdef',
    type: (z: Zod) => z.string().regex(/^AC[0-9a-fA-F]{32}$/, 'must be AC and 32 hexadecimal digits'),
  },
  twilioAuthToken: {
    env: 'TWILIO_AUTH_TOKEN',
    required: true,
    secret: true,
    help: 'auth token of the Twilio account; while it is rotated, several separated by commas, the first of them for calls',
    example: '<primary auth token>',
    type: (z: Zod) =>
      z
        .string()
        .transform((text): readonly string[] => text.split(',').map((token) => token.trim()))
        .refine(
          (tokens) => tokens.every((token) => /^[!-~]+$/.test(token)),
          'must be one token, or several separated by commas',
        ),
  },
  twilioApiKey: {
    env: 'TWILIO_API_KEY',
    help: 'API key for calls, instead of the auth token',
    example: 'SK0123456789abcdef0123456789abcdef',
    type: (z: Zod) => z.string().regex(/^SK[0-9a-fA-F]{32}$/, 'must be SK and 32 hexadecimal digits'),
  },
  twilioApiSecret: {
    env: 'TWILIO_API_SECRET',
    secret: true,
    help: 'secret of the API key',
    example: '<API secret>',
    type: (z: Zod, read: Readers) => read.token(z),
  },
  twilioApiBaseUrl: {
    env: 'TWILIO_API_BASE_URL',
    help: 'Twilio’s API at another origin: a proxy or a twin',
    example: 'http://127.0.0.1:4010',
    type: (z: Zod, read: Readers) => read.absoluteUrl(z),
  },
  intercomAccessToken: {
    env: 'INTERCOM_ACCESS_TOKEN',
    required: true,
    secret: true,
    help: 'access token of the Intercom app',
    example: '<access token>',
    type: (z: Zod, read: Readers) => read.token(z),
  },
  intercomClientSecret: {
    env: 'INTERCOM_CLIENT_SECRET',
    required: true,
    secret: true,
    help: 'client secret of the Intercom app; webhooks are signed with it',
    example: '<client secret>',
    type: (z: Zod, read: Readers) => read.token(z),
  },
  intercomRegion: {
    env: 'INTERCOM_REGION',
    fallback: 'us',
    help: 'where the Intercom workspace lives: us, eu or au',
    example: 'eu',
    choices: regions,
    type: (z: Zod) => z.enum(regions, 'must be us, eu or au'),
  },
  intercomApiBaseUrl: {
    env: 'INTERCOM_API_BASE_URL',
    help: 'Intercom’s API at another origin (default: by region)',
    example: 'https://api.intercom.io',
    type: (z: Zod, read: Readers) => read.absoluteUrl(z),
  },
  intercomAdminId: {
    env: 'INTERCOM_ADMIN_ID',
    help: 'teammate in whose name conversations are assigned and notes written (default: the owner of the access token)',
    example: '1234567',
    type: (z: Zod) => z.string().regex(/^\d+$/, 'must be the number of a teammate'),
  },
} as const satisfies Record<string, Setting<unknown>>

export type SettingName = keyof typeof settings

type Parsed<S extends { type: (z: Zod, read: Readers) => zod.ZodType }> = zod.output<ReturnType<S['type']>>

/** What the table yields; settings that are neither required nor have a fallback may be undefined. */
export type Values = {
  readonly [N in SettingName]: (typeof settings)[N] extends { required: true } | { fallback: string }
    ? Parsed<(typeof settings)[N]>
    : Parsed<(typeof settings)[N]> | undefined
}

export function isPort(text: string): boolean {
  return /^\d{1,5}$/.test(text) && Number(text) <= 65535
}

function storeFault(text: string): string | undefined {
  if (/^sqlite:./.test(text)) return undefined
  if (/^postgres(ql)?:\/\//.test(text) && URL.canParse(text)) return undefined
  return 'must be sqlite:PATH or postgres://USER@HOST/DATABASE'
}
