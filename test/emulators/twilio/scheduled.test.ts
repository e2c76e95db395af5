import { describe, expect, it } from 'vitest'
import { customer, form, our, rest, serviceWith, startReceiver, startTwin } from './twins.js'

const sendAt = new Date('2026-11-22T06:00:00Z')
const hour = 3_600_000

describe('a scheduled message', () => {
  const scheduled = { to: customer, body: 'later', scheduleType: 'fixed', sendAt } as const

  it('shows neither sender nor segments, goes out at its time, and is called back from queued on', async () => {
    const receiver = await startReceiver()
    const { twin, clock, client } = await startTwin()
    const messagingServiceSid = await serviceWith(client, [our], { statusCallback: receiver.url })

    const sent = await client.messages.create({ ...scheduled, messagingServiceSid })
    expect(sent).toMatchObject({ status: 'scheduled', from: null, numSegments: '0', dateSent: null })
    await clock.advance(sendAt.getTime() - clock.now() - 1)
    expect((await client.messages(sent.sid).fetch()).status).toBe('scheduled')
    expect(receiver.received).toEqual([])
    await clock.advance(1)
    expect(await client.messages(sent.sid).fetch()).toMatchObject({ status: 'queued', from: our, numSegments: '1' })
    await clock.advance(400)
    await twin.idle()

    expect(receiver.received.map(({ params }) => params.get('MessageStatus'))).toEqual(['queued', 'sent', 'delivered'])
    expect(twin.handset(customer)).toMatchObject([{ body: 'later', sentAt: sendAt.getTime() + 200 }])
  })

  it('holds up neither the other messages of its sender nor idle', async () => {
    const { twin, clock, client } = await startTwin()
    const messagingServiceSid = await serviceWith(client, [our])

    await client.messages.create({ ...scheduled, messagingServiceSid })
    await client.messages.create({ to: customer, from: our, body: 'now' })
    await clock.advance(400)
    await twin.idle()

    expect(twin.handset(customer)).toMatchObject([{ body: 'now' }])
  })

  it('is canceled by Status=canceled, called back, and never sent', async () => {
    const receiver = await startReceiver()
    const { twin, clock, client } = await startTwin()
    const messagingServiceSid = await serviceWith(client, [our], { statusCallback: receiver.url })
    const { sid } = await client.messages.create({ ...scheduled, messagingServiceSid })

    expect((await client.messages(sid).update({ status: 'canceled' })).status).toBe('canceled')
    await clock.advance(2 * hour)
    await twin.idle()

    expect(receiver.received.map(({ params }) => params.get('MessageStatus'))).toEqual(['canceled'])
    expect(twin.messages()).toMatchObject([{ status: 'canceled', sentAt: null }])
    await expect(client.messages(sid).update({ status: 'canceled' })).rejects.toMatchObject({ code: 30409 })
  })

  it('is not canceled once it is queued, accepted, delivered or inbound: 30409', async () => {
    const { twin, clock, client } = await startTwin()
    const messagingServiceSid = await serviceWith(client, [our], { useInboundWebhookOnNumber: true })
    const { sid: due } = await client.messages.create({ ...scheduled, messagingServiceSid })
    const { sid: inbound } = twin.text({ from: customer, to: our, body: 'hi' })
    const { sid: delivered } = await client.messages.create({ to: customer, from: our, body: 'x' })
    await clock.advance(sendAt.getTime() - clock.now())
    const { sid: accepted } = await client.messages.create({ to: customer, messagingServiceSid, body: 'x' })

    for (const sid of [due, inbound, delivered, accepted]) {
      const cancel = client.messages(sid).update({ status: 'canceled' })
      await expect(cancel).rejects.toMatchObject({ status: 400, code: 30409 })
    }
  })

  it('counts its validity from its time', async () => {
    const { twin, clock, client } = await startTwin()
    const messagingServiceSid = await serviceWith(client, [our])

    await client.messages.create({ ...scheduled, messagingServiceSid, validityPeriod: 60 })
    await clock.advance(2 * hour)

    expect(twin.messages()).toMatchObject([{ status: 'delivered' }])
  })

  it('fails with 21610 when its recipient has opted out meanwhile', async () => {
    const { twin, clock, client } = await startTwin()
    const messagingServiceSid = await serviceWith(client, [our], { useInboundWebhookOnNumber: true })

    const { sid } = await client.messages.create({ ...scheduled, messagingServiceSid })
    twin.text({ from: customer, to: our, body: 'STOP' })
    await clock.advance(2 * hour)

    expect(await client.messages(sid).fetch()).toMatchObject({ status: 'failed', errorCode: 21610 })
  })

  it.each([
    ['15 minutes ahead', '2026-11-22T05:15:00.250Z', 201],
    ['35 days ahead', '2026-12-27T05:00:00.250Z', 201],
    ['less than 15 minutes ahead', '2026-11-22T05:15:00Z', 35114],
    ['more than 35 days ahead', '2026-12-27T05:00:01Z', 35114],
    ['in the past', '2026-11-21T05:00:00Z', 35114],
    ['at a local time', '2026-11-22T08:00:00', 35114],
    ['at no time', 'tomorrow', 35114],
    ['without SendAt', '', 35111],
  ])('%s is answered accordingly', async (_, at, outcome) => {
    const { twin, client } = await startTwin()
    const MessagingServiceSid = await serviceWith(client, [our])
    const fields = { To: customer, MessagingServiceSid, Body: 'x', ScheduleType: 'fixed', SendAt: at }

    const response = await rest(twin, '/Messages.json', form(fields))

    const { code } = await response.json()
    expect(code ?? response.status).toBe(outcome)
    expect(twin.messages()).toHaveLength(outcome === 201 ? 1 : 0)
  })

  it('reaches a time 35 days away', async () => {
    const { twin, clock, client } = await startTwin()
    const messagingServiceSid = await serviceWith(client, [our])
    const inFiveWeeks = new Date('2026-12-27T05:00:00Z')

    await client.messages.create({ ...scheduled, messagingServiceSid, sendAt: inFiveWeeks })
    await clock.advance(inFiveWeeks.getTime() - clock.now() - 1)
    expect(twin.messages()).toMatchObject([{ status: 'scheduled' }])
    await clock.advance(401)

    expect(twin.messages()).toMatchObject([{ status: 'delivered' }])
  })

  it('needs a Messaging Service', async () => {
    const { client } = await startTwin()

    const send = client.messages.create({ ...scheduled, from: our })

    await expect(send).rejects.toMatchObject({ status: 400, code: 35118 })
  })
})
