import { setFlagsFromString } from 'node:v8'
import type { Context } from '../cli/context.js'
import { type ExitCode, exitCodes } from '../cli/exit-codes.js'
import { fingerprintsMark, fingerprintsOf } from '../config/fingerprints.js'
import { readProfile } from '../config/profile.js'
import { describeError } from '../errors.js'
import { createSupervisor } from './supervisor.js'

/**
 * V8 lets its heap grow with the machine's memory, and rarely gives back what a busy hour took. A process that runs for
 * years beside others collects more often instead: new objects get no more room than start-up took, and the rest is
 * collected when it has grown by this share. The store's thread goes by the same.
 */
const growthPercent = 50

/** Runs the bridge until SIGTERM or SIGINT, then finishes what is in hand. */
export async function serve(context: Context): Promise<ExitCode> {
  const { io } = context
  const config = await context.config()
  const [{ startBridge }, { createSteadyClock }, { createLog }, { openStore }] = await Promise.all([
    import('../bridge.js'),
    import('../clock.js'),
    import('../log.js'),
    import('../store/open.js'),
  ])
  const log = createLog({ format: config.log, write: (line) => io.out(line.trimEnd()), clock: context.clock })
  const stopping = context.stopSignal()
  setFlagsFromString(`--heap-growing-percent=${growthPercent}`)
  const store = await openStore(config.store, {
    now: context.clock.now(),
    onMigrated: ({ from, to, copy }) => log.info('store.migrated', { from, to, ...(copy !== undefined && { copy }) }),
  })
  try {
    const atLeast = await store.latestTime()
    const clock = createSteadyClock({
      wall: context.clock.now,
      elapsed: () => performance.now(),
      onSetBack: (byMs) => log.warn('clock.set-back', { byMs: Math.round(byMs) }),
      ...(atLeast !== undefined && { atLeast }),
    })
    const lost = new Promise<Error>((resolve) => store.onLost(resolve))
    const supervisor = createSupervisor({
      env: context.env,
      pid: process.pid,
      clock: context.clock,
      log,
      ask: () => store.pauses(),
    })
    const bridge = await startBridge(config, { store, clock, log })
    const noted = fingerprintsOf({ ...context.given, profile: await readProfile(context.given) })
    await store.setMark(fingerprintsMark, clock.now(), noted)
    setFlagsFromString('--semi-space-growth-factor=1')
    log.info('serve.started', { listening: bridge.url, public: config.publicUrl, store: store.engine })
    supervisor.ready(`listening on ${bridge.url}`)
    const broken = await Promise.race([aborted(stopping), lost])
    log.info('serve.stopping')
    await Promise.all([supervisor.stopping(), bridge.stop()])
    // A supervisor starts us anew; alone we could only answer 503 for ever.
    if (broken !== undefined) throw broken
    log.info('serve.stopped')
  } finally {
    await store.close().catch((error: unknown) => log.error('serve.store-not-closed', { error: describeError(error) }))
  }
  return exitCodes.ok
}

/** Resolves when the signal aborts. */
export function aborted(signal: AbortSignal): Promise<undefined> {
  if (signal.aborted) return Promise.resolve(undefined)
  return new Promise((resolve) => signal.addEventListener('abort', () => resolve(undefined), { once: true }))
}
