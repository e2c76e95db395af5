// `sms-bridge service install`: a bridge that starts with the machine and is kept alive by systemd.
import type { Context } from '../../cli/context.js'
import { type ExitCode, exitCodes } from '../../cli/exit-codes.js'
import { ConfigError, describeError, UserError } from '../../errors.js'
import {
  expectOurUnit,
  expectRoot,
  expectSystemd,
  type Machine,
  type Owner,
  type Service,
  serviceNamed,
  thisMachine,
} from './machine.js'
import { proxyFor } from './proxy.js'
import { keepSettings, type Settled, settingsAgain, settingsFor } from './settings.js'
import { unitText } from './unit.js'

export interface InstallOptions {
  readonly name: string
  readonly yes: boolean
  readonly dryRun: boolean
  readonly json: boolean
}

/** What a step has left. */
interface Left {
  /** What takes it back, for a person to type. */
  readonly undo?: string
  /** What stood there before and does no more. */
  readonly replaced?: string
}

interface Step {
  /** As one would type it. */
  readonly shown: string
  readonly run: () => Promise<Left>
  /** What to type when it fails. */
  readonly onFailure?: string
}

/** Installs anew, or over what is there: a new version, other settings. */
export async function serviceInstall(
  context: Context,
  { name, yes, dryRun, json }: InstallOptions,
  machine: Machine = thisMachine,
): Promise<ExitCode> {
  const { io } = context
  const service = serviceNamed(name, machine)
  // Of an earlier install, and changed since, maybe.
  const settled = machine.exists(service.profile) ? keepSettings(service) : await settingsFor(context, service, machine)
  const unit = unitText({ name, node: machine.node, script: machine.script, home: service.home })
  const steps = planOf(service, { unit, profile: settled.profile }, machine)
  const homeless = homelessness(machine)
  const obstacles = [...(homeless === undefined ? [] : [homeless]), ...settled.obstacles]
  const told = { notes: settled.notes, obstacles }
  if (dryRun) {
    if (json) io.out(JSON.stringify({ ...toJson(service, steps), ...told, unit, installed: false }, null, 2))
    else {
      io.out(unit)
      for (const { shown } of steps) io.err(`would run: ${shown}`)
      for (const words of [...settled.notes, ...obstacles]) io.err(`! ${words}`)
      io.err('Nothing was changed.')
    }
    return exitCodes.ok
  }
  // What lies with whoever types comes before what lies with the machine: it would only be asked for again under sudo.
  const [obstacle, ...others] = obstacles
  if (obstacle !== undefined) throw others.length > 0 ? new ConfigError(obstacles) : new UserError(obstacle)
  const { profile, kept } = await settingsAgain(context)
  expectRoot(machine, `${profile}service install${service.flag}`, kept)
  await expectSystemd(machine)
  await expectOurUnit(service, machine)
  for (const note of settled.notes) io.err(`! ${note}`)
  if (!yes) {
    for (const { shown } of steps) io.err(`  ${shown}`)
    if (!(await io.confirm('Run these?', '--yes'))) {
      io.err('Nothing was changed.')
      return exitCodes.ok
    }
  }
  await take(steps, (shown) => (json ? undefined : io.err(`✓ ${shown}`)))
  if (json) io.out(JSON.stringify({ ...toJson(service, steps), ...told, installed: true }, null, 2))
  else sayNext(context, service, settled)
  return exitCodes.ok
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
  { name, unit, home, profile, flag }: Service,
  texts: { readonly unit: string; readonly profile: string | undefined },
  machine: Machine,
): readonly Step[] {
  const command = (words: readonly string[], onFailure?: string): Step => ({
    shown: words.join(' '),
    ...(onFailure !== undefined && { onFailure }),
    async run() {
      await runOrThrow(machine, words)
      return {}
    },
  })
  const uninstall = `sudo sms-bridge service uninstall${flag}`
  const useradd = ['useradd', '--system', '--user-group', '--home-dir', home, '--shell', '/usr/sbin/nologin', name]
  const writeProfile = (text: string): Step => ({
    shown: `write ${profile} (mode 0600, owner ${name})`,
    async run() {
      await machine.write(profile, text, 0o600, await ownerNamed(name, machine))
      return { undo: `sudo rm ${profile}` }
    },
  })
  return [
    {
      shown: `${useradd.join(' ')}, unless it is there`,
      async run() {
        if ((await machine.run('id', ['-u', name])).code === 0) return {}
        await runOrThrow(machine, useradd)
        return { undo: `sudo userdel ${name}` }
      },
    },
    {
      shown: `install -d -m 0700 -o ${name} -g ${name} ${home}`,
      async run() {
        const isNew = !machine.exists(home)
        await runOrThrow(machine, ['install', '-d', '-m', '0700', '-o', name, '-g', name, machine.root + home])
        return isNew ? { undo: `sudo rm -r ${home}` } : {}
      },
    },
    ...(texts.profile === undefined ? [] : [writeProfile(texts.profile)]),
    {
      shown: `write ${unit} (mode 0644)`,
      async run() {
        const isNew = !machine.exists(unit)
        await machine.write(unit, texts.unit, 0o644)
        return isNew ? { undo: uninstall } : { replaced: unit }
      },
    },
    command(['systemctl', 'daemon-reload']),
    command(['systemctl', 'enable', `${name}.service`]),
    command(
      ['systemctl', 'restart', `${name}.service`],
      `It is installed and did not start. See why: journalctl -u ${name} -n 30`,
    ),
  ]
}

async function ownerNamed(name: string, machine: Machine): Promise<Owner> {
  const idOf = async (which: '-u' | '-g') => {
    const id = (await runOrThrow(machine, ['id', which, name])).trim()
    if (!/^\d+$/.test(id)) throw new UserError(`id ${which} ${name} answered ${JSON.stringify(id)}`, { exitCode: 1 })
    return Number(id)
  }
  return { uid: await idOf('-u'), gid: await idOf('-g') }
}

/** Runs them in turn. When one fails, says what those before have left, and how that is taken back. */
async function take(steps: readonly Step[], done: (shown: string) => void): Promise<void> {
  const left: Left[] = []
  for (const { shown, run, onFailure } of steps) {
    try {
      left.unshift(await run())
      done(shown)
    } catch (error) {
      const next = onFailure ?? 'Mend that and type it again: it goes on where it stopped.'
      throw new UserError([describeError(error), next, ...inWords(left)].join('\n'), { exitCode: 1, cause: error })
    }
  }
}

function inWords(left: readonly Left[]): readonly string[] {
  const replaced = left.flatMap((one) => one.replaced ?? [])
  const undo = left.flatMap((one) => one.undo ?? [])
  if (replaced.length + undo.length === 0) return ['Nothing new was left behind.']
  return [
    ...(replaced.length > 0 ? [`Replaced already: ${replaced.join(', ')}`] : []),
    ...(undo.length > 0 ? ['To take back what was done instead:', ...undo.map((line) => `  ${line}`)] : []),
  ]
}

/** Resolves with what it wrote. */
async function runOrThrow(machine: Machine, [program = '', ...args]: readonly string[]): Promise<string> {
  const { code, stdout, stderr } = await machine.run(program, args)
  if (code === 0) return stdout
  const said = stderr.trim() === '' ? '' : `: ${stderr.trim().replace(/\.$/, '')}`
  throw new UserError(`${program} ${args.join(' ')} ended with ${code}${said}.`, { exitCode: 1 })
}

function toJson({ name, unit, home, profile, store }: Service, steps: readonly Step[]) {
  return { schema_version: 1, name, unit_path: unit, home, profile, store, steps: steps.map(({ shown }) => shown) }
}

function sayNext({ io }: Context, { name, home, flag }: Service, { config }: Settled): void {
  io.err(`\nThe bridge runs, and starts with the machine. Its settings and its store are in ${home}.`)
  io.err(`Look at it:   sudo sms-bridge service status${flag}   journalctl -u ${name} -f`)
  io.err(`Use it:       sudo -u ${name} env SMS_BRIDGE_HOME=${home} sms-bridge status`)
  if (config === undefined || !config.publicUrl.startsWith('https:')) {
    io.err(`Give it HTTPS: sms-bridge service proxy caddy   or nginx`)
    return
  }
  const { lines, words } = proxyFor('caddy', config)
  io.err('Give it HTTPS, with Caddy (for nginx: sms-bridge service proxy nginx):\n')
  io.err(lines)
  io.err(`\n${words}`)
}
