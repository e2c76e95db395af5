import { chmodSync, existsSync, readFileSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { commandLine } from '../support/command-line.js'

const planted = 'PLANTED-secret-4711'
const modeOf = (path: string) => statSync(path).mode & 0o777

describe('config', () => {
  it('looks as in config.txt', async () => {
    const { home, run, transcript } = commandLine()
    await run('config list')
    await run('config set public-url https://sms.example.com/')
    await run('config set SMS_BRIDGE_PORT 9000', { env: { SMS_BRIDGE_PORT: '9100' } })
    await run('config set TWILIO_AUTH_TOKEN --stdin', { piped: `${planted}\n` })
    await run('config set store --stdin', { piped: `postgres://bridge:${planted}@db.example.com/bridge` })
    await run('config list', { env: { SMS_BRIDGE_LOG: 'loud' } })
    await run('config get public-url')
    await run('config get twilio_auth_token')
    await run('config get TWILIO_API_KEY')
    await run('config unset port')
    await run('config unset port')
    await run('config path')
    expect(modeOf(join(home, 'profile.json'))).toBe(0o600)
    expect(readFileSync(join(home, 'profile.json'), 'utf8')).toContain(`"TWILIO_AUTH_TOKEN": "${planted}"`)
    expect(transcript()).not.toContain(planted)
    await expect(transcript()).toMatchFileSnapshot('../transcripts/config.txt')
  })

  it('looks as in config-json.txt', async () => {
    const { run, transcript } = commandLine()
    await run('config set TWILIO_AUTH_TOKEN --stdin --json', { piped: planted })
    await run('config set port 9000 --json', { env: { SMS_BRIDGE_PORT: '9100' } })
    await run('config get TWILIO_AUTH_TOKEN --json')
    await run('config get TWILIO_API_KEY --json')
    await run('config unset port --json')
    await run('config unset port --json')
    await run('config path --json')
    const { stdout } = await run('config list --json')
    expect(JSON.parse(stdout).settings).toContainEqual({
      name: 'TWILIO_AUTH_TOKEN',
      value: '••••',
      from: 'profile',
      secret: true,
      required: true,
      fault: null,
    })
    expect(transcript()).not.toContain(planted)
    await expect(transcript()).toMatchFileSnapshot('../transcripts/config-json.txt')
  })

  it('refuses as in config-refused.txt, and changes nothing', async () => {
    const { home, run, transcript } = commandLine()
    const lines = [
      'config',
      `config set TWILIO_AUTH_TOKEN ${planted}`,
      `config set store postgres://bridge:${planted}@db.example.com/bridge`,
      'config set INTERCOM_ACCESS_TOKEN',
      'config set port',
      'config set hours',
      `config set TWILIO_AUTH_TOKEN=${planted}`,
      'config set port http',
      'config set port 80 --stdin',
      'config set teams +15550100100=814,555-0100=815',
      'config set default-region XX',
      'config set SMS_BRIDGE_HOME /srv',
      'config set prot 80',
      'config get wurst',
      'config list --profile ../../etc',
    ]
    for (const line of lines) await run(line)
    expect(transcript().replace(/^\$ .*/gm, '')).not.toContain(planted)
    await expect(transcript()).toMatchFileSnapshot('../transcripts/config-refused.txt')
    expect(existsSync(join(home, 'profile.json'))).toBe(false)
  })

  it('asks for a secret without showing it', async () => {
    const { home, run } = commandLine({ tty: true })
    const { code, text } = await run('config set TWILIO_AUTH_TOKEN', {
      async meanwhile(io) {
        await io.shows('TWILIO_AUTH_TOKEN:')
        io.type(`${planted}\n`)
      },
    })
    expect(code).toBe(0)
    expect(text).not.toContain(planted)
    expect(readFileSync(join(home, 'profile.json'), 'utf8')).toContain(planted)
  })

  it('makes a profile that others could read private again', async () => {
    const { home, run } = commandLine()
    const path = join(home, 'profile.json')
    writeFileSync(path, '{}')
    chmodSync(path, 0o644)
    await run('config set TWILIO_AUTH_TOKEN --stdin', { piped: planted })
    expect(modeOf(path)).toBe(0o600)
  })
})

describe('a named profile', () => {
  it('has settings and a store of its own, as in profiles.txt', async () => {
    const { home, run, transcript } = commandLine()
    await run('status --profile staging')
    await run('--profile staging config set port 9001')
    await run('config get port --profile staging')
    await run('config get port', { env: { SMS_BRIDGE_PROFILE: 'staging' } })
    await run('config get port --profile default', { env: { SMS_BRIDGE_PROFILE: 'staging' } })
    await run('config get store --profile staging')
    await run('status --profile staging')
    await run('config path --profile /srv/other.json')
    expect(modeOf(join(home, 'profiles'))).toBe(0o700)
    expect(modeOf(join(home, 'profiles/staging.json'))).toBe(0o600)
    await expect(transcript()).toMatchFileSnapshot('../transcripts/profiles.txt')
  })

  it('may be a credential that systemd keeps, whatever its access list looks like', async () => {
    const { home, run } = commandLine()
    const path = join(home, 'profile.json')
    writeFileSync(path, JSON.stringify({ TWILIO_AUTH_TOKEN: planted }))
    chmodSync(path, 0o440)
    expect((await run(`config get TWILIO_AUTH_TOKEN --profile ${path}`)).text).toContain('other users can read it')
    const env = { CREDENTIALS_DIRECTORY: home }
    expect((await run(`config get TWILIO_AUTH_TOKEN --profile ${path}`, { env })).code).toBe(0)
  })
})
