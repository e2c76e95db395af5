// Child processes of the benches: asked over IPC (so that no token is in argv), and ended by their pid.
import { fork } from 'node:child_process'
import { once } from 'node:events'
import { createServer } from 'node:net'
import { fileURLToPath } from 'node:url'

const living = new Set()

/** Remembers a child until it ends, so that `endAll` leaves nothing behind. */
export function keep(child) {
  living.add(child)
  child.once('exit', () => living.delete(child))
  return child
}

export async function end(child, signal = 'SIGTERM') {
  if (child.exitCode !== null || child.signalCode !== null) return
  const ended = once(child, 'exit')
  const force = setTimeout(() => child.kill('SIGKILL'), 30_000)
  child.kill(signal)
  await ended
  clearTimeout(force)
}

export async function endAll() {
  await Promise.all([...living].map((child) => end(child, 'SIGKILL')))
}

/** For an exit that cannot wait. */
export function killAll() {
  for (const child of living) child.kill('SIGKILL')
}

/** Starts a module of the folder `children`, which answers calls (`answerCalls`). */
export function startModule(name) {
  const child = keep(fork(fileURLToPath(new URL(`../children/${name}`, import.meta.url)), { execArgv: [] }))
  const waiting = new Map()
  let lastId = 0
  child.on('message', ({ id, value, error }) => {
    const { resolve, reject } = waiting.get(id)
    waiting.delete(id)
    if (error === undefined) resolve(value)
    else reject(new Error(`${name}: ${error}`))
  })
  child.once('exit', (code, signal) => {
    for (const { reject } of waiting.values()) reject(new Error(`${name} ended (${signal ?? code})`))
  })
  return {
    pid: child.pid,
    call: (method, argument) =>
      new Promise((resolve, reject) => {
        lastId += 1
        waiting.set(lastId, { resolve, reject })
        child.send({ id: lastId, method, argument })
      }),
    end: () => end(child, 'SIGKILL'),
  }
}

/** The other side of `startModule`. */
export function answerCalls(methods) {
  process.on('message', async ({ id, method, argument }) => {
    try {
      process.send({ id, value: await methods[method](argument) })
    } catch (error) {
      process.send({ id, error: error.stack ?? String(error) })
    }
  })
  process.on('disconnect', () => process.exit())
}

/** A port of 127.0.0.1 on which nobody listens. */
export async function closedPort() {
  const probe = createServer().listen(0, '127.0.0.1')
  await once(probe, 'listening')
  const { port } = probe.address()
  probe.close()
  await once(probe, 'close')
  return port
}
