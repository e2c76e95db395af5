import pg from 'pg'
import { startModule } from './lib/children.mjs'
import { median } from './lib/stats.mjs'

export const about = 'several processes on one PostgreSQL: deliveries taken through per second, and by a bare loop'
export const usesStore = false

const postgresUrl = process.env.SMS_BRIDGE_TEST_POSTGRES ?? 'postgres://postgres@127.0.0.1:5432/test'

/** Each worker takes so many through while it writes down the statements. */
const roundOfLearning = 64

export async function measure({ print, quick }) {
  const schema = `sms_bridge_bench_${process.pid}`
  const client = new pg.Client({ connectionString: postgresUrl, connectionTimeoutMillis: 3_000 })
  try {
    await client.connect()
  } catch (error) {
    print(`  without PostgreSQL: not reachable at ${new URL(postgresUrl).host} (${error.message})`)
    return []
  }
  const url = `${postgresUrl}${postgresUrl.includes('?') ? '&' : '?'}schema=${schema}`
  try {
    const rows = []
    let counted = 0
    for (const count of [1, 2, 4]) {
      const measured = await measureWorkers(count, { url, schema, quick })
      rows.push(...measured.rows)
      counted += measured.counted
    }
    const found = await client.query(`select count(*)::int as rows from ${schema}.deliveries where state = 'delivered'`)
    return [
      ...rows,
      { what: 'rows delivered in the store ÷ counted here', value: found.rows[0].rows / counted, unit: '' },
    ]
  } finally {
    await client.query(`drop schema if exists ${schema} cascade`)
    await client.end()
  }
}

async function measureWorkers(count, { url, schema, quick }) {
  const workers = Array.from({ length: count }, () => startModule('worker.mjs'))
  // One after the other: each writes down one round of its own.
  for (const worker of workers) await worker.call('open', { url, schema })
  const speeds = { store: [], bare: [] }
  let counted = count * roundOfLearning
  for (let run = 0; run < (quick ? 1 : 5); run += 1) {
    for (const way of ['store', 'bare']) {
      const each = await Promise.all(workers.map((worker) => worker.call('run', { way, ms: quick ? 300 : 2_000 })))
      speeds[way].push(each.reduce((sum, { perSecond }) => sum + perSecond, 0))
      counted += each.reduce((sum, one) => sum + one.count, 0)
    }
  }
  await Promise.all(workers.map((worker) => worker.call('close')))
  await Promise.all(workers.map((worker) => worker.end()))
  const [store, bare] = [median(speeds.store), median(speeds.bare)]
  const ratios = speeds.store.map((speed, run) => speed / speeds.bare[run])
  const who = count === 1 ? '1 process' : `${count} processes`
  const rows = [
    { what: `${who}: ingested, claimed and settled`, value: store, unit: '/s' },
    { what: `${who}: the same statements in a bare loop`, value: bare, unit: '/s' },
    { what: `${who}: store ÷ bare loop`, value: median(ratios), unit: '' },
  ]
  return { rows, counted }
}
