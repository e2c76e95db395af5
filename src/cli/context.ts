// What every command is given. Nothing is loaded or opened before it is asked for.
import type { Clock } from '../clock.js'
import type { Config, Flags, Sources } from '../config/load.js'
import type { Store } from '../store/store.js'
import type { Environment, Io } from './io.js'

export interface Context {
  readonly io: Io
  readonly env: Environment
  readonly clock: Clock
  /** All settings. Throws ConfigError with every fault. */
  config(): Promise<Config>
  /** Opens the store for a short look; needs no other setting. The caller closes it. */
  store(): Promise<Store>
  /**
   * Takes over SIGINT and SIGTERM: the first aborts this signal, a second ends the program. Commands that never ask
   * for it are ended by the first.
   */
  stopSignal(): AbortSignal
}

export interface ContextParts {
  readonly io: Io
  readonly env: Environment
  readonly clock: Clock
  /** Settings given on the command line. */
  readonly flags: Flags
  readonly stopSignal: () => AbortSignal
}

export function createContext({ io, env, clock, flags, stopSignal }: ContextParts): Context {
  const sources = async (): Promise<Sources> => {
    const { readProfile } = await import('../config/profile.js')
    return { env, flags, profile: await readProfile(env), isTTY: io.isTTY }
  }
  return {
    io,
    env,
    clock,
    async config() {
      const { loadConfig } = await import('../config/load.js')
      return loadConfig(await sources())
    },
    async store() {
      const { loadStoreConfig } = await import('../config/load.js')
      const { store } = await loadStoreConfig(await sources())
      const { openStore } = await import('../store/open.js')
      return openStore(store, { now: clock.now(), thread: false, create: false })
    },
    stopSignal,
  }
}
