// The profile: a JSON file of settings under their environment names, for those who would rather not export them.
import { chmod, mkdir, readFile, stat } from 'node:fs/promises'
import { constants } from 'node:os'
import { basename, dirname, sep } from 'node:path'
import { ConfigError, describeError, UserError } from '../errors.js'
import { findPlaces, type Given, type Places } from './folders.js'
import { type SettingName, settings } from './schema.js'

/** Settings as text, by name. */
export type Profile = Readonly<Partial<Record<SettingName, string>>>

/** Settings the profile may hold. Its own whereabouts are not among them. */
const nameOf = new Map(
  (Object.keys(settings) as SettingName[]) // the table's own keys
    .filter(mayHold)
    .map((name) => [settings[name].env as string, name]), // a key of any text may be looked up
)

export function mayHold(name: SettingName): boolean {
  return name !== 'home' && name !== 'profile'
}

/** A profile as it is, whatever is wrong with it. */
export interface ProfileLook {
  /** Undefined when there is no file. */
  readonly mode: number | undefined
  readonly profile: Profile
  readonly faults: readonly string[]
  /** Others can read a secret that it holds: one of `faults`. */
  readonly isOpen: boolean
}

/**
 * Reads the chosen profile; a missing default one is an empty one. Throws UserError when it cannot be read or is not
 * kept private, or when one was asked for that is not there.
 */
export async function readProfile(given: Given): Promise<Profile> {
  const places = findPlaces(given)
  const path = places.profile
  const mode = await modeOf(path)
  if (mode === undefined && places.from !== 'default') {
    throw new UserError(
      `There is no profile ${places.name}: ${path} does not exist. ` +
        `Make it with sms-bridge --profile ${places.name} config set NAME VALUE`,
    )
  }
  const { profile, faults } = await lookAtProfile(given)
  if (faults.length > 0) throw new ConfigError(faults)
  return profile
}

/** Throws UserError when it cannot be read at all. */
export async function lookAtProfile(given: Given): Promise<ProfileLook> {
  const path = findPlaces(given).profile
  const mode = await modeOf(path)
  if (mode === undefined) return { mode, profile: {}, faults: [], isOpen: false }

  const entries = Object.entries(await readEntries(path))
  const faults: string[] = []
  const profile: Partial<Record<SettingName, string>> = {}
  for (const [key, value] of entries) {
    const name = nameOf.get(key)
    if (name === undefined) faults.push(`${key} in ${path} is no setting: correct its name or remove it`)
    else if (!['string', 'number', 'boolean'].includes(typeof value)) faults.push(`${key} in ${path} must be text`)
    else profile[name] = String(value)
  }
  const secret = (Object.keys(profile) as SettingName[]).find((name) => 'secret' in settings[name]) // filled above by name
  const isOpen =
    secret !== undefined && (mode & 0o077) !== 0 && process.platform !== 'win32' && !isCredential(path, given)
  if (isOpen) {
    const shown = (mode & 0o777).toString(8).padStart(4, '0')
    faults.push(
      `${path} holds ${settings[secret].env} and other users can read it (mode ${shown}): type chmod 600 ${path}`,
    )
  }
  return { mode, profile, faults, isOpen }
}

/** Takes from everybody else the right to read it. */
export async function closeProfile({ profile }: Places): Promise<void> {
  await orUnwritable(profile, () => chmod(profile, 0o600))
}

/** systemd keeps it readable for its service alone, by an access list, which looks like a group's right. */
function isCredential(path: string, { env }: Given): boolean {
  const folder = env.CREDENTIALS_DIRECTORY
  return folder !== undefined && folder !== '' && path.startsWith(`${folder}${sep}`)
}

/** Whether the profile file is there. */
export async function profileExists({ profile }: Places): Promise<boolean> {
  return (await modeOf(profile)) !== undefined
}

/** Writes a setting, wholly or not at all, into a file that nobody else can read; makes the file when need be. */
export async function writeSetting({ profile }: Places, name: SettingName, text: string): Promise<void> {
  await orUnwritable(profile, async () => {
    await mkdir(dirname(profile), { recursive: true, mode: 0o700 })
    ;(await open(profile)).set(settings[name].env, text)
  })
}

/** False when it was not there. */
export async function removeSetting({ profile }: Places, name: SettingName): Promise<boolean> {
  if ((await modeOf(profile)) === undefined) return false
  const file = await open(profile)
  const { env } = settings[name]
  if (!file.has(env)) return false
  await orUnwritable(profile, async () => file.delete(env))
  return true
}

async function orUnwritable(path: string, write: () => Promise<void>): Promise<void> {
  try {
    await write()
  } catch (error) {
    if (error instanceof UserError) throw error
    throw new UserError(`the profile ${path} cannot be written: ${describeError(error)}`, { cause: error })
  }
}

async function modeOf(path: string): Promise<number | undefined> {
  try {
    return (await stat(path)).mode
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException // fs promises reject with nothing else
    if (code === 'ENOENT' || code === 'ENOTDIR') return undefined
    throw unreadable(path, error)
  }
}

/** Without conf, which a short look need not wait for. */
async function readEntries(path: string): Promise<object> {
  try {
    return JSON.parse(await readFile(path, 'utf8')) as object // of anything that is JSON
  } catch (error) {
    throw unreadable(path, error)
  }
}

/** For writing. */
async function open(path: string) {
  const Conf = await loadConf()
  try {
    return new Conf<Record<string, unknown>>({
      cwd: dirname(path),
      configName: basename(path, '.json'),
      configFileMode: 0o600,
      accessPropertiesByDotNotation: false,
    })
  } catch (error) {
    throw unreadable(path, error)
  }
}

/**
 * What conf loads takes over the signals of the process and sends itself each one again, which whoever is finishing
 * work would take for the second Ctrl-C (when-exit 2.1.5, by way of atomically). So these listeners go; what it does at
 * exit stays.
 */
async function loadConf() {
  const signals = Object.keys(constants.signals) as NodeJS.Signals[] // node's own table
  const before = new Set(signals.flatMap((signal) => process.listeners(signal)))
  const { default: Conf } = await import('conf')
  for (const signal of signals) {
    for (const listener of process.listeners(signal)) if (!before.has(listener)) process.off(signal, listener)
  }
  return Conf
}

function unreadable(path: string, error: unknown): UserError {
  // A JSON error quotes the text around the fault, which may be a secret.
  const reason = error instanceof SyntaxError ? 'it is not JSON' : describeError(error)
  return new UserError(`the profile ${path} cannot be read: ${reason}. Mend or remove it`, { cause: error })
}
