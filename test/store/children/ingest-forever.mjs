// Ingests until it is killed, and says of each delivery when it has been acknowledged.
import { writeSync } from 'node:fs'
import { openStore } from '../../../dist/store/open.js'

const [url] = process.argv.slice(2)
const store = await openStore(url, { now: 1 })
for (let n = 0; ; n += 8) {
  const batch = Array.from({ length: 8 }, async (_, i) => {
    await store.ingest(
      {
        kind: 'inbound-sms',
        payload: {},
        dedupeKey: `k${n + i}`,
        lane: `lane ${(n + i) % 5}`,
        shore: 'intercom',
        priority: 'live',
        number: '+15550100001',
        rank: '',
      },
      1,
    )
    writeSync(1, `k${n + i}\n`)
  })
  await Promise.all(batch)
}
