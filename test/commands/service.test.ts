// The service commands against a machine that only writes down what it is told.
import { spawnSync } from 'node:child_process'
import { mkdirSync, readFileSync, statSync, symlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { createContext } from '../../src/cli/context.js'
import { serviceInstall } from '../../src/commands/service/install.js'
import { type Machine, type Ran, thisMachine } from '../../src/commands/service/machine.js'
import { serviceProxy } from '../../src/commands/service/proxy.js'
import { serviceStatus } from '../../src/commands/service/status.js'
import { serviceUninstall } from '../../src/commands/service/uninstall.js'
import { unitText } from '../../src/commands/service/unit.js'
import { openStore } from '../../src/store/open.js'
import { ManualClock } from '../support/manual-clock.js'
import { tempFolder } from '../support/temp.js'
import { testIo } from '../support/test-io.js'

const secrets = {
  TWILIO_AUTH_TOKEN: '0123456789abcdef0123456789abcdef',
  INTERCOM_ACCESS_TOKEN: 'PLANTED-access-token',
  INTERCOM_CLIENT_SECRET: 'PLANTED-client-secret',
}
const complete = {
  SMS_BRIDGE_PUBLIC_URL: 'https://sms.example.com',
  TWILIO_ACCOUNT_SID: `AC${'0'.repeat(32)}`,
  ...secrets,
}
const options = { name: 'sms-bridge', yes: true, dryRun: false, json: false }

interface Answers {
  readonly [line: string]: Partial<Ran>
}

function fakeMachine(answers: Answers = {}, more: Partial<Machine> = {}) {
  const told: string[] = []
  const files = new Map<string, string>()
  const machine: Machine = {
    uid: 0,
    node: '/usr/bin/node',
    script: '/usr/lib/node_modules/sms-bridge/bin/sms-bridge.js',
    stateFolder: '/var/lib',
    async run(program, args) {
      const line = [program, ...args].join(' ')
      told.push(line)
      const known = Object.keys(answers).find((start) => line.startsWith(start))
      return { code: 0, stdout: '', stderr: '', ...(known === undefined ? {} : answers[known]) }
    },
    async write(path, text, mode) {
      told.push(`write ${path} ${mode.toString(8)}`)
      files.set(path, text)
    },
    exists: async () => false,
    async remove(path) {
      told.push(`remove ${path}`)
    },
    ...more,
  }
  return { machine, told, files }
}

function stage(profile: object = complete) {
  const home = tempFolder()
  writeFileSync(join(home, 'profile.json'), JSON.stringify(profile), { mode: 0o600 })
  const env = { SMS_BRIDGE_HOME: home }
  const io = testIo({ env })
  const stopSignal = () => new AbortController().signal
  return { io, home, context: createContext({ io, env, clock: new ManualClock(0), flags: {}, stopSignal }) }
}

const running: Answers = { 'systemctl is-system-running': { stdout: 'running\n' } }
const fresh: Answers = { ...running, 'id -u': { code: 1 } }

describe('service install', () => {
  it('makes a user, its folder, the profile that only it can read, the unit, and starts it', async () => {
    const { context, io } = stage({ ...complete, SMS_BRIDGE_TEAMS: '*=814' })
    const { machine, told, files } = fakeMachine(fresh)
    expect(await serviceInstall(context, options, machine)).toBe(0)
    expect(told).toEqual([
      'systemctl is-system-running',
      'id -u sms-bridge',
      'useradd --system --user-group --home-dir /var/lib/sms-bridge --shell /usr/sbin/nologin sms-bridge',
      'install -d -m 0700 -o sms-bridge -g sms-bridge /var/lib/sms-bridge',
      'write /var/lib/sms-bridge/profile.json 600',
      'chown -h sms-bridge:sms-bridge /var/lib/sms-bridge/profile.json',
      'write /etc/systemd/system/sms-bridge.service 644',
      'systemctl daemon-reload',
      'systemctl enable sms-bridge.service',
      'systemctl restart sms-bridge.service',
    ])
    const profile: unknown = JSON.parse(files.get('/var/lib/sms-bridge/profile.json') ?? '')
    expect(profile).toEqual({ ...complete, SMS_BRIDGE_TEAMS: '*=814' })
    for (const secret of Object.values(secrets)) {
      expect(files.get('/etc/systemd/system/sms-bridge.service')).not.toContain(secret)
      expect(io.transcript()).not.toContain(secret)
      expect(told.join('\n')).not.toContain(secret)
    }
  })

  it('keeps the user that is there, and takes another name for a second bridge', async () => {
    const { context } = stage()
    const { machine, told } = fakeMachine(running)
    expect(await serviceInstall(context, { ...options, name: 'sms-bridge-eu' }, machine)).toBe(0)
    expect(told.filter((line) => line.startsWith('useradd'))).toEqual([])
    expect(told.at(-1)).toBe('systemctl restart sms-bridge-eu.service')
  })

  it('leaves the settings of an earlier install as they are, and needs none here', async () => {
    const { context, io } = stage({})
    const { machine, told } = fakeMachine(running, { exists: async () => true })
    expect(await serviceInstall(context, options, machine)).toBe(0)
    expect(told.filter((line) => line.includes('profile.json'))).toEqual([])
    expect(told.at(-1)).toBe('systemctl restart sms-bridge.service')
    expect(io.stderr().split('\n')[0]).toBe(
      '! /var/lib/sms-bridge/profile.json is there and stays as it is; to change a setting: sudo -u sms-bridge env SMS_BRIDGE_HOME=/var/lib/sms-bridge sms-bridge config set NAME VALUE',
    )
  })

  it('writes over no link that the service left for root to follow', async () => {
    const folder = tempFolder()
    const victim = join(folder, 'victim')
    writeFileSync(victim, 'mine')
    symlinkSync(victim, join(folder, 'profile.json.new'))
    await thisMachine.write(join(folder, 'profile.json'), 'new', 0o600)
    expect([readFileSync(victim, 'utf8'), readFileSync(join(folder, 'profile.json'), 'utf8')]).toEqual(['mine', 'new'])
    expect(statSync(join(folder, 'profile.json')).mode & 0o777).toBe(0o600)
  })

  it('shows the unit and every step without being root, and does none', async () => {
    const { context, io } = stage()
    const { machine, told } = fakeMachine(fresh, { uid: 1000 })
    expect(await serviceInstall(context, { ...options, dryRun: true }, machine)).toBe(0)
    expect(told).toEqual([])
    const { node, script } = machine
    expect(io.stdout()).toBe(`${unitText({ name: 'sms-bridge', node, script, home: '/var/lib/sms-bridge' })}\n`)
    expect(io.stderr().split('\n')).toContain('would run: systemctl enable sms-bridge.service')
  })

  it('says what to type when it cannot be done, and does nothing', async () => {
    const tried = async (answers: Answers, more: Partial<Machine>, name = 'sms-bridge') => {
      const { context, home } = stage()
      const { machine, told } = fakeMachine(answers, more)
      const error: unknown = await serviceInstall(context, { ...options, name }, machine).catch((thrown) => thrown)
      expect(told.filter((line) => !line.startsWith('systemctl is-system-running'))).toEqual([])
      return error instanceof Error ? error.message.replaceAll(home, '~') : error
    }
    expect(await tried(running, { uid: 1000 })).toBe(
      'Only root may do that: type sudo /usr/bin/node /usr/lib/node_modules/sms-bridge/bin/sms-bridge.js --profile ~/profile.json service install',
    )
    expect(await tried({ 'systemctl is-system-running': { code: 127 } }, {})).toBe(
      'systemd does not run here (a container, or another system). Let whatever starts your services run sms-bridge serve, or see the unit: sms-bridge service install --dry-run',
    )
    expect(await tried(running, { script: '/home/dana/.npm/_npx/1/node_modules/sms-bridge/bin/sms-bridge.js' })).toBe(
      'sms-bridge was fetched by npx for this once: type sudo npm install -g sms-bridge, then sudo sms-bridge service install',
    )
    expect(await tried(running, { node: '/root/.nvm/versions/node/v24/bin/node' })).toBe(
      '/root/.nvm/versions/node/v24/bin/node is where the service cannot see it (somebody’s home, or a folder for what passes). Install Node for all users',
    )
    expect(await tried(running, {}, 'Sms Bridge')).toBe(
      '--name Sms Bridge is no name for a service: lower-case letters, digits and -, such as sms-bridge-eu',
    )
  })

  it('names all settings that are missing before it asks for anything else', async () => {
    const { context } = stage({ SMS_BRIDGE_PUBLIC_URL: 'https://sms.example.com' })
    const { machine, told } = fakeMachine(running)
    await expect(serviceInstall(context, options, machine)).rejects.toThrow('TWILIO_ACCOUNT_SID is missing')
    expect(told).toEqual([])
  })

  it('stops at the step that fails and says what helps', async () => {
    const { context } = stage()
    const { machine, told } = fakeMachine({ ...running, 'systemctl restart': { code: 1, stderr: 'Job failed.\n' } })
    await expect(serviceInstall(context, options, machine)).rejects.toThrow(
      'systemctl restart sms-bridge.service ended with 1: Job failed. See why: journalctl -u sms-bridge -n 30',
    )
    expect(told.at(-1)).toBe('systemctl restart sms-bridge.service')
  })

  it('leaves a store of SQLite where it is and says how it is brought along', async () => {
    const { context, io } = stage({ ...complete, SMS_BRIDGE_STORE: 'sqlite:/srv/texts.sqlite' })
    const { machine, files } = fakeMachine(running)
    await serviceInstall(context, options, machine)
    expect(JSON.parse(files.get('/var/lib/sms-bridge/profile.json') ?? '')).toEqual(complete)
    expect(io.stderr().split('\n')[0]).toBe(
      '! the service keeps a store of its own; to bring along sqlite:/srv/texts.sqlite: sms-bridge backup FILE here, then sms-bridge restore FILE --moved there',
    )
  })
})

describe('service uninstall', () => {
  it('stops it, removes the unit, and leaves settings and store', async () => {
    const { context, io } = stage()
    const { machine, told } = fakeMachine({ 'systemctl show': { stdout: 'LoadState=loaded\n' } })
    expect(await serviceUninstall(context, options, machine)).toBe(0)
    expect(told.slice(1)).toEqual([
      'systemctl disable --now sms-bridge.service',
      'remove /etc/systemd/system/sms-bridge.service',
      'systemctl daemon-reload',
    ])
    expect(io.stderr()).toContain('Its settings and its store stay in /var/lib/sms-bridge.')
  })

  it('of one that is not there says so', async () => {
    const { context } = stage()
    const { machine } = fakeMachine({ 'systemctl show': { stdout: 'LoadState=not-found\n' } })
    await expect(serviceUninstall(context, options, machine)).rejects.toThrow('There is no service sms-bridge here')
  })
})

describe('service status', () => {
  const told = async (lines: readonly string[], stateFolder = tempFolder()) => {
    const { context, io } = stage()
    const { machine } = fakeMachine({ 'systemctl show': { stdout: `${lines.join('\n')}\n` } }, { stateFolder })
    const code = await serviceStatus(context, { name: 'sms-bridge-test', json: false }, machine)
    return [code, ...io.stdout().trimEnd().split('\n')]
  }

  it('is down when it is not installed, or has failed', async () => {
    expect(await told(['LoadState=not-found', 'ActiveState=inactive'])).toEqual([
      4,
      'sms-bridge-test  DOWN  not installed',
      'Next: sudo sms-bridge service install',
    ])
    const failed = ['LoadState=loaded', 'ActiveState=failed', 'SubState=failed', 'Result=exit-code', 'ExecMainStatus=2']
    expect(await told(failed)).toEqual([
      4,
      'sms-bridge-test  DOWN  not running (failed): it ended with 2: a setting is missing or wrong, or its port is taken',
      'Next: journalctl -u sms-bridge-test -n 30',
    ])
    const looping = ['LoadState=loaded', 'ActiveState=activating', 'SubState=auto-restart', 'Result=watchdog']
    expect((await told(looping)).slice(0, 2)).toEqual([
      4,
      'sms-bridge-test  DOWN  not running (activating): it gave no sign of life and was ended; it is started again within seconds',
    ])
    const starting = ['LoadState=loaded', 'ActiveState=activating', 'SubState=start', 'Result=success']
    expect((await told(starting))[0]).toBe(3)
  })

  it('is healthy while the heartbeat in its own store is fresh, degraded when it hangs', async () => {
    const up = ['LoadState=loaded', 'ActiveState=active', 'SubState=running', 'NRestarts=0', 'UnitFileState=enabled']
    const beaten = async (at: number) => {
      const stateFolder = tempFolder()
      const home = join(stateFolder, 'sms-bridge-test')
      mkdirSync(home)
      const store = await openStore(`sqlite:${join(home, 'sms-bridge.sqlite')}`, { now: at })
      await store.register('serve-1', 15_000, at)
      await store.close()
      return told(up, stateFolder)
    }
    expect(await beaten(-3_000)).toEqual([0, 'sms-bridge-test  HEALTHY  running, heartbeat 3s ago'])
    expect(await beaten(-90_000)).toEqual([
      3,
      'sms-bridge-test  DEGRADED  running, but heartbeat 1m ago',
      'Next: journalctl -u sms-bridge-test -n 30',
    ])
  })

  it('goes by systemd alone when the store cannot be read', async () => {
    const up = ['LoadState=loaded', 'ActiveState=active', 'SubState=running', 'NRestarts=2', 'UnitFileState=enabled']
    const [code, line] = await told(up)
    expect(code).toBe(0)
    expect(line).toMatch(
      /^sms-bridge-test {2}HEALTHY {2}running, started anew 2 times since it was enabled; its heartbeat cannot be read: There is no store at/,
    )
  })
})

const analyze = spawnSync('systemd-analyze', ['--version']).status === 0
if (!analyze)
  process.stderr.write('\n*** SKIPPED: the unit judged by systemd itself. systemd-analyze is not here ***\n')

describe.skipIf(!analyze)('the unit', () => {
  const written = () => {
    const path = join(tempFolder(), 'sms-bridge.service')
    // Of this test's own node, so that it is there.
    const unit = unitText({ name: 'sms-bridge', node: process.execPath, script: '/srv/a b%c$d.js', home: '/var/lib/x' })
    writeFileSync(path, unit)
    return path
  }

  it('is understood by systemd, to the last word', () => {
    const { status, stderr } = spawnSync('systemd-analyze', ['verify', written()], { encoding: 'utf8' })
    expect({ status, stderr }).toEqual({ status: 0, stderr: '' })
  })
})

describe('service proxy', () => {
  it.each(['caddy', 'nginx'] as const)('prints what %s needs for the public URL, vendors’ paths only', async (kind) => {
    const { context, io } = stage({ ...complete, SMS_BRIDGE_PUBLIC_URL: 'https://sms.example.com/bridge' })
    expect(await serviceProxy(context, kind)).toBe(0)
    await expect(io.stdout()).toMatchFileSnapshot(`../transcripts/service-proxy-${kind}.txt`)
  })

  it('wants an address with HTTPS', async () => {
    const { context } = stage({ ...complete, SMS_BRIDGE_PUBLIC_URL: 'http://127.0.0.1:8080' })
    await expect(serviceProxy(context, 'caddy')).rejects.toThrow(
      'SMS_BRIDGE_PUBLIC_URL is http://127.0.0.1:8080: a proxy is for an address that begins with https://',
    )
  })
})
