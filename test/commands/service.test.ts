// The service commands against a machine that only writes down what it is told.
import { spawnSync } from 'node:child_process'
import {
  chmodSync,
  existsSync,
  lstatSync,
  mkdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { userInfo } from 'node:os'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { createContext } from '../../src/cli/context.js'
import { systemClock } from '../../src/clock.js'
import { serviceInstall } from '../../src/commands/service/install.js'
import type { Machine, Ran } from '../../src/commands/service/machine.js'
import { serviceProxy } from '../../src/commands/service/proxy.js'
import { serviceStatus } from '../../src/commands/service/status.js'
import { serviceUninstall } from '../../src/commands/service/uninstall.js'
import { unitText } from '../../src/commands/service/unit.js'
import { openStore } from '../../src/store/open.js'
import { commandLine, type RunOptions } from '../support/command-line.js'
import { ManualClock } from '../support/manual-clock.js'
import { tempFolder } from '../support/temp.js'
import { type TestIo, testIo } from '../support/test-io.js'

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
/** A user that owns nothing, for when tests are run by root, who may read everything. */
const nobody = 65_534
const options = { name: 'sms-bridge', yes: true, dryRun: false, json: false }

interface Answers {
  /** One after the other; the last one again and again. */
  readonly [line: string]: Partial<Ran> | readonly Partial<Ran>[]
}

function fakeMachine(answers: Answers = {}, more: Partial<Machine> = {}) {
  const told: string[] = []
  const files = new Map<string, string>()
  const machine: Machine = {
    uid: 0,
    node: '/usr/bin/node',
    script: '/usr/lib/node_modules/sms-bridge/bin/sms-bridge.js',
    root: '',
    stateFolder: '/var/lib',
    exists: () => false,
    read: async () => undefined,
    async run(program, args) {
      const line = [program, ...args].join(' ')
      told.push(line)
      const known = Object.keys(answers).find((start) => line.startsWith(start))
      const all = known === undefined ? [] : [answers[known] ?? []].flat()
      const before = told.filter((one) => known !== undefined && one.startsWith(known)).length - 1
      return { code: 0, stdout: '', stderr: '', ...(all[before] ?? all.at(-1)) }
    },
    async write(path, text, mode, owner) {
      told.push(`write ${path} ${mode.toString(8)}${owner === undefined ? '' : ` ${owner.uid}:${owner.gid}`}`)
      files.set(path, text)
    },
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

const running: Answers = { 'systemctl is-system-running': { stdout: 'running\n' }, id: { stdout: '997\n' } }
const fresh: Answers = { ...running, id: [{ code: 1 }, { stdout: '997\n' }] }

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
      'id -u sms-bridge',
      'id -g sms-bridge',
      'write /var/lib/sms-bridge/profile.json 600 997:997',
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
    const { machine, told } = fakeMachine(running, { exists: () => true })
    expect(await serviceInstall(context, options, machine)).toBe(0)
    expect(told.filter((line) => line.includes('profile.json'))).toEqual([])
    expect(told.at(-1)).toBe('systemctl restart sms-bridge.service')
    expect(io.stderr().split('\n')[0]).toBe(
      '! /var/lib/sms-bridge/profile.json is there and stays as it is; to change a setting: sudo -u sms-bridge env SMS_BRIDGE_HOME=/var/lib/sms-bridge sms-bridge config set NAME VALUE',
    )
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
      'systemd does not run here (a container, or another system). Let whatever starts your services run sms-bridge serve. To see the unit all the same: sms-bridge service install --dry-run',
    )
    expect(await tried(running, { script: '/home/dana/.npm/_npx/1/node_modules/sms-bridge/bin/sms-bridge.js' })).toBe(
      'sms-bridge was fetched by npx for this once: type sudo npm install -g sms-bridge, then sudo sms-bridge service install',
    )
    expect(await tried(running, { node: '/root/.nvm/versions/node/v24/bin/node' })).toBe(
      '/root/.nvm/versions/node/v24/bin/node is where the service cannot see it (somebody’s home, or a folder for what passes). Install Node for all users',
    )
    expect(await tried(running, {}, 'Sms Bridge')).toBe(
      '--name Sms Bridge is no name for a service of ours: sms-bridge, then lower-case letters, digits and -, such as sms-bridge-eu',
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
      [
        'systemctl restart sms-bridge.service ended with 1: Job failed.',
        'It is installed and did not start. See why: journalctl -u sms-bridge -n 30',
        'To take back what was done instead:',
        '  sudo sms-bridge service uninstall',
        '  sudo rm /var/lib/sms-bridge/profile.json',
        '  sudo rm -r /var/lib/sms-bridge',
      ].join('\n'),
    )
    expect(told.at(-1)).toBe('systemctl restart sms-bridge.service')
  })

  it('leaves a store of SQLite where it is and says how it is brought along', async () => {
    const { context, io } = stage({ ...complete, SMS_BRIDGE_STORE: 'sqlite:/srv/texts.sqlite' })
    const { machine, files } = fakeMachine(running)
    await serviceInstall(context, options, machine)
    expect(JSON.parse(files.get('/var/lib/sms-bridge/profile.json') ?? '')).toEqual(complete)
    expect(io.stderr().split('\n')[0]).toBe(
      '! the service keeps its store in /var/lib/sms-bridge/sms-bridge.sqlite, not in /srv/texts.sqlite',
    )
  })
})

/** A machine below a folder: its programs are ours, write down what they are told, and answer from its `systemd` file. */
function machineInFolder() {
  const line = commandLine()
  const root = join(line.home, 'machine')
  const log = join(root, 'told')
  mkdirSync(join(root, 'usr/bin'), { recursive: true })
  mkdirSync(join(root, 'etc/systemd/system'), { recursive: true })
  const program = (name: string, script: string) =>
    writeFileSync(join(root, 'usr/bin', name), `#!/bin/sh\necho "${name} $*" >> '${log}'\n${script}\n`, { mode: 0o755 })
  const { uid, gid } = userInfo()
  program('id', `[ -e '${root}/user' ] || exit 1\n[ "$1" = -u ] && echo ${uid} || echo ${gid}`)
  program('useradd', `touch '${root}/user'`)
  program('install', 'for last; do :; done; mkdir -p "$last" && chmod 700 "$last"')
  program('systemctl', `case "$1" in is-system-running) echo running;; show) cat '${root}/systemd';; esac`)
  writeFileSync(join(root, 'systemd'), 'LoadState=not-found\nActiveState=inactive\n')
  writeFileSync(join(line.home, 'profile.json'), JSON.stringify(complete), { mode: 0o600 })
  const at = (path: string) => join(root, path)
  const type = (words: string, more?: RunOptions) => line.run(words.replace(/^service \S+/, `$& --root ${root}`), more)
  return {
    ...line,
    at,
    program,
    type,
    told: () => (existsSync(log) ? readFileSync(log, 'utf8').replaceAll(root, '').trimEnd().split('\n') : []),
    says: (...lines: readonly string[]) => writeFileSync(at('systemd'), `${lines.join('\n')}\n`),
    /** As on a machine of its own. */
    transcript: () => line.transcript().replaceAll(' --root ~/machine', '').replaceAll('~/machine', ''),
  }
}

const up = ['LoadState=loaded', 'ActiveState=active', 'SubState=running', 'NRestarts=0', 'UnitFileState=enabled']
const profilePath = 'var/lib/sms-bridge/profile.json'
const unitPath = 'etc/systemd/system/sms-bridge.service'

describe('service, as it is typed', () => {
  it('is installed, looked at and taken off as in service.txt', async () => {
    const { at, type, told, says, transcript } = machineInFolder()
    expect((await type('service install --dry-run')).code).toBe(0)
    expect((await type('service install')).code).toBe(2)
    const no = async (io: TestIo) => {
      await io.shows('Run these?')
      io.type('n\n')
    }
    expect((await type('service install', { tty: true, meanwhile: no })).code).toBe(0)
    expect(existsSync(at(unitPath)) || existsSync(at(profilePath))).toBe(false)
    expect((await type('service status')).code).toBe(4)
    expect((await type('service install --yes')).code).toBe(0)
    expect(JSON.parse(readFileSync(at(profilePath), 'utf8'))).toEqual(complete)
    expect(statSync(at(profilePath)).mode & 0o777).toBe(0o600)
    expect(statSync(at(unitPath)).mode & 0o777).toBe(0o644)
    const store = await openStore(`sqlite:${at('var/lib/sms-bridge/sms-bridge.sqlite')}`, { now: Date.now() })
    await store.register('serve-1', 15_000, Date.now())
    await store.close()
    says(...up)
    expect((await type('service status', { clock: systemClock })).code).toBe(0)
    says(...up, `FragmentPath=/${unitPath}`)
    expect((await type('service uninstall --dry-run')).code).toBe(0)
    expect(existsSync(at(unitPath))).toBe(true)
    expect((await type('service uninstall --yes')).code).toBe(0)
    expect(existsSync(at(unitPath))).toBe(false)
    expect(existsSync(at(profilePath))).toBe(true)
    says('LoadState=not-found')
    expect((await type('service uninstall --yes')).code).toBe(6)
    const shown = transcript().replace(/heartbeat \ds ago/g, 'heartbeat Ns ago')
    const everything = [shown, ...told()].join('\n')
    for (const secret of Object.values(secrets)) expect(everything).not.toContain(secret)
    await expect(`${shown}\nWhat its programs were told:\n${told().join('\n')}\n`).toMatchFileSnapshot(
      '../transcripts/service.txt',
    )
  })

  it('says what is left when it fails half-way, and goes on from there', async () => {
    const { at, program, type, told, says, transcript } = machineInFolder()
    for (const name of ['useradd', 'install']) {
      const good = readFileSync(at(`usr/bin/${name}`), 'utf8')
      program(name, 'echo "no space left" >&2; exit 1')
      expect((await type('service install --yes')).code).toBe(1)
      writeFileSync(at(`usr/bin/${name}`), good)
    }
    const good = readFileSync(at('usr/bin/systemctl'), 'utf8')
    program('systemctl', 'case "$1" in is-system-running) echo running;; *) echo "Access denied" >&2; exit 4;; esac')
    expect((await type('service install --yes')).code).toBe(1)
    expect(existsSync(at(unitPath))).toBe(true)
    writeFileSync(at('usr/bin/systemctl'), good)
    says('LoadState=not-found')
    // What the words told to type does it, though systemd has not read the unit yet.
    const before = told().length
    expect((await type('service uninstall --yes')).code).toBe(0)
    expect(told().slice(before)).toEqual([
      'systemctl is-system-running',
      'systemctl show sms-bridge.service --property=LoadState,FragmentPath',
      'systemctl daemon-reload',
      'systemctl disable --now sms-bridge.service',
      'systemctl daemon-reload',
    ])
    expect(existsSync(at(unitPath))).toBe(false)
    expect((await type('service install --yes --json')).code).toBe(0)
    // A new version over it, whose service does not start: what ran before is not told to be removed.
    program(
      'systemctl',
      'case "$1" in is-system-running) echo running;; restart) echo "Job failed." >&2; exit 1;; esac',
    )
    expect((await type('service install --yes')).code).toBe(1)
    await expect(transcript()).toMatchFileSnapshot('../transcripts/service-half-way.txt')
  })

  it('follows no link that the service put into its folder', async () => {
    const { at, home, type } = machineInFolder()
    await type('service install --yes')
    const precious = join(home, 'precious')
    writeFileSync(precious, 'precious', { mode: 0o644 })
    rmSync(at(profilePath))
    symlinkSync(precious, at(`${profilePath}.new`))
    expect((await type('service install --yes')).code).toBe(0)
    expect(readFileSync(precious, 'utf8')).toBe('precious')
    expect(statSync(precious).mode & 0o777).toBe(0o644)
    expect(lstatSync(at(profilePath)).isFile()).toBe(true)
    expect(JSON.parse(readFileSync(at(profilePath), 'utf8'))).toEqual(complete)
  })

  it('leaves units, users and folders of others alone', async () => {
    const { at, type, says, told } = machineInFolder()
    const unit = '[Unit]\nDescription=Somebody’s own\n'
    writeFileSync(at(unitPath), unit)
    says(...up, `FragmentPath=/${unitPath}`)
    for (const words of ['service install --yes', 'service uninstall --yes']) {
      const { code, text } = await type(words)
      expect([code, text]).toEqual([2, expect.stringContaining('was not written by sms-bridge, and is left alone')])
    }
    rmSync(at(unitPath))
    says(...up, 'FragmentPath=/usr/lib/systemd/system/sms-bridge.service')
    expect((await type('service uninstall --yes')).text).toContain('is of /usr/lib/systemd/system/sms-bridge.service')
    for (const name of ['ssh', 'postgres', 'sms-bridge/../ssh', 'sms-bridge-']) {
      expect((await type(`service install --yes --name ${name}`)).text).toContain('is no name for a service of ours')
      expect((await type(`service uninstall --yes --name ${name}`)).text).toContain('is no name for a service of ours')
    }
    expect(told().filter((line) => !/is-system-running| show /.test(line))).toEqual([])
  })

  it('tells where its store is, how to move, and installs no second bridge beside one that runs', async () => {
    const { at, home, type, told } = machineInFolder()
    const now = Date.now()
    const mine = await openStore(`sqlite:${join(home, 'sms-bridge.sqlite')}`, { now })
    await mine.register('serve-1', 15_000, now)
    const refused = await type('service install --yes')
    expect(refused.code).toBe(2)
    expect(refused.text).toContain('a serve is running on ~/sms-bridge.sqlite: stop it first (Ctrl-C)')
    expect(told()).toEqual([])
    await mine.unregister('serve-1', now)
    await mine.close()
    const { code, text } = await type('service install --yes')
    expect(code).toBe(0)
    expect(text).toContain('its store in /var/lib/sms-bridge/sms-bridge.sqlite; yours stays at ~/sms-bridge.sqlite.')
    expect(text).toContain('restore /var/lib/sms-bridge/moved.sqlite --moved --yes')
    // Once it has a store of its own that is no longer news.
    writeFileSync(at('var/lib/sms-bridge/sms-bridge.sqlite'), '')
    expect((await type('service install --yes')).text).not.toContain('yours stays')
  })

  it('finds the store of whoever typed sudo beside the profile', async () => {
    const { home, type } = machineInFolder()
    const config = join(home, 'ada/.config/sms-bridge')
    const data = join(home, 'ada/.local/share/sms-bridge')
    for (const folder of [config, join(config, 'profiles'), join(data, 'profiles')])
      mkdirSync(folder, { recursive: true })
    for (const [profile, file] of [
      [join(config, 'profile.json'), join(data, 'sms-bridge.sqlite')],
      [join(config, 'profiles/eu.json'), join(data, 'profiles/eu.sqlite')],
    ] as const) {
      writeFileSync(profile, JSON.stringify(complete), { mode: 0o600 })
      await (await openStore(`sqlite:${file}`, { now: Date.now() })).close()
      const { text } = await type(`service install --dry-run --profile ${profile}`)
      expect(text).toContain(`yours stays at ${file.replace(home, '~')}`)
    }
  })

  it('names under sudo what comes from the environment, not its values', async () => {
    const env = { ...complete, SMS_BRIDGE_HOME: tempFolder() }
    const io = testIo({ env })
    const stopSignal = () => new AbortController().signal
    const context = createContext({ io, env, clock: new ManualClock(0), flags: {}, stopSignal })
    const { machine } = fakeMachine(running, { uid: 1000 })
    await expect(serviceInstall(context, options, machine)).rejects.toThrow(
      /^Only root may do that: type sudo --preserve-env=SMS_BRIDGE_PUBLIC_URL,TWILIO_ACCOUNT_SID,TWILIO_AUTH_TOKEN,INTERCOM_ACCESS_TOKEN,INTERCOM_CLIENT_SECRET \S+ \S+ service install$/,
    )
  })

  it('cannot listen where only root may, or at another port each time', async () => {
    for (const port of ['443', '0']) {
      const { context } = stage({ ...complete, SMS_BRIDGE_PORT: port })
      const { machine, told } = fakeMachine(running)
      await expect(serviceInstall(context, options, machine)).rejects.toThrow(`SMS_BRIDGE_PORT ${port} is`)
      expect(told).toEqual([])
    }
  })
})

describe('service uninstall', () => {
  it('stops it, removes the unit, and leaves settings and store', async () => {
    const { context, io } = stage()
    const { machine, told } = fakeMachine({ ...running, 'systemctl show': { stdout: 'LoadState=loaded\n' } })
    expect(await serviceUninstall(context, options, machine)).toBe(0)
    expect(told.slice(2)).toEqual([
      'systemctl disable --now sms-bridge.service',
      'remove /etc/systemd/system/sms-bridge.service',
      'systemctl daemon-reload',
    ])
    expect(io.stderr()).toContain('Its settings and its store stay in /var/lib/sms-bridge.')
  })

  it('shows every step without being root, and does none', async () => {
    const tried = async (lines: readonly string[], more: Partial<Machine> = {}) => {
      const { context, io } = stage()
      const answers = { ...running, 'systemctl show': { stdout: `${lines.join('\n')}\n` } }
      const { machine, told } = fakeMachine(answers, { uid: 1000, ...more })
      const code = await serviceUninstall(context, { ...options, yes: false, dryRun: true, json: true }, machine)
      expect(told).toEqual([
        'systemctl is-system-running',
        'systemctl show sms-bridge.service --property=LoadState,FragmentPath',
      ])
      return { code, ...JSON.parse(io.stdout()) }
    }
    const unit = '/etc/systemd/system/sms-bridge.service'
    const steps = ['systemctl disable --now sms-bridge.service', `rm -f ${unit}`, 'systemctl daemon-reload']
    const told = { code: 0, schema_version: 1, name: 'sms-bridge', removed: null, kept: '/var/lib/sms-bridge', steps }
    expect(await tried(['LoadState=loaded', `FragmentPath=${unit}`])).toEqual({ ...told, uninstalled: false })
    // Left half-way by an install: systemd has not read it yet.
    const read = async () => '[Unit]\nDescription=sms-bridge (sms-bridge)\n'
    expect((await tried(['LoadState=not-found'], { read })).steps).toEqual(['systemctl daemon-reload', ...steps])
  })

  it('ends a dry run as the real thing would before its first step', async () => {
    const tried = async (lines: readonly string[], more: Partial<Machine> = {}) => {
      const { context } = stage()
      const answers = { ...running, 'systemctl show': { stdout: `${lines.join('\n')}\n` } }
      const { machine } = fakeMachine(answers, { uid: 1000, ...more })
      return serviceUninstall(context, { ...options, dryRun: true }, machine)
    }
    await expect(tried(['LoadState=not-found'])).rejects.toMatchObject({ exitCode: 6 })
    await expect(tried([], { read: async () => '[Unit]\nDescription=Somebody’s own\n' })).rejects.toMatchObject({
      exitCode: 2,
    })
  })

  it('of one that is not there says so', async () => {
    const { context } = stage()
    const { machine } = fakeMachine({ ...running, 'systemctl show': { stdout: 'LoadState=not-found\n' } })
    await expect(serviceUninstall(context, options, machine)).rejects.toThrow('There is no service sms-bridge here')
  })
})

describe('service status', () => {
  const told = async (lines: readonly string[], stateFolder = tempFolder(), more: Partial<Machine> = {}) => {
    const { context, io } = stage()
    const { machine } = fakeMachine(
      { ...running, 'systemctl show': { stdout: `${lines.join('\n')}\n` } },
      { stateFolder, ...more },
    )
    const code = await serviceStatus(context, { name: 'sms-bridge-test', json: false }, machine)
    return [code, ...io.stdout().trimEnd().split('\n')]
  }

  it('is down when it is not installed, or has failed', async () => {
    expect(await told(['LoadState=not-found', 'ActiveState=inactive'])).toEqual([
      4,
      'sms-bridge-test  DOWN  not installed',
      'Next: sudo sms-bridge service install --name sms-bridge-test',
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

  it('goes by systemd alone when the store cannot be read, and does not call that healthy', async () => {
    const up = ['LoadState=loaded', 'ActiveState=active', 'SubState=running', 'NRestarts=2', 'UnitFileState=enabled']
    const [code, line, ...more] = await told(up)
    expect(code).toBe(0)
    expect(line).toMatch(
      /^sms-bridge-test {2}RUNNING {2}by systemd alone, started anew 2 times since it was enabled; heartbeat not seen: There is no store at/,
    )
    expect(more).toEqual([])
    expect((await told([...up.slice(0, -1), 'UnitFileState=disabled'])).slice(0, 2)).toEqual([
      3,
      'sms-bridge-test  DEGRADED  running, heartbeat not seen, started anew 2 times since it was enabled, but it does not start with the machine',
    ])
  })

  it('tells who may not read the service’s folder what was not seen, and how to see it', async () => {
    const stateFolder = tempFolder()
    const home = join(stateFolder, 'sms-bridge-test')
    mkdirSync(home, { mode: 0o700 })
    const up = ['LoadState=loaded', 'ActiveState=active', 'SubState=running', 'NRestarts=0', 'UnitFileState=enabled']
    const isRoot = process.geteuid?.() === 0
    if (!isRoot) chmodSync(home, 0)
    else {
      chmodSync(stateFolder, 0o755)
      process.seteuid?.(nobody)
    }
    try {
      expect(await told(up, stateFolder, { uid: 1000 })).toEqual([
        0,
        `sms-bridge-test  RUNNING  by systemd alone; heartbeat not seen: only root may read ${home}`,
        'Next: sudo sms-bridge service status --name sms-bridge-test',
      ])
    } finally {
      if (isRoot) process.seteuid?.(0)
      chmodSync(home, 0o700)
    }
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

  it('leads to where the bridge listens, however that is written', async () => {
    const hosts = { '0.0.0.0': '127.0.0.1:8080', '::': '[::1]:8080', '::1': '[::1]:8080', '10.0.0.7': '10.0.0.7:8080' }
    for (const [host, address] of Object.entries(hosts)) {
      const { context, io } = stage({ ...complete, SMS_BRIDGE_HOST: host })
      await serviceProxy(context, 'nginx', { json: true })
      expect(JSON.parse(io.stdout()).lines).toContain(`proxy_pass http://${address};`)
    }
  })

  it('wants an address with HTTPS', async () => {
    const { context } = stage({ ...complete, SMS_BRIDGE_PUBLIC_URL: 'http://127.0.0.1:8080' })
    await expect(serviceProxy(context, 'caddy')).rejects.toThrow(
      'SMS_BRIDGE_PUBLIC_URL is http://127.0.0.1:8080: a proxy is for an address that begins with https://',
    )
  })
})
