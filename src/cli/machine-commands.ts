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
