// One process of several on one PostgreSQL: deliveries ingested, claimed and settled, by our store or by a bare loop
// that sends the same statements.
import { randomUUID } from 'node:crypto'
import pg from 'pg'
import { openStore } from '../../../dist/store/open.js'
import { account } from '../lib/account.mjs'
import { answerCalls } from '../lib/children.mjs'

const together = 64
const blocks = 32
const result = { conversationId: '215', contactId: '65', partId: '30' }

const laneOf = (index) => `in:${account.ours}:${String(index).padStart(5, '0')}`
const range = Array.from({ length: together }, (_, index) => index)

/** As many lanes as are taken at once, next to each other: both ways lock them in this order. */
function someLanes() {
  const first = Math.floor(Math.random() * blocks) * together
  return range.map((index) => laneOf(first + index))
}

function deliveryIn(lane, key) {
  const { ours } = account
  const payload = { messageSid: key, from: '+15550100142', to: ours, body: 'Where is my parcel?', media: [] }
  const shore = { lane, shore: 'intercom', priority: 'live', number: ours, rank: '' }
  return { kind: 'inbound-sms', payload, dedupeKey: key, ...shore }
}

let store
let pool
let script
const instance = randomUUID()

const theStore = {
  ingest: (lanes, keys, now) => Promise.all(lanes.map((lane, at) => store.ingest(deliveryIn(lane, keys[at]), now))),
  claim: (now) => store.claim({ instance, limit: together, bulkLimit: together, now }),
  settle: (claimed, now) => store.settle(claimed, { state: 'delivered', result }, now),
}

/** Writes down what the store says to PostgreSQL while `act` runs. */
async function record(act) {
  const said = []
  const { query } = pg.Client.prototype
  pg.Client.prototype.query = function (statement, ...rest) {
    said.push(typeof statement === 'string' ? { text: statement } : statement)
    return query.call(this, statement, ...rest)
  }
  try {
    return { value: await act(), said }
  } finally {
    pg.Client.prototype.query = query
  }
}

/** One round of the store's, in its own words. */
async function learn() {
  const [lanes, keys, now] = [someLanes(), range.map(() => randomUUID()), Date.now()]
  const ingest = await record(() => theStore.ingest(lanes, keys, now))
  const claim = await record(() => theStore.claim(now))
  const [first, ...others] = claim.value
  const settle = await record(() => theStore.settle(first, now))
  for (const one of others) await theStore.settle(one, now)
  return { lanes, keys, now, ingest: ingest.said, claim: claim.said, settle: settle.said, settled: first.delivery }
}

/** Sends statements again, with other values in the places of those that were recorded. */
async function replay(statements, values) {
  const put = (value) => values.get(value) ?? value
  const client = await pool.connect()
  let rows = []
  try {
    for (const { name, text, values: recorded } of statements) {
      // The lanes just taken are what the next statement asks about.
      const list = () => rows.map(({ lane }) => lane)
      const filled = recorded?.map((value) => (Array.isArray(value) ? list() : put(value)))
      const answer = await client.query(name === undefined ? text : { name, text, values: filled })
      if (answer.rows.length > 0) rows = answer.rows
    }
  } finally {
    client.release()
  }
  return rows
}

const bare = {
  ingest(lanes, keys, now) {
    const pairs = range.flatMap((at) => [
      [script.lanes[at], lanes[at]],
      [script.keys[at], keys[at]],
    ])
    return replay(script.ingest, new Map([[script.now, now], ...pairs]))
  },
  claim: (now) => replay(script.claim, new Map([[script.now, now]])),
  settle({ id, lane }, now) {
    const { settled } = script
    return replay(
      script.settle,
      new Map([
        [script.now, now],
        [settled.id, id],
        [settled.lane, lane],
      ]),
    )
  },
}

answerCalls({
  async open({ url, schema }) {
    store = await openStore(url, { now: Date.now() })
    await store.register(instance, 3_600_000, Date.now())
    pool = new pg.Pool({ connectionString: url, options: `-c search_path=${schema}`, max: 10 })
    // No id may look like a count or a limit: values are told apart by what they are.
    const sequence = `pg_get_serial_sequence('deliveries', 'id')`
    await pool.query(`select setval(${sequence}, greatest(1000000, nextval(${sequence})))`)
    script = await learn()
  },
  /** Takes deliveries through for so many ms. */
  async run({ way, ms }) {
    const { ingest, claim, settle } = way === 'store' ? theStore : bare
    const begun = performance.now()
    let count = 0
    while (performance.now() - begun < ms) {
      await ingest(
        someLanes(),
        range.map(() => randomUUID()),
        Date.now(),
      )
      const claimed = await claim(Date.now())
      await Promise.all(claimed.map((one) => settle(one, Date.now())))
      count += claimed.length
    }
    return { count, perSecond: count / ((performance.now() - begun) / 1000) }
  },
  async close() {
    await store.unregister(instance, Date.now())
    await Promise.all([store.close(), pool.end()])
  },
})
