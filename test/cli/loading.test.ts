import { execFileSync } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, relative } from 'node:path'
import { fileURLToPath, pathToFileURL } from 'node:url'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'

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
  execFileSync(process.execPath, ['--import', pathToFileURL(source).href, 'bin/sms-bridge.js', ...args], {
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
  'dist/cli/duration.js',
  'dist/cli/exit-codes.js',
  'dist/cli/io.js',
  'dist/cli/main.js',
  'dist/cli/program.js',
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
})
