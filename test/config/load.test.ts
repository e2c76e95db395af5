import { describe, expect, it } from 'vitest'
import { findFolders } from '../../src/config/folders.js'
import { type Config, loadConfig, loadStoreConfig, type Sources } from '../../src/config/load.js'
import { ConfigError } from '../../src/errors.js'

const required = {
  SMS_BRIDGE_HOME: '/srv/bridge',
  SMS_BRIDGE_PUBLIC_URL: 'https://sms.example.com',
  TWILIO_ACCOUNT_SID: 'AC0123456789abcdef0123456789abcdef',
  TWILIO_AUTH_TOKEN: 'fake-auth-token',
  INTERCOM_ACCESS_TOKEN: 'fake-access-token',
  INTERCOM_CLIENT_SECRET: 'fake-client-secret',
}

function load(env: Record<string, string> = {}, rest: Partial<Sources> = {}): Promise<Config> {
  return loadConfig({ env: { ...required, ...env }, flags: {}, profile: {}, ...rest })
}

async function faultsOf(loading: Promise<unknown>): Promise<readonly string[]> {
  const error = await loading.then(
    () => undefined,
    (thrown: unknown) => thrown,
  )
  if (!(error instanceof ConfigError)) throw new Error('no ConfigError', { cause: error })
  return error.faults
}

describe('settings', () => {
  it('need no more than the account, the workspace and the public URL', async () => {
    expect(await load()).toEqual({
      publicUrl: 'https://sms.example.com',
      host: '127.0.0.1',
      port: 8080,
      store: 'sqlite:/srv/bridge/sms-bridge.sqlite',
      log: 'json',
      home: '/srv/bridge',
      defaultRegion: 'US',
      holdMs: 600_000,
      relayBots: false,
      teams: new Map(),
      holidays: [],
      awayText: 'Thanks for your text. We are closed right now and will answer when we open again: {opens}.',
      twilio: { accountSid: 'AC0123456789abcdef0123456789abcdef', authTokens: ['fake-auth-token'] },
      intercom: {
        accessToken: 'fake-access-token',
        clientSecret: 'fake-client-secret',
        region: 'us',
        baseUrl: 'https://api.intercom.io',
      },
    })
  })

  it('may all be set', async () => {
    const config = await load({
      SMS_BRIDGE_PUBLIC_URL: 'https://example.com/sms/',
      SMS_BRIDGE_HOST: '::1',
      SMS_BRIDGE_PORT: '0',
      SMS_BRIDGE_STORE: 'postgres://bridge@db.example.com/bridge',
      SMS_BRIDGE_LOG: 'pretty',
      SMS_BRIDGE_DEFAULT_REGION: 'GB',
      SMS_BRIDGE_HOLD: '90s',
      SMS_BRIDGE_RELAY_BOTS: 'true',
      SMS_BRIDGE_TEAMS: '+15550100100=814, 24273=816, *=815',
      SMS_BRIDGE_REOPEN: '+15550100100=5d, *=12h',
      SMS_BRIDGE_HOURS: '+15550100100=Sat 10-14 America/Denver, *=none',
      SMS_BRIDGE_HOLIDAYS: '1970-01-11,12-25',
      SMS_BRIDGE_AWAY_TEXT: 'We answer {opens}.',
      TWILIO_AUTH_TOKEN: 'fake-new-token, fake-old-token',
      TWILIO_API_KEY: 'SK0123456789abcdef0123456789abcdef',
      TWILIO_API_SECRET: 'fake-api-secret',
      TWILIO_API_BASE_URL: 'http://127.0.0.1:4010/',
      INTERCOM_API_BASE_URL: 'http://127.0.0.1:4020',
      INTERCOM_REGION: 'au',
      INTERCOM_ADMIN_ID: '1234567',
    })
    expect(config).toEqual({
      publicUrl: 'https://example.com/sms',
      host: '::1',
      port: 0,
      store: 'postgres://bridge@db.example.com/bridge',
      log: 'pretty',
      home: '/srv/bridge',
      defaultRegion: 'GB',
      holdMs: 90_000,
      relayBots: true,
      teams: new Map([
        ['+15550100100', '814'],
        ['24273', '816'],
        ['*', '815'],
      ]),
      reopen: new Map([
        ['+15550100100', 432_000_000],
        ['*', 43_200_000],
      ]),
      hours: new Map([
        [
          '+15550100100',
          { words: 'Sat 10–14', week: [[], [], [], [], [], [], [{ from: 600, to: 840 }]], zone: 'America/Denver' },
        ],
        ['*', { words: 'none', week: [] }],
      ]),
      holidays: [{ from: 10, to: 10 }, { yearly: 1225 }],
      awayText: 'We answer {opens}.',
      twilio: {
        accountSid: 'AC0123456789abcdef0123456789abcdef',
        authTokens: ['fake-new-token', 'fake-old-token'],
        apiKey: { sid: 'SK0123456789abcdef0123456789abcdef', secret: 'fake-api-secret' },
        baseUrl: 'http://127.0.0.1:4010',
      },
      intercom: {
        accessToken: 'fake-access-token',
        clientSecret: 'fake-client-secret',
        region: 'au',
        baseUrl: 'http://127.0.0.1:4020',
        adminId: '1234567',
      },
    })
  })

  it('come from flags before the environment before the profile, and an empty one counts as none', async () => {
    const profile = { host: '10.0.0.3', port: '3', log: 'pretty' }
    const { host, port, log } = await load(
      { SMS_BRIDGE_HOST: '10.0.0.2', SMS_BRIDGE_PORT: '2', SMS_BRIDGE_LOG: ' ' },
      { flags: { host: '10.0.0.1' }, profile },
    )
    expect({ host, port, log }).toEqual({ host: '10.0.0.1', port: 2, log: 'pretty' })
  })

  it('ask Intercom in its own region', async () => {
    expect((await load({ INTERCOM_REGION: 'eu' })).intercom.baseUrl).toBe('https://api.eu.intercom.io')
    expect((await load({ INTERCOM_REGION: 'au' })).intercom.baseUrl).toBe('https://api.au.intercom.io')
  })

  it('log words on a terminal unless told otherwise', async () => {
    expect((await load({}, { isTTY: true })).log).toBe('pretty')
    expect((await load({ SMS_BRIDGE_LOG: 'json' }, { isTTY: true })).log).toBe('json')
  })

  it('may be plain http on this machine', async () => {
    for (const url of ['http://localhost:8080', 'http://127.0.0.1:8080', 'http://[::1]:8080']) {
      expect((await load({ SMS_BRIDGE_PUBLIC_URL: url })).publicUrl).toBe(url)
    }
  })
})

describe('faults in settings', () => {
  it('are all told at once', async () => {
    const faults = await faultsOf(loadConfig({ env: { SMS_BRIDGE_PORT: 'http' }, flags: {}, profile: {} }))
    expect(faults.map((fault) => fault.split(' ')[0])).toEqual([
      'SMS_BRIDGE_PUBLIC_URL',
      'SMS_BRIDGE_PORT',
      'TWILIO_ACCOUNT_SID',
      'TWILIO_AUTH_TOKEN',
      'INTERCOM_ACCESS_TOKEN',
      'INTERCOM_CLIENT_SECRET',
    ])
    expect(faults[3]).toBe(
      'TWILIO_AUTH_TOKEN is missing: auth token of the Twilio account; while it is rotated, several separated by commas, the first of them for calls. Type sms-bridge config set TWILIO_AUTH_TOKEN',
    )
  })

  it.each([
    ['SMS_BRIDGE_PUBLIC_URL', 'sms.example.com', 'must be an absolute http or https URL'],
    ['SMS_BRIDGE_PUBLIC_URL', 'ftp://sms.example.com', 'must be an absolute http or https URL'],
    ['SMS_BRIDGE_PUBLIC_URL', 'http://sms.example.com', 'must be https unless it is on this machine'],
    ['SMS_BRIDGE_PUBLIC_URL', 'http://127.0.0.1.example.com', 'must be https unless it is on this machine'],
    ['SMS_BRIDGE_PUBLIC_URL', 'https://sms.example.com/?a=1', 'must not have a query or a fragment'],
    ['SMS_BRIDGE_PUBLIC_URL', 'https://sms.example.com/#a', 'must not have a query or a fragment'],
    ['SMS_BRIDGE_PUBLIC_URL', 'https://ada@sms.example.com', 'must not have a user or a password in it'],
    [
      'SMS_BRIDGE_PUBLIC_URL',
      'https://sms_bridge.example.com',
      'must not have an underscore in its host: Twilio refuses it',
    ],
    ['SMS_BRIDGE_HOST', 'http://here', 'must be a host name or an IP address'],
    ['SMS_BRIDGE_PORT', '65536', 'must be a whole number from 0 to 65535'],
    ['SMS_BRIDGE_PORT', '80.5', 'must be a whole number from 0 to 65535'],
    ['SMS_BRIDGE_STORE', 'sqlite:', 'must be sqlite:PATH or postgres://USER@HOST/DATABASE'],
    ['SMS_BRIDGE_STORE', 'bridge.sqlite', 'must be sqlite:PATH or postgres://USER@HOST/DATABASE'],
    ['SMS_BRIDGE_LOG', 'loud', 'must be json or pretty'],
    ['SMS_BRIDGE_DEFAULT_REGION', 'us', 'must be a two-letter ISO 3166 country code in capitals'],
    ['SMS_BRIDGE_DEFAULT_REGION', 'UK', 'must be a two-letter ISO 3166 country code in capitals'],
    ['SMS_BRIDGE_DEFAULT_REGION', 'QQ', 'must be a two-letter ISO 3166 country code in capitals'],
    ['SMS_BRIDGE_RELAY_BOTS', 'yes', 'must be true or false'],
    ['SMS_BRIDGE_TEAMS', '+15550100100', 'must be NUMBER=TEAM_ID pairs separated by commas'],
    ['SMS_BRIDGE_TEAMS', '*=814,*=815', 'must name each number once'],
    ['SMS_BRIDGE_REOPEN', '*=5 days', 'must be NUMBER=TIME pairs such as *=5d or *=12h, separated by commas'],
    ['SMS_BRIDGE_REOPEN', '*=5d,*=6d', 'must name each number once'],
    [
      'SMS_BRIDGE_HOURS',
      'Mon-Fri 9-18',
      'must be NUMBER=HOURS pairs such as *=Mon-Fri 9-18 America/Denver, separated by commas',
    ],
    ['SMS_BRIDGE_HOURS', '*=Mon 9-17,*=Tue 9-17', 'must name each number once'],
    [
      'SMS_BRIDGE_HOURS',
      '*=Mon 9-25',
      'must give hours of a 24-hour clock such as 9-18, 9:30-12:30, 22-6 or 0-24, not "9-25"',
    ],
    ['SMS_BRIDGE_HOLIDAYS', '12-25,2026-02-29', 'separated by commas: "2026-02-29" is none'],
    ['SMS_BRIDGE_AWAY_TEXT', 'Back {opens}, {name}', 'must have no placeholder but {opens}, not "{name}"'],
    ['SMS_BRIDGE_AWAY_TEXT', 'a'.repeat(481), 'must be at most 480 characters, not 481'],
    ['TWILIO_ACCOUNT_SID', 'AC123', 'must be AC and 32 hexadecimal digits'],
    ['TWILIO_API_BASE_URL', 'proxy:4010', 'must be an absolute http or https URL'],
    ['INTERCOM_REGION', 'us-east-1', 'must be us, eu or au'],
    ['INTERCOM_ADMIN_ID', 'ada', 'must be the number of a teammate'],
  ])('%s=%s', async (name, value, message) => {
    const faults = await faultsOf(load({ [name]: value }))
    expect(faults).toHaveLength(1)
    expect(faults[0]).toMatch(new RegExp(`^${name} `))
    expect(faults[0]).toContain(` ${message}: type export ${name}=`)
  })

  it('name the flag, the variable or the profile they came from', async () => {
    const port = 'must be a whole number from 0 to 65535'
    expect(await faultsOf(load({}, { flags: { port: 'x' } }))).toEqual([`--port "x" ${port}: type --port 8080`])
    expect(await faultsOf(load({ SMS_BRIDGE_PORT: 'x' }))).toEqual([
      `SMS_BRIDGE_PORT "x" ${port}: type export SMS_BRIDGE_PORT=8080`,
    ])
    expect(await faultsOf(load({}, { profile: { port: 'x' } }))).toEqual([
      `SMS_BRIDGE_PORT in the profile "x" ${port}: write "SMS_BRIDGE_PORT": "8080"`,
    ])
  })

  it('never show a secret, nor the password in a URL', async () => {
    const faults = await faultsOf(
      load({
        TWILIO_AUTH_TOKEN: 'PLANTED secret',
        TWILIO_API_SECRET: 'PLANTED secret',
        INTERCOM_ACCESS_TOKEN: 'PLANTED secret',
        INTERCOM_CLIENT_SECRET: 'PLANTED secret',
        SMS_BRIDGE_STORE: 'mysql://ada:PLANTED@/x@db.example.com/bridge',
        SMS_BRIDGE_PUBLIC_URL: 'https://ada:PLANTED@sms.example.com',
      }),
    )
    expect(faults).toHaveLength(7)
    expect(faults.join('\n')).not.toContain('PLANTED')
    expect(faults.join('\n')).toContain('"mysql://ada:…@db.example.com/bridge"')
  })

  it('have a secret typed where nobody sees it, and first out of the environment, which would hide it', async () => {
    const fault = 'must be one token, or several separated by commas: type'
    const set = 'sms-bridge config set TWILIO_AUTH_TOKEN'
    expect(await faultsOf(load({ TWILIO_AUTH_TOKEN: 'a b' }))).toEqual([
      `TWILIO_AUTH_TOKEN ${fault} unset TWILIO_AUTH_TOKEN; ${set}`,
    ])
    expect(await faultsOf(load({ TWILIO_AUTH_TOKEN: '' }, { profile: { twilioAuthToken: 'a b' } }))).toEqual([
      `TWILIO_AUTH_TOKEN in the profile ${fault} ${set}`,
    ])
  })

  it('include a password on the command line', async () => {
    const flags = { store: 'postgres://bridge:PLANTED@db.example.com/bridge' }
    expect(await faultsOf(load({}, { flags }))).toEqual([
      '--store holds a password, which others see in the list of processes: set SMS_BRIDGE_STORE instead',
    ])
  })

  it('include half of an API key', async () => {
    expect(await faultsOf(load({ TWILIO_API_KEY: 'SK0123456789abcdef0123456789abcdef' }))).toEqual([
      'TWILIO_API_SECRET is missing: TWILIO_API_KEY is set and they go together',
    ])
    expect(await faultsOf(load({ TWILIO_API_SECRET: 'fake-api-secret' }))).toEqual([
      'TWILIO_API_KEY is missing: TWILIO_API_SECRET is set and they go together',
    ])
  })

  it('include a team or hours for what is no number', async () => {
    expect(await faultsOf(load({ SMS_BRIDGE_TEAMS: '5550100100=814,ACME=815,*=816' }))).toEqual([
      'SMS_BRIDGE_TEAMS "5550100100" must be a number such as +15550100100, a short code or *',
      'SMS_BRIDGE_TEAMS "ACME" must be a number such as +15550100100, a short code or *',
    ])
    expect(await faultsOf(load({ SMS_BRIDGE_HOURS: '5550100100=Mon 9-17' }))).toEqual([
      'SMS_BRIDGE_HOURS "5550100100" must be a number such as +15550100100, a short code or *',
    ])
  })
})

describe('a look into the store', () => {
  it('needs no other setting, however wrong', async () => {
    const sources = { env: { SMS_BRIDGE_HOME: '/srv/bridge', SMS_BRIDGE_PORT: 'x' }, flags: {}, profile: {} }
    expect(await loadStoreConfig(sources)).toEqual({
      home: '/srv/bridge',
      store: 'sqlite:/srv/bridge/sms-bridge.sqlite',
    })
  })
})

describe('folders', () => {
  it('are the platform’s own', () => {
    const home = { HOME: '/home/ada' }
    expect(findFolders(home, 'linux')).toEqual({
      config: '/home/ada/.config/sms-bridge',
      data: '/home/ada/.local/share/sms-bridge',
    })
    expect(findFolders({ ...home, XDG_DATA_HOME: '/data', XDG_CONFIG_HOME: 'relative' }, 'linux')).toEqual({
      config: '/home/ada/.config/sms-bridge',
      data: '/data/sms-bridge',
    })
    expect(findFolders(home, 'darwin').data).toBe('/home/ada/Library/Application Support/sms-bridge')
  })

  it('are one folder when SMS_BRIDGE_HOME names it', () => {
    expect(findFolders({ SMS_BRIDGE_HOME: '/srv/bridge' })).toEqual({ config: '/srv/bridge', data: '/srv/bridge' })
  })
})
