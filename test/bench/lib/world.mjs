// The twins, the bridge between them and the load generator, each in a process of its own.
import { startModule } from './children.mjs'
import { startServe } from './serve.mjs'

/** Twilio's and Intercom's own limits unless told otherwise. */
export async function startWorld({ folder, store, nodeArgs, env, rateLimit = 1_666 }) {
  const twins = startModule('twins.mjs')
  const load = startModule('load.mjs')
  const urls = await twins.call('start', { rateLimit })
  const start = (port) => startServe({ folder, store, twins: urls, env, nodeArgs, port })
  const serve = await start()
  await twins.call('setWebhook', `${serve.url}/webhooks/intercom`)
  let sent = 0
  return {
    twins,
    load,
    serve,
    /** On the same port, after `serve.stop()`. */
    again: () => start(serve.port),
    /** Texts arrive; resolves when they have been answered. */
    async texts({ count, lanes, perSecond, connections = 64, maxMs = 120_000 }) {
      await load.call('prepare', { port: serve.port, first: sent, count, lanes })
      sent += count
      return perSecond === undefined
        ? load.call('closedLoop', { connections, maxMs })
        : load.call('openLoop', { perSecond })
    },
    async end() {
      await serve.stop()
      await Promise.all([twins.end(), load.end()])
    },
  }
}
