import { writeFileSync } from 'node:fs'
import { createServer } from 'node:net'
import { join } from 'node:path'
import { describe, expect, it, onTestFinished } from 'vitest'
import { fingerprintsMark, fingerprintsOf } from '../../src/config/fingerprints.js'
import { openStore } from '../../src/store/open.js'
import { environmentOf, startServe } from '../support/serve-process.js'
import { openTestBridge, tempFolder } from '../support/temp.js'
import { customer, ours } from '../support/test-bridge.js'

async function twinsAndEnvironment() {
  const world = await openTestBridge({ ownProcess: true })
  const env: Record<string, string> = { ...environmentOf(world.config), SMS_BRIDGE_HOME: tempFolder() }
  return { world, env }
}

describe('serve', () => {
  it('bridges between the vendors with nothing but its environment', async () => {
    const { world, env } = await twinsAndEnvironment()
    const serve = startServe(env)
    await serve.logged('serve.started')
    await world.subscribe()
    world.twilio.text({ from: customer, to: ours, body: 'Hello' })
    await world.eventually('a conversation', () => world.intercom.conversations().length === 1)
    await serve.logged('delivery.attempted')
    world.intercom.inbox.reply(world.intercom.conversations()[0]?.id ?? '', '<p>Hi</p>')
    await world.eventually('the reply', () => world.twilio.handset(customer).some(({ body }) => body === 'Hi'))
    serve.child.kill('SIGTERM')
    expect(await serve.ended).toBe(0)
    expect(serve.stderr()).toBe('')
    // For doctor: what it was started with, without a word of it.
    const store = await openStore(world.config.store, { now: Date.now() })
    onTestFinished(() => store.close())
    const noted = (await store.findMark(fingerprintsMark))?.value
    expect(noted).toEqual(fingerprintsOf({ env, flags: {}, profile: {} }))
    expect(Object.keys(noted as object)).toEqual([
      'publicUrl',
      'teams',
      'awayText',
      'relayBots',
      'hold',
      'defaultRegion',
    ])
    expect(JSON.stringify(noted)).not.toContain(ours)
  })

  it.each(['SIGTERM', 'SIGINT'] as const)(
    'on %s takes no new webhook, finishes what is in hand, ends with 0',
    async (signal) => {
      const { world, env } = await twinsAndEnvironment()
      const serve = startServe(env)
      await serve.logged('serve.started')
      await world.subscribe()
      world.intercom.faults.arm('slow', { times: 1, method: 'POST', path: /^\/conversations$/, ms: 1_500 })
      world.twilio.text({ from: customer, to: ours, body: 'in hand' })
      await world.eventually('the slow call has begun', () => world.intercom.faults.armed().length === 0)
      serve.child.kill(signal)
      await serve.logged('serve.stopping')
      await world.eventually('the door is closed', () =>
        fetch(`${world.config.publicUrl}/healthz`).then(
          () => false,
          () => true,
        ),
      )
      expect(await serve.ended).toBe(0)
      expect(world.intercom.conversations().map(({ source }) => source.body)).toEqual(['<p>in hand</p>'])
      expect(serve.lines.filter(({ event }) => event === 'delivery.attempted').map(({ outcome }) => outcome)).toEqual([
        'delivered',
      ])
    },
  )

  it('finishes what is in hand too when its settings are in a profile', async () => {
    const { world, env } = await twinsAndEnvironment()
    const { PATH = '', SMS_BRIDGE_HOME = '', ...profile } = env
    writeFileSync(join(SMS_BRIDGE_HOME, 'profile.json'), JSON.stringify(profile), { mode: 0o600 })
    const serve = startServe({ PATH, SMS_BRIDGE_HOME })
    await serve.logged('serve.started')
    await world.subscribe()
    world.intercom.faults.arm('slow', { times: 1, method: 'POST', path: /^\/conversations$/, ms: 500 })
    world.twilio.text({ from: customer, to: ours, body: 'in hand' })
    await world.eventually('the slow call has begun', () => world.intercom.faults.armed().length === 0)
    serve.child.kill('SIGTERM')
    expect(await serve.ended).toBe(0)
    expect(serve.lines.at(-1)).toMatchObject({ event: 'serve.stopped' })
  })

  it('ends with 1 when its store can never answer again, so that a supervisor starts it anew', async () => {
    const { world, env } = await twinsAndEnvironment()
    // The thread ends itself between two statements: ended from outside in native code, node itself may abort.
    const killStore = `import { BroadcastChannel, isMainThread } from 'node:worker_threads'
      const end = new BroadcastChannel('end')
      if (isMainThread) process.once('SIGUSR2', () => end.postMessage(''))
      else end.onmessage = () => process.exit()
      end.unref()`
    const preload = `--import=data:text/javascript,${encodeURIComponent(killStore)}`
    const serve = startServe({ ...env, NODE_OPTIONS: preload })
    await serve.logged('serve.started')
    serve.child.kill('SIGUSR2')
    expect(await serve.ended).toBe(1)
    expect(serve.stderr()).toContain("The store's thread has ended")
    await expect(fetch(`${world.config.publicUrl}/healthz`)).rejects.toThrow('fetch failed')
  })

  it('says which port is taken, and what to type', async () => {
    const { world, env } = await twinsAndEnvironment()
    const other = createServer()
    await new Promise<void>((resolve) => other.listen(world.config.port, '127.0.0.1', resolve))
    try {
      const serve = startServe(env)
      expect(await serve.ended).toBe(2)
      const { port } = world.config
      expect(serve.stderr()).toBe(
        `error: port ${port} on 127.0.0.1 is taken by another program.\nStop it, or choose another: --port ${port + 1}\n`,
      )
    } finally {
      other.close()
    }
  })

  it('says which store cannot be opened, and why', async () => {
    const { env } = await twinsAndEnvironment()
    const file = join(tempFolder(), 'broken.sqlite')
    writeFileSync(file, 'this is no database, it is a text file of some length, so that it has a header')
    const serve = startServe({ ...env, SMS_BRIDGE_STORE: `sqlite:${file}` })
    expect(await serve.ended).toBe(4)
    expect(serve.stderr()).toContain(`Cannot open the store sqlite:${file}: file is not a database`)
  })

  it('names every missing and malformed setting at once, and no secret', async () => {
    const { env } = await twinsAndEnvironment()
    const { TWILIO_AUTH_TOKEN: _, ...rest } = env
    const serve = startServe({ ...rest, SMS_BRIDGE_PORT: 'http', SMS_BRIDGE_PUBLIC_URL: 'sms.example.com' })
    expect(await serve.ended).toBe(2)
    const faults = serve.stderr()
    for (const part of [
      'TWILIO_AUTH_TOKEN is missing',
      'SMS_BRIDGE_PORT "http"',
      'SMS_BRIDGE_PUBLIC_URL "sms.example.com"',
    ]) {
      expect(faults).toContain(part)
    }
    expect(faults).not.toContain(env.INTERCOM_ACCESS_TOKEN)
  })
})
