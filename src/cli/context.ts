// What every command is given. Nothing is loaded or opened before it is asked for.
import type { Clock } from '../clock.js'
import type { Config, Flags, Sources } from '../config/load.js'
import type { Look } from '../store/look.js'
import type { Store } from '../store/store.js'
import type { Environment, Io } from './io.js'

export interface Context {
  readonly io: Io
  readonly env: Environment
  readonly clock: Clock
  /** What settings were given where, the profile apart; for commands about settings themselves. */
  readonly given: Omit<Sources, 'profile'>
  /** All settings. Throws ConfigError with every fault. */
  config(): Promise<Config>
  /** Settings that need no vendor. Throws ConfigError with every fault. */
  localConfig(): Promise<Pick<Config, 'defaultRegion' | 'holdMs'>>
  /** `sqlite:PATH` or `postgres://…`; may hold a password. Needs no other setting. */
  storeAddress(): Promise<string>
  /** Opens the store to work in it; needs no other setting. The caller closes it. */
  store(): Promise<Store>
  /**
   * Opens the store to look only: quick, and without the right to write. The caller closes it. With a home: the store of
   * the bridge that lives there.
   */
  look(home?: string): Promise<Look>
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
  const given = { env, flags, isTTY: io.isTTY }
  const sources = async (from: Context['given'] = given): Promise<Sources> => {
    const { readProfile } = await import('../config/profile.js')
    return { ...from, profile: await readProfile(from) }
  }
  const storeAddress = async () => {
    const { loadStoreConfig } = await import('../config/load.js')
    return (await loadStoreConfig(await sources())).store
  }
  return {
    io,
    env,
    clock,
    given,
    async config() {
      const { loadConfig } = await import('../config/load.js')
      return loadConfig(await sources())
    },
    async localConfig() {
      const { loadLocalConfig } = await import('../config/load.js')
      return loadLocalConfig(await sources())
    },
    storeAddress,
    async store() {
      const store = await storeAddress()
      const { openStore } = await import('../store/open.js')
      return openStore(store, {
        now: clock.now(),
        thread: false,
        create: false,
        onMigrated: ({ from, to, copy }) => {
          io.err(`The store was brought from version ${from} to ${to}.`)
          if (copy !== undefined) io.err(`What it was is kept at ${copy}`)
        },
      })
    },
    async look(home) {
      const [{ loadStoreConfig }, { openLook }] = await Promise.all([
        import('../config/load.js'),
        import('../store/look.js'),
      ])
      const from = home === undefined ? given : { env: { SMS_BRIDGE_HOME: home }, flags: {} }
      const { store } = await loadStoreConfig(await sources(from))
      return openLook(store)
    },
    stopSignal,
  }
}
