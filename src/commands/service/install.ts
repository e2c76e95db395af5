// `sms-bridge service install`: a bridge that starts with the machine and is kept alive by systemd.
import type { Context } from '../../cli/context.js'
import { type ExitCode, exitCodes } from '../../cli/exit-codes.js'
import { findPlaces } from '../../config/folders.js'
import { find, loadConfig } from '../../config/load.js'
import { mayHold, readProfile } from '../../config/profile.js'
import { type SettingName, settings } from '../../config/schema.js'
import { UserError } from '../../errors.js'
import { expectRoot, expectSystemd, type Machine, type Service, serviceNamed, thisMachine } from './machine.js'
import { unitText } from './unit.js'

export interface InstallOptions {
  readonly name: string
  readonly yes: boolean
  readonly dryRun: boolean
  readonly json: boolean
}

interface Step {
  /** As one would type it. */
  readonly shown: string
  readonly run: () => Promise<void>
}

/** Installs anew, or over what is there: a new version, other settings. */
export async function serviceInstall(
  context: Context,
  { name, yes, dryRun, json }: InstallOptions,
  machine: Machine = thisMachine,
): Promise<ExitCode> {
  const { io } = context
  const service = serviceNamed(name, machine)
  const settled = (await machine.exists(service.profile)) ? keepSettings(service) : await settingsFor(context)
  const unit = unitText({ name, node: machine.node, script: machine.script, home: service.home })
  const steps = planOf(service, { unit, profile: settled.profile }, machine)
  const fault = homelessness(machine)
  if (dryRun) {
    if (json) io.out(JSON.stringify({ ...toJson(service, steps), unit, installed: false }, null, 2))
    else {
      io.out(unit)
      for (const { shown } of steps) io.err(`would run: ${shown}`)
    }
    for (const line of [fault, settled.warning]) if (line !== undefined) io.err(`! ${line}`)
    return exitCodes.ok
  }
  if (fault !== undefined) throw new UserError(fault)
  const { profile } = findPlaces(context.given)
  expectRoot(machine, `--profile ${profile} service install${name === 'sms-bridge' ? '' : ` --name ${name}`}`)
  await expectSystemd(machine)
  if (settled.warning !== undefined) io.err(`! ${settled.warning}`)
  if (!yes) {
    for (const { shown } of steps) io.err(`  ${shown}`)
    if (!(await io.confirm('Run these?', '--yes'))) return exitCodes.interrupted
  }
  for (const { shown, run } of steps) {
    await run()
    if (!json) io.err(`✓ ${shown}`)
  }
  if (json) io.out(JSON.stringify({ ...toJson(service, steps), installed: true }, null, 2))
  else sayNext(context, service)
  return exitCodes.ok
}

interface Settled {
  /** The text of the profile; undefined: it is there and stays. */
  readonly profile: string | undefined
  readonly warning: string | undefined
}

/** Of an earlier install, and changed since, maybe. */
function keepSettings({ name, home, profile }: Service): Settled {
  const change = `sudo -u ${name} env SMS_BRIDGE_HOME=${home} sms-bridge config set NAME VALUE`
  return { profile: undefined, warning: `${profile} is there and stays as it is; to change a setting: ${change}` }
}

/** What `serve` would use if it were started here. Throws ConfigError with every fault. */
async function settingsFor({ given }: Context): Promise<Settled> {
  const sources = { ...given, profile: await readProfile(given) }
  const { port } = await loadConfig(sources)
  const kept: Record<string, string> = {}
  let warning: string | undefined
  for (const setting of Object.keys(settings) as SettingName[]) {
    // the table's own keys
    const found = find(sources, setting)
    if (found === undefined || !mayHold(setting) || setting === 'log') continue
    if (setting === 'store' && !found.text.startsWith('postgres')) {
      warning = `the service keeps a store of its own; to bring along ${found.text}: sms-bridge backup FILE here, then sms-bridge restore FILE --moved there`
      continue
    }
    kept[settings[setting].env] = found.text
  }
  if (port < 1024) warning = `SMS_BRIDGE_PORT is ${port}: a service without rights cannot listen below 1024`
  return { profile: `${JSON.stringify(kept, null, 2)}\n`, warning }
}

/** The user of the service sees nobody's home, and what npx fetched is cleared away some day. */
function homelessness({ node, script }: Machine): string | undefined {
  if (script.includes('/_npx/')) {
    return 'sms-bridge was fetched by npx for this once: type sudo npm install -g sms-bridge, then sudo sms-bridge service install'
  }
  const hidden = [node, script].find((path) => /^\/(home|root|run\/user|tmp|var\/tmp)\//.test(path))
  if (hidden === undefined) return undefined
  const what = hidden === node ? 'Node for all users' : 'sms-bridge for all users: sudo npm install -g sms-bridge'
  return `${hidden} is where the service cannot see it (somebody’s home, or a folder for what passes). Install ${what}`
}

function planOf(
  { name, unit, home, profile }: Service,
  texts: { readonly unit: string; readonly profile: string | undefined },
  machine: Machine,
): readonly Step[] {
  const command = (program: string, ...args: readonly string[]): Step => ({
    shown: [program, ...args].join(' '),
    run: () => runOrThrow(machine, program, args, name),
  })
  const file = (path: string, text: string, mode: number): Step => ({
    shown: `write ${path} (mode ${mode.toString(8).padStart(4, '0')})`,
    run: () => machine.write(path, text, mode),
  })
  const user = command('useradd', '--system', '--user-group', '--home-dir', home, '--shell', '/usr/sbin/nologin', name)
  return [
    {
      shown: `${user.shown}, unless it is there`,
      async run() {
        if ((await machine.run('id', ['-u', name])).code !== 0) await user.run()
      },
    },
    command('install', '-d', '-m', '0700', '-o', name, '-g', name, home),
    ...(texts.profile === undefined
      ? []
      : [file(profile, texts.profile, 0o600), command('chown', '-h', `${name}:${name}`, profile)]),
    file(unit, texts.unit, 0o644),
    command('systemctl', 'daemon-reload'),
    command('systemctl', 'enable', `${name}.service`),
    command('systemctl', 'restart', `${name}.service`),
  ]
}

async function runOrThrow(machine: Machine, program: string, args: readonly string[], name: string): Promise<void> {
  const { code, stderr } = await machine.run(program, args)
  if (code === 0) return
  const said = stderr.trim() === '' ? '' : `: ${stderr.trim().replace(/\.$/, '')}`
  const starts = program === 'systemctl' && args[0] === 'restart'
  const next = starts
    ? `See why: journalctl -u ${name} -n 30`
    : `Mend that and type it again, or take back what was done: sms-bridge service uninstall`
  throw new UserError(`${program} ${args.join(' ')} ended with ${code}${said}. ${next}`, { exitCode: 1 })
}

function toJson({ name, unit, home, profile }: Service, steps: readonly Step[]) {
  return { schema_version: 1, name, unit_path: unit, home, profile, steps: steps.map(({ shown }) => shown) }
}

function sayNext({ io }: Context, { name, home }: Service): void {
  io.err(`\nThe bridge runs, and starts with the machine. Its settings and its store are in ${home}.`)
  io.err(
    `Look at it:   sms-bridge service status${name === 'sms-bridge' ? '' : ` --name ${name}`}   journalctl -u ${name} -f`,
  )
  io.err(`Use it:       sudo -u ${name} env SMS_BRIDGE_HOME=${home} sms-bridge status`)
  io.err('Give it HTTPS: sms-bridge service proxy caddy   or nginx')
}
