// The whole command table. It loads commander and nothing else; each command loads itself.
import { Command, CommanderError, InvalidArgumentError, Option } from 'commander'
import type { Flags } from '../config/load.js'
import { isPort, type Setting, settings } from '../config/schema.js'
import type { Context } from './context.js'
import { addDeadLetterCommands } from './dead-letter-commands.js'
import { parseDuration } from './duration.js'
import { type ExitCode, exitCodes } from './exit-codes.js'
import { addHelpCommands } from './help-commands.js'
import type { Io } from './io.js'
import { addMachineCommands } from './machine-commands.js'
import { addProofCommands } from './proof-commands.js'
import { addSetupCommands } from './setup-commands.js'

export interface ProgramParts {
  readonly version: string
  readonly io: Io
  /** Called once, when it is known which command runs with which settings. */
  readonly context: (flags: Flags) => Promise<Context>
}

/** Runs one command line. Wrong usage is written to stderr and answered with its exit code; commands may throw. */
export async function runProgram(argv: readonly string[], { version, io, ...parts }: ProgramParts): Promise<ExitCode> {
  let code: ExitCode = exitCodes.ok
  const program = new Command('sms-bridge')
    .description('Twilio texts become Intercom conversations, agents’ replies become texts.')
    .version(version, '-V, --version', 'print the version')
    .addOption(settingOption(settings.profile))
    .helpOption('-h, --help', 'print help')
    .helpCommand('help [command]', 'print help for a command')
    .exitOverride()
    .configureOutput({
      writeOut: (text) => io.out(text.replace(/\n$/, '')),
      writeErr: (text) => io.err(text.replace(/\n$/, '')),
      getOutHelpWidth: () => io.width,
      getErrHelpWidth: () => io.width,
    })
    .showHelpAfterError('Type sms-bridge --help for the commands.')

  const command = (name: string, summary: string, group = program) => {
    const path = [...(group === program ? [] : [group.name()]), name].join(' ')
    return group
      .command(name)
      .description(summary)
      .showHelpAfterError(`Type sms-bridge ${path} --help for its options.`)
  }

  const context = (flags: Flags) => parts.context({ ...program.opts<Pick<Flags, 'profile'>>(), ...flags })

  command('serve', 'run the bridge')
    .addOption(settingOption(settings.host))
    .addOption(settingOption(settings.port))
    .addOption(settingOption(settings.publicUrl))
    .addOption(settingOption(settings.store))
    .addOption(settingOption(settings.log))
    .addHelpText('after', ({ command }) => `\n${environmentHelp(command, io.width)}`)
    .action(async (flags: Pick<Flags, 'host' | 'port' | 'publicUrl' | 'store' | 'log'>) => {
      const { serve } = await import('../commands/serve.js')
      code = await serve(await context(flags))
    })

  command('sandbox', 'try the bridge on this machine, with a local Twilio and a local Intercom')
    .option(
      '--keep <folder>',
      'keep the bridge’s store in this folder; the local vendors always start empty (default: forget it)',
    )
    .option('--port <number>', 'port of the page (default: any free one)', parsePort)
    .option('--script', 'play the story without a browser, print both hops’ times, and end')
    .option('--json', 'print the result of --script as JSON')
    .action(async (options: { keep?: string; port?: number; script?: true; json?: true }, self: Command) => {
      const { keep, port, script = false, json = false } = options
      if (script && port !== undefined) self.error('error: --script shows no page: leave --port out')
      if (json && !script) self.error('error: --json belongs to --script: type sms-bridge sandbox --script --json')
      const { sandbox } = await import('../commands/sandbox.js')
      code = await sandbox(await context({}), { keep, port, script, json })
    })

  command('status', 'show what was delivered, what waits and what is wrong')
    .option('--json', 'print JSON')
    .addOption(
      new Option('--since <duration>', 'count deliveries received since then')
        .argParser(readDuration)
        .default(parseDuration('24h'), '24h'),
    )
    .addOption(
      new Option('--watch [duration]', 'draw it again every so often, until Ctrl-C: --watch, --watch=30s')
        .argParser(readDuration)
        .preset('5s'),
    )
    .option('--number <number>', 'only what concerns this number of ours', parseNumber)
    .addOption(settingOption(settings.store))
    .action(async (options: { json?: true; since: number; watch?: number; number?: string; store?: string }) => {
      const { json = false, since, watch, number, ...flags } = options
      const { status } = await import('../commands/status.js')
      code = await status(await context(flags), { json, sinceMs: since, watchMs: watch, number })
    })

  command('explain', 'what a code of Twilio’s or Intercom’s, or a reason for parking, means, and who mends it')
    .argument('<codes...>', 'one or more, as status and dlq show them: 30007, not_found, no-answer')
    .option('--json', 'print JSON')
    .action(async (codes: string[], { json = false }: { json?: boolean }) => {
      const { explain } = await import('../commands/explain.js')
      code = await explain(await context({}), codes, { json })
    })

  command('reconcile', 'look through the vendors’ lists for what no webhook brought')
    .addOption(
      new Option('--since <duration>', 'look back so far (default: to where the last look came, at most 3d)').argParser(
        readDuration,
      ),
    )
    .option('--dry-run', 'only say what is missing')
    .option('--json', 'print JSON')
    .addOption(settingOption(settings.store))
    .action(async (options: { since?: number; dryRun?: true; json?: true; store?: string }) => {
      const { since, dryRun = false, json = false, ...flags } = options
      const { reconcile } = await import('../commands/reconcile.js')
      code = await reconcile(await context(flags), { sinceMs: since, dryRun, json })
    })

  const end = (ended: ExitCode) => {
    code = ended
  }
  addDeadLetterCommands({ context, command, storeOption: () => settingOption(settings.store), end })
  addMachineCommands({ command, context, ended: end })
  addSetupCommands({ command, context, ended: end })
  addProofCommands({ command, context, ended: end })
  addHelpCommands({ command, context, ended: end })

  try {
    await program.parseAsync(argv)
  } catch (error) {
    if (!(error instanceof CommanderError)) throw error
    return error.exitCode === 0 ? exitCodes.ok : exitCodes.usage
  }
  return code
}

function settingOption(setting: Setting<unknown> & { readonly flag: string }): Option {
  return new Option(setting.flag, `${setting.help} (${[`env: ${setting.env}`, ...standing(setting)].join(', ')})`)
}

/** The settings that no flag of this command gives, required ones first. */
function environmentHelp(command: Command, width: number): string {
  const listed: readonly Setting<unknown>[] = Object.values(settings)
  const rows = listed
    .filter(({ flag }) => command.options.every(({ flags }) => flags !== flag))
    .sort((a, b) => Number(b.required ?? false) - Number(a.required ?? false))
  const longest = Math.max(...rows.map(({ env }) => env.length))
  const help = command.createHelp()
  help.prepareContext({ helpWidth: width })
  const lines = rows.map((setting) => {
    const note = standing(setting).map((words) => ` (${words})`)
    return help.formatItem(setting.env, longest, `${setting.help}${note.join('')}`, help)
  })
  return ['Environment:', ...lines].join('\n')
}

function standing({ required, fallback }: Setting<unknown>): string[] {
  if (required) return ['required']
  return fallback === undefined ? [] : [`default: ${fallback}`]
}

function parsePort(text: string): number {
  if (!isPort(text)) throw new InvalidArgumentError('It must be a whole number from 0 to 65535; type --port 4000.')
  return Number(text)
}

/** As the books spell it. Its check by country is too heavy to load for this. */
function parseNumber(text: string): string {
  const number = text.replace(/[\s().-]/g, '')
  if (!/^(\+\d{7,15}|\d{3,8})$/.test(number)) {
    throw new InvalidArgumentError('Type it with its country code, or as a short code: --number +15550100100.')
  }
  return number
}

function readDuration(text: string): number {
  const ms = parseDuration(text)
  if (ms === undefined) {
    throw new InvalidArgumentError('Type a number and s, m, h or d: 90s, 15m, 24h or 7d.')
  }
  return ms
}
