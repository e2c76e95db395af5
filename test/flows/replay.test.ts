// Dead letters replayed by command while the bridge runs: what phone and inbox show afterwards.
import { describe, expect, it } from 'vitest'
import { main } from '../../src/cli/main.js'
import { newPlace } from '../support/stores.js'
import { openTestBridge } from '../support/temp.js'
import { customer, otherCustomer, ours, type TestBridge } from '../support/test-bridge.js'
import { testIo } from '../support/test-io.js'

/** Whatever fails is parked at once, and stays so until somebody replays it. */
const byHand = { retry: { waitsMs: [], parkedWaitsMs: [], jitter: 0, holdMs: 600_000 } }

/** A bridge with one open conversation. */
async function conversing(storeUrl?: string) {
  const world = await openTestBridge({ relay: byHand, ...(storeUrl !== undefined && { storeUrl }) })
  world.twilio.text({ from: customer, to: ours, body: 'one' })
  await world.settled()
  const id = world.intercom.conversations()[0]?.id ?? ''
  return { world, id }
}

const inboxShows = (world: TestBridge) =>
  world.intercom
    .conversations()
    .flatMap(({ source, parts }) => [
      source.body,
      ...parts.flatMap(({ body, author }) => (body !== null && author.type !== 'admin' ? [body] : [])),
    ])
    .map((html) => html.replaceAll(/<[^>]+>/g, ''))

const phoneShows = (world: TestBridge) =>
  world.twilio
    .handset(customer)
    .filter(({ direction }) => direction === 'outbound-api')
    .map(({ body }) => body)

const parked = (world: TestBridge) => world.store().listDeadLetters({ state: 'parked' }, { after: 0, limit: 100 })

function start(world: TestBridge, line: string) {
  const env = { SMS_BRIDGE_STORE: world.config.store, SMS_BRIDGE_HOME: '/nowhere' }
  const io = testIo({ env })
  const ended = main(['node', 'sms-bridge', ...line.split(' ')], io, env)
  return { io, ended }
}

async function run(world: TestBridge, line: string) {
  const { io, ended } = start(world, line)
  return { code: await ended, out: io.stdout(), err: io.stderr() }
}

/** Texts that could not be posted, one after the other, and one after them that could. */
async function withParkedTexts(world: TestBridge) {
  world.intercom.faults.arm('error-before', { method: 'POST', path: /\/reply$/ })
  for (const body of ['two', 'three', 'four']) {
    world.twilio.text({ from: customer, to: ours, body })
    await world.settled()
  }
  world.intercom.faults.clear()
  world.twilio.text({ from: customer, to: ours, body: 'five' })
  await world.settled()
  expect((await parked(world)).map(({ reason }) => reason)).toEqual(['server_error', 'server_error', 'server_error'])
  expect(inboxShows(world)).toEqual(['one', 'five'])
}

describe('dead letters that are replayed', () => {
  it('arrive once each, in the order of their conversation', async () => {
    const { world } = await conversing()
    await withParkedTexts(world)
    const { code, out } = await run(world, 'dlq replay --all --yes --rate 100/s')
    expect(out).toBe('j_1: 3 delivered · 0 failed\n')
    expect(code).toBe(0)
    expect(inboxShows(world)).toEqual(['one', 'five', 'two', 'three', 'four'])
    expect((await run(world, 'dlq list')).out).toBe('No dead letters. Nothing waits for you.\n')
  })

  it('on PostgreSQL do so too', async () => {
    const place = newPlace('postgres')
    const { world } = await conversing(place.url)
    try {
      await withParkedTexts(world)
      expect((await run(world, 'dlq replay --direction in --yes --rate 100/s')).code).toBe(0)
      expect(inboxShows(world)).toEqual(['one', 'five', 'two', 'three', 'four'])
    } finally {
      await world.stopBridge()
      await place.remove()
    }
  })

  it('go on through a restart of the bridge and the end of the command', async () => {
    const { world } = await conversing()
    await withParkedTexts(world)
    const { io, ended } = start(world, 'dlq replay --all --yes --rate 4/s')
    await io.shows('j_1')
    io.interrupt()
    expect(await ended).toBe(130)
    expect(io.stderr()).toContain('j_1 goes on without this command. Look again: sms-bridge dlq replay --job j_1')
    await world.restart()
    const { code, out } = await run(world, 'dlq replay --job j_1')
    expect({ code, out }).toEqual({ code: 0, out: 'j_1: 3 delivered · 0 failed\n' })
    expect(inboxShows(world)).toEqual(['one', 'five', 'two', 'three', 'four'])
  })

  it('can be taken back before their time', async () => {
    const { world } = await conversing()
    await withParkedTexts(world)
    expect((await run(world, 'dlq replay --all --yes --rate 1/m --no-wait')).code).toBe(0)
    await world.eventually('the first', () => inboxShows(world).length === 3)
    expect(await run(world, 'dlq cancel j_1')).toMatchObject({ code: 0 })
    expect((await parked(world)).map(({ retryAt, replays }) => ({ retryAt, replays }))).toEqual([
      { retryAt: undefined, replays: 0 },
      { retryAt: undefined, replays: 0 },
    ])
    expect((await run(world, 'dlq replay --job j_1')).code).toBe(5)
    expect(inboxShows(world)).toEqual(['one', 'five', 'two'])
  })

  it('that fail again are parked for people alone, and come back no more', async () => {
    const { world } = await conversing()
    world.intercom.faults.arm('error-before', { method: 'POST', path: /\/reply$/ })
    world.twilio.text({ from: customer, to: ours, body: 'two' })
    await world.settled()
    const { code, out, err } = await run(world, 'dlq replay --all --yes')
    expect({ code, out }).toEqual({ code: 5, out: 'j_1: 0 delivered · 1 failed\n' })
    expect(err).toContain('What failed is parked again, for you alone: sms-bridge dlq list --each')
    expect(await parked(world)).toMatchObject([{ replays: 1, retryAt: undefined, reason: 'server_error' }])
    expect(await world.store().nextDue()).toBe(undefined)
  })

  it('after a discard can still be called back by their id', async () => {
    const { world } = await conversing()
    world.intercom.faults.arm('error-before', { times: 1, method: 'POST', path: /\/reply$/ })
    world.twilio.text({ from: customer, to: ours, body: 'two' })
    await world.settled()
    const [{ id } = { id: 0 }] = await parked(world)
    expect((await run(world, `dlq discard --id ${id} --because spam --yes`)).code).toBe(0)
    expect((await run(world, 'dlq replay --all --yes')).code).toBe(6)
    expect((await run(world, `dlq replay --id d_${id} --yes`)).code).toBe(0)
    expect(inboxShows(world)).toEqual(['one', 'two'])
  })
})

describe('a reply that may have been sent', () => {
  it('and was, as its receipt says, is closed without another text', async () => {
    const { world, id } = await conversing()
    world.twilio.faults.arm('reset-after', { times: 1, method: 'POST', path: /Messages/ })
    world.intercom.inbox.reply(id, '<p>Hi</p>')
    await world.settled()
    expect((await parked(world)).map(({ reason }) => reason)).toEqual(['no-answer'])
    expect((await run(world, 'dlq replay --all --dry-run')).out).toContain('nothing is sent again')
    expect((await run(world, 'dlq replay --all --yes')).out).toBe('j_1: 1 delivered · 0 failed\n')
    expect(phoneShows(world)).toEqual(['Hi'])
  })

  it('is looked up at the vendor first, and sent when it is not there', async () => {
    const { world, id } = await conversing()
    world.twilio.faults.arm('reset-before', { times: 1, method: 'POST', path: /Messages/ })
    world.intercom.inbox.reply(id, '<p>Hi</p>')
    await world.settled()
    expect((await run(world, 'dlq replay --all --dry-run')).out).toContain('looked up before anything is sent')
    expect((await run(world, 'dlq replay --all --yes')).code).toBe(0)
    expect(phoneShows(world)).toEqual(['Hi'])
  })

  it('and nobody can tell is sent only when somebody says that it did not arrive', async () => {
    const place = newPlace('sqlite')
    const { world, id } = await conversing(place.url)
    world.twilio.faults.arm('reset-before', { times: 1, method: 'POST', path: /Messages/ })
    world.intercom.inbox.reply(id, '<p>Hi</p>')
    await world.settled()
    await place.sql(`update deliveries set reason = 'unprovable' where state = 'parked'`)
    const refused = await run(world, 'dlq replay --all --yes')
    expect(refused).toMatchObject({ code: 5, out: '' })
    expect(refused.err).toContain('may have arrived (--send-again, when you looked and it did not)')
    expect(phoneShows(world)).toEqual([])
    const begun = (await parked(world)).map(({ steps }) => steps['sms-0']?.doneAt)
    expect(begun).toEqual([undefined])
    expect((await run(world, 'dlq replay --all --yes --send-again')).code).toBe(0)
    expect(phoneShows(world)).toEqual(['Hi'])
    await world.stopBridge()
    await place.remove()
  })

  it('is never sent to who opted out', async () => {
    const { world, id } = await conversing()
    world.twilio.faults.arm('reset-before', { times: 1, method: 'POST', path: /Messages/ })
    world.intercom.inbox.reply(id, '<p>Hi</p>')
    await world.settled()
    world.twilio.text({ from: customer, to: ours, body: 'STOP' })
    await world.settled()
    const { code, err } = await run(world, 'dlq replay --all --yes --allow-stale --send-again')
    expect(code).toBe(5)
    expect(err).toContain('1 skipped: opted out')
    expect(phoneShows(world)).toEqual([])
  })
})

describe('a trace', () => {
  it('of a customer tells how their text came and the answer went', async () => {
    const { world, id } = await conversing()
    world.intercom.inbox.reply(id, '<p>Hi</p>')
    world.twilio.text({ from: otherCustomer, to: ours, body: 'somebody else' })
    await world.settled()
    const { out } = await run(world, `trace ${customer}`)
    const told = out.split('\n').map((line) => line.replace(/^[\d-]{10} [\d:]{8} {2}(d_\d+) +/, ''))
    const sid = world.twilio.handset(customer).find(({ direction }) => direction === 'outbound-api')?.sid
    // Receipts may overtake the answer to the call.
    expect(told.toSorted()).toEqual(
      [
        `…0142 and +15550100100: conversation ${id}`,
        'text from …0142 to +15550100100 received',
        `delivered: conversation ${id}`,
        `reply in conversation ${id} for …0142 received`,
        `Twilio says ${sid} is queued`,
        `delivered: handed to Twilio as ${sid}`,
        ...['sent', 'delivered'].map((status) => `Twilio says ${sid} is ${status}`),
        '',
      ].toSorted(),
    )
    expect((await run(world, `trace ${id}`)).out).toBe(out)
  })
})
