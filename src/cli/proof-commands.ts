// Commands that prove a bridge.
import type { Command } from 'commander'
import { parseDuration } from './duration.js'
import type { CommandParts } from './machine-commands.js'

interface TestFlags {
  readonly from?: string
  readonly handset?: string
  readonly sandbox?: true
  readonly number?: string
  readonly every?: string
  readonly timeout: string
  readonly json?: true
  readonly junit?: string
  readonly keep?: true
  readonly yes?: true
}

/** The customer's phone in the sandbox. */
const sandboxPhone = '+15550100142'
/** More often is no canary but a load, and looks to Twilio like a loop. */
const mostOftenMs = 60_000

export function addProofCommands({ command, context, ended }: CommandParts): void {
  command('test-e2e', 'send a real text through both vendors, and time both ways')
    .option('--from <number>', 'the customer’s phone is another Twilio number of the account, which no bridge serves')
    .option('--handset <number>', 'the customer’s phone is your own: you are told what to text')
    .option('--sandbox', 'with a local Twilio and a local Intercom: free, and without any account')
    .option('--number <number>', 'the number of ours to test (default: the only one that sends its texts here)')
    .option('--every <duration>', 'test again and again until Ctrl-C, and have status show the result')
    .option('--timeout <duration>', 'what takes longer is broken', '60s')
    .option('--junit <file>', 'also write the result as JUnit XML')
    .option('--json', 'print JSON')
    .option('--keep', 'leave the conversations and the contact in Intercom')
    .option('--yes', 'do not ask before texts are sent that cost')
    .action(async (flags: TestFlags, self: Command) => {
      const { from, handset, sandbox = false, number, every, timeout, junit } = flags
      const phones = [from, handset, sandbox ? sandboxPhone : undefined].filter((phone) => phone !== undefined)
      const [phone] = phones
      if (phone === undefined || phones.length > 1) {
        self.error('error: name one phone that texts: --from NUMBER, --handset NUMBER or --sandbox')
      }
      if (every !== undefined && from === undefined) {
        self.error('error: --every needs a phone that texts by itself: type --every with --from')
      }
      if (sandbox && number !== undefined) self.error('error: --sandbox brings its own number: leave --number out')
      const timeoutMs =
        parseDuration(timeout) ?? self.error('error: --timeout takes seconds or minutes: type --timeout 30s')
      const everyMs = every === undefined ? undefined : readEvery(every, self)
      const { testE2e } = await import('../commands/test-e2e.js')
      const kind = sandbox ? 'sandbox' : handset === undefined ? 'second-number' : 'handset'
      const { json = false, keep = false, yes = false } = flags
      ended(await testE2e(await context({}), { kind, phone, number, everyMs, timeoutMs, json, junit, keep, yes }))
    })
}

function readEvery(text: string, self: Command): number {
  const ms = parseDuration(text)
  if (ms === undefined || ms < mostOftenMs) self.error('error: --every takes a minute or more: type --every 15m')
  return ms
}
