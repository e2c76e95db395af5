import { createHmac } from 'node:crypto'
import { describe, expect, it } from 'vitest'
import { openTestBridge } from '../support/temp.js'
import { customer, ours, type TestBridge } from '../support/test-bridge.js'

const path = '/webhooks/intercom'
const sign = (body: string, secret = 'fake-client-secret') =>
  `sha1=${createHmac('sha1', secret).update(body).digest('hex')}`

async function post(world: TestBridge, body: string, headers: Record<string, string> = {}) {
  const response = await fetch(`${world.bridge().url}${path}`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', 'x-hub-signature': sign(body), ...headers },
    body,
  })
  return { status: response.status, text: await response.text() }
}

const ping = JSON.stringify({
  type: 'notification_event',
  app_id: 'abc123def',
  id: null,
  topic: 'ping',
  data: { type: 'notification_event_data', item: { type: 'ping', message: 'something something interzen' } },
})

describe("Intercom's door", () => {
  it('answers the HEAD that Intercom sends when the URL is saved', async () => {
    const world = await openTestBridge()
    expect((await fetch(`${world.bridge().url}${path}`, { method: 'HEAD' })).status).toBe(200)
  })

  it('takes the ping', async () => {
    const world = await openTestBridge()
    expect(await post(world, ping)).toEqual({ status: 200, text: '{"ok":true}' })
  })

  it.each([
    ['a signature made with another secret', { 'x-hub-signature': sign(ping, 'another') }],
    ['a signature of another length', { 'x-hub-signature': 'sha1=00' }],
    ['no signature', { 'x-hub-signature': '' }],
  ])('%s is refused', async (_name, headers) => {
    const world = await openTestBridge()
    expect((await post(world, ping, headers)).status).toBe(401)
  })

  it('broken JSON is named as that', async () => {
    const world = await openTestBridge()
    expect(await post(world, '{"type":')).toEqual({ status: 400, text: '{"error":"body: not JSON"}' })
  })

  it('a missing field is named', async () => {
    const world = await openTestBridge()
    const answer = await post(world, '{"type":"notification_event"}')
    expect(answer.status).toBe(400)
    expect(answer.text).toMatch(/topic|data|app_id/)
  })

  it('an oversized body is refused and stops nothing', async () => {
    const world = await openTestBridge()
    expect((await post(world, JSON.stringify({ pad: 'x'.repeat(1_100_000) }))).status).toBe(413)
    expect((await post(world, ping)).status).toBe(200)
  })

  it('never answers 404, 410 or 429, whatever the method', async () => {
    const world = await openTestBridge()
    for (const method of ['GET', 'PUT', 'PATCH', 'DELETE', 'OPTIONS']) {
      const { status } = await fetch(`${world.bridge().url}${path}`, { method })
      expect([200, 405]).toContain(status)
    }
  })

  it('answers while both vendors are down', async () => {
    const world = await openTestBridge()
    world.twilio.text({ from: customer, to: ours, body: 'Hello' })
    await world.settled()
    const [conversation] = world.intercom.conversations()
    world.twilio.faults.arm('outage')
    world.intercom.faults.arm('outage')
    world.intercom.inbox.reply(conversation?.id ?? '', '<p>Hi</p>')
    await world.intercom.idle()
    const { waiting } = await world.store().summarize(0, Date.now())
    expect(waiting).toBe(1)
  })

  it('that cannot store a reply answers 503, so that Intercom tries again', async () => {
    const world = await openTestBridge()
    world.twilio.text({ from: customer, to: ours, body: 'Hello' })
    await world.settled()
    const [conversation] = world.intercom.conversations()
    await world.store().close()
    const statuses: unknown[] = []
    world.intercom.subscribe((event) => void (event.type === 'webhook' && statuses.push(event.status)))
    world.intercom.inbox.reply(conversation?.id ?? '', '<p>Hi</p>')
    await world.eventually('the webhook was answered', () => statuses.length > 0)
    expect(statuses).toEqual([503])
  })
})

describe('health', () => {
  it('is alive and ready', async () => {
    const world = await openTestBridge()
    for (const at of ['/healthz', '/readyz']) expect((await fetch(`${world.bridge().url}${at}`)).status).toBe(200)
  })

  it('is not ready while a shore refuses our credentials, and says which', async () => {
    const world = await openTestBridge()
    world.intercom.faults.arm('refuse-credentials')
    world.twilio.text({ from: customer, to: ours, body: 'Hello' })
    const answer = await world.eventually('a pause', async () => {
      const response = await fetch(`${world.bridge().url}/readyz`)
      return response.status === 503 && response.json()
    })
    expect(answer).toMatchObject({ status: 'paused', paused: [{ shore: 'intercom' }] })
    expect((await world.store().summarize(0, Date.now())).waiting).toBe(1)
  })

  it('counts what was accepted, delivered and refused', async () => {
    const world = await openTestBridge()
    world.twilio.text({ from: customer, to: ours, body: 'Hello' })
    await world.settled()
    await post(world, ping, { 'x-hub-signature': '' })
    const text = await (await fetch(`${world.bridge().url}/metrics`)).text()
    for (const line of [
      'sms_bridge_accepted_total{source="twilio-sms"} 1',
      'sms_bridge_delivered_total{kind="inbound-sms"} 1',
      'sms_bridge_refused_total{source="intercom",reason="signature"} 1',
      'sms_bridge_parked 0',
      'sms_bridge_waiting 0',
      'sms_bridge_hop_seconds_count{kind="inbound-sms"} 1',
    ]) {
      expect(text.split('\n')).toContain(line)
    }
    expect(text).toMatch(/^sms_bridge_limit_headroom\{key="intercom"\} [\d.]+$/m)
  })
})
