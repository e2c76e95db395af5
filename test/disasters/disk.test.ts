// The disk under the store: full, or not to be written.
import { join } from 'node:path'
import { describe, expect, it, vi } from 'vitest'
import { openStore } from '../../src/store/open.js'
import { aDelivery } from '../store/deliveries.js'
import { answeredOf, inboxOf } from '../support/books.js'
import { fillDisk, mountFailure, onReadOnlyDisk, onSmallDisk } from '../support/mounts.js'
import { environmentOf, runCommand, startServe } from '../support/serve-process.js'
import { openTestBridge, tempFolder } from '../support/temp.js'
import { customer, otherCustomer, ours } from '../support/test-bridge.js'

// Whole processes start and end here: on a busy machine that takes its time.
vi.setConfig({ testTimeout: 120_000 })

const suffix = mountFailure === undefined ? '' : ` (skipped: ${mountFailure})`

async function twins() {
  const folder = tempFolder()
  const path = join(folder, 'store.sqlite')
  const world = await openTestBridge({ ownProcess: true, storeUrl: `sqlite:${path}` })
  return { folder, path, world, env: { ...environmentOf(world.config), SMS_BRIDGE_HOME: tempFolder() } }
}

describe.skipIf(mountFailure !== undefined)(`a full disk${suffix}`, () => {
  it('refuses webhooks rather than losing them, and all goes on by itself when there is space again', async () => {
    const { folder, path, world, env } = await twins()
    const { twilio, intercom } = world
    const serve = startServe(env, [], onSmallDisk(folder, 4))
    await serve.logged('serve.started')
    await world.subscribe()
    const answers: (number | string)[] = []
    twilio.subscribe((event) => event.type === 'webhook' && answers.push(event.status))
    const ready = () => fetch(`${world.config.publicUrl}/readyz`)

    twilio.text({ from: customer, to: ours, body: 'before' })
    await world.eventually('a conversation, assigned', () => intercom.conversations()[0]?.teamAssigneeId === '814')
    intercom.faults.arm('slow', { times: 1, method: 'POST', path: /\/reply$/, ms: 500 })
    twilio.text({ from: customer, to: ours, body: 'in hand' })
    await world.eventually('it is in hand', () => intercom.faults.armed().length === 0)
    await twilio.idle()
    expect(answers).toEqual([200, 200])
    expect((await ready()).status).toBe(200)

    const empty = fillDisk(serve.child.pid ?? 0, folder, 8)
    twilio.text({ from: otherCustomer, to: ours, body: 'refused' })
    await twilio.idle()
    expect(new Set(answers.slice(2))).toEqual(new Set([503]))
    const words =
      `Trouble with the store sqlite:${path}: database or disk is full. Free some space on its disk: ` +
      'what was answered is kept, and a running bridge then goes on by itself.'
    expect((await serve.logged('webhook.refused')).detail).toBe(`not stored: ${words}`)
    expect((await serve.logged('delivery.settle-failed')).error).toBe(words)
    const unready = await world.eventually('it is not ready', async () => {
      const answer = await ready()
      return answer.status === 503 && answer.json()
    })
    expect(unready).toEqual({ status: 'store takes no webhook', error: words })

    empty()
    twilio.text({ from: customer, to: ours, body: 'after' })
    await world.eventually('all have arrived', () => inboxOf(intercom)[customer]?.length === 3)
    expect((await ready()).status).toBe(200)
    serve.child.kill('SIGTERM')
    expect(await serve.ended).toBe(0)
    expect(answeredOf(twilio)).toEqual({ [customer]: ['before', 'in hand', 'after'] })
    expect(inboxOf(intercom)).toEqual(answeredOf(twilio))
  })

  it('is named when serve cannot start on it', async () => {
    const { folder, path, env } = await twins()
    const [command = '', ...mount] = onSmallDisk(folder, 1)
    const fill = ['sh', '-c', 'dd if=/dev/zero of="$0/filler" bs=1M 2>/dev/null; exec "$@"', folder]
    const serve = startServe(env, [], [command, ...mount, ...fill])
    expect(await serve.ended).toBe(4)
    expect(serve.stderr()).toContain(`Cannot open the store sqlite:${path}: database or disk is full. Free some space`)
  })
})

describe.skipIf(mountFailure !== undefined)(`a disk that cannot be written${suffix}`, () => {
  it('still lets status look, whether the store was closed or is in use', async () => {
    const { folder, path, env } = await twins()
    const store = await openStore(`sqlite:${path}`, { now: 0 })
    await store.register('serve-1', 60_000, Date.now())
    await store.ingest(aDelivery(), Date.now())
    const inUse = await runCommand(['status'], env, onReadOnlyDisk(folder))
    await store.close()
    const closed = await runCommand(['status'], env, onReadOnlyDisk(folder))
    for (const { code, stdout, stderr } of [inUse, closed]) {
      expect([code, stderr]).toEqual([0, ''])
      expect(stdout).toContain('HEALTHY  1 serve running')
      expect(stdout).toContain('waiting 1')
    }
  })

  it('is named when serve cannot start on it', async () => {
    const { folder, path, env } = await twins()
    await (await openStore(`sqlite:${path}`, { now: 0 })).close()
    const serve = startServe(env, [], onReadOnlyDisk(folder))
    expect(await serve.ended).toBe(2)
    expect(serve.stderr()).toBe(
      `error: Cannot open the store sqlite:${path}: EROFS: read-only file system, open '${path}'. ` +
        'Correct the path or its permissions, or set SMS_BRIDGE_STORE=sqlite:PATH to another file.\n',
    )
  })
})
