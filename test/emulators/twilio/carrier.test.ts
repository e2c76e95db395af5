import { validateRequest } from 'twilio/lib/webhooks/webhooks.js'
import { describe, expect, it } from 'vitest'
import { accountSid, authToken, customer, our, type Received, serviceWith, startReceiver, startTwin } from './twins.js'

const statuses = (received: readonly Received[]) => received.map(({ params }) => params.get('MessageStatus'))

describe('status callbacks', () => {
  it('come for sent and delivered, none for the initial status', async () => {
    const receiver = await startReceiver()
    const { twin, clock, client } = await startTwin()

    const { sid } = await client.messages.create({
      to: customer,
      from: our,
      body: 'Hello',
      statusCallback: `${receiver.url}/status?ref=1#rc=2`,
    })
    await clock.advance(199)
    expect(receiver.received).toEqual([])
    await clock.advance(1)
    expect(twin.messages()).toMatchObject([{ status: 'sent', sentAt: Date.parse('2026-11-22T05:00:00.450Z') }])
    await clock.advance(200)
    await twin.idle()

    expect(receiver.received.map(({ target, body }) => [target, body])).toEqual([
      [
        '/status?ref=1',
        `MessageStatus=sent&ApiVersion=2010-04-01&SmsSid=${sid}&SmsStatus=sent&To=%2B15550100100` +
          `&From=%2B15550100001&MessageSid=${sid}&AccountSid=${accountSid}`,
      ],
      [
        '/status?ref=1',
        `MessageStatus=delivered&ApiVersion=2010-04-01&SmsSid=${sid}&SmsStatus=delivered&To=%2B15550100100` +
          `&From=%2B15550100001&MessageSid=${sid}&AccountSid=${accountSid}&RawDlrDoneDate=2611220500`,
      ],
    ])
    const [first] = receiver.received
    const signature = String(first?.headers['x-twilio-signature'])
    const fields = Object.fromEntries(first?.params ?? [])
    expect(validateRequest(authToken, signature, `${receiver.url}/status?ref=1`, fields)).toBe(true)
  })

  it('come for queued, too, when a service sends; its own URL serves messages without one', async () => {
    const receiver = await startReceiver()
    const { twin, clock, client } = await startTwin()
    const service = await serviceWith(client, [our], { statusCallback: `${receiver.url}/service` })

    const sent = await client.messages.create({ to: customer, messagingServiceSid: service, body: 'Hello' })
    expect(sent.status).toBe('accepted')
    await clock.advance(200)
    expect(await client.messages(sent.sid).fetch()).toMatchObject({ status: 'queued', from: our, numSegments: '1' })
    await clock.advance(400)
    await twin.idle()

    expect(statuses(receiver.received)).toEqual(['queued', 'sent', 'delivered'])
    expect(receiver.received.map(({ params }) => params.get('MessagingServiceSid'))).toEqual([
      service,
      service,
      service,
    ])
  })

  it('of the message beat those of its service', async () => {
    const receiver = await startReceiver()
    const { twin, clock, client } = await startTwin()
    const messagingServiceSid = await serviceWith(client, [our], { statusCallback: `${receiver.url}/service` })

    const statusCallback = `${receiver.url}/own`
    await client.messages.create({ to: customer, messagingServiceSid, body: 'Hello', statusCallback })
    await clock.advance(600)
    await twin.idle()

    expect(receiver.received.map(({ target }) => target)).toEqual(['/own', '/own', '/own'])
  })

  it.each([
    [30003, ['sent', 'undelivered'], 'undelivered'],
    [30007, ['sent', 'undelivered'], 'undelivered'],
    [21610, ['failed'], 'failed'],
    [30001, ['failed'], 'failed'],
  ] as const)('tell of error %i: %j', async (code, expected, status) => {
    const receiver = await startReceiver()
    const { twin, clock, client } = await startTwin()
    twin.setFate(customer, code)

    const { sid } = await client.messages.create({ to: customer, from: our, body: 'x', statusCallback: receiver.url })
    await clock.advance(400)
    await twin.idle()

    expect(statuses(receiver.received)).toEqual(expected)
    const last = receiver.received.at(-1)?.params
    expect(last?.get('ErrorCode')).toBe(String(code))
    expect(last?.has('RawDlrDoneDate')).toBe(status === 'undelivered')
    expect(await client.messages(sid).fetch()).toMatchObject({
      status,
      errorCode: code,
      errorMessage: expect.any(String),
    })
    expect(twin.handset(customer)).toEqual([])
  })

  it('end with sent where the carrier returns no receipts', async () => {
    const receiver = await startReceiver()
    const { twin, clock, client } = await startTwin()
    twin.setFate(customer, 'no-receipt')

    await client.messages.create({ to: customer, from: our, body: 'x', statusCallback: receiver.url })
    await clock.advance(200)
    await twin.idle()
    await clock.advance(60_000)

    expect(statuses(receiver.received)).toEqual(['sent'])
    expect(twin.handset(customer)).toMatchObject([{ body: 'x', status: 'sent' }])
  })

  it.each([
    ['duplicate', ['sent', 'sent', 'delivered', 'delivered']],
    ['reorder', ['delivered', 'sent']],
    ['drop', []],
  ] as const)('meet the fault %s', async (fault, expected) => {
    const receiver = await startReceiver()
    const { twin, clock, client } = await startTwin()
    twin.faults.webhooks.add(fault)

    await client.messages.create({ to: customer, from: our, body: 'x', statusCallback: receiver.url })
    await clock.advance(400)
    await twin.idle()

    expect(statuses(receiver.received)).toEqual(expected)
  })
})

describe('the carrier', () => {
  it('gets the messages of one sender in the order they were made, those of a service included', async () => {
    const { twin, clock, client } = await startTwin()
    const messagingServiceSid = await serviceWith(client, [our])
    const order: string[] = []
    twin.subscribe((event) => {
      if (event.type === 'message' && event.message.status === 'sent') order.push(event.message.body)
    })

    await client.messages.create({ to: customer, messagingServiceSid, body: 'by service' })
    await clock.advance(100)
    await client.messages.create({ to: customer, from: our, body: 'by number' })
    await client.messages.create({ to: customer, from: our, body: 'last' })
    await clock.advance(1000)

    expect(order).toEqual(['by service', 'by number', 'last'])
    expect(twin.handset(customer).map(({ body }) => body)).toEqual(['by service', 'by number', 'last'])
  })

  it('never gets a message whose validity has run out', async () => {
    const { twin, clock, client } = await startTwin({ carrierMs: 6000 })

    await client.messages.create({ to: customer, from: our, body: 'stale', validityPeriod: 5 })
    await clock.advance(6000)
    await twin.idle()

    expect(twin.messages()).toMatchObject([{ status: 'failed', errorCode: 30036 }])
  })

  it('delivers to another number of the account, which receives a text of its own', async () => {
    const receiver = await startReceiver()
    const second = '+15550100002'
    const { twin, clock, client } = await startTwin({
      numbers: [
        { phoneNumber: our, smsUrl: receiver.url },
        { phoneNumber: second, smsUrl: '' },
      ],
    })

    await client.messages.create({ to: our, from: second, body: 'check blue otter canyon' })
    await clock.advance(400)
    await twin.idle()

    expect(receiver.received[0]?.params.get('From')).toBe(second)
    expect(await client.messages.list({ to: our })).toMatchObject([
      { direction: 'inbound', status: 'received', body: 'check blue otter canyon' },
      { direction: 'outbound-api', status: 'delivered' },
    ])
  })
})
