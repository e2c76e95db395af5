import { ConfigError } from '../errors.js'
import type { Holiday, WeeklyHours } from '../hours.js'
import { findPlaces } from './folders.js'
import { byNumber, faultsOfNumbers, faultsOfRegion, isByNumber } from './numbers.js'
import type { Profile } from './profile.js'
import { type Setting, type SettingName, settings, type Values } from './schema.js'
import { hasPassword, howToSet, quote, withoutPassword } from './shown.js'

export interface Config {
  /** Absolute, without a trailing slash. */
  readonly publicUrl: string
  readonly host: string
  readonly port: number
  /** `sqlite:PATH` or `postgres://…`; may hold a password. */
  readonly store: string
  readonly log: 'json' | 'pretty'
  /** The data folder. */
  readonly home: string
  /** ISO 3166 alpha-2. */
  readonly defaultRegion: string
  /** How long a lane waits for a parked delivery that will be tried again, ms; what arrives later says so. */
  readonly holdMs: number
  readonly relayBots: boolean
  /** Our number → Intercom team id; `*` stands for any other number. */
  readonly teams: ReadonlyMap<string, string>
  /** Our number → how long after it was closed a text opens its conversation again, ms; `*` as above. */
  readonly reopen?: ReadonlyMap<string, number>
  /** Our number → when it is open; `*` as above. Look one up with `hoursOf`. */
  readonly hours?: ReadonlyMap<string, WeeklyHours>
  readonly holidays: readonly Holiday[]
  /** With `{opens}` where the time of opening goes. */
  readonly awayText: string
  readonly twilio: {
    readonly accountSid: string
    /** The first is the current one, the others still verify webhooks. */
    readonly authTokens: readonly string[]
    readonly apiKey?: { readonly sid: string; readonly secret: string }
    readonly baseUrl?: string
  }
  readonly intercom: {
    readonly accessToken: string
    readonly clientSecret: string
    readonly region: 'us' | 'eu' | 'au'
    readonly baseUrl: string
    readonly adminId?: string
  }
}

/** Settings given on the command line, as typed. */
export type Flags = Readonly<Partial<Record<SettingName, string>>>

export interface Sources {
  readonly env: Readonly<Record<string, string | undefined>>
  readonly flags: Flags
  readonly profile: Profile
  /** Log words rather than JSON when nothing says which. */
  readonly isTTY?: boolean
}

const intercomOrigins = {
  us: 'https://api.intercom.io',
  eu: 'https://api.eu.intercom.io',
  au: 'https://api.au.intercom.io',
} as const

/** All settings: flags before environment before profile. Throws ConfigError with every fault at once. */
export async function loadConfig(sources: Sources): Promise<Config> {
  const { values, faults } = await readSettings(sources, Object.keys(settings) as SettingName[]) // the table's own keys
  faults.push(...(await faultsTogether(sources, values)))
  if (faults.length > 0) throw new ConfigError(faults)
  return toConfig(values as Values, sources) // every name was read, or a fault thrown
}

/** What can be read of the settings, and every fault of the others: for those who look into what is wrong. */
export async function loadWhatIsThere(
  sources: Sources,
): Promise<{ readonly values: Partial<Values>; readonly faults: readonly string[] }> {
  const { values, faults } = await readSettings(sources, Object.keys(settings) as SettingName[]) // the table's own keys
  return { values, faults: [...faults, ...(await faultsTogether(sources, values))] }
}

/** What a look into the store needs, whatever else is missing or wrong. */
export async function loadStoreConfig(sources: Sources): Promise<Pick<Config, 'store' | 'home'>> {
  const { values, faults } = await readSettings(sources, ['store'])
  if (faults.length > 0) throw new ConfigError(faults)
  return storeConfig(values.store, sources)
}

/** Faults that no setting has by itself. */
async function faultsTogether(sources: Sources, values: Partial<Values>): Promise<string[]> {
  const faults: string[] = []
  for (const [one, other] of [
    ['twilioApiKey', 'twilioApiSecret'],
    ['twilioApiSecret', 'twilioApiKey'],
  ] as const) {
    if (find(sources, one) !== undefined && find(sources, other) === undefined) {
      faults.push(`${settings[other].env} is missing: ${settings[one].env} is set and they go together`)
    }
  }
  for (const name of byNumber) faults.push(...(await faultsOfNumbers(name, values[name] ?? new Map())))
  faults.push(...(await faultsOfRegion(values.defaultRegion)))
  return faults
}

/** What commands that look into the store go by, whatever else is missing or wrong. */
export async function loadLocalConfig(sources: Sources): Promise<Pick<Config, 'defaultRegion' | 'holdMs'>> {
  const { values, faults } = await readSettings(sources, ['defaultRegion', 'hold'])
  faults.push(...(await faultsOfRegion(values.defaultRegion)))
  if (faults.length > 0) throw new ConfigError(faults)
  const { defaultRegion, hold: holdMs } = values as Values // both have a fallback
  return { defaultRegion, holdMs }
}

export interface InboxConfig extends Pick<Config, 'teams' | 'reopen' | 'hours' | 'awayText' | 'relayBots' | 'holdMs'> {
  /** Undefined while there is no access token. */
  readonly intercom: Pick<Config['intercom'], 'accessToken' | 'baseUrl'> | undefined
}

/** What decides how texts look in the inbox, whatever else is missing or wrong. */
export async function loadInboxConfig(sources: Sources): Promise<InboxConfig> {
  const access = ['intercomAccessToken', 'intercomRegion', 'intercomApiBaseUrl'] as const
  const mayAsk = find(sources, 'intercomAccessToken') !== undefined
  const { values, faults } = await readSettings(sources, [
    ...byNumber,
    'awayText',
    'relayBots',
    'hold',
    ...(mayAsk ? access : []),
  ])
  for (const name of byNumber) faults.push(...(await faultsOfNumbers(name, values[name] ?? new Map())))
  if (faults.length > 0) throw new ConfigError(faults)
  const { teams = new Map(), reopen, hours, awayText, relayBots, hold: holdMs, ...read } = values as Values // what was read is there, or a fault thrown
  const { intercomAccessToken: accessToken, intercomRegion: region, intercomApiBaseUrl } = read
  const intercom = mayAsk ? { accessToken, baseUrl: intercomApiBaseUrl ?? intercomOrigins[region] } : undefined
  return {
    teams,
    ...(reopen !== undefined && { reopen }),
    ...(hours !== undefined && { hours }),
    awayText,
    relayBots,
    holdMs,
    intercom,
  }
}

/** When numbers are open and what they say when they are not, whatever else is missing or wrong. */
export async function loadHoursConfig(sources: Sources): Promise<Pick<Config, 'hours' | 'holidays' | 'awayText'>> {
  const { values, faults } = await readSettings(sources, ['hours', 'holidays', 'awayText'])
  faults.push(...(await faultsOfNumbers('hours', values.hours ?? new Map())))
  if (faults.length > 0) throw new ConfigError(faults)
  const { hours, holidays = [], awayText } = values as Values // what was read is there, or a fault thrown
  return { ...(hours !== undefined && { hours }), holidays, awayText }
}

function storeConfig(store: string | undefined, sources: Sources): Pick<Config, 'store' | 'home'> {
  const places = findPlaces(sources)
  return { home: places.data, store: store ?? `sqlite:${places.store}` }
}

function toConfig(values: Values, sources: Sources): Config {
  const { twilioApiKey: sid, twilioApiSecret: secret, intercomRegion: region } = values
  return {
    publicUrl: values.publicUrl,
    host: values.host,
    port: values.port,
    ...storeConfig(values.store, sources),
    log: values.log ?? (sources.isTTY ? 'pretty' : 'json'),
    defaultRegion: values.defaultRegion,
    holdMs: values.hold,
    relayBots: values.relayBots,
    teams: values.teams ?? new Map(),
    ...(values.reopen !== undefined && { reopen: values.reopen }),
    ...(values.hours !== undefined && { hours: values.hours }),
    holidays: values.holidays ?? [],
    awayText: values.awayText,
    twilio: {
      accountSid: values.twilioAccountSid,
      authTokens: values.twilioAuthToken,
      ...(sid !== undefined && secret !== undefined && { apiKey: { sid, secret } }),
      ...(values.twilioApiBaseUrl !== undefined && { baseUrl: values.twilioApiBaseUrl }),
    },
    intercom: {
      accessToken: values.intercomAccessToken,
      clientSecret: values.intercomClientSecret,
      region,
      baseUrl: values.intercomApiBaseUrl ?? intercomOrigins[region],
      ...(values.intercomAdminId !== undefined && { adminId: values.intercomAdminId }),
    },
  }
}

export interface Found {
  readonly text: string
  readonly origin: 'flag' | 'env' | 'profile'
}

/** An empty value counts as none: that is how compose files and systemd units leave things out. */
export function find({ env, flags, profile }: Sources, name: SettingName): Found | undefined {
  const candidates = [
    { text: flags[name]?.trim(), origin: 'flag' },
    { text: env[settings[name].env]?.trim(), origin: 'env' },
    { text: profile[name]?.trim(), origin: 'profile' },
  ] as const
  for (const { text, origin } of candidates) if (text) return { text, origin }
  return undefined
}

async function readText(setting: Setting<unknown>, text: string) {
  const [zod, { readers }] = await Promise.all([import('zod'), import('./readers.js')])
  return setting.type(zod, readers).safeParse(text)
}

async function parse(setting: Setting<unknown>, text: string): Promise<{ value: unknown } | { fault: string }> {
  if (setting.fault !== undefined) {
    const fault = setting.fault(text)
    return fault === undefined ? { value: text } : { fault }
  }
  const read = await readText(setting, text)
  return read.success ? { value: read.data } : { fault: read.error.issues[0]?.message ?? 'is malformed' }
}

async function readSettings(sources: Sources, names: readonly SettingName[]) {
  const values: Partial<Record<SettingName, unknown>> = {}
  const faults: string[] = []
  for (const name of names) {
    const setting: Setting<unknown> = settings[name]
    const found = find(sources, name)
    const text = found?.text ?? setting.fallback
    if (found?.origin === 'flag' && hasPassword(found.text)) {
      faults.push(
        `${flagOf(setting)} holds a password, which others see in the list of processes: set ${setting.env} instead`,
      )
    } else if (text !== undefined) {
      const read = await parse(setting, text)
      if ('value' in read) values[name] = read.value
      else faults.push(faultOf(setting, { origin: 'env', text, ...found }, read.fault))
    } else if (setting.required) {
      faults.push(`${setting.env} is missing: ${setting.help}. Type ${howToSet(setting)}`)
    }
  }
  return { values: values as Partial<Values>, faults } // each value is what its own type yielded
}

/** The whole sentence, with what to type. `message` goes on from the name, as `must …`. */
export function faultOf(setting: Setting<unknown>, { origin, text }: Found, message: string): string {
  const { env, secret, example } = setting
  const where = { flag: flagOf(setting), env, profile: `${env} in the profile` }[origin]
  const shown = secret ? '' : ` ${JSON.stringify(withoutPassword(text))}`
  const remedy = {
    flag: `type ${flagOf(setting)} ${quote(example)}`,
    // What is in the environment goes before what is kept in the profile.
    env: secret ? `type unset ${env}; ${howToSet(setting)}` : `type ${howToSet(setting)}`,
    profile: secret ? `type ${howToSet(setting)}` : `write ${JSON.stringify(env)}: ${JSON.stringify(example)}`,
  }[origin]
  return `${where}${shown} ${message}: ${remedy}`
}

/** What is wrong with this text as the value of a setting, as `must …`; undefined when nothing is. */
export async function faultOfText(name: SettingName, text: string): Promise<string | undefined> {
  const setting: Setting<unknown> = settings[name]
  const read = await readText(setting, text)
  if (!read.success) return read.error.issues[0]?.message ?? 'is malformed'
  const faults = isByNumber(name)
    ? await faultsOfNumbers(name, read.data as ReadonlyMap<string, unknown>) // what its own type yielded
    : name === 'defaultRegion'
      ? await faultsOfRegion(text)
      : []
  return faults[0]?.replace(`${setting.env} `, '')
}

function flagOf({ flag = '' }: Setting<unknown>): string {
  return flag.split(' ')[0] ?? ''
}
