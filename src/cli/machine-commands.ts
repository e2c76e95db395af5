// Commands for living on a machine: settings, copies of the store, the service, completion, the agents' page.
import type { Command } from 'commander'
import type { Flags } from '../config/load.js'
import type { Context } from './context.js'
import type { ExitCode } from './exit-codes.js'

export interface CommandParts {
  /** Adds a command to the program. */
  readonly command: (name: string, summary: string) => Command
  readonly context: (flags: Flags) => Promise<Context>
  /** Takes the exit code of the command that ran. */
  readonly ended: (code: ExitCode) => void
}

export function addMachineCommands(parts: CommandParts): void {
  addConfig(parts)
  addBackup(parts)
  addService(parts)
}

interface Json {
  readonly json?: boolean
}

function addConfig({ command, context, ended }: CommandParts): void {
  const config = command('config', 'show and change the settings of a profile')
  config
    .command('list')
    .description('every setting, where it comes from, and which profile was read; secrets as dots')
    .option('--json', 'print JSON')
    .action(async ({ json = false }: Json) => {
      const { configList } = await import('../commands/config.js')
      ended(await configList(await context({}), { json }))
    })
  config
    .command('get')
    .description('the value of one setting')
    .argument('<setting>', 'its name, such as SMS_BRIDGE_PUBLIC_URL or public-url')
    .option('--json', 'print JSON')
    .action(async (setting: string, { json = false }: Json) => {
      const { configGet } = await import('../commands/config.js')
      ended(await configGet(await context({}), setting, { json }))
    })
  config
    .command('set')
    .description('write one setting into the profile; a secret is asked for, or comes on stdin')
    .argument('<setting>', 'its name')
    .argument('[value]', 'its value; never a secret')
    .option('--stdin', 'read the value from stdin')
    .option('--json', 'print JSON')
    .action(async (setting: string, value: string | undefined, options: Json & { stdin?: boolean }) => {
      const { json = false, stdin = false } = options
      const { configSet } = await import('../commands/config.js')
      ended(await configSet(await context({}), setting, { value, stdin, json }))
    })
  config
    .command('unset')
    .description('take one setting out of the profile')
    .argument('<setting>', 'its name')
    .option('--json', 'print JSON')
    .action(async (setting: string, { json = false }: Json) => {
      const { configUnset } = await import('../commands/config.js')
      ended(await configUnset(await context({}), setting, { json }))
    })
  config
    .command('path')
    .description('where the profile is')
    .option('--json', 'print JSON too about the data folder and the store')
    .action(async ({ json = false }: Json) => {
      const { configPath } = await import('../commands/config.js')
      ended(await configPath(await context({}), { json }))
    })
}

function addBackup({ command, context, ended }: CommandParts): void {
  command('backup', 'copy the store into a file, also while serve runs')
    .argument('<file>', 'the file to make')
    .option('--force', 'replace the file if it is there')
    .option('--json', 'print JSON')
    .action(async (file: string, { force = false, json = false }: Json & { force?: boolean }) => {
      const { backup } = await import('../commands/backup.js')
      ended(await backup(await context({}), file, { force, json }))
    })
  command('restore', 'put a backup in the place of the store; nothing that was delivered since is delivered again')
    .argument('[file]', 'the backup')
    .option('-y, --yes', 'do not ask')
    .option('--moved', 'the bridge has not run since the backup was taken: carry on where it stopped')
    .option('--tables-restored', 'for PostgreSQL, after pg_restore')
    .option('--json', 'print JSON')
    .action(
      async (
        file: string | undefined,
        options: Json & { yes?: boolean; moved?: boolean; tablesRestored?: boolean },
      ) => {
        const { yes = false, moved = false, tablesRestored = false, json = false } = options
        const { restore } = await import('../commands/backup.js')
        ended(await restore(await context({}), file, { yes, moved, tablesRestored, json }))
      },
    )
}

interface ServiceFlags extends Json {
  readonly name: string
  readonly root?: string
  readonly yes?: boolean
  readonly dryRun?: boolean
}

/** The machine whose files are below this folder, else the one we are on. */
async function machineAt(root: string | undefined) {
  const { machineBelow, thisMachine } = await import('../commands/service/machine.js')
  return root === undefined ? thisMachine : machineBelow(root)
}

function addService({ command, context, ended }: CommandParts): void {
  const service = command('service', 'keep the bridge running with systemd, and give it HTTPS')
  const sub = (verb: string, summary: string) =>
    service
      .command(verb)
      .description(summary)
      .option('--name <name>', 'of the unit and its user: for a second bridge', 'sms-bridge')
      // Another machine's files, and its programs only (machine.ts): for trying it out.
      .addOption(service.createOption('--root <folder>').hideHelp())
      .option('--json', 'print JSON')
  sub('install', 'install and start a hardened systemd unit with the settings that serve would use here')
    .option('--dry-run', 'print the unit, and what would be run')
    .option('-y, --yes', 'do not ask')
    .action(async ({ name, root, yes = false, dryRun = false, json = false }: ServiceFlags) => {
      const { serviceInstall } = await import('../commands/service/install.js')
      ended(await serviceInstall(await context({}), { name, yes, dryRun, json }, await machineAt(root)))
    })
  sub('uninstall', 'stop it and remove the unit; settings and store stay')
    .option('--dry-run', 'print what would be run')
    .option('-y, --yes', 'do not ask')
    .action(async ({ name, root, yes = false, dryRun = false, json = false }: ServiceFlags) => {
      const { serviceUninstall } = await import('../commands/service/uninstall.js')
      ended(await serviceUninstall(await context({}), { name, yes, dryRun, json }, await machineAt(root)))
    })
  sub('status', 'whether it runs, by systemd and by its own heartbeat').action(
    async ({ name, root, json = false }: ServiceFlags) => {
      const { serviceStatus } = await import('../commands/service/status.js')
      ended(await serviceStatus(await context({}), { name, json }, await machineAt(root)))
    },
  )
  service
    .command('proxy')
    .description('the few lines of a web server that give it HTTPS')
    .addArgument(service.createArgument('<server>', 'which one').choices(['caddy', 'nginx']))
    .option('--json', 'print JSON')
    .action(async (server: 'caddy' | 'nginx', { json = false }: Json) => {
      const { serviceProxy } = await import('../commands/service/proxy.js')
      ended(await serviceProxy(await context({}), server, { json }))
    })
}
