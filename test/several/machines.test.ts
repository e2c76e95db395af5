// Several processes on one PostgreSQL behave as one, whichever of them ends, and however.
import { describe, expect, it, vi } from 'vitest'
import { openStore } from '../../src/store/open.js'
import { aDelivery, address, sid } from '../store/deliveries.js'
import { countOf, faultsOf, inboxOf, phonesOf, sentOf } from '../support/books.js'
import { postgresFailure } from '../support/stores.js'
import { ours, oursToo } from '../support/test-bridge.js'
import { deliveredBy, type Machine, openMachines, talk } from './machines.js'

// Whole processes start and end here: on a busy machine that takes its time.
vi.setConfig({ testTimeout: 120_000 })

const customers = Array.from({ length: 8 }, (_, index) => `+155501001${index + 10}`)
/** Half of the customers write to each number. */
const numberOf = (phone: string) => (customers.indexOf(phone) % 2 === 0 ? ours : oursToo)
const eachOf = (bodies: readonly string[]) => Object.fromEntries(customers.map((phone) => [phone, bodies]))

const suffix = postgresFailure === undefined ? '' : ` (skipped: ${postgresFailure})`

describe.skipIf(postgresFailure !== undefined)(`several processes on one PostgreSQL${suffix}`, () => {
  it.each([2, 4])(
    '(%s) share the lanes, each of which stays in order, both ways, and double nothing',
    async (count) => {
      const world = await openMachines()
      const { twilio, intercom } = world
      const machines = await Promise.all(Array.from({ length: count }, () => world.start()))
      await world.subscribe()
      for (const body of ['a', 'b', 'c', 'd']) {
        for (const from of customers) twilio.text({ from, to: numberOf(from), body })
      }
      await world.eventually('all texts are in the inbox', () => countOf(inboxOf(intercom)) >= 32)
      for (const body of ['1', '2', '3']) {
        for (const { id } of intercom.conversations()) intercom.inbox.reply(id, `<p>${body}</p>`)
      }
      await world.eventually('all replies have left', () => countOf(phonesOf(twilio)) >= 24)
      await Promise.all([twilio.idle(), intercom.idle()])
      for (const machine of machines) await world.retire(machine)
      expect(inboxOf(intercom)).toEqual(eachOf(['a', 'b', 'c', 'd']))
      expect(phonesOf(twilio)).toEqual(eachOf(['1', '2', '3']))
      expect(machines.map(deliveredBy).filter((delivered) => delivered > 0).length).toBeGreaterThan(1)
    },
  )

  it('keep one rate limit: four that drain a backlog never meet a 429', async () => {
    // The lowest that Intercom is known to give; a lower one would be met before the first answer has told of it.
    const limit = 83
    const world = await openMachines({ rateLimit: limit })
    const { intercom } = world
    const store = await openStore(world.place.url, { now: Date.now() })
    const phones = Array.from({ length: 24 }, (_, index) => `+155501001${index + 10}`)
    for (const phone of phones) {
      const from = address(phone)
      const messageSid = sid(`SM${phone.slice(1).padStart(32, '0')}`)
      const payload = { messageSid, from, to: address(ours), body: 'from yesterday', media: [] }
      await store.ingest(aDelivery({ payload, lane: `in:${ours}:${from}`, number: ours }), Date.now())
    }
    await store.close()
    const machines = await Promise.all(Array.from({ length: 4 }, () => world.start()))
    await world.eventually('all are in the inbox', () => countOf(inboxOf(intercom)) >= phones.length)
    for (const machine of machines) await world.retire(machine)
    expect(intercom.rateLimitHits()).toBe(0)
    expect(inboxOf(intercom)).toEqual(Object.fromEntries(phones.map((phone) => [phone, ['from yesterday']])))
    // So many that one window could not have held them.
    const calls = Object.values(intercom.requestCounts()).reduce((sum, one) => sum + one, 0)
    expect(calls).toBeGreaterThan(1.1 * limit)
  })

  it('one of them killed in mid-delivery: nothing is lost or doubled, the others take its lanes over', async () => {
    const world = await openMachines()
    const { twilio, intercom, place } = world
    const machineOf = new Map<unknown, Machine>()
    for (let started = 0; started < 3; started += 1) {
      const machine = await world.start()
      const rows = await place.sql('select id from instances')
      for (const { id } of rows) if (!machineOf.has(id)) machineOf.set(id, machine)
    }
    await world.subscribe()
    const textAll = (body: string) => {
      for (const from of customers) twilio.text({ from, to: numberOf(from), body })
    }
    textAll('a')
    await world.eventually('the first are in the inbox', () => countOf(inboxOf(intercom)) >= 8)
    // Intercom has these; the answers are on their way.
    intercom.faults.arm('slow', { times: 8, method: 'POST', path: /\/reply$/, ms: 2_000 })
    textAll('b')
    await world.eventually('all are in hand', () => intercom.faults.armed().length === 0)
    const [held] = await place.sql(
      'select owner, count(*)::int as lanes from lanes where owner is not null group by owner order by lanes desc limit 1',
    )
    const victim = machineOf.get(held?.owner)
    victim?.serve.child.kill('SIGKILL')
    expect(await victim?.serve.ended).toBe('SIGKILL')
    textAll('c')
    await world.eventually('all are in the inbox', () => countOf(inboxOf(intercom)) >= 24)
    await twilio.idle()
    for (const machine of machineOf.values()) if (machine !== victim) await world.retire(machine)
    expect(held?.lanes).toBeGreaterThan(0)
    expect(inboxOf(intercom)).toEqual(eachOf(['a', 'b', 'c']))
  })

  it('restarted one after the other under load, they answer every webhook at its first try', async () => {
    const world = await openMachines()
    const { twilio, intercom, balancer } = world
    const machines = [await world.start(), await world.start(), await world.start()]
    await world.subscribe()
    const answers: (number | string)[] = []
    for (const twin of [twilio, intercom]) twin.subscribe((one) => one.type === 'webhook' && answers.push(one.status))
    const talking = talk(world, new Map(customers.slice(0, 4).map((phone) => [phone, numberOf(phone)])))
    for (const machine of [...machines]) {
      await world.retire(machine)
      machines.push(await world.start())
    }
    await talking.end()
    await Promise.all([twilio.idle(), intercom.idle()])
    for (const machine of machines.slice(3)) await world.retire(machine)

    expect(answers.filter((status) => status !== 200 && status !== 204)).toEqual([])
    expect(balancer.unanswered()).toBe(0)
    const texts = twilio.messages().filter(({ direction }) => direction === 'inbound')
    expect(texts.filter(({ webhookAttempts }) => webhookAttempts !== 1)).toEqual([])
    expect(faultsOf(inboxOf(intercom), sentOf(twilio))).toEqual([])
    expect(phonesOf(twilio)).toEqual(talking.answers())
    // It went on over the restarts.
    expect(texts.length).toBeGreaterThan(8)
  })
})
