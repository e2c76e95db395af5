// `sms-bridge init` without a person: everything from flags and the environment.
import { existsSync, readFileSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { commandLine } from '../support/command-line.js'
import { hurriedClock, type InitWorld, mainNumber, otherNumber, sidOf, startInitWorld } from '../support/init-world.js'

/** Seconds on a quiet machine. */
const patience = { timeout: 120_000 }
const demo = 'https://demo.twilio.com/welcome/sms/reply'
const fragment = '#ct=3000&rt=4000&rc=5&rp=all'

function stage(world: InitWorld) {
  const line = commandLine({ env: world.env })
  return { ...line, init: (flags: string, env: Record<string, string> = {}) => line.run(`init ${flags}`, { env }) }
}

describe('init with flags alone', patience, () => {
  it('sets the numbers, creates the attributes, proves URL and topics, and cleans up', async () => {
    const world = await startInitWorld()
    await world.subscribe()
    const { init, home } = stage(world)
    const { code, text, stdout } = await init('--numbers all --yes --json')
    expect(text).toContain('[exit 0]')
    expect(code).toBe(0)
    const sms = `${world.publicUrl}/webhooks/twilio/sms`
    for (const number of [mainNumber, otherNumber]) {
      const set = await world.read(`/IncomingPhoneNumbers/${sidOf(world, number)}.json`)
      expect(set).toMatchObject({ sms_url: `${sms}${fragment}`, sms_method: 'POST', sms_fallback_url: sms })
      expect(set).toMatchObject({ sms_fallback_method: 'POST', voice_url: null, status_callback: '' })
    }
    const result = JSON.parse(stdout)
    expect(result).toMatchObject({
      applied: true,
      twilio: { account: world.accountSid, trial: false },
      intercom: {
        app: 'acme1234',
        region: 'us',
        permissions_missing: [],
        attributes: { created: ['city', 'state', 'country'] },
        wrong_secret: false,
      },
      public_url: { url: world.publicUrl },
    })
    expect(result.intercom.topics.map(({ state }: { state: string }) => state)).toEqual(Array(5).fill('proven'))
    expect(result.public_url.checks.map(({ ok }: { ok: boolean }) => ok)).toEqual([true, true, true])
    expect(world.intercom.conversations()).toEqual([])
    expect(world.intercom.contacts().map(({ archived }) => archived)).toEqual([true])
    const authorization = `Bearer ${world.env.INTERCOM_ACCESS_TOKEN}`
    const tags = await fetch(`${world.intercom.url}/tags`, { headers: { authorization, accept: 'application/json' } })
    expect(await tags.json()).toEqual({ type: 'list', data: [] })
    expect(world.twilio.messages()).toEqual([])
    // Secrets came from the environment and stayed there.
    expect(existsSync(join(home, 'profile.json'))).toBe(false)
    for (const secret of [world.authToken, 'fake-access-token', 'fake-client-secret']) {
      expect(text).not.toContain(secret)
      expect(readFileSync(join(home, 'undo.json'), 'utf8')).not.toContain(secret)
    }
    expect(statSync(join(home, 'undo.json')).mode & 0o777).toBe(0o600)
  })

  it('shows the plan of a dry run and changes nothing, nowhere', async () => {
    const world = await startInitWorld()
    const { init, home } = stage(world)
    const { code, stdout } = await init(`--numbers ${mainNumber} --dry-run`)
    expect(code).toBe(0)
    expect(stdout).toContain(`SmsUrl             ${demo} → ${world.publicUrl}/webhooks/twilio/sms${fragment}`)
    expect(stdout).toContain('Will create in Intercom: contact attributes city, state, country')
    expect(world.twilio.numbers().map(({ smsUrl }) => smsUrl)).toEqual([demo, demo])
    expect(existsSync(join(home, 'undo.json'))).toBe(false)
    expect(existsSync(join(home, 'sms-bridge.sqlite'))).toBe(false)
    const written = Object.keys(world.twilio.requestCounts()).filter((name) => name.startsWith('POST'))
    expect(written).toEqual([])
  })

  it('says when each number is open, and what a customer gets outside its hours', async () => {
    const world = await startInitWorld()
    const { init } = stage(world)
    const SMS_BRIDGE_HOURS = `${mainNumber}=mon-fri 9-18 america/denver,*=Sat 10-14`
    const { code, text } = await init('--numbers all --dry-run', {
      SMS_BRIDGE_HOURS,
      SMS_BRIDGE_AWAY_TEXT: 'We answer {opens}.',
    })
    expect(code).toBe(0)
    expect(text).toContain(`${mainNumber} is open Mon–Fri 9–18 america/denver\n`)
    expect(text).toContain(`${otherNumber} is open Sat 10–14 (Etc/UTC, the workspace’s time zone)\n`)
    expect(text).toContain('Outside its hours a customer gets, once until it opens: We answer {opens}.\n')
    const byFlag = await init('--numbers all --dry-run --reopen *=5d')
    expect(byFlag.text).toContain('Would keep SMS_BRIDGE_REOPEN = *=5d, in the profile\n')
    const wrong = await init('--numbers all --dry-run', { SMS_BRIDGE_HOURS: '*=Mon 9' })
    expect(wrong.code).toBe(2)
    expect(wrong.text).toContain('must give hours of a 24-hour clock such as 9-18, 9:30-12:30, 22-6 or 0-24, not "9"')
  })

  it('lists all that is missing at once, and exits with 2', async () => {
    const { run } = commandLine()
    const { code, text } = await run('init')
    expect(code).toBe(2)
    for (const name of [
      'SMS_BRIDGE_PUBLIC_URL',
      'TWILIO_ACCOUNT_SID',
      'TWILIO_AUTH_TOKEN',
      'INTERCOM_ACCESS_TOKEN',
      'INTERCOM_CLIENT_SECRET',
      '--numbers',
      '--yes',
    ]) {
      expect(text).toContain(`${name} is missing`)
    }
  })

  it('lists what is missing as a person reads it', async () => {
    const line = commandLine()
    await line.run('init')
    await line.run('init --json --dry-run', {
      env: { TWILIO_ACCOUNT_SID: 'AC1', TWILIO_API_KEY: `SK${'5'.repeat(32)}` },
    })
    await line.run('init --undo')
    await expect(line.transcript()).toMatchFileSnapshot('../transcripts/init-no-terminal.txt')
  })

  it('has a profile and an undo of its own for each name', async () => {
    const world = await startInitWorld()
    const { run, home } = commandLine({ env: world.env })
    const staging = await run(
      `--profile staging init --numbers ${mainNumber} --yes --no-topics --teams *=814 --reopen *=1d --hours *=none`,
    )
    expect(staging.text).toContain('[exit 0]')
    expect(existsSync(join(home, 'profile.json'))).toBe(false)
    expect(JSON.parse(readFileSync(join(home, 'profiles', 'staging.json'), 'utf8'))).toEqual({
      SMS_BRIDGE_TEAMS: '*=814',
      SMS_BRIDGE_REOPEN: '*=1d',
      SMS_BRIDGE_HOURS: '*=none',
    })
    expect((await run('init --undo --yes')).code).toBe(6)
    expect(world.twilio.numbers()[0]?.smsUrl).toBe(`${world.publicUrl}/webhooks/twilio/sms${fragment}`)
    expect((await run('--profile staging init --undo --yes')).code).toBe(0)
    expect(world.twilio.numbers()[0]?.smsUrl).toBe(demo)
  })

  it('keeps what flags gave for serve, and needs nothing the second time', async () => {
    const world = await startInitWorld()
    await world.subscribe()
    const { init, home } = stage(world)
    await init(`--numbers all --yes --teams ${mainNumber}=814 --public-url ${world.publicUrl}`, {
      SMS_BRIDGE_PUBLIC_URL: '',
    })
    expect(JSON.parse(readFileSync(join(home, 'profile.json'), 'utf8'))).toEqual({
      SMS_BRIDGE_PUBLIC_URL: world.publicUrl,
      SMS_BRIDGE_TEAMS: `${mainNumber}=814`,
    })
    const again = await init('--numbers all --yes --json', { SMS_BRIDGE_PUBLIC_URL: '' })
    expect(again.code).toBe(0)
    expect(JSON.parse(again.stdout).twilio.changes).toEqual([])
    expect(again.text).toContain('Nothing to change at Twilio.')
  })
})

describe('init --undo', patience, () => {
  it('restores exactly what was, reads it back, and forgets it', async () => {
    const world = await startInitWorld({
      twilio: {
        numbers: [
          {
            phoneNumber: mainNumber,
            smsUrl: 'https://old.example.com/sms?key=1',
            smsFallbackUrl: 'https://old.example.com/f',
          },
          { phoneNumber: otherNumber },
          { phoneNumber: '24273', kind: 'short-code' },
        ],
      },
    })
    const { init, home } = stage(world)
    const paths = [
      ...[mainNumber, otherNumber].map((number) => `/IncomingPhoneNumbers/${sidOf(world, number)}.json`),
      `/SMS/ShortCodes/${sidOf(world, '24273')}.json`,
    ]
    const look = async () => {
      const all = await Promise.all(paths.map((path) => world.read(path)))
      return all.map(({ date_updated, ...settings }) => settings)
    }
    const before = await look()
    await init('--numbers all --yes --replace-foreign --no-topics')
    expect(await look()).not.toEqual(before)
    const { code, text } = await init('--undo --yes')
    expect(text).toContain(`${mainNumber}: restored, read back, the same`)
    // What was there is shown, but for what may be a key.
    expect(text).toContain('→ https://old.example.com/sms?…')
    expect(code).toBe(0)
    expect(await look()).toEqual(before)
    expect(existsSync(join(home, 'undo.json'))).toBe(false)
    expect((await init('--undo --yes')).code).toBe(6)
  })

  it('goes back to the very first state, however often init has run', async () => {
    const world = await startInitWorld()
    const { init } = stage(world)
    await init(`--numbers ${mainNumber} --yes --no-topics`)
    const moved = `http://localhost:${world.port}`
    const again = await init(`--numbers ${mainNumber} --yes --no-topics --replace-foreign`, {
      SMS_BRIDGE_PUBLIC_URL: moved,
    })
    expect(again.code).toBe(0)
    expect(world.twilio.numbers()[0]?.smsUrl).toBe(`${moved}/webhooks/twilio/sms${fragment}`)
    await init('--undo --yes')
    expect(world.twilio.numbers()[0]?.smsUrl).toBe(demo)
  })

  it('leaves alone what somebody has changed since, and says how to restore it all the same', async () => {
    const world = await startInitWorld()
    const { init } = stage(world)
    await init(`--numbers ${mainNumber} --yes --no-topics`)
    world.twilio.setSmsUrl(mainNumber, 'https://new.example.com/sms')
    const { code, text } = await init('--undo --yes')
    expect(code).toBe(5)
    expect(text).toContain('somebody has changed it since')
    expect(world.twilio.numbers()[0]?.smsUrl).toBe('https://new.example.com/sms')
    expect((await init('--undo --yes --replace-foreign')).code).toBe(0)
    expect(world.twilio.numbers()[0]?.smsUrl).toBe(demo)
  })
})

describe('init names what is wrong', patience, () => {
  it('a wrong auth token', async () => {
    const world = await startInitWorld()
    const { code, text } = await stage(world).init('--numbers all --yes', { TWILIO_AUTH_TOKEN: 'wrong' })
    expect(code).toBe(7)
    expect(text).toContain(`Twilio refuses the auth token for ${world.accountSid}`)
  })

  it('a malformed secret, without a command that would put it into the shell’s history', async () => {
    const world = await startInitWorld()
    const { init, home } = stage(world)
    const fault = 'TWILIO_AUTH_TOKEN must be one token, or several separated by commas: type'
    const ofEnvironment = await init('--numbers all --yes', { TWILIO_AUTH_TOKEN: 'PLANTED token' })
    expect(ofEnvironment.code).toBe(2)
    expect(ofEnvironment.text).toContain(`${fault} unset TWILIO_AUTH_TOKEN; sms-bridge config set TWILIO_AUTH_TOKEN\n`)
    writeFileSync(join(home, 'profile.json'), '{ "TWILIO_AUTH_TOKEN": "PLANTED token" }', { mode: 0o600 })
    const ofProfile = await init('--numbers all --yes', { TWILIO_AUTH_TOKEN: '' })
    expect(ofProfile.code).toBe(2)
    expect(ofProfile.text).toContain(
      'TWILIO_AUTH_TOKEN in the profile must be one token, or several separated by commas: type sms-bridge config set TWILIO_AUTH_TOKEN\n',
    )
    // Without the command line itself.
    const [, ...said] = `${ofEnvironment.text}${ofProfile.text}`.split('\n')
    expect(said.join('\n')).not.toMatch(/PLANTED|export TWILIO_AUTH_TOKEN/)
  })

  it('a wrong access token', async () => {
    const world = await startInitWorld()
    const { code, text } = await stage(world).init('--numbers all --yes', { INTERCOM_ACCESS_TOKEN: 'wrong' })
    expect(code).toBe(7)
    expect(text).toContain('Intercom refuses the access token in every region')
  })

  it('a region that the environment has wrong', async () => {
    const world = await startInitWorld({ intercom: { region: 'EU' } })
    const { code, text } = await stage(world).init('--numbers all --yes', { INTERCOM_REGION: 'us' })
    expect(code).toBe(2)
    expect(text).toContain('INTERCOM_REGION is us in the environment, which goes first: type export INTERCOM_REGION=eu')
  })

  it('the region it found itself is kept', async () => {
    const world = await startInitWorld({ intercom: { region: 'AU' } })
    const { init, home } = stage(world)
    const { text } = await init('--numbers all --yes --no-topics')
    expect(text).toContain('the region is au, not us')
    expect(JSON.parse(readFileSync(join(home, 'profile.json'), 'utf8'))).toEqual({ INTERCOM_REGION: 'au' })
  })

  it('a client secret that is not the app’s', async () => {
    const world = await startInitWorld()
    await world.subscribe()
    const { run } = commandLine({ env: world.env, clock: hurriedClock() })
    const { code, text } = await run('init --numbers all --yes', { env: { INTERCOM_CLIENT_SECRET: 'of-another-app' } })
    expect(code).toBe(3)
    expect(text).toContain('INTERCOM_CLIENT_SECRET is that of another app')
  })

  it('a topic that is not ticked', async () => {
    const world = await startInitWorld()
    await world.subscribe(['conversation.admin.noted'])
    const { run } = commandLine({ env: world.env, clock: hurriedClock() })
    const { code, text } = await run('init --numbers all --yes')
    expect(code).toBe(3)
    expect(text).toContain('✓ conversation.admin.noted')
    expect(text).toContain('✗ conversation.admin.replied did not come: is it ticked, and saved?')
  })

  it('permissions that are not ticked, by their tick boxes', async () => {
    const unticked = ['Write conversations', 'Delete conversations and metrics', 'Write data attributes', 'Read admins']
    const world = await startInitWorld({ intercom: { unticked } })
    const { code, text } = await stage(world).init('--numbers all --yes --no-topics')
    expect(code).toBe(3)
    expect(text).toContain('✗ the app lacks "Write conversations", to show a text in the inbox')
    expect(text).toContain('! the app lacks "Delete conversations and metrics"')
    expect(text).toContain('! attribute city: ')
  })

  it('each permission alone', async () => {
    const boxes = [
      'Read and list users and companies',
      'Read one user and one company',
      'Write users and companies',
      'Read conversations',
      'Write conversations',
      'Read admins',
      'Write data attributes',
      'Write tags',
      'Delete conversations and metrics',
    ]
    for (const box of boxes) {
      const world = await startInitWorld({ intercom: { unticked: [box] } })
      const { stdout } = await stage(world).init('--numbers all --dry-run --json')
      expect(JSON.parse(stdout).intercom.permissions_missing.map((one: { box: string }) => one.box)).toEqual([box])
    }
  })

  it('a trial account', async () => {
    const world = await startInitWorld({ twilio: { accountType: 'Trial' } })
    const { text, stdout } = await stage(world).init('--numbers all --dry-run --json')
    expect(text).toContain('a trial account: it texts verified numbers only')
    expect(JSON.parse(stdout).twilio.trial).toBe(true)
  })

  it('a foreign webhook, and leaves it alone until told otherwise', async () => {
    const world = await startInitWorld()
    world.twilio.setSmsUrl(otherNumber, 'https://crm.example.com/hook?token=secret')
    const { init } = stage(world)
    const { code, text } = await init('--numbers all --yes')
    expect(code).toBe(2)
    expect(text).toContain(
      `Somebody else gets the texts of ${otherNumber}: its texts go to https://crm.example.com/hook?…`,
    )
    expect(text).not.toContain('token=secret')
    expect(world.twilio.numbers().map(({ smsUrl }) => smsUrl)).toEqual([
      demo,
      'https://crm.example.com/hook?token=secret',
    ])
    expect((await init('--numbers all --yes --replace-foreign --no-topics')).code).toBe(0)
    expect(world.twilio.numbers()[1]?.smsUrl).toBe(`${world.publicUrl}/webhooks/twilio/sms${fragment}`)
  })

  it('a number in a service that drops its texts, and sets the service, naming all of its numbers', async () => {
    const world = await startInitWorld()
    const { sid } = await world.write('/v1/Services', { FriendlyName: 'Support' })
    for (const number of [mainNumber, otherNumber]) {
      await world.write(`/v1/Services/${sid}/PhoneNumbers`, { PhoneNumberSid: sidOf(world, number) })
    }
    const { init } = stage(world)
    const { code, text } = await init(`--numbers ${mainNumber} --yes --no-topics`)
    expect(code).toBe(0)
    expect(text).toContain(
      'Messaging Service "Support" has no inbound URL, so its texts are thrown away and in no list',
    )
    expect(text).toContain(`for all of its numbers: ${mainNumber}, ${otherNumber}`)
    const sms = `${world.publicUrl}/webhooks/twilio/sms`
    expect(await world.read(`/v1/Services/${sid}`)).toMatchObject({
      inbound_request_url: `${sms}${fragment}`,
      inbound_method: 'POST',
      fallback_url: sms,
      use_inbound_webhook_on_number: false,
    })
    expect(world.twilio.numbers().map(({ smsUrl }) => smsUrl)).toEqual([demo, demo])
    await init('--undo --yes')
    expect(await world.read(`/v1/Services/${sid}`)).toMatchObject({ inbound_request_url: null, fallback_url: null })
  })

  it('an application that overrules a number, and takes it off', async () => {
    const world = await startInitWorld()
    const { sid } = await world.write('/Applications.json', { SmsUrl: 'https://app.example.com/sms' })
    const path = `/IncomingPhoneNumbers/${sidOf(world, mainNumber)}.json`
    await world.write(path, { SmsApplicationSid: String(sid) })
    const { init } = stage(world)
    await init(`--numbers ${mainNumber} --yes --no-topics --replace-foreign`)
    expect(await world.read(path)).toMatchObject({
      sms_application_sid: '',
      sms_url: `${world.publicUrl}/webhooks/twilio/sms${fragment}`,
    })
    await init('--undo --yes')
    expect(await world.read(path)).toMatchObject({ sms_application_sid: sid, sms_url: demo })
  })

  it('a public URL that leads elsewhere, and changes nothing', async () => {
    const world = await startInitWorld()
    const { code, text } = await stage(world).init('--numbers all --yes', { SMS_BRIDGE_PUBLIC_URL: world.intercom.url })
    expect(code).toBe(8)
    expect(text).toContain('Nothing was changed. To go on without the proof: --skip-url-proof')
    expect(world.twilio.numbers().map(({ smsUrl }) => smsUrl)).toEqual([demo, demo])
  })

  it('a team that does not exist', async () => {
    const world = await startInitWorld()
    const { code, text } = await stage(world).init(`--numbers all --yes --teams ${mainNumber}=999`)
    expect(code).toBe(2)
    expect(text).toContain('The workspace has no team 999; its teams are 814 (Support)')
  })

  it('a number that the account does not have', async () => {
    const world = await startInitWorld()
    const { code, text } = await stage(world).init('--numbers +15550100999 --yes')
    expect(code).toBe(2)
    expect(text).toContain(`+15550100999 is no number of this account, which has ${mainNumber}, ${otherNumber}`)
  })
})
