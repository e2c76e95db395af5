import { homedir } from 'node:os'
import { isAbsolute, join, resolve } from 'node:path'

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

// The XDG base directory specification has relative paths ignored.
function absolute(path: string | undefined): string | undefined {
  return path !== undefined && isAbsolute(path) ? path : undefined
}
