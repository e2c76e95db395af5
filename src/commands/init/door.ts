// The webhook door while the wizard runs: that of a serve that listens already, or one of our own.
import type { Config } from '../../config/load.js'
import { UserError } from '../../errors.js'
import type { Route } from '../../server/server.js'
import type { Store } from '../../store/store.js'
import { proveOurs } from '../setup/self-test.js'
import type { Session } from './session.js'

export interface OpenDoor {
  /** `serve`: another process's. `none`: nobody listens, and a dry run opens nothing. */
  readonly whose: 'ours' | 'serve' | 'none'
  /** What arrives is seen here, whoever listens. */
  readonly store: Store | undefined
  close(): Promise<void>
}

/** Throws UserError when the port is somebody else's. */
export async function openInitDoor(
  { context, options, call, screen }: Session,
  config: Config,
  routes: readonly Route[],
): Promise<OpenDoor> {
  const here = `http://${localHost(config.host)}:${config.port}`
  const checks = await proveOurs(here, config.intercom.clientSecret, { signal: call.signal, deadlineMs: 3000 })
  const failed = checks.find(({ ok }) => !ok)
  if (failed === undefined) {
    screen.ok(`serve listens on ${here}`)
    const store = await openStoreOf(config, { clock: context.clock, thread: false })
    return { whose: 'serve', store, close: () => store.close() }
  }
  if (failed.id !== 'reachable') throw new UserError(`${failed.detail}. Or listen elsewhere: --port ${config.port + 1}`)
  if (options.dryRun) return { whose: 'none', store: undefined, close: async () => {} }
  const [{ openDoor }, { createLog }] = await Promise.all([import('../../bridge.js'), import('../../log.js')])
  const store = await openStoreOf(config, { clock: context.clock, thread: true })
  try {
    // What is turned away is told by the steps that look for it; a log would break into the prompts.
    const log = createLog({ format: 'pretty', level: 'error', write: () => {}, clock: context.clock })
    const server = await openDoor(config, { store, clock: context.clock, log, notify: () => {}, routes })
    screen.ok(`listening on ${server.url} until this is done; texts that come meanwhile are kept for serve`)
    const close = async () => {
      await server.stop()
      await store.close()
    }
    return { whose: 'ours', store, close }
  } catch (error) {
    await store.close()
    throw error
  }
}

async function openStoreOf(
  config: Config,
  { clock, thread }: { readonly clock: Session['context']['clock']; readonly thread: boolean },
): Promise<Store> {
  const { openStore } = await import('../../store/open.js')
  return openStore(config.store, { now: clock.now(), thread })
}

/** Where a listener on every address can be asked. */
function localHost(host: string): string {
  if (host === '0.0.0.0') return '127.0.0.1'
  if (host === '::') return '[::1]'
  return host.includes(':') ? `[${host}]` : host
}
