import { spawnSync } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, relative } from 'node:path'
import { fileURLToPath, pathToFileURL } from 'node:url'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { openStore } from '../../src/store/open.js'

const root = fileURLToPath(new URL('../..', import.meta.url))

let folder: string
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'sms-bridge-loading-'))
})
afterAll(() => rmSync(folder, { recursive: true }))

/** Every file a command line loads, with packages by name alone; the bare `node:` modules are left out. */
function filesLoadedBy(...args: readonly string[]): string[] {
  const record = join(folder, 'loaded.txt')
  const source = fileURLToPath(new URL('record-loaded.mjs', import.meta.url))
  // Whatever its exit code: `status` says by it that no bridge is running.
  spawnSync(process.execPath, ['--import', pathToFileURL(source).href, 'bin/sms-bridge.js', ...args], {
    cwd: root,
    env: { ...process.env, RECORD_LOADED: record, NODE_NO_WARNINGS: '1' },
  })
  const files = readFileSync(record, 'utf8').trim().split('\n')
  rmSync(record)
  const names = files
    .filter((file) => file !== source)
    .map((file) => relative(root, file).replace(/^node_modules\/((?:@[^/]+\/)?[^/]+)\/.*$/, '$1'))
  return [...new Set(names)].sort()
}

const frontDoor = [
  'bin/sms-bridge.js',
  'commander',
  'dist/cli/dead-letter-commands.js',
  'dist/cli/duration.js',
  'dist/cli/exit-codes.js',
  'dist/cli/help-commands.js',
  'dist/cli/io.js',
  'dist/cli/machine-commands.js',
  'dist/cli/main.js',
  'dist/cli/program.js',
  'dist/cli/proof-commands.js',
  'dist/cli/setup-commands.js',
  'dist/cli/signals.js',
  'dist/clock.js',
  'dist/config/schema.js',
  'dist/errors.js',
]

describe('starting up', () => {
  it('loads the front door and commander, and nothing else, for --help', () => {
    expect(filesLoadedBy('--help')).toEqual(frontDoor)
  })

  it('loads no more for the help of a command or the version', () => {
    expect(filesLoadedBy('serve', '--help')).toEqual(frontDoor)
    expect(filesLoadedBy('--version')).toEqual(frontDoor)
  })

  it('of a look at the store loads no query builder, no schema checker, no phone numbers and no colours', async () => {
    const url = `sqlite:${join(folder, 'store.sqlite')}`
    await (await openStore(url, { now: 0 })).close()
    const loaded = filesLoadedBy('status', '--store', url)
    expect(loaded).toContain('dist/store/look.js')
    expect(
      loaded.filter((file) => /kysely|zod|conf\/dist|libphonenumber|chalk|cli-table3|twilio\/lib/.test(file)),
    ).toEqual([])
  })
})
