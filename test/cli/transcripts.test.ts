// What a person sees, command by command. The files in test/transcripts are meant to be read; after a wanted change
// write them anew with `npx vitest run --config test/vitest.config.ts test/cli -u`.
import { describe, expect, it } from 'vitest'
import { main } from '../../src/cli/main.js'
import { testIo } from '../support/test-io.js'

interface Setting {
  readonly tty?: boolean
  readonly env?: Readonly<Record<string, string>>
}

const transcripts: Readonly<Record<string, readonly [string, Setting?][]>> = {
  help: [['--help'], ['help'], ['--version']],
  'serve-help': [['serve --help']],
  'sandbox-help': [['sandbox --help']],
  'status-help': [['status --help']],
  'test-e2e-help': [['test-e2e --help']],
  'doctor-help': [['doctor --help'], ['doctor --yes'], ['doctor --timeout soon']],
  'reconcile-help': [['reconcile --help']],
  'explain-help': [['explain --help']],
  explain: [
    ['explain 30007'],
    ['explain 21211 20429 30009', { tty: true }],
    ['explain no-answer unprovable gateway bug stale opted-out'],
    ['explain NOT_FOUND parameter_invalid'],
    ['explain 30099'],
    ['explain 77123 not-found'],
    ['explain 21610 qwerty'],
  ],
  'explain-json': [['explain --json 30007 unauthorized stale'], ['explain --json 30099']],
  usage: [
    ['explain'],
    [''],
    ['srve'],
    ['serve extra'],
    ['serve --prot 8080'],
    ['serve --port'],
    ['sandbox --json'],
    ['sandbox --port 99999'],
    ['status --since yesterday'],
    ['status --since 0m'],
    ['status --watch never'],
    ['status --number 555-0100'],
  ],
  'missing-settings': [['serve'], ['serve', { tty: true }], ['serve', { tty: true, env: { NO_COLOR: '1' } }]],
  'wrong-settings': [
    [
      'serve --port 99999 --log loud --public-url http://sms.example.com',
      {
        env: {
          TWILIO_ACCOUNT_SID: 'SK0123456789abcdef0123456789abcdef',
          TWILIO_AUTH_TOKEN: 'fake token with spaces',
          TWILIO_API_KEY: 'SK0123456789abcdef0123456789abcdef',
          INTERCOM_ACCESS_TOKEN: 'fake-access-token',
          INTERCOM_CLIENT_SECRET: 'fake-client-secret',
          INTERCOM_REGION: 'us-east-1',
          SMS_BRIDGE_TEAMS: '+15550100100=814,5550100100=815',
        },
      },
    ],
    ['status --json --store mysql://localhost/bridge'],
    ['status --store postgres://bridge:fake-password@db.example.com/bridge'],
    ['status --store bogus', { tty: true }],
  ],
}

/** Tabs and escapes are shown, trailing spaces are not. */
function readable(text: string): string {
  return text.replaceAll('\u001b', '\\e').replace(/[ ]+$/gm, '')
}

describe('transcripts', () => {
  it.each(Object.keys(transcripts))('%s', async (name) => {
    const shown: string[] = []
    for (const [line, { tty = false, env = {} } = {}] of transcripts[name] ?? []) {
      const home = { HOME: '/home/ada', SMS_BRIDGE_HOME: '/nowhere/sms-bridge', ...env }
      const io = testIo({ tty, env: home, columns: 100 })
      const argv = ['node', 'sms-bridge', ...line.split(' ').filter((word) => word !== '')]
      const code = await main(argv, io, home)
      const where = tty ? '   # on a terminal' : ''
      const settings = Object.entries(env).map(([key, value]) => `${key}='${value}' `)
      shown.push(`$ ${settings.join('')}sms-bridge ${line}${where}\n${io.transcript()}[exit ${code}]\n`)
      expect(io.signalListeners()).toBe(0)
    }
    await expect(readable(shown.join('\n'))).toMatchFileSnapshot(`../transcripts/${name}.txt`)
  })
})
