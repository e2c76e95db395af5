// What a person, a script and somebody who helps are shown by `doctor`, and how it is told to mend.
import { existsSync, readFileSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { createRedact, redactAll } from '../../src/commands/doctor/redact.js'
import { type DoctorWorld, openDoctorWorld, sidOf } from '../support/doctor-world.js'
import { customer, ours, oursToo } from '../support/test-bridge.js'

const numberPath = ({ world }: DoctorWorld, number: string) => `/IncomingPhoneNumbers/${sidOf(world, number)}.json`

/** What differs from run to run: ports, ids, the disk, times. */
function still(stage: DoctorWorld, text: string): string {
  return text
    .replaceAll(String(stage.world.config.port), '8080')
    .replace(/127\.0\.0\.1:(?!8080)\d+/g, '127.0.0.1:4010')
    .replace(/\b(AC|MG|PN|AP)[0-9a-f]{32}\b/g, '$1…')
    .replace(/\d+ MB free/g, '98765 MB free')
    .replace(/\b\d+s ago/g, '5s ago')
    .replace(/up \d+s/g, 'up 5s')
    .replace(/"at": \d+/g, '"at": 1764000000000')
}

const transcript = (name: string) => `../transcripts/${name}.txt`

async function breakMuch(stage: DoctorWorld): Promise<Readonly<Record<string, string>>> {
  await stage.twilio(numberPath(stage, ours), { SmsMethod: 'GET', SmsFallbackUrl: '' })
  stage.world.twilio.setCampaign(stage.serviceSid, 'IN_PROGRESS')
  return { SMS_BRIDGE_TEAMS: `${ours}=999` }
}

describe('the screen of doctor', () => {
  it('is short when nothing is wrong', async () => {
    const stage = await openDoctorWorld()
    const { text } = await stage.run('doctor', { tty: true, env: {} })
    await expect(still(stage, text)).toMatchFileSnapshot(transcript('doctor'))
  })

  it('groups what is wrong by who can mend it, on a terminal and on a pipe', async () => {
    const stage = await openDoctorWorld()
    const env = await breakMuch(stage)
    await stage.run('doctor', { tty: true, env })
    await stage.run('doctor', { env })
    await expect(still(stage, stage.transcript())).toMatchFileSnapshot(transcript('doctor-broken'))
  })

  it('says what is missing where nothing is set', async () => {
    const stage = await openDoctorWorld()
    const none = Object.fromEntries(Object.keys(stage.env).map((name) => [name, '']))
    const { text } = await stage.run('doctor', { tty: true, env: none })
    const shown = text.replace(/^\$ .*sms-bridge/, '$ sms-bridge')
    await expect(still(stage, shown)).toMatchFileSnapshot(transcript('doctor-nothing-set'))
  })

  it('is JSON for scripts, whose fields are a contract', async () => {
    const stage = await openDoctorWorld()
    const env = await breakMuch(stage)
    const { text, stdout } = await stage.run('doctor --json', { env })
    expect(JSON.parse(stdout)).toMatchObject({
      schema_version: 1,
      verdict: 'failed',
      summary: { failed: 4, warning: 2, ok: 22, skipped: 3 },
      fixed: [],
      bundle: null,
    })
    await expect(still(stage, text)).toMatchFileSnapshot(transcript('doctor-json'))
  })
})

describe('doctor --fix', () => {
  it('shows old and new, asks, and does nothing without a yes', async () => {
    const stage = await openDoctorWorld()
    await stage.twilio(numberPath(stage, ours), { SmsMethod: 'GET' })
    const answering = (answer: string) => ({
      tty: true,
      meanwhile: async (io: { shows(text: string): Promise<void>; type(text: string): void }) => {
        await io.shows('Apply?')
        io.type(`${answer}\r`)
      },
    })
    expect((await stage.run('doctor --fix', answering('n'))).code).toBe(4)
    expect(await stage.twilio(numberPath(stage, ours))).toMatchObject({ sms_method: 'GET' })
    expect(existsSync(join(stage.home, 'undo.json'))).toBe(false)
    const { code, stdout } = await stage.run('doctor --fix', answering('y'))
    expect(code).toBe(0)
    expect(stdout).toContain(`  ${ours}  SmsMethod  GET → POST\n`)
    expect(await stage.twilio(numberPath(stage, ours))).toMatchObject({ sms_method: 'POST' })
  })

  it('changes nothing where nobody can answer, and says what to type', async () => {
    const stage = await openDoctorWorld()
    await stage.twilio(numberPath(stage, ours), { SmsMethod: 'GET' })
    for (const flags of ['--fix', '--fix --json', `--fix webhook:${ours}`]) {
      const { code, text } = await stage.run(`doctor ${flags}`)
      expect(code).toBe(2)
      expect(text).toContain(`type sms-bridge doctor --fix${flags.includes(':') ? ` webhook:${ours}` : ''} --yes`)
    }
    expect(await stage.twilio(numberPath(stage, ours))).toMatchObject({ sms_method: 'GET' })
    expect(existsSync(join(stage.home, 'undo.json'))).toBe(false)
  })

  it('refuses an id that is not there, or that no program can mend, with those it could', async () => {
    const stage = await openDoctorWorld()
    await stage.twilio(numberPath(stage, ours), { SmsMethod: 'GET' })
    const unknown = await stage.run('doctor --fix webhok --yes')
    expect(unknown.code).toBe(2)
    expect(unknown.text).toContain(`There is no check webhok. It can mend webhook:${ours}\n`)
    expect(unknown.text).toContain('Checks: settings, profile, twilio-credentials,')
    const env = { SMS_BRIDGE_TEAMS: `${ours}=999` }
    const teams = await stage.run('doctor --fix teams --yes', { env })
    expect(teams.code).toBe(2)
    expect(teams.text).toContain('teams cannot be mended by this program: name one that is there (814 Support)')
    expect(await stage.twilio(numberPath(stage, ours))).toMatchObject({ sms_method: 'GET' })
  })

  it('has nothing to do where all is fine', async () => {
    const stage = await openDoctorWorld()
    expect((await stage.run('doctor --fix --yes')).text).toContain('Nothing that this program could mend.')
    const one = await stage.run(`doctor --fix webhook:${oursToo} --yes`)
    expect(one.code).toBe(0)
    expect(one.text).toContain(`webhook:${oursToo} is fine: there is nothing to mend.`)
    expect((await stage.run('doctor --yes')).code).toBe(2)
    expect((await stage.run('doctor --timeout soon')).code).toBe(2)
  })

  it('ends at Ctrl-C', async () => {
    const stage = await openDoctorWorld()
    stage.world.intercom.faults.arm('slow', { ms: 5_000 })
    const { code } = await stage.run('doctor', {
      meanwhile: async (io) => {
        await io.shows('Looking at everything')
        io.interrupt()
      },
    })
    expect(code).toBe(130)
  })
})

describe('doctor --bundle', () => {
  it('writes what helps, for nobody else to read, without a secret, a number or a text', async () => {
    const sid = `SK${'1'.repeat(32)}`
    const stage = await openDoctorWorld({ twilio: { apiKeys: { [sid]: 'fake-api-secret' } } })
    const body = 'My order number is PLANTED-4711 and I am cross'
    stage.world.twilio.text({ from: customer, to: ours, body })
    await stage.world.settled()
    await stage.world.reconcile()
    const token = stage.world.config.twilio.authTokens[0] ?? ''
    const secrets = ['fake-api-secret', 'fake-access-token', 'fake-client-secret', token, 'the-old-token']
    const env = {
      TWILIO_API_KEY: sid,
      TWILIO_API_SECRET: 'fake-api-secret',
      TWILIO_AUTH_TOKEN: `${token},the-old-token`,
      SMS_BRIDGE_TEAMS: `${ours}=999,24273=814`,
    }
    const file = join(stage.home, 'report.json')
    const { code, text, stdout } = await stage.run(`doctor --json --bundle ${file}`, { env })
    expect(code).toBe(4)
    expect(JSON.parse(stdout).bundle).toBe(file)
    expect(text).toContain('Written to ~/report.json')
    expect(statSync(file).mode & 0o777).toBe(0o600)
    const written = readFileSync(file, 'utf8')
    for (const hidden of [...secrets, ours, oursToo, customer, '24273', body, 'PLANTED-4711']) {
      expect(written).not.toContain(hidden)
    }
    expect(written).not.toMatch(/\+\d{7,}/)
    const bundle = JSON.parse(written)
    expect(Object.keys(bundle)).toEqual([
      'schema_version',
      'version',
      'node',
      'platform',
      'settings',
      'doctor',
      'status',
    ])
    expect(bundle.version).toMatch(/^\d+\.\d+\.\d+/)
    expect(bundle.status.schema_version).toBe(1)
    expect(bundle.settings).toContainEqual({ name: 'INTERCOM_ACCESS_TOKEN', value: '••••', from: 'env' })
    expect(bundle.doctor.checks.map(({ id }: { id: string }) => id)).toContain('webhook:…0100')
  })

  it('hides what is said about a secret or a number, wherever it stands', () => {
    const redact = createRedact(['hunter2', 'hunter2-and-more'], ['24273'])
    const said = {
      '+15550100177': ['Cannot open postgres://ada:pass%20word@db/x: hunter2-and-more, hunter2', '24273 and 124273'],
      at: 1795516643987,
    }
    expect(redactAll(said, redact)).toEqual({
      '…0177': ['Cannot open postgres://ada:…@db/x: ••••, ••••', '…73 and 124273'],
      at: 1795516643987,
    })
  })

  it('overwrites nothing', async () => {
    const stage = await openDoctorWorld()
    const file = join(stage.home, 'report.json')
    writeFileSync(file, 'mine')
    const { code, text } = await stage.run(`doctor --bundle ${file}`)
    expect(code).toBe(2)
    expect(text).toContain('is there already: name another file')
    expect(readFileSync(file, 'utf8')).toBe('mine')
  })
})
