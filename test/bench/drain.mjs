import { openStore } from '../../dist/store/open.js'
import { account, customer } from './lib/account.mjs'
import { bodyOf } from './lib/webhook-requests.mjs'
import { startWorld } from './lib/world.mjs'

export const about =
  "a backlog of texts against Intercom's rate limit: how much of the limit is used, and how much is too much"
export const usesStore = true

const lanes = 300
/** Calls per ten seconds: a workspace's usual limit, and a small one. */
const cases = [
  { limit: 1_666, texts: 3_000 },
  { limit: 500, texts: 1_200 },
]
/** One look at the conversation, one reply. */
const callsPerText = 2

export async function measure(context) {
  const rows = []
  for (const one of context.quick ? [{ limit: 1_666, texts: 600 }] : cases) rows.push(...(await drain(context, one)))
  return rows
}

async function drain({ folder, newStore, nodeArgs }, { limit, texts }) {
  const store = await newStore()
  // Every lane gets its open conversation first.
  const world = await startWorld({ folder, store, nodeArgs, rateLimit: limit })
  await world.texts({ count: lanes, lanes })
  if (!(await world.serve.idle(120_000))) throw new Error('the conversations were not made')
  await world.serve.stop()

  await fill(store, texts)
  await world.twins.call('forgetCalls')
  const before = await world.twins.call('calls')
  const serve = await world.again()
  const drained = await serve.idle(240_000)
  const calls = await world.twins.call('calls')
  const wrong = await countOutOfOrder(world.twins, texts)
  await serve.stop()
  await world.end()

  const at = `limit ${limit.toLocaleString('en-US')} per 10 s`
  const inWindows = calls.windows.reduce((total, count) => total + count, 0)
  const note = `${calls.count} calls for ${texts} texts in ${(calls.ms / 1000).toFixed(1)} s${drained ? '' : ', NOT DRAINED'}`
  return [
    {
      what: `whole windows used, ${at}`,
      value: (100 * inWindows) / (limit * calls.windows.length),
      unit: '%',
      note: `windows of ${calls.windows.join(', ')} calls`,
    },
    { what: `whole drain, ${at}`, value: (100 * calls.count * 10_000) / calls.ms / limit, unit: '%', note },
    { what: `calls per text, ${at}`, value: calls.count / texts, unit: '', note: `${callsPerText} are needed` },
    { what: `429 answers, ${at}`, value: calls.hits - before.hits, unit: '' },
    { what: `texts lost, doubled or out of order, ${at}`, value: wrong, unit: '' },
  ]
}

/** The backlog, as the webhook door would have stored it while the vendor was away. */
async function fill(path, texts) {
  const store = await openStore(`sqlite:${path}`, { now: Date.now() })
  const { ours } = account
  await Promise.all(
    Array.from({ length: texts }, (_, offset) => {
      const index = lanes + offset
      const from = customer(index % lanes)
      const messageSid = `SM${String(index).padStart(32, '0')}`
      return store.ingest(
        {
          kind: 'inbound-sms',
          payload: { messageSid, from, to: ours, body: bodyOf(index), media: [] },
          dedupeKey: `twilio:${messageSid}`,
          lane: `in:${ours}:${from}`,
          shore: 'intercom',
          priority: 'live',
          number: ours,
          rank: '',
        },
        Date.now(),
      )
    }),
  )
  await store.close()
}

/** Each conversation must show every text of its lane once, in the order of their numbers. */
async function countOutOfOrder(twins, texts) {
  const books = await twins.call('books')
  let wrong = 0
  const seen = new Set()
  for (const bodies of books) {
    const numbers = bodies.map((body) => Number(/\((\d+)\)/.exec(body)?.[1]))
    for (const [place, number] of numbers.entries()) {
      if (number !== numbers[0] + place * lanes) wrong += 1
      seen.add(number)
    }
  }
  return wrong + (lanes + texts - seen.size)
}
