import { existsSync } from 'node:fs'
import { memoryOf, sleep } from './lib/serve.mjs'
import { startWorld } from './lib/world.mjs'

export const about = 'memory of serve: idle, and after many messages accepted and delivered'
export const usesStore = true

const lanes = 1_000
const batch = 2_000
const wanted = 100_000
const maxMs = 170_000

export async function measure({ folder, newStore, nodeArgs, print, quick }) {
  if (!existsSync('/proc/self/status')) {
    print('  skipped: memory is read from /proc, which this system does not have')
    return []
  }
  const world = await startWorld({ folder, store: await newStore(), nodeArgs, rateLimit: 1e6 })
  const { serve } = world
  await sleep(3_000)
  const idle = memoryOf(serve.pid).now

  const giveUpAt = Date.now() + (quick ? 10_000 : maxMs)
  let sent = 0
  const samples = []
  while (sent < wanted && Date.now() < giveUpAt) {
    await world.texts({ count: batch, lanes })
    sent += batch
    if (!(await serve.idle(60_000))) throw new Error('a batch was not delivered within a minute')
    if (sent % 10_000 === 0) samples.push(Math.round(memoryOf(serve.pid).now))
  }
  const delivered = (await serve.metrics()).sum('sms_bridge_delivered_total', 'inbound-sms')
  await sleep(3_000)
  const after = memoryOf(serve.pid)
  await world.end()
  return [
    { what: 'RSS of serve, idle', value: idle, unit: 'MB' },
    {
      what: 'RSS of serve, after the messages',
      value: after.now,
      unit: 'MB',
      note: `${delivered} of ${sent} delivered; every 10,000: ${samples.join(', ')}`,
    },
    { what: 'RSS of serve, at its highest', value: after.highest, unit: 'MB' },
    { what: 'after ÷ idle', value: after.now / idle, unit: '×' },
  ]
}
