// Chaos: every fault the twins know, and SIGKILL at counted moments; then the vendors' own books are compared with what
// was said. `npm run chaos -- --seeds 500` for more, `npm run chaos -- --seed 7 --engine sqlite --verbose` for one again.
import { describe, expect, it } from 'vitest'
import { type EngineName, postgresFailure } from '../support/stores.js'
import { planOf } from './chaos/plan.js'
import { run } from './chaos/run.js'

const { CHAOS_SEEDS = '20', CHAOS_SEED, CHAOS_ENGINE, CHAOS_VERBOSE } = process.env
const seeds =
  CHAOS_SEED === undefined ? Array.from({ length: Number(CHAOS_SEEDS) }, (_, i) => i + 1) : [Number(CHAOS_SEED)]
const engines = (['sqlite', 'postgres'] as const).filter((one) => CHAOS_ENGINE === undefined || one === CHAOS_ENGINE)

const isAway = (engine: EngineName) => engine === 'postgres' && postgresFailure !== undefined

describe.each(engines)('whatever happens on %s', (engine) => {
  it.skipIf(isAway(engine)).concurrent.each(seeds)(
    'nothing is lost, doubled, reordered or misdirected (seed %i)',
    { timeout: 120_000 },
    async (seed) => {
      const { findings, timeline, counts } = await run(planOf(seed), engine)
      const story = [`seed ${seed} on ${engine}: ${counts}`, ...timeline].join('\n')
      if (CHAOS_VERBOSE !== undefined) process.stdout.write(`${story}\n`)
      expect(findings, story).toEqual([])
    },
  )
})
