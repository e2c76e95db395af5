import { hostname, userInfo } from 'node:os'
import type { Environment } from '../cli/io.js'

/** Who is at the keyboard, for the audit: `ada@desk`. Behind sudo it is who typed it, not root. */
export function actorOf(env: Environment): string {
  return `${env.SUDO_USER ?? nameOfUser()}@${hostname()}`
}

/** A container's user need not have a name. */
function nameOfUser(): string {
  try {
    return userInfo().username
  } catch {
    return `uid ${process.getuid?.() ?? 'unknown'}`
  }
}
