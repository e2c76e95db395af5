// `dlq`, `audit` and `trace` over a store with a bad day in it, as a person sees them.
import { hostname } from 'node:os'
import { join } from 'node:path'
import { beforeEach, describe, expect, it } from 'vitest'
import { main } from '../../src/cli/main.js'
import type { Fault, NewDelivery, Settlement } from '../../src/delivery.js'
import { openStore } from '../../src/store/open.js'
import type { Claimed, Store } from '../../src/store/store.js'
import { aDelivery, address, claimOne, contact, conversation, sid } from '../store/deliveries.js'
import { ManualClock } from '../support/manual-clock.js'
import { tempFolder } from '../support/temp.js'
import { testIo } from '../support/test-io.js'

// Times are shown in the time zone of the machine.
process.env.TZ = 'UTC'

const noon = Date.UTC(2026, 10, 22, 12)
const minutes = 60_000
const hours = 60 * minutes
const ours = '+15550100100'
const ada = '+15550100142'
const ben = '+15550100177'
const ways = { ours: address(ours), contactId: contact('c1') }

const refused: Fault = {
  message: 'twilio answered with 400, code 21211',
  outcome: 'permanent',
  shore: 'twilio',
  code: '21211',
  status: 400,
}
const broken: Fault = { message: 'intercom answered with 503', outcome: 'transient', shore: 'intercom', status: 503 }
const lost: Fault = { message: 'Twilio lists a text without its words', outcome: 'ambiguous', code: 'unprovable' }

const text = (from: string, key: string): NewDelivery<'inbound-sms'> =>
  aDelivery({
    dedupeKey: `twilio:${key}`,
    payload: { messageSid: sid(key), from: address(from), to: address(ours), body: 'Where is my parcel?', media: [] },
    lane: `in:${ours}:${from}`,
    number: ours,
  })

const reply = (to: string, id: string, part: string, writtenAt: number): NewDelivery<'agent-reply'> => ({
  kind: 'agent-reply',
  payload: {
    conversationId: conversation(id),
    partId: part as NewDelivery<'agent-reply'>['payload']['partId'], // the test's own
    author: { kind: 'admin', id: '401' },
    body: '<p>It is on its way.</p>',
    attachments: [],
    writtenAt,
  },
  dedupeKey: `intercom:part:${part}`,
  lane: `out:${ours}:${to}`,
  shore: 'twilio',
  priority: 'live',
  number: ours,
  rank: String(writtenAt).padStart(15, '0'),
})

async function end(
  store: Store,
  delivery: NewDelivery,
  { at, as, steps }: { at: number; as: Settlement; steps?: (claimed: Claimed) => Promise<unknown> },
) {
  await store.ingest(delivery, at)
  const claimed = await claimOne(store, 'serve-1', at + 1_000)
  await steps?.(claimed)
  await store.settle(claimed, as, at + 2_000)
  return claimed.delivery.id
}

/** Two threads; six dead letters, each of another sort. */
async function aBadDay(store: Store) {
  await store.register('serve-1', 24 * hours, noon - 10 * hours)
  await store.saveThread(
    { ...ways, theirs: address(ada), replyTo: address(ada), conversationId: conversation('1180') },
    1,
  )
  await store.saveThread(
    { ...ways, theirs: address(ben), replyTo: address(ben), conversationId: conversation('1190') },
    1,
  )
  const parked = (reason: string, fault: Fault, more = {}): Settlement => ({ state: 'parked', reason, fault, ...more })
  await end(store, text(ada, 'SM01'), {
    at: noon - 9 * hours,
    as: { state: 'delivered', result: { conversationId: '1180', partId: '9920' } },
  })
  const returning = { retryAt: noon + 4 * minutes, holdUntil: noon - 1 }
  await end(store, text(ada, 'SM02'), { at: noon - 3 * hours, as: parked('server-error', broken, returning) })
  await end(store, reply(ben, '1190', '31', noon - 2 * hours), {
    at: noon - 2 * hours,
    as: parked('21211', refused),
  })
  await end(store, reply(ada, '1180', '32', noon - 8 * hours), {
    at: noon - 8 * hours,
    as: parked('no-answer', { message: 'twilio did not answer', outcome: 'ambiguous', shore: 'twilio' }),
  })
  const sent = await end(store, reply(ada, '1180', '33', noon - 50 * minutes), {
    at: noon - 50 * minutes,
    as: parked('no-answer', { message: 'twilio did not answer', outcome: 'ambiguous', shore: 'twilio' }),
    steps: async (claimed) => {
      await store.finishStep(claimed, 'texts', ['It is on its way.'], claimed.delivery.receivedAt)
      await store.beginStep(claimed, 'sms-0', claimed.delivery.receivedAt + 500)
    },
  })
  await store.saveReceipt({ messageSid: sid('SM0a'), status: 'delivered', ref: `${sent}.0` }, noon - 40 * minutes)
  await end(store, reply(ada, '1180', '34', noon - 30 * minutes), {
    at: noon - 30 * minutes,
    as: parked('unprovable', lost),
    steps: async (claimed) => {
      await store.finishStep(claimed, 'texts', ['Tomorrow.'], claimed.delivery.receivedAt)
      await store.beginStep(claimed, 'sms-0', claimed.delivery.receivedAt + 500)
    },
  })
  await end(store, text(ben, 'SM03'), {
    at: noon - 20 * minutes,
    as: parked('no-answer', { message: 'intercom did not answer', outcome: 'ambiguous', shore: 'intercom' }),
    steps: (claimed) => store.beginStep(claimed, 'append', noon - 20 * minutes + 1_500),
  })
  await store.optOut(address(ours), address(ben), 'STOP', noon - hours)
}

let url: string
let clock: ManualClock

async function inStore<T>(look: (store: Store) => Promise<T>): Promise<T> {
  const store = await openStore(url, { now: clock.now(), thread: false })
  try {
    return await look(store)
  } finally {
    await store.close()
  }
}

beforeEach(async () => {
  clock = new ManualClock(noon)
  url = `sqlite:${join(tempFolder(), 'desk.sqlite')}`
  await inStore(aBadDay)
})

async function run(line: string, { tty = false, answer }: { tty?: boolean; answer?: string } = {}) {
  const env = { SMS_BRIDGE_STORE: url, SMS_BRIDGE_HOME: '/nowhere', SUDO_USER: 'ada' }
  const io = testIo({ tty, env, columns: 120 })
  const words = line.match(/"[^"]*"|\S+/g)?.map((word) => word.replaceAll('"', '')) ?? []
  const running = main(['node', 'sms-bridge', ...words], io, env, clock)
  if (answer !== undefined) {
    await io.shows('(y/N)')
    io.type(answer)
  }
  const code = await running
  const shown = io.transcript().replaceAll('\u001b', '\\e').replaceAll(hostname(), 'desk')
  return { code, text: shown.replace(/[ ]+$/gm, ''), out: io.stdout() }
}

async function transcript(lines: readonly (string | { readonly line: string; readonly tty: true })[]) {
  const shown: string[] = []
  for (const one of lines) {
    const { line, tty } = typeof one === 'string' ? { line: one, tty: false } : one
    const { code, text: words } = await run(line, { tty })
    shown.push(`$ sms-bridge ${line}${tty ? '   # on a terminal' : ''}\n${words}[exit ${code}]\n`)
  }
  return shown.join('\n')
}

const states = () =>
  inStore(async (store) => {
    const all = await store.listDeliveries({ limit: 20 })
    return Object.fromEntries(all.map(({ id, state }) => [id, state]))
  })

describe('transcripts', () => {
  it.each<readonly [string, readonly (string | { readonly line: string; readonly tty: true })[]]>([
    [
      'dlq-list',
      [
        'dlq list',
        { line: 'dlq list', tty: true },
        'dlq list --each',
        'dlq list --limit 2 --phone "(555) 010-0142" --direction out',
        'dlq list --reason no-answer --json',
        'dlq list --conversation 1190 --since 1h --each --json',
        'dlq list --code 30007',
        'dlq list --discarded',
      ],
    ],
    [
      'dlq-show',
      ['dlq show d_2', 'dlq show 5', 'dlq show d_5 --reveal', 'dlq show d_5 --json', 'dlq show d_99', 'audit'],
    ],
    [
      'dlq-replay',
      [
        'dlq replay --all --dry-run',
        'dlq replay --all --dry-run --allow-stale --send-again --json',
        'dlq replay',
        'dlq replay --all',
        'dlq replay --code 30007 --yes',
        'dlq replay --phone +15550100142 --yes --no-wait --rate 30/m',
        'dlq replay --phone +15550100142 --yes --no-wait',
        'dlq list --each',
        'dlq jobs',
        'dlq cancel j_1',
        'dlq cancel j_1',
        'dlq cancel j_7',
        'dlq jobs --json',
        'audit',
      ],
    ],
    [
      'dlq-discard',
      [
        'dlq discard --reason 21211',
        'dlq discard --because spam',
        'dlq discard --reason 21211 --because "a landline: called instead" --dry-run',
        'dlq discard --reason 21211 --because "a landline: called instead"',
        'dlq discard --reason 21211 --because "a landline: called instead" --yes',
        'dlq discard --reason 21211 --because "a landline: called instead" --yes',
        'dlq list --discarded',
        'dlq show d_3',
        'dlq replay --id d_3 --dry-run',
        'audit --json',
      ],
    ],
    [
      'trace',
      [
        'trace "(555) 010-0142"',
        'trace SM02',
        'trace SM0a',
        'trace 1190',
        'trace 1190 --limit 2 --json',
        'trace SM99',
        'trace d_7',
        'trace 5550100199',
        'trace 1234567890123456',
        'trace "+1 (2"',
      ],
    ],
    [
      'dlq-usage',
      [
        'dlq --help',
        'dlq replay --help',
        'dlq show seventeen',
        'dlq list --since yesterday',
        'dlq list --direction up',
        'dlq replay --all --rate fast',
        'dlq replay --all --job j_1',
        'dlq replay --job j_9',
        'dlq jobs',
        'audit',
        'audit --since 1h',
      ],
    ],
  ])('%s', async (name, lines) => {
    await expect(await transcript(lines)).toMatchFileSnapshot(`../transcripts/${name}.txt`)
  })

  it('of a reply that left and did not arrive say so, and what to do', async () => {
    await inStore(async (store) => {
      const { id } = await store.ingest(reply(ada, '1180', '39', noon - minutes), noon - minutes)
      await store.saveReceipt(
        { messageSid: sid('SM0f'), status: 'undelivered', errorCode: 30003, ref: `${id}.0` },
        noon,
      )
      const { text: shown } = await run(`dlq show d_${id}`)
      expect(shown).toContain(
        'then      SM0f was not delivered (30003): Unreachable destination handset\n' +
          'means     Phone off, no signal or temporarily unreachable. Try again later (once).\n' +
          'how       Wait, then send it once more: a dead letter by sms-bridge dlq replay, one that had left by writing it again. Ask the agent first if it may be out of date.\n',
      )
    })
  })

  it('take ids with and without --id', async () => {
    const named = await run('dlq replay --id d_2 --id d_3 --dry-run --json')
    expect(named.code).toBe(0)
    expect((await run('dlq replay d_2 d_3 --dry-run --json')).out).toBe(named.out)
    expect((await run('dlq replay --id d_2 d_3 --dry-run --json')).out).toBe(named.out)
    expect((await run('dlq discard 2,3 --because spam --dry-run --json')).out).toBe(
      (await run('dlq discard --id d_2,d_3 --because spam --dry-run --json')).out,
    )
    expect((await run('dlq replay two')).text).toContain('Type it as it is listed: d_17.')
  })

  it('of an empty queue are friendly and no error', async () => {
    await run('dlq discard --all --because "a test" --yes')
    expect(await run('dlq list')).toMatchObject({ code: 0, text: 'No dead letters. Nothing waits for you.\n' })
    expect(JSON.parse((await run('dlq list --json')).out)).toEqual({ schema_version: 1, groups: [] })
  })
})

describe('a question before anything changes', () => {
  it('answered with no changes nothing', async () => {
    const before = await states()
    const replayed = await run('dlq replay --all', { tty: true, answer: 'n\n' })
    expect(replayed.code).toBe(0)
    expect(replayed.text).toContain('Nothing was changed.')
    expect((await run('dlq discard --all --because spam', { tty: true, answer: 'n\n' })).code).toBe(0)
    expect(await states()).toEqual(before)
    expect(await inStore((store) => store.listAudit({ limit: 10 }))).toEqual([])
  })

  it('answered with yes does it', async () => {
    const { code } = await run('dlq discard --all --because spam', { tty: true, answer: 'y\n' })
    expect(code).toBe(0)
    // The four replies among them are told of in their conversations.
    const after = ['delivered', ...Array(6).fill('discarded'), ...Array(4).fill('ready')]
    expect(Object.values(await states())).toEqual(after)
  })
})

describe('a replay while nobody delivers', () => {
  it('is scheduled, and says so by its exit code', async () => {
    await inStore((store) => store.unregister('serve-1', Date.now()))
    const { code, text: words } = await run('dlq replay --id d_2 --yes')
    expect(words).toContain('No serve is running')
    expect(words).toContain('j_1: 1 scheduled.')
    expect(code).toBe(8)
    expect(await inStore((store) => store.replayProgress(1))).toMatchObject({ scheduled: 1 })
  })
})
