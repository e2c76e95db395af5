// Commands that set a bridge up and find out what is wrong with it.
import type { Command } from 'commander'
import { settings } from '../config/schema.js'
import { parseDuration } from './duration.js'
import type { CommandParts } from './machine-commands.js'

interface InitFlags {
  readonly numbers?: string
  readonly teams?: string
  readonly reopen?: string
  readonly hours?: string
  readonly publicUrl?: string
  readonly host?: string
  readonly port?: string
  readonly store?: string
  readonly yes?: true
  readonly dryRun?: true
  readonly json?: true
  readonly undo?: true
  readonly replaceForeign?: true
  readonly skipUrlProof?: true
  readonly topics: boolean
  readonly open: boolean
  readonly oauth?: string
}

interface DoctorFlags {
  readonly fix?: true | string
  readonly yes?: true
  readonly json?: true
  readonly bundle?: true | string
  readonly timeout: string
}

export function addSetupCommands(parts: CommandParts): void {
  addInit(parts)
  addDoctor(parts)
}

function addDoctor({ command, context, ended }: CommandParts): void {
  command('doctor', 'look at everything that can be wrong, say who can mend it, and mend what this program can')
    .option('--fix [id]', 'mend what this program can mend, or that one check; shows every change first')
    .option('--yes', 'apply --fix without a question')
    .option('--json', 'print JSON, and ask nothing')
    .option('--bundle [file]', 'also write a report that can be sent to somebody: no secrets, no whole numbers')
    .option('--timeout <duration>', 'how long each check may take', '20s')
    .action(async (flags: DoctorFlags, self: Command) => {
      const { fix = false, yes = false, json = false, bundle = false, timeout } = flags
      if (yes && fix === false) self.error('error: --yes belongs to --fix: type sms-bridge doctor --fix --yes')
      const timeoutMs = parseDuration(timeout) ?? self.error('error: --timeout takes seconds: type --timeout 20s')
      const { doctor } = await import('../commands/doctor/doctor.js')
      const version = self.parent?.version() ?? ''
      ended(await doctor(await context({}), { fix, yes, json, bundle, timeoutMs, version }))
    })
}

function addInit({ command, context, ended }: CommandParts): void {
  withSettings(command('init', 'set the bridge up: both accounts, numbers, teams, webhooks; shows every change first'))
    .option('--numbers <list>', 'numbers whose texts come here, separated by commas, or all')
    .option('--teams <pairs>', `${settings.teams.help} (env: ${settings.teams.env})`)
    .option('--reopen <pairs>', `${settings.reopen.help} (env: ${settings.reopen.env})`)
    .option('--hours <pairs>', `${settings.hours.help} (env: ${settings.hours.env})`)
    .option('--yes', 'apply without a question')
    .option('--dry-run', 'only show what would be changed')
    .option('--undo', 'restore at Twilio what was before')
    .option('--replace-foreign', 'also take over what somebody else has set')
    .option('--skip-url-proof', 'go on although the public URL could not be proven')
    .option('--no-topics', 'do not prove Intercom’s topics on a throw-away conversation')
    .option('--no-open', 'open no page in a browser')
    .option('--oauth <client-id>', 'get Intercom’s access token by OAuth: the client ID of your app')
    .option('--json', 'print the result as JSON, and ask nothing')
    .addHelpText('after', `\n${secretsHelp}`)
    .action(async (flags: InitFlags) => {
      const { teams, reopen, hours, publicUrl, host, port, store } = flags
      const given = Object.fromEntries(
        Object.entries({ teams, reopen, hours, publicUrl, host, port, store }).filter(([, text]) => text !== undefined),
      )
      const { init } = await import('../commands/init/init.js')
      const { numbers, oauth, topics, open } = flags
      const { yes = false, dryRun = false, json = false, undo = false } = flags
      const { replaceForeign = false, skipUrlProof = false } = flags
      const options = { numbers, yes, dryRun, json, undo, replaceForeign, skipUrlProof, topics, open }
      ended(await init(await context(given), { ...options, oauthClientId: oauth }))
    })
}

const secretsHelp = `Secrets are asked for, or come from the environment or the profile, never from the command line:
${['twilioAuthToken', 'twilioApiSecret', 'intercomAccessToken', 'intercomClientSecret']
  .map((name) => `  ${settings[name as 'twilioAuthToken'].env}`)
  .join('\n')}`

function withSettings(command: Command): Command {
  for (const { flag, help, env } of [settings.publicUrl, settings.host, settings.port, settings.store]) {
    command.option(flag, `${help} (env: ${env})`)
  }
  return command
}
