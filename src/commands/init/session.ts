// What the steps of one run share.
import type { Ask } from '../../cli/ask.js'
import type { Context } from '../../cli/context.js'
import { findPlaces } from '../../config/folders.js'
import { type Found, faultOf, faultOfText, find, type Sources } from '../../config/load.js'
import { profileExists, readProfile, removeSetting, writeSetting } from '../../config/profile.js'
import { type Setting, type SettingName, settings } from '../../config/schema.js'
import { howToSet, isSecret, shown } from '../../config/shown.js'
import { ConfigError, UserError } from '../../errors.js'
import type { Call } from '../../transport.js'
import type { Screen } from './screen.js'

export interface InitOptions {
  /** `all`, or numbers separated by commas; undefined: ask. */
  readonly numbers: string | undefined
  readonly yes: boolean
  readonly dryRun: boolean
  readonly json: boolean
  readonly undo: boolean
  /** Also take over numbers whose texts go to somebody else. */
  readonly replaceForeign: boolean
  /** Write the URL although it could not be proven. */
  readonly skipUrlProof: boolean
  /** Prove Intercom's topics. */
  readonly topics: boolean
  /** Open pages in a browser. */
  readonly open: boolean
  /** Client id of the app whose OAuth gives the access token. */
  readonly oauthClientId: string | undefined
}

export interface Session {
  readonly context: Context
  readonly options: InitOptions
  /** Undefined when nobody can answer. */
  readonly ask: Ask | undefined
  readonly answers: Answers
  readonly screen: Screen
  /** Aborted by Ctrl-C. */
  readonly stopping: AbortSignal
  readonly call: Call
}

export interface Answers {
  find(name: SettingName): Found | undefined
  sources(): Sources
  /** Where the profile is. */
  readonly profile: string
  /** Keeps it in the profile, so that `serve` has it and the next run need not ask. */
  save(name: SettingName, text: string): Promise<void>
  /** Takes it out of the profile. */
  remove(name: SettingName): Promise<void>
  /** What this run has kept, or would have on a dry run. */
  kept(): readonly SettingName[]
}

/** What is in the environment stays there: only what was typed is kept. */
export async function openAnswers({ given }: Context, { dryRun }: { readonly dryRun: boolean }): Promise<Answers> {
  const places = findPlaces(given)
  let profile = (await profileExists(places)) ? await readProfile(given) : {}
  const sources = (): Sources => ({ ...given, profile })
  const kept = new Set<SettingName>()
  return {
    profile: places.profile,
    sources,
    find: (name) => find(sources(), name),
    kept: () => [...kept],
    async save(name, text) {
      const known = find(sources(), name)
      if (known?.origin === 'profile' && known.text === text) return
      if (known?.origin === 'env') {
        if (known.text === text) return
        const { env } = settings[name]
        const remedy = isSecret(name, text) ? `type unset ${env}` : `type export ${env}=${text}, or unset it`
        throw new UserError(`${env} is ${shown(name, known.text)} in the environment, which goes first: ${remedy}`)
      }
      profile = { ...profile, [name]: text }
      kept.add(name)
      if (!dryRun) await writeSetting(places, name, text)
    },
    async remove(name) {
      const { [name]: _gone, ...rest } = profile
      kept.add(name)
      profile = rest
      if (!dryRun) await removeSetting(places, name)
    },
  }
}

/** What a flag or a file gave and is malformed is told of; what is missing is asked for. */
export async function settle(
  { answers, ask }: Session,
  name: SettingName,
  question: string,
  { preset }: { readonly preset?: string } = {},
): Promise<string> {
  const found = answers.find(name)
  const fault = found === undefined ? undefined : await faultOfText(name, found.text)
  if (found !== undefined && fault === undefined) {
    await answers.save(name, found.text)
    return found.text
  }
  const setting: Setting<unknown> = settings[name]
  if (found !== undefined && fault !== undefined && (found.origin !== 'profile' || ask === undefined)) {
    throw new ConfigError([faultOf(setting, found, fault)])
  }
  if (ask === undefined) throw new ConfigError([`${setting.env} is missing: type ${howToSet(setting)}`])
  const text = await enter({ ask }, name, question, preset === undefined ? {} : { preset })
  await answers.save(name, text)
  return text
}

/** Asks until it is well-formed. */
export async function enter(
  { ask }: { readonly ask: Ask },
  name: SettingName,
  question: string,
  { preset }: { readonly preset?: string } = {},
): Promise<string> {
  const { secret, example }: Setting<unknown> = settings[name]
  const validate = async (typed: string) => {
    const text = typed.trim()
    if (text === '') return `for example ${example}`
    const fault = await faultOfText(name, text)
    return fault === undefined ? true : `It ${fault}, for example ${example}`
  }
  if (secret === true) return (await ask.secret(question, validate)).trim()
  const options = preset === undefined ? { validate } : { validate, preset }
  return (await ask.text(question, options)).trim()
}
