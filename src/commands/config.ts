import type { Context } from '../cli/context.js'
import { type ExitCode, exitCodes } from '../cli/exit-codes.js'
import { findPlaces, type Places } from '../config/folders.js'
import { faultOfText, find, type Sources } from '../config/load.js'
import { mayHold, profileExists, readProfile, removeSetting, writeSetting } from '../config/profile.js'
import { type Setting, type SettingName, settings } from '../config/schema.js'
import { isSecret, quote, shown } from '../config/shown.js'
import { UserError } from '../errors.js'

interface Row {
  readonly name: string
  /** Secrets are dots. */
  readonly value: string | undefined
  readonly from: 'flag' | 'env' | 'profile' | 'default' | undefined
  readonly secret: boolean
  readonly required: boolean
  /** `must …` */
  readonly fault: string | undefined
}

interface Json {
  readonly json: boolean
}

const everyName = Object.keys(settings) as SettingName[] // the table's own keys

/** Every setting: its value, where that comes from, what is wrong with it. */
export async function configList(context: Context, { json }: Json): Promise<ExitCode> {
  const { io } = context
  const { sources, places, exists } = await look(context)
  const rows = await Promise.all(everyName.map((name) => rowOf(name, sources)))
  if (json) {
    const profile = { name: places.name, path: places.profile, exists, chosen_by: places.from }
    io.out(JSON.stringify({ schema_version: 1, profile, settings: rows.map(toJson) }, null, 2))
    return exitCodes.ok
  }
  io.err(profileInWords(places, exists))
  const standing = ({ from, required }: Row) => from ?? (required ? 'missing' : 'not set')
  io.out(
    await io.table(
      ['setting', 'value', 'from'],
      rows.map((row) => [row.name, row.value ?? '', standing(row)]),
    ),
  )
  for (const { name, fault } of rows) if (fault !== undefined) io.err(`! ${name} ${fault}`)
  return exitCodes.ok
}

/** One value, alone on its line, for scripts. */
export async function configGet(context: Context, typed: string, { json }: Json): Promise<ExitCode> {
  const { io } = context
  const name = readName(typed)
  const { sources } = await look(context)
  const row = await rowOf(name, sources)
  if (json) io.out(JSON.stringify({ schema_version: 1, ...toJson(row) }, null, 2))
  else if (row.value !== undefined) io.out(row.value)
  if (row.value !== undefined) return exitCodes.ok
  if (!json) io.err(`${row.name} is not set`)
  return exitCodes.nothingMatched
}

export interface SetOptions extends Json {
  readonly value: string | undefined
  readonly stdin: boolean
}

/** Writes one setting into the profile, if it is one that could be used. */
export async function configSet(context: Context, typed: string, options: SetOptions): Promise<ExitCode> {
  const { io, given } = context
  const name = inProfile(typed)
  const { env, example }: Setting<unknown> = settings[name]
  const text = (await valueFor(context, name, options)).trim()
  if (text === '') throw new UserError(`${env} would be empty: to take it out type sms-bridge config unset ${env}`)
  const fault = await faultOfText(name, text)
  if (fault !== undefined) {
    const value = isSecret(name, text) ? '' : ` ${JSON.stringify(text)}`
    throw new UserError(`${env}${value} ${fault}, for example ${example}. Nothing was changed`)
  }
  const places = findPlaces(given)
  await writeSetting(places, name, text)
  const overridden = find({ ...given, profile: {} }, name)?.origin === 'env'
  if (options.json) io.out(JSON.stringify(changed(name, places, { set: true, overridden }), null, 2))
  else io.err(`${env} = ${shown(name, text)}, in ${places.profile}`)
  if (overridden) io.err(`! ${env} is also in the environment, and that goes first: type unset ${env}`)
  if (!options.json) io.err('A serve that runs takes it up when it is started anew.')
  return exitCodes.ok
}

export async function configUnset(context: Context, typed: string, { json }: Json): Promise<ExitCode> {
  const { io, given } = context
  const name = inProfile(typed)
  const places = findPlaces(given)
  const removed = await removeSetting(places, name)
  const overridden = find({ ...given, profile: {} }, name)?.origin === 'env'
  if (json) io.out(JSON.stringify(changed(name, places, { removed, overridden }), null, 2))
  else if (removed) io.err(`${settings[name].env} is no longer in ${places.profile}`)
  else io.err(`${settings[name].env} is not in ${places.profile}`)
  return removed ? exitCodes.ok : exitCodes.nothingMatched
}

/** Where the profile is, alone on its line. */
export async function configPath({ io, given }: Context, { json }: Json): Promise<ExitCode> {
  const places = findPlaces(given)
  const { name, profile, data, store } = places
  if (!json) io.out(profile)
  else {
    const exists = await profileExists(places)
    io.out(JSON.stringify({ schema_version: 1, name, profile, exists, data, default_store: store }, null, 2))
  }
  return exitCodes.ok
}

/** A named profile need not exist yet: this is the command that makes it. */
async function look({ given }: Context) {
  const places = findPlaces(given)
  const exists = await profileExists(places)
  const sources: Sources = { ...given, profile: exists ? await readProfile(given) : {} }
  return { sources, places, exists }
}

async function rowOf(name: SettingName, sources: Sources): Promise<Row> {
  const { env, fallback, required, secret }: Setting<unknown> = settings[name]
  const found = find(sources, name)
  const text = found?.text ?? (name === 'store' ? `sqlite:${findPlaces(sources).store}` : fallback)
  return {
    name: env,
    value: text === undefined ? undefined : shown(name, text),
    from: found?.origin ?? (text === undefined ? undefined : 'default'),
    secret: secret ?? false,
    required: required ?? false,
    fault: found && (await faultOfText(name, found.text)),
  }
}

function toJson({ name, value, from, secret, required, fault }: Row) {
  return { name, value: value ?? null, from: from ?? null, secret, required, fault: fault ?? null }
}

function changed(name: SettingName, places: Places, facts: Readonly<Record<string, boolean>>) {
  return { schema_version: 1, name: settings[name].env, profile: places.profile, ...facts }
}

function profileInWords({ name, profile, from }: Places, exists: boolean): string {
  const why = { flag: 'by --profile', env: `by ${settings.profile.env}`, default: 'the default' }[from]
  return `profile ${name} (${why}): ${profile}${exists ? '' : ', which does not exist'}`
}

const flagOf = ({ flag }: Setting<unknown>) => flag?.split(' ')[0]?.replace(/^--/, '')

/** By its environment name in any case, or by its flag's: `SMS_BRIDGE_PUBLIC_URL`, `public-url`. */
function readName(typed: string): SettingName {
  const [before = ''] = typed.split('=')
  // What is behind it may be a secret: it is not said again.
  if (before !== typed) {
    const { env, secret }: Setting<unknown> = settings[readName(before)]
    const value = secret === true ? '' : ' VALUE'
    throw new UserError(`A blank goes between name and value, not "=": type sms-bridge config set ${env}${value}`)
  }
  const wanted = typed.replace(/^--/, '').toUpperCase().replaceAll('-', '_')
  const isIt = (name: SettingName) =>
    settings[name].env === wanted ||
    settings[name].env === `SMS_BRIDGE_${wanted}` ||
    flagOf(settings[name])?.toUpperCase().replaceAll('-', '_') === wanted
  const name = everyName.find(isIt)
  if (name !== undefined) return name
  const near = everyName.map((one) => settings[one].env).filter((env) => env.includes(wanted) || wanted.includes(env))
  const hint = near.length > 0 ? `Did you mean ${near.join(' or ')}?` : 'Type sms-bridge config list for all of them.'
  throw new UserError(`There is no setting ${JSON.stringify(typed)}. ${hint}`)
}

function inProfile(typed: string): SettingName {
  const name = readName(typed)
  const { env, example } = settings[name]
  if (mayHold(name)) return name
  throw new UserError(`${env} says where the profile is, so the profile cannot hold it: type export ${env}=${example}`)
}

/** Never a secret from the command line: others see that in the list of processes, and shells write it down. */
async function valueFor({ io }: Context, name: SettingName, { value, stdin }: SetOptions): Promise<string> {
  const { env, example }: Setting<unknown> = settings[name]
  if (value !== undefined && stdin) throw new UserError('Give the value as an argument or with --stdin, not both.')
  if (stdin) return io.input()
  if (value !== undefined && isSecret(name, value)) {
    throw new UserError(
      `${env} is a secret, and what is typed in a command is seen in the list of processes and kept by the shell. ` +
        `Nothing was changed. Type sms-bridge config set ${env} and give it when asked, or pipe it with --stdin`,
    )
  }
  if (value !== undefined) return value
  if ('secret' in settings[name]) {
    return io.secret(`${env}:`, `sms-bridge config set ${env} --stdin, with the value on stdin`)
  }
  throw new UserError(`${env} needs a value: type sms-bridge config set ${env} ${quote(example)}`)
}
