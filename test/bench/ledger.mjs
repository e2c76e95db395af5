import { randomBytes } from 'node:crypto'
import pg from 'pg'
import { openStore } from '../../dist/store/open.js'
import { account, customer } from './lib/account.mjs'
import { median } from './lib/stats.mjs'

export const about = 'the store alone, without HTTP and vendors: deliveries ingested, and taken through, per second'
export const usesStore = true

const postgresUrl = process.env.SMS_BRIDGE_TEST_POSTGRES ?? 'postgres://postgres@127.0.0.1:5432/test'
const lanes = 2_000
const instance = 'bench'

export async function measure({ kind, newStore, print, quick }) {
  const ms = quick ? 300 : 1_500
  const runs = quick ? 1 : 3
  const rows = await measureEngine('SQLite', `sqlite:${await newStore()}`, { ms, runs })
  // Only the SQLite file is filled.
  if (kind === 'million') return rows
  const schema = `sms_bridge_bench_${process.pid}`
  const client = new pg.Client({ connectionString: postgresUrl, connectionTimeoutMillis: 3_000 })
  try {
    await client.connect()
  } catch (error) {
    print(`  without PostgreSQL: not reachable at ${new URL(postgresUrl).host} (${error.message})`)
    return rows
  }
  try {
    const url = `${postgresUrl}${postgresUrl.includes('?') ? '&' : '?'}schema=${schema}`
    return [...rows, ...(await measureEngine('PostgreSQL', url, { ms, runs }))]
  } finally {
    await client.query(`drop schema if exists ${schema} cascade`)
    await client.end()
  }
}

async function measureEngine(engine, url, { ms, runs }) {
  const store = await openStore(url, { now: Date.now() })
  try {
    await store.register(instance, 3_600_000, Date.now())
    const rows = []
    for (const concurrent of [1, 8, 64]) {
      const speeds = []
      for (let run = 0; run < runs; run += 1) {
        speeds.push(await perSecond(ms, concurrent, () => store.ingest(aDelivery(), Date.now())))
        await takeThrough(store)
      }
      rows.push({ what: `${engine}: ingested, ${concurrent} at a time`, value: median(speeds), unit: '/s' })
    }
    const cycles = []
    for (let run = 0; run < runs; run += 1) cycles.push(await cyclesPerSecond(store, ms))
    rows.push({ what: `${engine}: ingested, claimed and settled`, value: median(cycles), unit: '/s' })
    return rows
  } finally {
    await store.close()
  }
}

async function perSecond(ms, concurrent, act) {
  const begun = performance.now()
  let count = 0
  const loop = async () => {
    while (performance.now() - begun < ms) {
      await act()
      count += 1
    }
  }
  await Promise.all(Array.from({ length: concurrent }, loop))
  return count / ((performance.now() - begun) / 1000)
}

/** 64 at a time, each in a lane of its own. */
async function cyclesPerSecond(store, ms) {
  const begun = performance.now()
  let count = 0
  while (performance.now() - begun < ms) {
    await Promise.all(Array.from({ length: 64 }, () => store.ingest(aDelivery(), Date.now())))
    count += await takeThrough(store)
  }
  return count / ((performance.now() - begun) / 1000)
}

/** Settles everything that waits; resolves to how many that were. */
async function takeThrough(store) {
  for (let count = 0; ; ) {
    const claimed = await store.claim({ instance, limit: 64, bulkLimit: 64, now: Date.now() })
    if (claimed.length === 0) return count
    const settlement = { state: 'delivered', result: { conversationId: '215', contactId: '65', partId: '30' } }
    await Promise.all(claimed.map((one) => store.settle(one, settlement, Date.now())))
    count += claimed.length
  }
}

let last = 0

function aDelivery() {
  last += 1
  const { ours } = account
  const from = customer(last % lanes)
  const messageSid = `SM${randomBytes(16).toString('hex')}`
  return {
    kind: 'inbound-sms',
    payload: { messageSid, from, to: ours, body: `Where is my parcel? (${last})`, media: [] },
    dedupeKey: `twilio:${messageSid}`,
    lane: `in:${ours}:${from}`,
    shore: 'intercom',
    priority: 'live',
    number: ours,
    rank: '',
  }
}
