import { closeSync, fdatasyncSync, openSync, writeSync } from 'node:fs'
import { join } from 'node:path'
import { startModule } from './lib/children.mjs'
import { query } from './lib/million.mjs'
import { startServe } from './lib/serve.mjs'
import { median } from './lib/stats.mjs'

export const about = 'webhooks accepted per second, each on disk before its answer, against a bare server and raw fsync'
export const usesStore = true

/** Enough for about two seconds each on the machine this was written on. */
const counts = { 1: 1_500, 8: 6_000, 64: 12_000 }
const maxMs = 8_000
const warmUp = 1_000
const lanes = 2_000

export async function measure({ folder, newStore, nodeArgs, quick }) {
  const store = await newStore()
  const load = startModule('load.mjs')
  const bare = startModule('bare.mjs')
  const barePort = await bare.call('listen')
  const serve = await startServe({ folder, store, nodeArgs })
  const before = await countDeliveries(store)

  let sent = 0
  let accepted = 0
  const shoot = async (port, connections, count) => {
    await load.call('prepare', { port, first: sent, count, lanes })
    sent += count
    const shot = await load.call('closedLoop', { connections, maxMs })
    if (shot.others.length > 0) throw new Error(`answered with ${shot.others.join(', ')}`)
    if (port === serve.port) accepted += shot.accepted
    return shot.perSecond
  }

  await shoot(barePort, 64, warmUp)
  await shoot(serve.port, 64, warmUp)
  await serve.rests()

  const fsyncs = { append: [], overwrite: [] }
  const speeds = { bare: { 1: [], 8: [], 64: [] }, bridge: { 1: [], 8: [], 64: [] } }
  for (let run = 0; run < (quick ? 1 : 3); run += 1) {
    for (const how of Object.keys(fsyncs)) fsyncs[how].push(fsyncsPerSecond(folder, how, quick ? 200 : 1_000))
    for (const [connections, count] of Object.entries(counts)) {
      const wanted = quick ? count / 5 : count
      speeds.bare[connections].push(await shoot(barePort, Number(connections), wanted))
      speeds.bridge[connections].push(await shoot(serve.port, Number(connections), wanted))
    }
  }
  const stored = (await countDeliveries(store)) - before
  await serve.stop()
  await Promise.all([load.end(), bare.end()])

  const fsync = median(fsyncs.append)
  return [
    { what: 'append 4 KiB and fdatasync, in a loop', value: fsync, unit: '/s' },
    { what: 'overwrite 4 KiB and fdatasync, in a loop', value: median(fsyncs.overwrite), unit: '/s' },
    ...Object.keys(counts).flatMap((connections) => {
      const bareSpeed = median(speeds.bare[connections])
      const speed = median(speeds.bridge[connections])
      const at = `${connections} connection${connections === '1' ? '' : 's'}`
      return [
        { what: `bare server, ${at}`, value: bareSpeed, unit: '/s' },
        { what: `accepted, ${at}`, value: speed, unit: '/s' },
        { what: `accepted ÷ bare, ${at}`, value: speed / bareSpeed, unit: '×' },
        { what: `accepted ÷ fsync, ${at}`, value: speed / fsync, unit: '×' },
      ]
    }),
    {
      what: 'rows in the store ÷ webhooks answered 200',
      value: stored / accepted,
      unit: '×',
      note: `${stored} rows, ${accepted} answers: ${stored === accepted ? 'equal' : 'NOT EQUAL'}`,
    },
  ]
}

async function countDeliveries(path) {
  const [row] = await query(path, 'select count(*) as count from deliveries')
  return row.count
}

/** What the disk itself allows, one after the other. SQLite's log grows at first and is written over later. */
function fsyncsPerSecond(folder, how, ms) {
  const blockSize = 4_096
  const blocks = 4_096
  const file = openSync(join(folder, 'fsync'), 'w')
  if (how === 'overwrite') writeSync(file, Buffer.alloc(blocks * blockSize, 1))
  fdatasyncSync(file)
  const block = Buffer.alloc(blockSize, 2)
  const begun = performance.now()
  let count = 0
  for (; performance.now() - begun < ms; count += 1) {
    const position = how === 'overwrite' ? (count % blocks) * blockSize : null
    writeSync(file, block, 0, blockSize, position)
    fdatasyncSync(file)
  }
  closeSync(file)
  return count / ((performance.now() - begun) / 1000)
}
