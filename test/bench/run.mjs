// Measures this machine's bridge: `node test/bench/run.mjs [names…] [--million] [--quick] [--cpu-prof DIR]`.
// Nothing here passes or fails: it prints figures, and README.md beside it says how to read them.
import { existsSync, mkdtempSync, rmSync } from 'node:fs'
import { copyFile, constants as fileModes, open } from 'node:fs/promises'
import { cpus, loadavg, release, tmpdir, totalmem } from 'node:os'
import { join, resolve } from 'node:path'
import { parseArgs } from 'node:util'
import { endAll, killAll } from './lib/children.mjs'
import { fillMillion } from './lib/million.mjs'
import { figure } from './lib/stats.mjs'

const names = ['accept', 'latency', 'hop', 'drain', 'startup', 'memory', 'trace', 'ledger', 'workers']

const { values: options, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    list: { type: 'boolean', default: false },
    million: { type: 'boolean', default: false },
    quick: { type: 'boolean', default: false },
    'cpu-prof': { type: 'string' },
  },
})

function print(text = '') {
  process.stdout.write(`${text}\n`)
}

const unknown = positionals.filter((name) => !names.includes(name))
if (unknown.length > 0) {
  process.stderr.write(`no bench is called ${unknown.join(', ')}; there are ${names.join(', ')}\n`)
  process.exit(2)
}
if (options.list) {
  for (const name of names) print(`${name.padEnd(9)} ${(await import(`./${name}.mjs`)).about}`)
  process.exit()
}

const root = mkdtempSync(join(tmpdir(), 'sms-bridge-bench-'))
const clean = () => {
  killAll()
  rmSync(root, { recursive: true, force: true })
}
process.on('exit', clean)
for (const signal of ['SIGINT', 'SIGTERM']) process.on(signal, () => process.exit(130))

const million = join(root, 'million.sqlite')

/** Filled once, copied for every bench. */
async function copyMillion(path) {
  if (!existsSync(million)) {
    print('filling a store with 1,000,000 deliveries …')
    await fillMillion(million, Date.now())
  }
  await copyFile(million, path, fileModes.COPYFILE_FICLONE)
  // Else the copy is written back while something is being measured.
  const file = await open(path, 'r+')
  await file.sync()
  await file.close()
}

/** What a bench may use. One folder per bench and kind of store, gone afterwards. */
function contextOf(folder, kind) {
  let stores = 0
  return {
    folder,
    kind,
    quick: options.quick,
    /** Node's own options for `serve`. */
    nodeArgs: options['cpu-prof'] ? ['--cpu-prof', `--cpu-prof-dir=${resolve(options['cpu-prof'])}`] : [],
    print,
    /** The path of a new store: not there yet, or with a million deliveries. */
    async newStore() {
      stores += 1
      const path = join(folder, `store-${stores}.sqlite`)
      if (kind === 'million') await copyMillion(path)
      return path
    },
  }
}

async function measure(bench, kind) {
  const folder = mkdtempSync(join(root, `${kind}-`))
  let limit
  const tooLong = new Promise((_, reject) => {
    limit = setTimeout(() => reject(new Error('broken off: it took longer than five minutes')), 300_000)
  })
  try {
    return await Promise.race([bench.measure(contextOf(folder, kind)), tooLong])
  } finally {
    clearTimeout(limit)
    await endAll()
    rmSync(folder, { recursive: true, force: true })
  }
}

const lineOf = ({ what, value, unit, note = '' }) =>
  `  ${what.padEnd(56)} ${`${figure(value)} ${unit}`.padStart(14)}  ${note}`.trimEnd()

const [cpu] = cpus()
const memory = Math.round(totalmem() / 2 ** 30)
print(
  `Node ${process.version}, Linux ${release()}, ${cpus().length} × ${cpu?.model}, ${memory} GB, load ${loadavg()[0]}`,
)
if (loadavg()[0] > 0.5) print('This machine is busy: figures below are worth little.')

/** One bench that fails must not cost the figures of the others. */
async function showAll(name) {
  const bench = await import(`./${name}.mjs`)
  print(`\n${name}: ${bench.about}`)
  const begun = Date.now()
  const empty = await measure(bench, 'empty')
  for (const row of empty) print(lineOf(row))
  if (options.million && bench.usesStore) {
    print('  with 1,000,000 deliveries already in the store')
    for (const row of await measure(bench, 'million')) {
      const before = empty.find(({ what }) => what === row.what)
      const ratio = before?.value > 0 ? `× ${figure(row.value / before.value)} of empty` : ''
      print(lineOf({ ...row, note: [ratio, row.note].filter(Boolean).join(' · ') }))
    }
  }
  print(`  took ${Math.round((Date.now() - begun) / 1000)} s`)
}

for (const name of positionals.length > 0 ? positionals : names) {
  await showAll(name).catch((error) => {
    process.exitCode = 1
    print(`  FAILED: ${error.stack}`)
  })
}
process.exit()
