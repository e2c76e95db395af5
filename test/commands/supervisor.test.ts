import { spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it, onTestFinished } from 'vitest'
import { createSupervisor } from '../../src/commands/supervisor.js'
import { ManualClock } from '../support/manual-clock.js'
import { environmentOf, startServe } from '../support/serve-process.js'
import { openTestBridge, tempFolder } from '../support/temp.js'

const has = (program: string) => spawnSync(program, ['--version']).error === undefined
const canListen = has('python3') && has('systemd-notify')

// As systemd does, it lets go of the descriptor that systemd-notify sends along to learn that it was heard.
const listener = `
import select, socket, sys
heard = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
heard.bind(sys.argv[1])
while heard in select.select([heard, sys.stdin], [], [])[0]:
    print(heard.recv(4096).decode(), flush=True)
`

/** A supervisor's socket: what it is told, and a wait for more. */
async function listen() {
  const path = join(tempFolder(), 'notify')
  const child = spawn('python3', ['-c', listener, path], { stdio: ['pipe', 'pipe', 'inherit'] })
  onTestFinished(async () => {
    child.stdin.end()
    await once(child, 'close')
  })
  let told = ''
  const look = async (holds: () => boolean) => {
    while (!holds()) await once(child.stdout, 'data')
  }
  child.stdout.on('data', (chunk: Buffer) => {
    told += chunk.toString()
  })
  while (!existsSync(path)) await new Promise((resolve) => setImmediate(resolve))
  const count = (word: string) => told.split(word).length - 1
  return { path, told: () => told, hears: (word: string, times = 1) => look(() => count(word) >= times) }
}

describe.skipIf(!canListen)('serve under systemd', () => {
  it('says when its door is open, that it lives, and that it goes', async () => {
    const { path, told, hears } = await listen()
    const world = await openTestBridge({ ownProcess: true })
    const env = { ...environmentOf(world.config), SMS_BRIDGE_HOME: tempFolder(), NOTIFY_SOCKET: path }
    const serve = startServe({ ...env, WATCHDOG_USEC: '600000' })
    await hears('READY=1')
    expect((await fetch(`${world.config.publicUrl}/healthz`)).status).toBe(200)
    expect(told()).toContain(`STATUS=listening on ${world.config.publicUrl}`)
    await hears('WATCHDOG=1', 2)
    serve.child.kill('SIGTERM')
    await hears('STOPPING=1')
    expect(await serve.ended).toBe(0)
    expect(serve.lines.filter(({ level }) => level !== 'info')).toEqual([])
  })

  it('bridges all the same when systemd does not listen, and says so once', async () => {
    const world = await openTestBridge({ ownProcess: true })
    const env = { ...environmentOf(world.config), SMS_BRIDGE_HOME: tempFolder(), NOTIFY_SOCKET: '/nowhere/notify' }
    const serve = startServe({ ...env, WATCHDOG_USEC: '300000' })
    await serve.logged('serve.supervisor-not-told')
    expect((await fetch(`${world.config.publicUrl}/healthz`)).status).toBe(200)
    serve.child.kill('SIGTERM')
    expect(await serve.ended).toBe(0)
    expect(serve.lines.filter(({ event }) => event === 'serve.supervisor-not-told')).toHaveLength(1)
  })
})

describe('signs of life', () => {
  function watched(env: Record<string, string>) {
    const clock = new ManualClock()
    const told: string[] = []
    const logged: string[] = []
    const log = { info: () => {}, warn: () => {}, error: (event: string) => void logged.push(event) }
    const store = { answer: (): Promise<unknown> => Promise.resolve() }
    const supervisor = createSupervisor({
      env: { NOTIFY_SOCKET: '/run/notify', ...env },
      pid: 42,
      clock,
      log,
      ask: () => store.answer(),
      tell: async (lines) => void told.push(lines.join(' ')),
    })
    return { clock, told, logged, store, supervisor }
  }
  const beats = (told: readonly string[]) => told.filter((line) => line === 'WATCHDOG=1').length

  it('are given three times as often as systemd asks, and not after the end', async () => {
    const { clock, told, supervisor } = watched({ WATCHDOG_USEC: '60000000', WATCHDOG_PID: '42' })
    supervisor.ready('listening')
    for (let beat = 0; beat < 4; beat += 1) await clock.advance(20_000)
    expect(told).toEqual(['READY=1 STATUS=listening', 'WATCHDOG=1', 'WATCHDOG=1', 'WATCHDOG=1', 'WATCHDOG=1'])
    await supervisor.stopping()
    await clock.advance(60_000)
    expect(told.slice(5)).toEqual(['STOPPING=1'])
  })

  it('are not given while the store is silent, and again when it answers, be it with an error', async () => {
    const { clock, told, logged, store, supervisor } = watched({ WATCHDOG_USEC: '60000000' })
    store.answer = () => new Promise(() => {})
    supervisor.ready('listening')
    for (let beat = 0; beat < 8; beat += 1) await clock.advance(20_000)
    expect(beats(told)).toBe(0)
    expect(logged.length).toBeGreaterThan(2)
    store.answer = () => Promise.reject(new Error('the database is away'))
    for (let beat = 0; beat < 4; beat += 1) await clock.advance(20_000)
    expect(beats(told)).toBeGreaterThan(1)
    await supervisor.stopping()
  })

  it('are not given when they are wanted of another process, or not at all', async () => {
    for (const env of [{ WATCHDOG_USEC: '60000000', WATCHDOG_PID: '41' }, { WATCHDOG_USEC: '0' }, {}]) {
      const { clock, told, supervisor } = watched(env)
      supervisor.ready('listening')
      await clock.advance(60_000)
      expect(told).toEqual(['READY=1 STATUS=listening'])
      await supervisor.stopping()
    }
  })
})
