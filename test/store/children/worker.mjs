// One of several processes on one store: ingests its share, claims and settles until told how much there is to do.
// Each delivered message is written down by lane, in the order in which this process delivered it.
import { openStore } from '../../../dist/store/open.js'

const [url, name, share, lanes, total] = process.argv.slice(2)
const store = await openStore(url, { now: 1 })
const instance = `process ${name}`
// Microseconds of the machine's monotonic clock: the same in every process, and no two settlements of a lane share one.
const now = () => Number(process.hrtime.bigint() / 1000n)
await store.register(instance, 1e12, now())

const delivery = (n) => ({
  kind: 'inbound-sms',
  payload: { from: name, n },
  dedupeKey: `${name} ${n}`,
  // Both processes write to every lane, in opposite orders.
  lane: `lane ${name === 'a' ? n % lanes : lanes - 1 - (n % lanes)}`,
  shore: 'intercom',
  priority: 'live',
  number: '+15550100001',
  rank: '',
})

async function ingestShare() {
  const together = 16
  for (let start = 0; start < share; start += together) {
    const batch = Array.from({ length: Math.min(together, share - start) }, (_, i) => delivery(start + i))
    await Promise.all(batch.map((one) => store.ingest(one, now())))
    // A second webhook about something already told.
    await store.ingest(batch[0], now())
  }
}

async function work() {
  for (;;) {
    const claimed = await store.claim({ instance, limit: 20, bulkLimit: 20, now: now() })
    await Promise.all(
      claimed.map(async (one) => {
        const { lane, payload, id } = one.delivery
        if (!(await store.beginStep(one, 'send', now()))) throw new Error(`lost ${lane}`)
        // The "vendor": the order of these lines in a lane is the order in which it was told.
        process.stdout.write(`${JSON.stringify({ lane, id, ...payload })}\n`)
        if (!(await store.settle(one, { state: 'delivered', result: {} }, now()))) throw new Error(`lost ${lane}`)
      }),
    )
    if (claimed.length > 0) continue
    const { totals } = await store.summarize(0, now())
    if (totals.reduce((sum, row) => sum + row.delivered, 0) >= total) return
  }
}

await Promise.all([ingestShare(), work()])
await store.unregister(instance, now())
await store.close()
