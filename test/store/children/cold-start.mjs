// Opens the same place several times at once, as processes that start together do.
import { openStore } from '../../../dist/store/open.js'

const [url] = process.argv.slice(2)
const store = await openStore(url, { now: 0 })
await store.register(`process ${process.pid}`, 1000, 0)
await store.close()
