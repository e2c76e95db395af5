// The machine that a service lives on: its programs, its files.
import { execFile } from 'node:child_process'
import { existsSync } from 'node:fs'
import { mkdir, open, readFile, rename, rm } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { UserError } from '../../errors.js'

export interface Ran {
  readonly code: number
  readonly stdout: string
  readonly stderr: string
}

export interface Owner {
  readonly uid: number
  readonly gid: number
}

export interface Machine {
  /** 0 is root. */
  readonly uid: number
  readonly node: string
  readonly script: string
  /** Before every path that is read or written; '' for the machine we are on. */
  readonly root: string
  /** Under which services keep their state. */
  readonly stateFolder: string
  /** Runs a program; resolves however it ends. */
  run(program: string, args: readonly string[]): Promise<Ran>
  /** Wholly or not at all; never through a link that somebody put there. */
  write(path: string, text: string, mode: number, owner?: Owner): Promise<void>
  remove(path: string): Promise<void>
  exists(path: string): boolean
  /** undefined when there is no such file. */
  read(path: string): Promise<string | undefined>
}

/** Of the system's own programs; whoever types may have a path without them (su), or with others of these names. */
const systemPath = '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin:/run/current-system/sw/bin'

/** Starting a service waits until it is ready, ms. */
const withinMs = 660_000

export const thisMachine: Machine = {
  uid: process.getuid?.() ?? -1,
  node: process.execPath,
  script: fileURLToPath(new URL('../../../bin/sms-bridge.js', import.meta.url)),
  ...filesBelow(''),
  run: (program, args) => runProgram(program, args, systemPath),
}

/**
 * Another machine's files, below a folder, and its programs, those in its usr/bin and no others: nothing of the machine
 * we are on is changed, so whoever owns the folder may do it.
 */
export function machineBelow(root: string): Machine {
  const programs = join(root, 'usr/bin')
  return {
    uid: 0,
    node: '/usr/bin/node',
    script: '/usr/lib/node_modules/sms-bridge/bin/sms-bridge.js',
    ...filesBelow(root),
    run: (program, args) => runProgram(join(programs, program), args, `${programs}:/usr/bin:/bin`),
  }
}

function filesBelow(root: string): Pick<Machine, 'root' | 'stateFolder' | 'write' | 'remove' | 'exists' | 'read'> {
  return {
    root,
    stateFolder: '/var/lib',
    async write(path, text, mode, owner) {
      const next = `${root}${path}.new`
      await mkdir(dirname(next), { recursive: true })
      // The folder may be the service's own, and a link in it lead anywhere: the file is made anew, and only what is
      // made here gets an owner.
      await rm(next, { force: true })
      const file = await open(next, 'wx', mode)
      try {
        await file.writeFile(text)
        await file.chmod(mode)
        if (owner !== undefined) await file.chown(owner.uid, owner.gid)
        await file.sync()
      } finally {
        await file.close()
      }
      await rename(next, root + path)
    },
    remove: (path) => rm(root + path, { force: true }),
    exists: (path) => existsSync(root + path),
    async read(path) {
      try {
        return await readFile(root + path, 'utf8')
      } catch (error) {
        if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined // fs promises reject with nothing else
        throw error
      }
    },
  }
}

/** Without our environment, which may hold secrets; what programs say is in English. */
function runProgram(program: string, args: readonly string[], path: string): Promise<Ran> {
  const env = { PATH: path, LC_ALL: 'C.UTF-8' }
  return new Promise((resolve, reject) => {
    execFile(program, [...args], { env, timeout: withinMs }, (error, stdout, stderr) => {
      const code = error === null ? 0 : error.code
      if (typeof code === 'number') resolve({ code, stdout, stderr })
      else if (code === 'ENOENT') resolve({ code: 127, stdout, stderr: 'it is not there' })
      else reject(error ?? new Error(`${program} ended in no way we know`))
    })
  })
}

/** Throws UserError when there is no systemd to talk to. */
export async function expectSystemd(
  machine: Machine,
  instead = 'To see the unit all the same: sms-bridge service install --dry-run',
): Promise<void> {
  // "offline" in containers; other words tell of a systemd that is there, however it feels.
  const { code, stdout } = await machine.run('systemctl', ['is-system-running'])
  const state = stdout.trim()
  if (code !== 127 && state !== '' && state !== 'offline' && state !== 'unknown') return
  throw new UserError(
    `systemd does not run here (a container, or another system). Let whatever starts your services run sms-bridge serve. ${instead}`,
  )
}

export interface Service {
  /** Of the unit, its user and its group. */
  readonly name: string
  readonly unit: string
  /** Profile and store. */
  readonly home: string
  readonly profile: string
  readonly store: string
  /** ` --name …` where it must be typed. */
  readonly flag: string
}

/** Only names of ours: another one's user, folder and unit are not to be taken over. Throws UserError. */
export function serviceNamed(name: string, { stateFolder }: Machine): Service {
  if (!/^sms-bridge(-[a-z0-9]+)*$/.test(name) || name.length > 31) {
    throw new UserError(
      `--name ${name} is no name for a service of ours: sms-bridge, then lower-case letters, digits and -, such as sms-bridge-eu`,
    )
  }
  const home = `${stateFolder}/${name}`
  return {
    name,
    unit: `/etc/systemd/system/${name}.service`,
    home,
    profile: `${home}/profile.json`,
    store: `${home}/sms-bridge.sqlite`,
    flag: name === 'sms-bridge' ? '' : ` --name ${name}`,
  }
}

/** Throws UserError when somebody else wrote this unit. Resolves whether it is there. */
export async function expectOurUnit({ unit }: Service, machine: Machine): Promise<boolean> {
  const text = await machine.read(unit)
  if (text === undefined || text.includes('\nDescription=sms-bridge (')) return text !== undefined
  throw new UserError(
    `${unit} was not written by sms-bridge, and is left alone. To have it replaced move it away first: sudo mv ${unit} ${unit}.old`,
  )
}

/** `kept`: variables that sudo must pass on. Throws UserError, with what to type, when we are not root. */
export function expectRoot({ uid, node, script }: Machine, rest: string, kept: readonly string[] = []): void {
  if (uid === 0) return
  // Their names alone: what they hold would be seen in the list of processes.
  const preserve = kept.length === 0 ? '' : `--preserve-env=${kept.join(',')} `
  throw new UserError(`Only root may do that: type sudo ${preserve}${quote(node)} ${quote(script)} ${rest}`)
}

/** For a POSIX shell. */
export function quote(text: string): string {
  return /^[\w@%+=:,./-]+$/.test(text) ? text : `'${text.replaceAll("'", `'\\''`)}'`
}
