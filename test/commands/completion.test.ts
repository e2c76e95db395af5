import { spawnSync } from 'node:child_process'
import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { beforeAll, describe, expect, it } from 'vitest'
import { main } from '../../src/cli/main.js'
import { commandLine } from '../support/command-line.js'
import { tempFolder } from '../support/temp.js'
import { testIo } from '../support/test-io.js'

const shells = ['bash', 'zsh', 'fish'] as const
type Shell = (typeof shells)[number]
const [, , fish] = shells

async function printed(line: string): Promise<string> {
  const env = { HOME: '/nowhere', SMS_BRIDGE_HOME: '/nowhere/sms-bridge' }
  const io = testIo({ env, columns: 400 })
  expect(await main(['node', 'sms-bridge', ...line.split(' ').filter((word) => word !== '')], io, env)).toBe(0)
  return io.stdout()
}

const has = (shell: Shell) => spawnSync(shell, ['-c', 'exit 0']).status === 0

function unlessAbsent(shell: Shell) {
  if (has(shell)) return it
  console.warn(`completion: no ${shell} here, so its script is not run (apt-get install ${shell})`)
  return it.skip
}

const scripts: Partial<Record<Shell, string>> = {}
beforeAll(async () => {
  for (const shell of shells) scripts[shell] = await printed(`completion ${shell}`)
})

/** What Tab offers after these words, the last of them being typed; in a folder with two files and a folder. */
function offered(...words: readonly string[]): string[] {
  const folder = tempFolder()
  for (const name of ['the backup.sqlite', 'result.xml']) writeFileSync(join(folder, name), '')
  mkdirSync(join(folder, 'data'))
  const quoted = words.map((word) => `'${word}'`).join(' ')
  const run = `${scripts.bash}
    set -u
    COMP_WORDS=(sms-bridge ${quoted}) COMP_CWORD=${words.length}
    _sms_bridge
    for one in "\${COMPREPLY[@]+"\${COMPREPLY[@]}"}"; do echo "$one"; done`
  const { stdout, stderr, status } = spawnSync('bash', ['--norc', '-c', run], { cwd: folder, encoding: 'utf8' })
  expect({ stderr, status }).toEqual({ stderr: '', status: 0 })
  return stdout.split('\n').filter((line) => line !== '')
}

describe('completion in bash', () => {
  it('offers commands, and those of a group', () => {
    expect(offered('st')).toEqual(['status'])
    expect(offered('dlq', '').sort()).toEqual(['cancel', 'discard', 'help', 'jobs', 'list', 'replay', 'show'])
    expect(offered('config', 'un')).toEqual(['unset'])
    expect(offered('help', 'rec')).toEqual(['reconcile'])
    expect(offered('srve', 'st')).toEqual([])
  })

  it('offers the options of the command, and those of the program everywhere', () => {
    expect(offered('dlq', 'list', '--di')).toEqual(['--direction', '--discarded'])
    expect(offered('dlq', 'replay', '--no')).toEqual(['--no-wait'])
    expect(offered('backup', '-').sort()).toEqual(['--force', '--help', '--json', '--profile', '-h'])
    expect(offered('audit', '').sort()).toEqual([
      '--help',
      '--json',
      '--limit',
      '--profile',
      '--since',
      '--store',
      '-h',
    ])
  })

  it('offers the values of an option, however it is written', () => {
    expect(offered('dlq', 'list', '--direction', '')).toEqual(['in', 'out'])
    expect(offered('dlq', 'list', '--direction', '=')).toEqual(['in', 'out'])
    expect(offered('dlq', 'list', '--direction', '=', 'o')).toEqual(['out'])
    expect(offered('dlq', 'list', '--direction=o')).toEqual(['--direction=out'])
    expect(offered('serve', '--log', '')).toEqual(['json', 'pretty'])
    expect(offered('serve', '--port', '')).toEqual([])
  })

  it('takes the value of an option for no command', () => {
    expect(offered('--profile', 'dlq', 'serve')).toEqual(['serve'])
    expect(offered('--profile', '=', 'dlq', 'serve')).toEqual(['serve'])
    expect(offered('status', '--watch', '30s', '--js')).toEqual(['--json'])
    expect(offered('status', '--watch', '--js')).toEqual(['--json'])
    expect(offered('sandbox', '--keep', 'x', '--sc')).toEqual(['--script'])
    expect(offered('test-e2e', '--keep', '--y')).toEqual(['--yes'])
  })

  it('offers files where a file is wanted, folders where a folder is, and neither elsewhere', () => {
    expect(offered('backup', '').sort()).toEqual(['data', 'result.xml', 'the backup.sqlite'])
    expect(offered('restore', 'th')).toEqual(['the backup.sqlite'])
    expect(offered('test-e2e', '--junit', 'r')).toEqual(['result.xml'])
    expect(offered('sandbox', '--keep', '')).toEqual(['data'])
    expect(offered('trace', 'd')).toEqual([])
    expect(offered('backup', 'x', 'r')).toEqual([])
    expect(offered('backup', '--', '-')).toEqual([])
  })

  it('offers the names of settings and of shells', () => {
    expect(offered('config', 'get', 'SMS_BRIDGE_T')).toEqual(['SMS_BRIDGE_TEAMS'])
    expect(offered('completion', '')).toEqual(['bash', 'zsh', 'fish'])
  })
})

describe('completion in fish', () => {
  unlessAbsent('fish')('offers what it offers in bash', () => {
    const folder = tempFolder()
    writeFileSync(join(folder, 'result.xml'), '')
    const inFish = (line: string) => {
      const run = `${scripts.fish}\ncomplete -C '${line}'`
      const { stdout, stderr } = spawnSync(fish, ['--no-config', '-c', run], { cwd: folder, encoding: 'utf8' })
      expect(stderr).toBe('')
      return stdout
        .split('\n')
        .filter((found) => found !== '')
        .map((found) => found.split('\t')[0])
    }
    expect(inFish('sms-bridge st')).toEqual(['status'])
    expect(inFish('sms-bridge dlq list --di')).toEqual(['--direction', '--discarded'])
    expect(inFish('sms-bridge dlq list --direction ')).toEqual(['in', 'out'])
    expect(inFish('sms-bridge --profile dlq serve')).toEqual(['serve'])
    expect(inFish('sms-bridge status --watch 30s --js')).toEqual(['--json'])
    expect(inFish('sms-bridge test-e2e --keep --junit ')).toEqual(['result.xml'])
    expect(inFish('sms-bridge backup r')).toEqual(['result.xml'])
    expect(inFish('sms-bridge trace r')).toEqual([])
    expect(inFish('sms-bridge config get SMS_BRIDGE_T')).toEqual(['SMS_BRIDGE_TEAMS'])
  })
})

describe('the script', () => {
  for (const shell of shells) {
    unlessAbsent(shell)(`for ${shell} is read by ${shell} without a complaint`, () => {
      const file = join(tempFolder(), 'completion')
      writeFileSync(file, scripts[shell] ?? '')
      const { stderr, status } = spawnSync(shell, ['-n', file], { encoding: 'utf8' })
      expect({ stderr, status }).toEqual({ stderr: '', status: 0 })
    })
  }

  it('knows every command and every option that --help shows', async () => {
    const found: { path: string; options: string[] }[] = []
    const walk = async (path: string): Promise<void> => {
      const help = await printed(`${path} --help`)
      const section = (title: string) => help.split(`\n${title}:\n`)[1]?.split('\n\n')[0] ?? ''
      const options = [...section('Options').matchAll(/^ {2}(?:-\w, )?(--[\w-]+)/gm)].map(([, flag = '']) => flag)
      found.push({ path, options })
      const names = [...section('Commands').matchAll(/^ {2}([\w-]+)/gm)].map(([, name = '']) => name)
      for (const name of names) if (name !== 'help') await walk(`${path} ${name}`.trim())
    }
    await walk('')
    expect(found.map(({ path }) => path)).toEqual(expect.arrayContaining(['serve', 'dlq list', 'config set', 'init']))
    for (const { path, options } of found) {
      const rest = scripts.bash?.split(`\n    '${path}') commands=`)[1]?.split('\n')[0] ?? ''
      expect({ path, unknown: options.filter((flag) => !rest.includes(flag)) }).toEqual({ path, unknown: [] })
      const ofZsh = scripts.zsh?.split(`\n${['_sms-bridge', ...path.split(' ')].join('_').replace(/_$/, '')}() {`)[1]
      const ofFish = scripts.fish?.split('\n').filter((line) => line.includes(`__sms_bridge_at \\'${path}\\'`)) ?? []
      for (const flag of options) {
        expect(ofZsh?.split('\n}')[0]).toMatch(new RegExp(`['*)]${flag}[=[]`))
        expect(ofFish.filter((line) => line.includes(` -l ${flag.slice(2)} `)).length, `${path} ${flag}`).toBe(1)
      }
    }
  })
})

describe('completion', () => {
  it('of no shell or another one says which there are, as in completion.txt', async () => {
    const { run, transcript } = commandLine()
    await run('completion --help')
    expect((await run('completion')).code).toBe(2)
    expect((await run('completion tcsh')).code).toBe(2)
    await expect(transcript()).toMatchFileSnapshot('../transcripts/completion.txt')
  })
})
