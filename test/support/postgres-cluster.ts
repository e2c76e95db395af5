// A PostgreSQL of a test's own, which may be stopped and started without taking other tests along.
import { spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { chownSync, existsSync, mkdtempSync, readdirSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { onTestFinished } from 'vitest'
import { freePort } from '../../src/commands/sandbox-world.js'

const versions = '/usr/lib/postgresql'
const newest = existsSync(versions)
  ? readdirSync(versions)
      .sort((a, b) => Number(b) - Number(a))
      .find((version) => existsSync(join(versions, version, 'bin/initdb')))
  : undefined

export const clusterFailure: string | undefined = findFailure()

function findFailure(): string | undefined {
  if (newest !== undefined) return undefined
  const reason = `no PostgreSQL server is installed in ${versions}`
  process.stderr.write(`\n*** SKIPPED: tests that restart PostgreSQL. ${reason} ***\n`)
  return reason
}

/** PostgreSQL refuses to run as root. */
const asPostgres = process.getuid?.() === 0 ? ['setpriv', '--reuid=postgres', '--regid=postgres', '--clear-groups'] : []

async function run(program: string, args: readonly string[]): Promise<void> {
  const [command = '', ...rest] = [...asPostgres, join(versions, newest ?? '', 'bin', program), ...args]
  // Its output goes nowhere: the server inherits it, and would keep a pipe open.
  const [code] = await once(spawn(command, rest, { stdio: 'ignore', cwd: '/' }), 'exit')
  if (code !== 0) throw new Error(`${program} ${args.join(' ')} ended with ${code}`)
}

export interface Cluster {
  readonly url: string
  start(): Promise<void>
  /** fast: sessions are ended in order · immediate: as if the machine had lost its power. */
  stop(mode: 'fast' | 'immediate'): Promise<void>
}

/** Made and started; stopped and gone when the test is over. */
export async function startCluster(): Promise<Cluster> {
  // Of two users: a temporary folder of one user's own would shut the other out.
  const folder = mkdtempSync(join(asPostgres.length > 0 ? '/tmp' : tmpdir(), 'sms-bridge-cluster-'))
  if (asPostgres.length > 0) {
    const { stdout } = spawnSync('id', ['-u', 'postgres'], { encoding: 'utf8' })
    chownSync(folder, Number(stdout), 0)
  }
  const port = await freePort()
  const settings = `-p ${port} -k ${folder} -c listen_addresses=127.0.0.1 -c fsync=off -c shared_buffers=16MB`
  let running = false
  const cluster: Cluster = {
    url: `postgres://postgres@127.0.0.1:${port}/postgres`,
    async start() {
      await run('pg_ctl', ['start', '-w', '-s', '-D', join(folder, 'data'), '-o', settings, '-l', join(folder, 'log')])
      running = true
    },
    async stop(mode) {
      running = false
      await run('pg_ctl', ['stop', '-w', '-s', '-D', join(folder, 'data'), '-m', mode])
    },
  }
  onTestFinished(async () => {
    if (running) await cluster.stop('immediate')
    rmSync(folder, { recursive: true, force: true })
  })
  await run('initdb', [
    '-D',
    join(folder, 'data'),
    '-A',
    'trust',
    '-U',
    'postgres',
    '--no-sync',
    '--locale=C',
    '-E',
    'UTF8',
  ])
  await cluster.start()
  return cluster
}
