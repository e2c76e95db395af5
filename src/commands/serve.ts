import type { Context } from '../cli/context.js'
import { type ExitCode, exitCodes } from '../cli/exit-codes.js'
import { describeError } from '../errors.js'

/** Runs the bridge until SIGTERM or SIGINT, then finishes what is in hand. */
export async function serve(context: Context): Promise<ExitCode> {
  const { clock, io } = context
  const config = await context.config()
  const [{ startBridge }, { createLog }, { openStore }] = await Promise.all([
    import('../bridge.js'),
    import('../log.js'),
    import('../store/open.js'),
  ])
  const log = createLog({ format: config.log, write: (line) => io.out(line.trimEnd()), clock })
  const stopping = context.stopSignal()
  const store = await openStore(config.store, { now: clock.now() })
  try {
    const bridge = await startBridge(config, { store, clock, log })
    log.info('serve.started', { listening: bridge.url, public: config.publicUrl, store: store.engine })
    await aborted(stopping)
    log.info('serve.stopping')
    await bridge.stop()
    log.info('serve.stopped')
  } finally {
    await store.close().catch((error: unknown) => log.error('serve.store-not-closed', { error: describeError(error) }))
  }
  return exitCodes.ok
}

/** Resolves when the signal aborts. */
export function aborted(signal: AbortSignal): Promise<void> {
  if (signal.aborted) return Promise.resolve()
  return new Promise((resolve) => signal.addEventListener('abort', () => resolve(), { once: true }))
}
