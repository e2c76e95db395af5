// What only several processes can show.
import { type ChildProcess, execFile, spawn } from 'node:child_process'
import { once } from 'node:events'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { expect, it } from 'vitest'
import { openStore } from '../../src/store/open.js'
import { newPlace, onEachEngine } from '../support/stores.js'

const child = (name: string) => fileURLToPath(new URL(`children/${name}.mjs`, import.meta.url))
const run = promisify(execFile)

interface Line {
  readonly lane: string
  readonly id: number
  readonly from: string
  readonly n: number
}

async function exitOf(process: ChildProcess): Promise<number | null> {
  const [code] = (await once(process, 'exit')) as [number | null] // as Node documents it
  return code
}

onEachEngine('several processes on one store', (subject) => {
  it('may all be the first: one makes the tables, the others find them', async () => {
    const place = newPlace(subject.engine)
    await Promise.all(Array.from({ length: 4 }, () => run(process.execPath, [child('cold-start'), place.url])))
    const store = await openStore(place.url, { now: 0 })
    expect((await store.summarize(0, 0)).instances).toHaveLength(4)
    await store.close()
    await place.remove()
  })

  it('lose nothing, double nothing and keep every lane in order', async () => {
    const [share, lanes] = [600, 12]
    const lines: Line[] = []
    const exits = ['a', 'b'].map((name) => {
      const args = [child('worker'), subject.place.url, name, `${share}`, `${lanes}`, `${2 * share}`]
      const worker = spawn(process.execPath, args, { stdio: ['ignore', 'pipe', 'inherit'] })
      createInterface({ input: worker.stdout }).on('line', (line) => lines.push(JSON.parse(line)))
      return exitOf(worker)
    })
    expect(await Promise.all(exits)).toEqual([0, 0])
    expect(new Set(lines.map(({ id }) => id)).size).toBe(2 * share)
    expect(lines).toHaveLength(2 * share)
    for (let lane = 0; lane < lanes; lane++) {
      for (const from of ['a', 'b']) {
        const seen = lines.filter((line) => line.lane === `lane ${lane}` && line.from === from)
        // Lines of two processes meet in any order; what was delivered when is in the store.
        const order = seen.toSorted((x, y) => x.id - y.id).map(({ n }) => n)
        expect(order).toEqual(order.toSorted((x, y) => x - y))
        expect(order).toHaveLength(share / lanes)
      }
    }
    const ended = await subject.place.sql(
      'select d.lane, d.id from attempts a join deliveries d on d.id = a.delivery_id order by a.ended_at',
    )
    for (let lane = 0; lane < lanes; lane++) {
      const ids = ended.filter((row) => row.lane === `lane ${lane}`).map((row) => Number(row.id))
      expect(ids).toEqual(ids.toSorted((x, y) => x - y))
      expect(ids).toHaveLength((2 * share) / lanes)
    }
  }, 120_000)

  it('find after a kill -9 everything that had been acknowledged', async () => {
    const writer = spawn(process.execPath, [child('ingest-forever'), subject.place.url], {
      stdio: ['ignore', 'pipe', 'inherit'],
    })
    const acknowledged: string[] = []
    const lines = createInterface({ input: writer.stdout })
    lines.on('line', (line) => {
      acknowledged.push(line)
      if (acknowledged.length === 300) writer.kill('SIGKILL')
    })
    await Promise.all([exitOf(writer), once(lines, 'close')])
    expect(acknowledged.length).toBeGreaterThanOrEqual(300)
    const store = await openStore(subject.place.url, { now: 2 })
    const stored = new Set((await store.listDeliveries({ limit: 100_000 })).map(({ dedupeKey }) => dedupeKey))
    expect(acknowledged.filter((key) => !stored.has(key))).toEqual([])
    const { totals, waiting } = await store.summarize(0, 2)
    expect(totals.map(({ received }) => received)).toEqual([waiting])
    await store.close()
  }, 60_000)
})

it('a database left to the garbage collector does not take the process along', async () => {
  const { stdout } = await run(process.execPath, ['--expose-gc', child('garbage')])
  expect(stdout).toBe('alive\n')
})
