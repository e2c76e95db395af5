// Which settings a serve was started with, without a word of what they are.
import { createHash } from 'node:crypto'
import { find, type Sources } from './load.js'
import { type Setting, type SettingName, settings } from './schema.js'

/** Under which serve keeps them in the store. */
export const fingerprintsMark = 'serve-settings'

/** Those that decide what becomes of texts and replies; no secrets. */
export const fingerprinted = [
  'publicUrl',
  'teams',
  'reopen',
  'hours',
  'holidays',
  'awayText',
  'relayBots',
  'hold',
  'defaultRegion',
] as const satisfies readonly SettingName[]

/** By setting; one that is not set, and has no default, is left out. */
export function fingerprintsOf(sources: Sources): Readonly<Partial<Record<(typeof fingerprinted)[number], string>>> {
  const texts = fingerprinted.flatMap((name) => {
    const setting: Setting<unknown> = settings[name]
    const text = find(sources, name)?.text ?? setting.fallback
    return text === undefined ? [] : [[name, createHash('sha256').update(text).digest('hex').slice(0, 12)] as const]
  })
  return Object.fromEntries(texts)
}
