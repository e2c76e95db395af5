// npm run chaos -- --seeds 500 · npm run chaos -- --seed 7 --engine sqlite --verbose
// The tests of chaos.test.ts with other seeds: tests and this command share everything.
import { spawnSync } from 'node:child_process'
import { createRequire } from 'node:module'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'

const usage = 'Usage: npm run chaos -- [--seeds N | --seed S] [--engine sqlite|postgres] [--verbose]'

function read() {
  const { values } = parseArgs({
    options: {
      seeds: { type: 'string' },
      seed: { type: 'string' },
      engine: { type: 'string' },
      verbose: { type: 'boolean' },
    },
  })
  for (const name of ['seeds', 'seed']) {
    if (values[name] !== undefined && !/^\d+$/.test(values[name])) throw new Error(`--${name} takes a whole number`)
  }
  if (![undefined, 'sqlite', 'postgres'].includes(values.engine)) {
    throw new Error(`--engine is sqlite or postgres, not ${values.engine}`)
  }
  return values
}

try {
  const { seeds, seed, engine, verbose } = read()
  const root = fileURLToPath(new URL('../../', import.meta.url))
  const vitest = join(dirname(createRequire(import.meta.url).resolve('vitest/package.json')), 'vitest.mjs')
  const args = ['run', '--config', 'test/vitest.config.ts', 'test/crash/chaos.test.ts', '--testNamePattern', 'seed']
  const { status } = spawnSync(
    process.execPath,
    [vitest, ...args, ...(verbose ? ['--disable-console-intercept'] : [])],
    {
      cwd: root,
      stdio: 'inherit',
      env: {
        ...process.env,
        ...(seeds !== undefined && { CHAOS_SEEDS: seeds }),
        ...(seed !== undefined && { CHAOS_SEED: seed }),
        ...(engine !== undefined && { CHAOS_ENGINE: engine }),
        ...(verbose && { CHAOS_VERBOSE: '1' }),
      },
    },
  )
  process.exitCode = status ?? 1
} catch (error) {
  process.stderr.write(`${error.message}\n${usage}\n`)
  process.exitCode = 2
}
