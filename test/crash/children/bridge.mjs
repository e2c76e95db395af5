// The bridge in a process of its own, in a world whose time runs faster. It kills itself after a chosen effect (a call
// to a vendor was answered, something was written to the store): between two effects, where no other process can aim.
// What it needs comes over IPC, so that no token is in argv.
import { writeSync } from 'node:fs'
import { startBridge } from '../../../dist/bridge.js'
import { systemClock } from '../../../dist/clock.js'
import { openStore } from '../../../dist/store/open.js'

const writes = new Set([
  ...['ingest', 'beginStep', 'finishStep', 'dropStep', 'settle', 'saveThread', 'saveContact', 'forgetContact'],
  ...['lockContact', 'saveReceipt', 'pauseShore', 'resumeShore'],
])
/** The transport's own, which counts real time and so would last for ever here. */
const deadlineMs = 15_000

/** After how many more effects it dies, those of one name alone where there is one. */
let death

/** Straight to the descriptor: what was said before a SIGKILL must not be lost in a buffer. */
function say(event, fields = {}) {
  writeSync(1, `${JSON.stringify({ event, ...fields })}\n`)
}

function effect(name) {
  say('chaos.effect', { name })
  if (death === undefined || (death.name ?? name) !== name) return
  death.count -= 1
  if (death.count > 0) return
  say('chaos.dying')
  process.kill(process.pid, 'SIGKILL')
}

function watchStore(store) {
  return new Proxy(store, {
    get(target, name) {
      const method = target[name]
      if (!writes.has(name)) return method
      return async (...args) => {
        const result = await method(...args)
        const step = name.endsWith('Step') ? ` ${args[1]}` : ''
        effect(`${name}${step}`)
        return result
      }
    },
  })
}

function watchFetch(speed) {
  const send = globalThis.fetch
  globalThis.fetch = async (url, init) => {
    const signal = AbortSignal.any([init.signal, AbortSignal.timeout(deadlineMs / speed)])
    const response = await send(url, { ...init, signal })
    // What only reads leaves both sides as they were.
    const { pathname } = new URL(url)
    if (init.method === 'GET' || pathname.endsWith('/search')) return response
    effect(`${init.method} ${pathname.replace(/\/(?:[A-Z]{2}[0-9a-f]{32}|[0-9a-f]{24}|\d+)/g, '/…')}`)
    return response
  }
}

function clockOf({ epoch, speed }) {
  return {
    now: () => Math.floor(epoch + (Date.now() - epoch) * speed),
    sleep: (ms, signal) => systemClock.sleep(ms / speed, signal),
  }
}

async function start({ config, time, visibleAfterMs, relay }) {
  const clock = clockOf(time)
  watchFetch(time.speed)
  const store = await openStore(config.store, { now: clock.now() })
  store.onLost((error) => {
    throw error
  })
  const bridge = await startBridge(config, {
    store: watchStore(store),
    clock,
    log: { info: say, warn: say, error: say },
    random: () => 0.5,
    visibleAfterMs,
    relay,
  })
  process.once('SIGTERM', async () => {
    await bridge.stop()
    await store.close()
    process.off('disconnect', leave)
    process.disconnect()
  })
  process.send(Number(new URL(bridge.url).port))
}

/** Whoever started it is gone. */
const leave = () => process.exit(1)
process.on('disconnect', leave)
process.on('message', (order) => {
  if ('start' in order) return start(order.start)
  death = order.death
  process.send('known')
})
