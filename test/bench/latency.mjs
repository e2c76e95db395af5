import { spawnSync } from 'node:child_process'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { medians } from './lib/stats.mjs'
import { startWorld } from './lib/world.mjs'

export const about = 'time to the answer at 50 webhooks a second while the bridge delivers; again with slower fsyncs'
export const usesStore = true

const perSecond = 50
const compiler = 'cc'
const lanes = 50

export async function measure(context) {
  const usual = await latencies(context, {})
  const rows = [
    { what: 'answer, p50', value: usual.p50, unit: 'ms' },
    { what: 'answer, p99', value: usual.p99, unit: 'ms', note: `longest ${usual.max.toFixed(1)} ms` },
  ]
  const shim = compileShim(context)
  if (shim === undefined) return rows
  const slow = await latencies(context, { LD_PRELOAD: shim })
  return [
    ...rows,
    { what: 'answer, p50, every fsync 10 ms longer', value: slow.p50, unit: 'ms', note: proof(slow) },
    { what: 'answer, p99, every fsync 10 ms longer', value: slow.p99, unit: 'ms' },
    { what: 'p99 added, in longer fsyncs of 10 ms', value: (slow.p99 - usual.p99) / 10, unit: '×' },
  ]
}

/** An answer in less than the longer fsync takes would mean that it did not wait for the disk, or that the shim is not in. */
const proof = ({ least }) => `quickest answer ${least.toFixed(1)} ms`

async function latencies({ folder, newStore, nodeArgs, quick }, env) {
  const world = await startWorld({ folder, store: await newStore(), nodeArgs, env })
  // Open conversations for all lanes first: making a contact takes more calls than a reply.
  await world.texts({ count: lanes, lanes })
  await world.serve.idle(60_000)
  const runs = []
  for (let run = 0; run < (quick ? 1 : 3); run += 1) {
    const count = perSecond * (quick ? 4 : 20)
    const { accepted, others, ...run } = await world.texts({ count, lanes, perSecond })
    if (accepted !== count) throw new Error(`${accepted} of ${count} were accepted, others got ${others}`)
    runs.push(run)
    await world.serve.idle(60_000)
  }
  await world.end()
  return medians(runs)
}

function compileShim({ folder, print }) {
  const shim = join(folder, 'slow-fsync.so')
  const source = fileURLToPath(new URL('lib/slow-fsync.c', import.meta.url))
  const made = spawnSync(compiler, ['-shared', '-fPIC', '-O2', '-o', shim, source, '-ldl'], { encoding: 'utf8' })
  if (made.status === 0) return shim
  const why = made.error?.message ?? made.stderr.split('\n')[0]
  print(`  without slower fsyncs: no C compiler here to make them with (${why})`)
  return undefined
}
