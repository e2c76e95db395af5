// PostgreSQL goes away in mid-flight: its sessions ended, restarted, crashed, turned into a standby.
import { describe, expect, it, onTestFinished, vi } from 'vitest'
import { answeredOf, inboxOf } from '../support/books.js'
import { clusterFailure, startCluster } from '../support/postgres-cluster.js'
import { environmentOf, runCommand, startServe } from '../support/serve-process.js'
import { postgresFailure, postgresPlace } from '../support/stores.js'
import { openTestBridge, tempFolder } from '../support/temp.js'
import { customer, ours, type TestBridge } from '../support/test-bridge.js'

// Whole processes start and end here: on a busy machine that takes its time.
vi.setConfig({ testTimeout: 120_000 })

const customers = Array.from({ length: 8 }, (_, index) => `+155501001${index + 10}`)

function textAll({ twilio }: TestBridge, body: string): void {
  for (const from of customers) twilio.text({ from, to: ours, body })
}

/** Every customer has sent this, and Intercom has it; its answers come only after so long. */
async function inHand(world: TestBridge, body: string, ms: number): Promise<void> {
  world.intercom.faults.arm('slow', { times: customers.length, method: 'POST', path: /\/reply$/, ms })
  textAll(world, body)
  await world.eventually('all are in hand', () => world.intercom.faults.armed().length === 0)
}

async function twins(storeUrl: string) {
  const world = await openTestBridge({ ownProcess: true, storeUrl })
  const env: Record<string, string> = { ...environmentOf(world.config), SMS_BRIDGE_HOME: tempFolder() }
  return { world, env }
}

const suffix = (failure: string | undefined) => (failure === undefined ? '' : ` (skipped: ${failure})`)

describe.skipIf(postgresFailure !== undefined)(`a PostgreSQL store${suffix(postgresFailure)}`, () => {
  it('whose sessions are ended again and again in mid-delivery loses, doubles and reorders nothing', async () => {
    const place = postgresPlace()
    onTestFinished(() => place.remove())
    const application = `sms-bridge-cut-${process.pid}`
    const world = await openTestBridge({ storeUrl: `${place.url}&application_name=${application}` })
    const { twilio, intercom } = world
    const cut = () =>
      place.sql(`select pg_terminate_backend(pid) from pg_stat_activity where application_name = '${application}'`)
    textAll(world, 'a')
    await world.settled()
    for (const body of ['b', 'c', 'd']) {
      await inHand(world, body, 300)
      await cut()
      await world.settled()
    }
    expect(answeredOf(twilio)).toEqual(Object.fromEntries(customers.map((phone) => [phone, ['a', 'b', 'c', 'd']])))
    expect(inboxOf(intercom)).toEqual(answeredOf(twilio))
  })

  it('that takes no writes is named by serve, and status still looks', async () => {
    const place = postgresPlace()
    onTestFinished(() => place.remove())
    const { world, env } = await twins(place.url)
    const first = startServe(env)
    await first.logged('serve.started')
    first.child.kill('SIGTERM')
    await first.ended
    const url = new URL(place.url)
    url.searchParams.set('options', '-c default_transaction_read_only=on')
    const standby = { ...env, SMS_BRIDGE_STORE: url.href }
    const serve = startServe(standby)
    expect(await serve.ended).toBe(4)
    const name = `postgres://${url.host}${url.pathname}`
    expect(serve.stderr()).toBe(
      `error: Trouble with the store ${name}: cannot execute INSERT in a read-only transaction. ` +
        'It takes no writes, as a standby does: point SMS_BRIDGE_STORE at the primary.\n',
    )
    const { code, stdout, stderr } = await runCommand(['status'], standby)
    expect([code, stderr]).toEqual([4, ''])
    expect(stdout).toContain('DOWN  no serve is running')
    expect(world.intercom.conversations()).toEqual([])
  })
})

describe.skipIf(clusterFailure !== undefined)(`PostgreSQL restarted in mid-flight${suffix(clusterFailure)}`, () => {
  it.each(['fast', 'immediate'] as const)(
    '(%s) refuses webhooks meanwhile, loses none it took, and all catches up by itself',
    async (mode) => {
      const cluster = await startCluster()
      const world = await openTestBridge({ storeUrl: cluster.url })
      const { twilio, intercom, lines } = world
      const answers: (number | string)[] = []
      twilio.subscribe((event) => event.type === 'webhook' && answers.push(event.status))
      textAll(world, 'a')
      await world.settled()
      await inHand(world, 'b', 1_500)
      await cluster.stop(mode)
      const before = answers.length
      twilio.text({ from: customer, to: ours, body: 'refused' })
      await twilio.idle()
      expect(new Set(answers.slice(before))).toEqual(new Set([503]))
      const { host, pathname } = new URL(cluster.url)
      expect(lines.findLast(({ event }) => event === 'webhook.refused')?.fields).toEqual({
        source: 'twilio-sms',
        reason: 'store',
        detail:
          `not stored: Trouble with the store postgres://${host}${pathname}: connect ECONNREFUSED ${host}. ` +
          'Start PostgreSQL if it is down: a running bridge goes on by itself as soon as it answers.',
      })
      const ready = () => fetch(`${world.config.publicUrl}/readyz`)
      expect((await ready()).status).toBe(503)

      await cluster.start()
      textAll(world, 'c')
      await world.settled()
      expect((await ready()).status).toBe(200)
      expect(answeredOf(twilio)).toEqual(Object.fromEntries(customers.map((phone) => [phone, ['a', 'b', 'c']])))
      expect(inboxOf(intercom)).toEqual(answeredOf(twilio))
    },
  )
})
