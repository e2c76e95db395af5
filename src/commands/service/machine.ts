// The machine that a service lives on: its programs, its files.
import { execFile } from 'node:child_process'
import { access, chmod, mkdir, rename, rm, writeFile } from 'node:fs/promises'
import { dirname } from 'node:path'
import { fileURLToPath } from 'node:url'
import { UserError } from '../../errors.js'

export interface Ran {
  readonly code: number
  readonly stdout: string
  readonly stderr: string
}

export interface Machine {
  /** 0 is root. */
  readonly uid: number
  readonly node: string
  readonly script: string
  /** Under which services keep their state. */
  readonly stateFolder: string
  /** Runs a program; resolves however it ends. */
  run(program: string, args: readonly string[]): Promise<Ran>
  /** Wholly or not at all. */
  write(path: string, text: string, mode: number): Promise<void>
  remove(path: string): Promise<void>
  exists(path: string): Promise<boolean>
}

/** Starting a service waits until it is ready, ms. */
const withinMs = 660_000

export const thisMachine: Machine = {
  uid: process.getuid?.() ?? -1,
  node: process.execPath,
  script: fileURLToPath(new URL('../../../bin/sms-bridge.js', import.meta.url)),
  stateFolder: '/var/lib',
  run: (program, args) =>
    new Promise((resolve, reject) => {
      execFile(program, [...args], { timeout: withinMs }, (error, stdout, stderr) => {
        const code = error === null ? 0 : error.code
        if (typeof code === 'number') resolve({ code, stdout, stderr })
        else if (code === 'ENOENT') resolve({ code: 127, stdout, stderr: `${program} is not there` })
        else reject(error ?? new Error(`${program} ended in no way we know`))
      })
    }),
  async write(path, text, mode) {
    await mkdir(dirname(path), { recursive: true })
    const next = `${path}.new`
    // Made anew: whoever owns the folder may have left a link there for root to follow.
    await rm(next, { force: true })
    await writeFile(next, text, { mode, flag: 'wx' })
    await chmod(next, mode)
    await rename(next, path)
  },
  remove: (path) => rm(path, { force: true }),
  exists: (path) =>
    access(path).then(
      () => true,
      () => false,
    ),
}

/** Throws UserError when there is no systemd to talk to. */
export async function expectSystemd(machine: Machine): Promise<void> {
  // "offline" in containers; other words tell of a systemd that is there, however it feels.
  const { code, stdout } = await machine.run('systemctl', ['is-system-running'])
  const state = stdout.trim()
  if (code !== 127 && state !== '' && state !== 'offline' && state !== 'unknown') return
  throw new UserError(
    'systemd does not run here (a container, or another system). Let whatever starts your services run sms-bridge serve, or see the unit: sms-bridge service install --dry-run',
  )
}

export interface Service {
  /** Of the unit, its user and its group. */
  readonly name: string
  readonly unit: string
  /** Profile and store. */
  readonly home: string
  readonly profile: string
}

export function serviceNamed(name: string, { stateFolder }: Machine): Service {
  if (!/^[a-z][a-z0-9-]{0,30}$/.test(name)) {
    throw new UserError(
      `--name ${name} is no name for a service: lower-case letters, digits and -, such as sms-bridge-eu`,
    )
  }
  const home = `${stateFolder}/${name}`
  return { name, unit: `/etc/systemd/system/${name}.service`, home, profile: `${home}/profile.json` }
}

/** Throws UserError, with what to type, when we are not root. */
export function expectRoot({ uid, node, script }: Machine, rest: string): void {
  if (uid !== 0) throw new UserError(`Only root may do that: type sudo ${node} ${script} ${rest}`)
}
