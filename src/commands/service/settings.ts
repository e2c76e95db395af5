// The settings that a service starts with, and what it does not bring along.
import { existsSync } from 'node:fs'
import { basename, dirname, join } from 'node:path'
import type { Context } from '../../cli/context.js'
import { findPlaces, type Places } from '../../config/folders.js'
import { type Config, find, loadConfig, type Sources } from '../../config/load.js'
import { mayHold, profileExists, readProfile } from '../../config/profile.js'
import { type SettingName, settings } from '../../config/schema.js'
import { fileOf, readPresent } from '../../store/backup.js'
import { type Machine, quote, type Service } from './machine.js'

export interface Settled {
  /** undefined where the settings of an earlier install stay. */
  readonly config: Config | undefined
  /** The text of the service's profile; undefined: it is there and stays. */
  readonly profile: string | undefined
  /** What whoever installs should know. */
  readonly notes: readonly string[]
  /** What must be mended first. */
  readonly obstacles: readonly string[]
}

const everyName = Object.keys(settings) as SettingName[] // the table's own keys

export function keepSettings({ name, home, profile }: Service): Settled {
  const change = `sudo -u ${name} env SMS_BRIDGE_HOME=${home} sms-bridge config set NAME VALUE`
  const note = `${profile} is there and stays as it is; to change a setting: ${change}`
  return { config: undefined, profile: undefined, notes: [note], obstacles: [] }
}

/** What `serve` would use if it were started here. Throws ConfigError with every fault. */
export async function settingsFor({ given, clock }: Context, service: Service, machine: Machine): Promise<Settled> {
  const sources = { ...given, profile: await readProfile(given) }
  const config = await loadConfig(sources)
  const kept: Record<string, string> = {}
  for (const setting of everyName) {
    const found = find(sources, setting)
    if (found === undefined || !mayHold(setting) || setting === 'log') continue
    // The service can write in its own folder only.
    if (setting === 'store' && fileOf(found.text) !== undefined) continue
    kept[settings[setting].env] = found.text
  }
  const store = await storeLeftBehind(sources, config, service, machine, clock.now())
  return {
    config,
    profile: `${JSON.stringify(kept, null, 2)}\n`,
    notes: store.notes,
    obstacles: [...portFaults(config), ...store.obstacles],
  }
}

function portFaults({ port }: Config): string[] {
  if (port >= 1024) return []
  const why = port === 0 ? 'is another port at each start, which no proxy finds' : 'is a port that only root may take'
  return [`${settings.port.env} ${port} ${why}: type sms-bridge config set port 8080, and put a proxy in front`]
}

/** Two bridges on two stores would each deliver; one on a new store knows nothing of the conversations before. */
async function storeLeftBehind(sources: Sources, config: Config, service: Service, machine: Machine, now: number) {
  const own = machine.root + service.store
  const chosen = find(sources, 'store')?.text
  const places = findPlaces(sources)
  const paths = chosen === undefined ? storesOf(places) : [fileOf(config.store)]
  const path = paths.find((one) => one !== undefined && one !== own && existsSync(one))
  const ours = `the service keeps its store in ${service.store}`
  if (path === undefined) {
    const elsewhere = chosen !== undefined && fileOf(chosen) !== undefined && fileOf(chosen) !== own
    return { notes: elsewhere ? [`${ours}, not in ${fileOf(chosen)}`] : [], obstacles: [] }
  }
  const present = await readPresent(path, now)
  const isServed = present !== undefined && present !== 'unreadable' && present.leases > 0
  const served = `a serve is running on ${path}: stop it first (Ctrl-C), or both would deliver. One that was killed counts as running for 15 seconds`
  return {
    notes: machine.exists(service.store) ? [] : [`${ours}; yours stays at ${path}. ${howToMove(path, service)}`],
    obstacles: isServed ? [served] : [],
  }
}

function howToMove(path: string, { name, home }: Service): string {
  const copy = `${home}/moved.sqlite`
  return [
    'Open conversations are known to that one alone. To move, once it is installed:',
    `  sudo systemctl stop ${name}`,
    `  sudo env ${quote(`SMS_BRIDGE_STORE=sqlite:${path}`)} sms-bridge backup ${copy}`,
    `  sudo chown ${name}: ${copy}`,
    `  sudo -u ${name} env SMS_BRIDGE_HOME=${home} sms-bridge restore ${copy} --moved --yes`,
    `  sudo systemctl start ${name}`,
  ].join('\n')
}

/** Also beside the profile: under sudo the platform's folders are root's, the profile is that of whoever typed it. */
function storesOf({ store, profile }: Places): string[] {
  const folder = dirname(profile)
  const isNamed = basename(folder) === 'profiles'
  const base = isNamed ? dirname(folder) : folder
  const file = isNamed ? join('profiles', `${basename(profile, '.json')}.sqlite`) : 'sms-bridge.sqlite'
  const beside = [base, base.replace(/\/\.config\/sms-bridge$/, '/.local/share/sms-bridge')]
  return [store, ...beside.map((one) => join(one, file))]
}

/** How to name these settings again under sudo, which has another home and passes on no variables. */
export async function settingsAgain({ given }: Context) {
  const places = findPlaces(given)
  const profile = (await profileExists(places)) ? `--profile ${quote(places.profile)} ` : ''
  const kept = everyName
    .filter((name) => mayHold(name) && find({ ...given, profile: {} }, name)?.origin === 'env')
    .map((name) => settings[name].env)
  return { profile, kept }
}
