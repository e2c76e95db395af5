import { medians } from './lib/stats.mjs'
import { startWorld } from './lib/world.mjs'

export const about = "time the bridge itself adds to a message, the vendors' own time excluded"
export const usesStore = true

const perSecond = 5
const lanes = 25

export async function measure({ folder, newStore, nodeArgs, quick }) {
  const world = await startWorld({ folder, store: await newStore(), nodeArgs })
  await world.texts({ count: lanes, lanes })
  await world.serve.idle(60_000)
  const count = quick ? 10 : 50

  const hops = async (kind, send) => {
    const runs = []
    for (let run = 0; run < (quick ? 1 : 3); run += 1) {
      const before = await world.serve.metrics()
      await send()
      await delivered(world.serve, kind, before.sum('sms_bridge_delivered_total', kind) + count)
      const after = await world.serve.metrics()
      const grown = (name, labels) => after.sum(name, labels) - before.sum(name, labels)
      const deliveries = grown('sms_bridge_hop_seconds_count', kind)
      const calls = grown('sms_bridge_vendor_call_seconds_count', '')
      const hop = (grown('sms_bridge_hop_seconds_sum', kind) / deliveries) * 1000
      const vendor = (grown('sms_bridge_vendor_call_seconds_sum', '') / deliveries) * 1000
      runs.push({ added: hop - vendor, hop, vendor, calls: calls / deliveries })
    }
    return medians(runs)
  }

  const inbound = await hops('inbound-sms', () => world.texts({ count, lanes, perSecond }))
  const outbound = await hops('agent-reply', () => world.twins.call('reply', { count, perSecond }))
  await world.end()
  return [rowOf('text → inbox', inbound), rowOf('reply → phone', outbound)]
}

function rowOf(way, { added, hop, vendor, calls }) {
  const note = `${hop.toFixed(1)} ms in all, ${vendor.toFixed(1)} ms of it in ${calls.toFixed(1)} calls`
  return { what: `added by the bridge, ${way}`, value: added, unit: 'ms', note }
}

async function delivered(serve, kind, count) {
  const giveUpAt = Date.now() + 30_000
  while ((await serve.metrics()).sum('sms_bridge_delivered_total', kind) < count) {
    if (Date.now() > giveUpAt) throw new Error(`not all of ${kind} were delivered`)
    await new Promise((resolve) => setTimeout(resolve, 50))
  }
}
