// The bridge's process as one file: a run starts it several times, and most of a start is reading hundreds of modules.
import { mkdtempSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { rolldown } from 'rolldown'

const root = fileURLToPath(new URL('../../../', import.meta.url))

export interface Bundle {
  /** To be forked. */
  readonly module: string
  remove(): void
}

export async function bundleBridge(): Promise<Bundle> {
  // Inside the checkout, where what stays outside the bundle is found.
  const folder = mkdtempSync(join(root, '.chaos-'))
  const bundle = await rolldown({
    cwd: root,
    platform: 'node',
    input: {
      bridge: 'test/crash/children/bridge.mjs',
      // The store starts it by this name, beside its own file.
      'writer-thread': 'dist/store/sqlite/writer-thread.js',
    },
    // Native code, and a package of thousands of files of which few are read.
    external: [/^@photostructure\/sqlite/, /^twilio\//, 'pg-native'],
    logLevel: 'silent',
  })
  await bundle.write({ dir: folder, entryFileNames: '[name].js', chunkFileNames: '[name].js' })
  await bundle.close()
  return { module: join(folder, 'bridge.js'), remove: () => rmSync(folder, { recursive: true }) }
}
