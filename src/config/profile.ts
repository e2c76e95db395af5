// The profile: a JSON file of settings under their environment names, for those who would rather not export them.
import { readFile, stat } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { ConfigError, describeError, UserError } from '../errors.js'
import { findFolders } from './folders.js'
import { type SettingName, settings } from './schema.js'

/** Settings as text, by name. */
export type Profile = Readonly<Partial<Record<SettingName, string>>>

/** Settings the profile may hold. Its own whereabouts are not among them. */
const nameOf = new Map(
  (Object.keys(settings) as SettingName[]) // the table's own keys
    .filter((name) => name !== 'home')
    .map((name) => [settings[name].env as string, name]), // a key of any text may be looked up
)

/**
 * Reads the profile; a missing file is an empty one. Throws UserError when it cannot be read or is not kept private.
 * Bare: without Conf, whose loading a short look need not wait for.
 */
export async function readProfile(
  env: Readonly<Record<string, string | undefined>>,
  { bare = false }: { readonly bare?: boolean } = {},
): Promise<Profile> {
  const path = join(findFolders(env).config, 'profile.json')
  const mode = await modeOf(path)
  if (mode === undefined) return {}

  const entries = await readEntries(path, bare)
  const faults: string[] = []
  const profile: Partial<Record<SettingName, string>> = {}
  for (const [key, value] of entries) {
    const name = nameOf.get(key)
    if (name === undefined) faults.push(`${key} in ${path} is no setting: correct its name or remove it`)
    else if (!['string', 'number', 'boolean'].includes(typeof value)) faults.push(`${key} in ${path} must be text`)
    else profile[name] = String(value)
  }
  const secret = (Object.keys(profile) as SettingName[]).find((name) => 'secret' in settings[name]) // filled above by name
  if (secret !== undefined && (mode & 0o077) !== 0 && process.platform !== 'win32') {
    const shown = (mode & 0o777).toString(8).padStart(4, '0')
    faults.push(
      `${path} holds ${settings[secret].env} and other users can read it (mode ${shown}): type chmod 600 ${path}`,
    )
  }
  if (faults.length > 0) throw new ConfigError(faults)
  return profile
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

async function readEntries(path: string, bare: boolean): Promise<[string, unknown][]> {
  try {
    if (bare) return Object.entries(JSON.parse(await readFile(path, 'utf8')) as object) // of anything that is JSON
    const { default: Conf } = await import('conf')
    const file = new Conf({
      cwd: dirname(path),
      configName: 'profile',
      configFileMode: 0o600,
      accessPropertiesByDotNotation: false,
    })
    return Object.entries(file.store)
  } catch (error) {
    throw unreadable(path, error)
  }
}

function unreadable(path: string, error: unknown): UserError {
  // A JSON error quotes the text around the fault, which may be a secret.
  const reason = error instanceof SyntaxError ? 'it is not JSON' : describeError(error)
  return new UserError(`the profile ${path} cannot be read: ${reason}. Mend or remove it`, { cause: error })
}
