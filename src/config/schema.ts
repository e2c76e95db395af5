// Every setting once. Whoever reads the table pays for nothing else: zod is handed in by load.ts.
import type * as zod from 'zod'

type Zod = typeof zod

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
  readonly type: (z: Zod) => zod.ZodType<T>
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
    type: (z: Zod) => absoluteUrl(z).superRefine((text, check) => fail(check, publicUrlFault(new URL(text)))),
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
    type: (z: Zod) => z.string().refine(isCountry, 'must be a two-letter ISO 3166 country code in capitals'),
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
    type: (z: Zod) =>
      z.string().transform((text, check): ReadonlyMap<string, string> => {
        const entries = text.split(',').map((entry) => /^\s*(\S+?)\s*=\s*(\d+)\s*$/.exec(entry))
        const teams = new Map(entries.map((entry) => [entry?.[1] ?? '', entry?.[2] ?? '']))
        fail(check, entries.includes(null) ? 'must be NUMBER=TEAM_ID pairs separated by commas' : undefined)
        fail(check, teams.size < entries.length ? 'must name each number once' : undefined)
        return teams
      }),
  },
  reopen: {
    env: 'SMS_BRIDGE_REOPEN',
    flag: '--reopen <pairs>',
    help: 'how long after it was closed a text opens the conversation again, by the number that was texted; otherwise it opens a new one',
    example: '+15550100100=5d,*=12h',
    type: (z: Zod) =>
      z.string().transform((text, check): ReadonlyMap<string, number> => {
        const entries = text.split(',').map((entry) => /^\s*(\S+?)\s*=\s*(\d{1,3})([hd])\s*$/.exec(entry))
        const windows = new Map(
          entries.map((entry) => [
            entry?.[1] ?? '',
            Number(entry?.[2]) * (entry?.[3] === 'h' ? 3_600_000 : 86_400_000),
          ]),
        )
        fail(
          check,
          entries.includes(null) ? 'must be NUMBER=TIME pairs such as *=5d or *=12h, separated by commas' : undefined,
        )
        fail(check, windows.size < entries.length ? 'must name each number once' : undefined)
        return windows
      }),
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
    type: token,
  },
  twilioApiBaseUrl: {
    env: 'TWILIO_API_BASE_URL',
    help: 'Twilio’s API at another origin: a proxy or a twin',
    example: 'http://127.0.0.1:4010',
    type: absoluteUrl,
  },
  intercomAccessToken: {
    env: 'INTERCOM_ACCESS_TOKEN',
    required: true,
    secret: true,
    help: 'access token of the Intercom app',
    example: '<access token>',
    type: token,
  },
  intercomClientSecret: {
    env: 'INTERCOM_CLIENT_SECRET',
    required: true,
    secret: true,
    help: 'client secret of the Intercom app; webhooks are signed with it',
    example: '<client secret>',
    type: token,
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
    type: absoluteUrl,
  },
  intercomAdminId: {
    env: 'INTERCOM_ADMIN_ID',
    help: 'teammate in whose name conversations are assigned and notes written (default: the owner of the access token)',
    example: '1234567',
    type: (z: Zod) => z.string().regex(/^\d+$/, 'must be the number of a teammate'),
  },
} as const satisfies Record<string, Setting<unknown>>

export type SettingName = keyof typeof settings

type Parsed<S extends { type: (z: Zod) => zod.ZodType }> = zod.output<ReturnType<S['type']>>

/** What the table yields; settings that are neither required nor have a fallback may be undefined. */
export type Values = {
  readonly [N in SettingName]: (typeof settings)[N] extends { required: true } | { fallback: string }
    ? Parsed<(typeof settings)[N]>
    : Parsed<(typeof settings)[N]> | undefined
}

export function isPort(text: string): boolean {
  return /^\d{1,5}$/.test(text) && Number(text) <= 65535
}

/** Is the host this machine itself? Takes `URL.hostname`. */
function isLoopback(hostname: string): boolean {
  return hostname === 'localhost' || hostname === '[::1]' || /^127(\.\d{1,3}){3}$/.test(hostname)
}

function isCountry(text: string): boolean {
  if (!/^[A-Z]{2}$/.test(text)) return false
  // UK is an alias that the phone number tables do not know: canonical codes only.
  const isCanonical = new Intl.Locale(`und-${text}`).region === text
  return isCanonical && new Intl.DisplayNames('en', { type: 'region', fallback: 'none' }).of(text) !== undefined
}

function fail(check: { addIssue(message: string): void }, fault: string | undefined): void {
  if (fault !== undefined) check.addIssue(fault)
}

function token(z: Zod) {
  return z.string().regex(/^[!-~]+$/, 'must not contain spaces or line breaks')
}

/** An absolute http or https URL without query, fragment and credentials; a trailing slash is dropped. */
function absoluteUrl(z: Zod) {
  return z.string().transform((text, check): string => {
    const url = URL.canParse(text) ? new URL(text) : undefined
    if (url === undefined || !['http:', 'https:'].includes(url.protocol)) {
      check.addIssue('must be an absolute http or https URL')
      return z.NEVER
    }
    if (/[?#]/.test(text)) check.addIssue('must not have a query or a fragment')
    if (url.username !== '' || url.password !== '') check.addIssue('must not have a user or a password in it')
    return `${url.origin}${url.pathname.replace(/\/+$/, '')}`
  })
}

function publicUrlFault(url: URL): string | undefined {
  if (url.protocol === 'http:' && !isLoopback(url.hostname)) return 'must be https unless it is on this machine'
  // Error 21609: Twilio takes no callback URL whose host has an underscore.
  if (url.hostname.includes('_')) return 'must not have an underscore in its host: Twilio refuses it'
  return undefined
}

function storeFault(text: string): string | undefined {
  if (/^sqlite:./.test(text)) return undefined
  if (/^postgres(ql)?:\/\//.test(text) && URL.canParse(text)) return undefined
  return 'must be sqlite:PATH or postgres://USER@HOST/DATABASE'
}
