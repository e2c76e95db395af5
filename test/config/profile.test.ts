import { chmodSync, existsSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { constants, tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { findPlaces } from '../../src/config/folders.js'
import { readProfile, writeSetting } from '../../src/config/profile.js'
import { ConfigError, UserError } from '../../src/errors.js'

let home: string
let path: string
beforeEach(() => {
  home = mkdtempSync(join(tmpdir(), 'sms-bridge-profile-'))
  path = join(home, 'profile.json')
})
afterEach(() => rmSync(home, { recursive: true }))

function write(text: string, mode: number): void {
  writeFileSync(path, text)
  chmodSync(path, mode)
}

describe('the profile', () => {
  const read = () => readProfile({ env: { SMS_BRIDGE_HOME: home }, flags: {} })

  it('holds settings under their environment names', async () => {
    write('{ "SMS_BRIDGE_PORT": 9000, "SMS_BRIDGE_RELAY_BOTS": true, "TWILIO_AUTH_TOKEN": "fake" }', 0o600)
    expect(await read()).toEqual({ port: '9000', relayBots: 'true', twilioAuthToken: 'fake' })
    expect(readdirSync(home)).toEqual(['profile.json'])
  })

  it('may be missing, and reading makes nothing', async () => {
    expect(await readProfile({ env: { SMS_BRIDGE_HOME: join(home, 'none') }, flags: {} })).toEqual({})
    expect(existsSync(join(home, 'none'))).toBe(false)
  })

  it('leaves the signals of the process alone when it is written', async () => {
    const listeners = () => Object.keys(constants.signals).flatMap((signal) => process.listeners(signal as 'SIGINT'))
    const before = listeners()
    await writeSetting(findPlaces({ env: { SMS_BRIDGE_HOME: home }, flags: {} }), 'port', '9000')
    expect(listeners()).toEqual(before)
    expect(await read()).toEqual({ port: '9000' })
  })

  it('is refused when it holds a secret that other users can read', async () => {
    write('{ "TWILIO_AUTH_TOKEN": "PLANTED" }', 0o640)
    await expect(read()).rejects.toThrow(
      new ConfigError([
        `${path} holds TWILIO_AUTH_TOKEN and other users can read it (mode 0640): type chmod 600 ${path}`,
      ]),
    )
  })

  it('may be open to all when it holds no secret', async () => {
    write('{ "SMS_BRIDGE_PORT": "9000" }', 0o644)
    expect(await read()).toEqual({ port: '9000' })
  })

  it('is refused, all faults at once, when it holds what is no setting', async () => {
    write('{ "SMS_BRIDGE_PROT": "9000", "SMS_BRIDGE_HOME": "/x", "SMS_BRIDGE_TEAMS": { "*": "814" } }', 0o600)
    await expect(read()).rejects.toThrow(
      new ConfigError([
        `SMS_BRIDGE_PROT in ${path} is no setting: correct its name or remove it`,
        `SMS_BRIDGE_HOME in ${path} is no setting: correct its name or remove it`,
        `SMS_BRIDGE_TEAMS in ${path} must be text`,
      ]),
    )
  })

  it('that is not JSON is refused without quoting it', async () => {
    write('{ "TWILIO_AUTH_TOKEN": PLANTED }', 0o600)
    await expect(read()).rejects.toThrow(
      new UserError(`the profile ${path} cannot be read: it is not JSON. Mend or remove it`),
    )
  })
})
