// Who may import whom, which words stand where. The table is the one of the house; a file that breaks it moves, the
// table does not.
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { isBuiltin } from 'node:module'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { describe, expect, it } from 'vitest'

const root = fileURLToPath(new URL('..', import.meta.url))

interface Import {
  readonly from: string
  /** A path from the top of the checkout, or a package as it is written. */
  readonly to: string
  readonly how: 'type' | 'static' | 'dynamic'
}

interface Leave {
  /** Rooms, or files without their ending: `store`, `twilio/webhook`. */
  readonly to: readonly string[]
  /** The loosest way in which they may be imported; `static` allows all, `dynamic` types too. */
  readonly as: Import['how']
}

const rooms = ['relay', 'flows', 'server', 'store', 'twilio', 'intercom', 'config', 'commands', 'cli', 'emulators']
const words = ['message', 'delivery', 'phone', 'errors', 'clock', 'log', 'hours', 'wall-time']
const values = (...to: string[]): Leave => ({ to, as: 'static' })
const types = (...to: string[]): Leave => ({ to, as: 'type' })
const later = (...to: string[]): Leave => ({ to, as: 'dynamic' })

/** Every room may use itself and nothing else but this. */
const mayImport: Readonly<Record<string, readonly Leave[]>> = {
  words: [],
  transport: [values('words'), types('store/store')],
  config: [values('words')],
  store: [values('words')],
  twilio: [values('words', 'transport'), types('store/store')],
  intercom: [values('words', 'transport'), types('store/store')],
  relay: [values('words'), types('store/store')],
  flows: [values('words'), types('store/store', 'twilio', 'intercom')],
  server: [values('words', 'twilio/webhook', 'intercom/webhook'), types('store/store')],
  shores: [values('words', 'transport', 'config', 'twilio', 'intercom', 'relay', 'flows'), types('store/store')],
  bridge: [values('words', 'transport', 'config', 'store', 'twilio', 'intercom', 'relay', 'flows', 'server', 'shores')],
  commands: [
    values('words', 'bridge', 'shores', 'config', 'store/open', 'cli/exit-codes', 'emulators'),
    values('store/backup'),
    values('twilio/errors', 'twilio/webhook-settings', 'intercom/advice'),
    types('cli', 'store/store', 'store/survey', 'store/desk', 'flows', 'twilio', 'intercom', 'server', 'transport'),
    later('twilio', 'intercom', 'server', 'transport'),
  ],
  cli: [
    values('words', 'config/schema'),
    types('store/store'),
    later('config', 'store/open', 'store/look', 'commands'),
  ],
  emulators: [],
}

function filesUnder(folder: string, ending: string): string[] {
  return readdirSync(join(root, folder), { recursive: true, encoding: 'utf8' })
    .filter((file) => file.endsWith(ending))
    .map((file) => join(folder, file))
    .sort()
}

const read = (file: string) => readFileSync(join(root, file), 'utf8')
const sources = filesUnder('src', '.ts')

/** `src/relay/worker.ts` → `relay`; `src/phone.ts` → `words`; `src/bridge.ts` → `bridge`. */
function roomOf(file: string): string {
  const [, first = '', second] = file.split('/')
  if (second !== undefined) return first
  const name = first.replace(/\.ts$/, '')
  if (name === 'classify') return 'transport' // its decisions, in a file of their own
  return words.includes(name) ? 'words' : name
}

function importsOf(file: string): Import[] {
  const text = read(file)
  const resolved = (specifier: string) =>
    specifier.startsWith('.') ? join(dirname(file), specifier).replace(/\.js$/, '.ts') : specifier
  const fixed = [...text.matchAll(/^(?:import|export)\s+(type\s)?(?:[^'";]*?\sfrom\s+)?'([^']+)'/gm)].map(
    ([, type, specifier = '']): Import => ({ from: file, to: resolved(specifier), how: type ? 'type' : 'static' }),
  )
  const late = [...text.matchAll(/(typeof\s+)?\bimport\(\s*'([^']+)'/g)].map(
    ([, type, specifier = '']): Import => ({ from: file, to: resolved(specifier), how: type ? 'type' : 'dynamic' }),
  )
  return [...fixed, ...late]
}

const imports = sources.flatMap(importsOf)
const ours = imports.filter(({ to }) => to.startsWith('src/') || to.startsWith('test/') || to.startsWith('..'))
const packages = imports.filter((one) => !ours.includes(one))
const show = ({ from, to, how }: Import) => `${from} → ${to}${how === 'static' ? '' : ` (${how})`}`

function isAllowed({ from, to, how }: Import): boolean {
  const [home, goal] = [roomOf(from), roomOf(to)]
  if (home === goal) return true
  const path = to.replace(/^src\//, '').replace(/\.ts$/, '')
  return (mayImport[home] ?? []).some(
    (leave) =>
      (leave.to.includes(goal) || leave.to.includes(path)) &&
      (leave.as === 'static' || how === 'type' || how === leave.as),
  )
}

/** Code without its comments, roughly: strings are kept, since words in them count. */
function codeOf(file: string): string {
  return read(file)
    .replace(/\/\*[\s\S]*?\*\//g, '')
    .replace(/(^|\s)\/\/.*$/gm, '$1')
}

function linesWith(pattern: RegExp, files: readonly string[], text: (file: string) => string): string[] {
  return files.flatMap((file) =>
    text(file)
      .split('\n')
      .filter((line) => pattern.test(line))
      .map((line) => `${file}: ${line.trim()}`),
  )
}

const inRooms = (...names: string[]) => sources.filter((file) => names.includes(roomOf(file)))

describe('the rooms', () => {
  it('are the ones the table knows', () => {
    const known = [...rooms, 'words', 'transport', 'shores', 'bridge']
    expect(sources.filter((file) => !known.includes(roomOf(file)))).toEqual([])
    expect(sources.length).toBeGreaterThan(40)
  })

  it('import only what the table allows', () => {
    expect(ours.filter((one) => !isAllowed(one)).map(show)).toEqual([])
  })

  it('import files that exist', () => {
    expect(ours.filter(({ to }) => !existsSync(join(root, to))).map(show)).toEqual([])
  })

  it('never import a test', () => {
    expect(ours.filter(({ to }) => !to.startsWith('src/')).map(show)).toEqual([])
  })

  it('do not run in circles', () => {
    const goals = new Map(
      sources.map((file) => [file, ours.filter(({ from, how }) => from === file && how === 'static')]),
    )
    const circles: string[] = []
    const walk = (file: string, path: readonly string[]): void => {
      if (path.includes(file)) circles.push([...path.slice(path.indexOf(file)), file].join(' → '))
      else for (const { to } of goals.get(file) ?? []) walk(to, [...path, file])
    }
    for (const file of sources) walk(file, [])
    expect([...new Set(circles)]).toEqual([])
  })
})

describe('packages', () => {
  it('are loaded late by the front door, commander apart', () => {
    const early = packages.filter(({ from, to, how }) => roomOf(from) === 'cli' && how === 'static' && !isBuiltin(to))
    expect(early.map(show)).toEqual(['src/cli/dead-letter-commands.ts → commander', 'src/cli/program.ts → commander'])
  })

  it('never enter the twins', () => {
    const foreign = packages.filter(({ from, to }) => roomOf(from) === 'emulators' && !isBuiltin(to))
    expect(foreign.map(show)).toEqual([])
  })

  it.each([
    ['conf', /^src\/config\/profile\.ts$/],
    ['pino', /^src\/log\.ts$/],
    ['twilio', /^src\/twilio\//],
    ['kysely', /^src\/store\//],
    ['pg', /^src\/store\//],
    ['@photostructure/sqlite', /^src\/store\/sqlite\//],
    ['hono', /^src\/server\//],
    ['@hono/node-server', /^src\/server\//],
    ['prom-client', /^src\/server\//],
    ['libphonenumber-js', /^src\/phone\.ts$/],
    ['html-to-text', /^src\/flows\//],
    ['sms-segments-calculator', /^src\/twilio\//],
  ])('%s stays in its room', (name, home) => {
    const users = packages.filter(({ to }) => to === name || to.startsWith(`${name}/`))
    expect(users.filter(({ from }) => !home.test(from)).map(show)).toEqual([])
  })
})

describe('words', () => {
  it('of a vendor are never heard in the relay', () => {
    expect(linesWith(/twilio|intercom/i, inRooms('relay'), read)).toEqual([])
  })

  it('of a vendor stand in no code outside the rooms that know vendors', () => {
    const plain = sources.filter((file) => roomOf(file) === 'words' && file !== 'src/delivery.ts')
    const strangers = [...plain, ...inRooms('transport', 'store')]
    expect(linesWith(/twilio|intercom/i, strangers, codeOf)).toEqual([])
  })

  it('of one vendor stand in no code of the other', () => {
    expect(linesWith(/intercom/i, inRooms('twilio'), codeOf)).toEqual([])
    expect(linesWith(/twilio/i, inRooms('intercom'), codeOf)).toEqual([])
  })
})

describe('files', () => {
  it('end the process nowhere but in bin', () => {
    expect(linesWith(/process\s*\.\s*(exit|abort|kill)\b/, sources, codeOf)).toEqual([])
  })

  it('read the environment nowhere but in config and bin', () => {
    const others = sources.filter((file) => roomOf(file) !== 'config')
    expect(linesWith(/process\s*\.\s*env\b/, others, codeOf)).toEqual([])
  })

  it('are no barrels and have no default exports', () => {
    expect(sources.filter((file) => file.endsWith('/index.ts'))).toEqual([])
    expect(linesWith(/^export\s+(\*|default\b|(type\s+)?\{[^}]*\}\s*from)/, sources, codeOf)).toEqual([])
  })

  it('are named for what they do', () => {
    const vague = sources.filter((file) => /(^|[/-])(utils?|helpers?|common|manager|service|misc)[.-]/.test(file))
    expect(vague).toEqual([])
  })
})
