// A setting as people may see it and type it: no secrets, no passwords.
import { type Setting, type SettingName, settings } from './schema.js'

/** A value as it may be shown: a secret as dots, a URL without its password. */
export function shown(name: SettingName, text: string): string {
  return 'secret' in settings[name] ? '••••' : withoutPassword(text)
}

/** A secret is asked for, so that it is in no shell's history. */
export function howToSet({ env, example, secret }: Setting<unknown>): string {
  return secret === true ? `sms-bridge config set ${env}` : `export ${env}=${quote(example)}`
}

/** Whether the value must never be in a list of processes or a shell's history. */
export function isSecret(name: SettingName, text: string): boolean {
  return 'secret' in settings[name] || hasPassword(text)
}

const credentials = /(\/\/[^/]*?):.*@/

export function hasPassword(text: string): boolean {
  return credentials.test(text)
}

export function withoutPassword(text: string): string {
  return text.replace(credentials, '$1:…@')
}

/** For a POSIX shell. */
export function quote(text: string): string {
  return /^[\w@%+=:,./-]+$/.test(text) ? text : `'${text}'`
}
