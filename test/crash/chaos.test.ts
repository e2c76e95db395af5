// Chaos: every fault the twins know, and SIGKILL at counted moments; then the vendors' own books are compared with what
// was said. `npm run chaos -- --seeds 500` for more, `npm run chaos -- --seed 7 --engine sqlite --verbose` for one again.
import { afterAll, describe, it } from 'vitest'
import { type EngineName, postgresFailure } from '../support/stores.js'
import { bundleBridge } from './chaos/bundle.js'
import { planOf } from './chaos/plan.js'
import { run } from './chaos/run.js'
import { effectsOfStory, tour } from './chaos/tour.js'

const { CHAOS_SEEDS = '20', CHAOS_SEED, CHAOS_ENGINE, CHAOS_VERBOSE } = process.env
const seeds = CHAOS_SEED === undefined ? [...Array(Number(CHAOS_SEEDS)).keys()].map((i) => i + 1) : [Number(CHAOS_SEED)]
const engines = (['sqlite', 'postgres'] as const).filter((one) => CHAOS_ENGINE === undefined || one === CHAOS_ENGINE)
const runs = seeds.flatMap((seed) => engines.map((engine) => ({ seed, engine })))

const bundle = await bundleBridge()
afterAll(() => bundle.remove())

const isAway = (engine: EngineName) => engine === 'postgres' && postgresFailure !== undefined

describe.skipIf(runs.length === 0)('whatever happens', () => {
  for (const { seed, engine } of runs) {
    it.skipIf(isAway(engine)).concurrent(
      `nothing is lost, doubled, reordered or misdirected (seed ${seed} on ${engine})`,
      { timeout: 120_000 },
      async ({ expect }) => {
        const { findings, timeline, counts } = await run(planOf(seed), engine, bundle.module)
        const story = [`seed ${seed} on ${engine}: ${counts}`, ...timeline].join('\n')
        if (CHAOS_VERBOSE !== undefined) process.stdout.write(`${story}\n`)
        expect(findings, story).toEqual([])
      },
    )
  }
})

describe('killed after any effect', () => {
  for (const engine of engines) {
    it.skipIf(isAway(engine)).concurrent(
      `the bridge repeats and forgets nothing (${engine})`,
      { timeout: 180_000 },
      async ({ expect }) => {
        const options = { engine, module: bundle.module }
        const deaths = await effectsOfStory(options)
        if (CHAOS_VERBOSE !== undefined)
          process.stdout.write(`${engine}: ${deaths.map(({ name }) => name).join(', ')}\n`)
        // Three worlds share them, so that one waits while another works.
        const shares = [0, 1, 2].map((share) => deaths.filter((_, index) => index % 3 === share))
        const tours = await Promise.all(shares.map((share) => tour(options, share)))
        expect(tours.flatMap(({ findings }) => findings)).toEqual([])
        expect(tours.map(({ died }) => died)).toEqual(shares)
      },
    )
  }
})
