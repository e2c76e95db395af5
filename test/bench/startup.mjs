import { spawnSync } from 'node:child_process'
import { query } from './lib/million.mjs'
import { bin } from './lib/serve.mjs'
import { median } from './lib/stats.mjs'

export const about = 'how long the commands take that a person waits for, against node itself'
export const usesStore = true

export async function measure({ folder, newStore, quick }) {
  const store = await newStore()
  // Makes the tables of a store that is not there yet.
  await query(store, 'select 1')
  const env = { PATH: process.env.PATH, SMS_BRIDGE_HOME: folder, SMS_BRIDGE_STORE: `sqlite:${store}` }
  const commands = {
    node: ['-e', '0'],
    help: [bin, '--help'],
    status: [bin, 'status'],
  }
  const times = { node: [], help: [], status: [] }
  for (let run = 0; run < (quick ? 3 : 21); run += 1) {
    for (const [name, args] of Object.entries(commands)) {
      const begun = performance.now()
      const { status, stderr } = spawnSync(process.execPath, args, { env })
      const ms = performance.now() - begun
      // 4: no serve is running, and none is.
      if (status !== 0 && !(name === 'status' && status === 4))
        throw new Error(`${name} ended with ${status}: ${stderr}`)
      // The first of each finds cold files.
      if (run > 0) times[name].push(ms)
    }
  }
  const [node, help, status] = [times.node, times.help, times.status].map(median)
  return [
    { what: 'node -e 0', value: node, unit: 'ms' },
    { what: 'sms-bridge --help', value: help, unit: 'ms', note: `${(help - node).toFixed(0)} ms more than node` },
    { what: 'sms-bridge status', value: status, unit: 'ms', note: `${(status - node).toFixed(0)} ms more than node` },
  ]
}
