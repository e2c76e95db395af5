import { homedir } from 'node:os'
import { isAbsolute, join, resolve } from 'node:path'
import { UserError } from '../errors.js'
import { settings } from './schema.js'

type Environment = Readonly<Record<string, string | undefined>>

export interface Folders {
  readonly config: string
  readonly data: string
}

/** Where the profile and the data live: SMS_BRIDGE_HOME for both, else the platform's own folders. */
export function findFolders(env: Environment, platform: NodeJS.Platform = process.platform): Folders {
  const chosen = env.SMS_BRIDGE_HOME?.trim()
  if (chosen) return { config: resolve(chosen), data: resolve(chosen) }
  const home = env.HOME || homedir()
  if (platform === 'darwin') {
    const folder = join(home, 'Library', 'Application Support', 'sms-bridge')
    return { config: folder, data: folder }
  }
  if (platform === 'win32') {
    return {
      config: join(env.APPDATA || join(home, 'AppData', 'Roaming'), 'sms-bridge'),
      data: join(env.LOCALAPPDATA || join(home, 'AppData', 'Local'), 'sms-bridge'),
    }
  }
  return {
    config: join(absolute(env.XDG_CONFIG_HOME) ?? join(home, '.config'), 'sms-bridge'),
    data: join(absolute(env.XDG_DATA_HOME) ?? join(home, '.local', 'share'), 'sms-bridge'),
  }
}

/** Where the chosen profile and what belongs to it live. */
export interface Places {
  /** `default`, another name, or the path of a file. */
  readonly name: string
  /** What chose it. */
  readonly from: 'flag' | 'env' | 'default'
  /** The profile file, whether it exists or not. */
  readonly profile: string
  readonly data: string
  /** Where the store is unless a setting says otherwise. */
  readonly store: string
}

export interface Given {
  readonly env: Environment
  /** Settings given on the command line, as typed. */
  readonly flags: { readonly profile?: string }
}

/** The profile that `--profile` or SMS_BRIDGE_PROFILE names. Throws UserError when it is neither a name nor a path. */
export function findPlaces({ env, flags }: Given): Places {
  const { config, data } = findFolders(env)
  const { name, from } = chosenProfile({ env, flags })
  const defaultStore = join(data, 'sms-bridge.sqlite')
  if (name === settings.profile.fallback) {
    return { name, from, profile: join(config, 'profile.json'), data, store: defaultStore }
  }
  if (isPath(name)) return { name, from, profile: resolve(name), data, store: defaultStore }
  if (!/^[A-Za-z0-9][\w-]{0,63}$/.test(name)) {
    throw new UserError(
      `The profile ${JSON.stringify(name)} is neither a name nor a path: type letters, digits, - and _, for example --profile ${settings.profile.example}`,
    )
  }
  const profile = join(config, 'profiles', `${name}.json`)
  return { name, from, profile, data, store: join(data, 'profiles', `${name}.sqlite`) }
}

function chosenProfile({ env, flags }: Given): Pick<Places, 'name' | 'from'> {
  const { fallback, env: variable } = settings.profile
  if (flags.profile?.trim()) return { name: flags.profile.trim(), from: 'flag' }
  const name = env[variable]?.trim()
  return name ? { name, from: 'env' } : { name: fallback, from: 'default' }
}

function isPath(name: string): boolean {
  return name.endsWith('.json') && /[/\\]/.test(name)
}

// The XDG base directory specification has relative paths ignored.
function absolute(path: string | undefined): string | undefined {
  return path !== undefined && isAbsolute(path) ? path : undefined
}
