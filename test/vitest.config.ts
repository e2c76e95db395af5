import { fileURLToPath } from 'node:url'
import { defineConfig } from 'vitest/config'

// Tests run against dist/, the code that ships: the SQLite writer thread and the child processes need compiled
// files, and this way nothing is loaded twice. `npm test` builds first; by hand, run `npm run build` before vitest.
const dist = fileURLToPath(new URL('../dist/', import.meta.url))

export default defineConfig({
  resolve: { alias: [{ find: /^(?:\.\.\/)+src\//, replacement: dist }] },
  server: { watch: null },
  test: {
    root: fileURLToPath(new URL('..', import.meta.url)),
    include: ['test/**/*.test.ts'],
    testTimeout: 60_000,
    hookTimeout: 30_000,
    pool: 'forks',
    maxWorkers: 2,
    server: { deps: { external: [/\/dist\//] } },
  },
})
