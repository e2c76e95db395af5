import { describe, expect, it } from 'vitest'
import { customer, form, our, rest, serviceWith, startReceiver, startTwin } from './twins.js'

const confirmation =
  'You have successfully been unsubscribed. You will not receive any more messages from this number. Reply START to resubscribe.'

describe('opting out', () => {
  it.each(['STOP', 'stopall', 'Unsubscribe', 'CANCEL', 'END', 'QUIT', 'revoke', 'OptOut'])(
    'by %s blocks the number for this customer alone, confirms once, and still calls the webhook',
    async (body) => {
      const receiver = await startReceiver()
      const { twin, clock, client } = await startTwin({ numbers: [{ phoneNumber: our, smsUrl: receiver.url }] })

      twin.text({ from: customer, to: our, body })
      twin.text({ from: customer, to: our, body })
      await clock.advance(400)
      await twin.idle()

      expect(receiver.received.map(({ params }) => [params.get('Body'), params.get('OptOutType')])).toEqual([
        [body, null],
        [body, null],
      ])
      const answers = twin.handset(customer).filter(({ direction }) => direction !== 'inbound')
      expect(answers).toMatchObject([{ body: confirmation, direction: 'outbound-reply', status: 'delivered' }])
      const send = client.messages.create({ to: customer, from: our, body: 'x' })
      await expect(send).rejects.toMatchObject({ status: 400, code: 21610 })
      expect((await client.messages.create({ to: '+15550100101', from: our, body: 'x' })).status).toBe('queued')
    },
  )

  it.each(['START', 'unstop', 'Yes'])('ends with %s, which is confirmed', async (body) => {
    const { twin, clock, client } = await startTwin()
    twin.text({ from: customer, to: our, body: 'STOP' })

    twin.text({ from: customer, to: our, body })
    await clock.advance(400)

    expect(twin.handset(customer).at(-1)).toMatchObject({ body: 'You have successfully been re-subscribed.' })
    expect((await client.messages.create({ to: customer, from: our, body: 'x' })).status).toBe('queued')
  })

  it.each(['STOP PLEASE', 'opt out', 'please stop'])('is not done by "%s"', async (body) => {
    const { twin, client } = await startTwin()

    twin.text({ from: customer, to: our, body })

    expect((await client.messages.create({ to: customer, from: our, body: 'x' })).status).toBe('queued')
  })

  it('silences the answer of a webhook, too', async () => {
    const receiver = await startReceiver(() => ({
      status: 200,
      headers: { 'content-type': 'text/plain' },
      body: 'Bye',
    }))
    const { twin, clock } = await startTwin({ numbers: [{ phoneNumber: our, smsUrl: receiver.url }] })

    twin.text({ from: customer, to: our, body: 'STOP' })
    await clock.advance(400)
    await twin.idle()

    expect(twin.messages().map(({ body }) => body)).toEqual(['STOP', confirmation])
  })

  it('of a service counts for all of its numbers and for no other', async () => {
    const [a, b, other] = ['+15550100002', '+15550100003', '+15550100004'] as const
    const { twin, client } = await startTwin({
      numbers: [a, b, other].map((phoneNumber) => ({ phoneNumber, smsUrl: '' })),
    })
    const service = await serviceWith(client, [a, b], { useInboundWebhookOnNumber: true })

    twin.text({ from: customer, to: a, body: 'STOP' })

    for (const sender of [{ from: a }, { from: b }, { messagingServiceSid: service }]) {
      const send = client.messages.create({ to: customer, body: 'x', ...sender })
      await expect(send).rejects.toMatchObject({ code: 21610 })
    }
    expect((await client.messages.create({ to: customer, from: other, body: 'x' })).status).toBe('queued')
  })

  it('of a toll-free number is by STOP alone, and YES does not undo it', async () => {
    const tollFree = '+18885550100'
    const { twin, clock, client } = await startTwin({
      numbers: [{ phoneNumber: tollFree, kind: 'toll-free', smsUrl: '' }],
    })
    const send = () => client.messages.create({ to: customer, from: tollFree, body: 'x' })

    twin.text({ from: customer, to: tollFree, body: 'CANCEL' })
    expect((await send()).status).toBe('queued')
    twin.text({ from: customer, to: tollFree, body: 'stop' })
    twin.text({ from: customer, to: tollFree, body: 'YES' })
    twin.text({ from: customer, to: tollFree, body: 'HELP' })
    await expect(send()).rejects.toMatchObject({ code: 21610 })
    await clock.advance(400)
    expect(twin.handset(customer).at(-1)?.body).toBe(
      'NETWORK MSG: You replied with the word "stop" which blocks all texts sent from this number. Text back "unstop" to receive messages again.',
    )
    twin.text({ from: customer, to: tollFree, body: 'UNSTOP' })

    expect((await send()).status).toBe('queued')
    await clock.advance(400)
    expect(twin.handset(customer).some(({ body }) => body.startsWith('NETWORK MSG: You have replied "Unstop"'))).toBe(
      true,
    )
  })

  it('of a toll-free number silences that number alone, whatever service it is in', async () => {
    const tollFree = '+18885550100'
    const { twin, client } = await startTwin({
      numbers: [
        { phoneNumber: tollFree, kind: 'toll-free', smsUrl: '' },
        { phoneNumber: our, smsUrl: '' },
      ],
    })
    await serviceWith(client, [tollFree, our], { useInboundWebhookOnNumber: true })

    twin.text({ from: customer, to: tollFree, body: 'STOP' })

    const send = (from: string) => client.messages.create({ to: customer, from, body: 'x' })
    await expect(send(tollFree)).rejects.toMatchObject({ code: 21610 })
    expect((await send(our)).status).toBe('queued')
  })

  it('of a short code is its owner’s duty: nothing is blocked or answered', async () => {
    const { twin } = await startTwin({ numbers: [{ phoneNumber: '55501', kind: 'short-code' }] })

    twin.text({ from: customer, to: '55501', body: 'STOP' })
    await twin.idle()

    expect(twin.messages()).toHaveLength(1)
    const response = await rest(twin, '/Messages.json', form({ To: customer, From: '55501', Body: 'x' }))
    expect(response.status).toBe(201)
  })

  it('is explained to who texts HELP', async () => {
    const { twin, clock } = await startTwin()

    twin.text({ from: customer, to: our, body: 'help' })
    await clock.advance(400)

    expect(twin.handset(customer)).toMatchObject([{ body: 'help' }, { direction: 'outbound-reply' }])
  })
})

describe('Advanced Opt-Out', () => {
  it('names the keyword in OptOutType, and no other text has one', async () => {
    const receiver = await startReceiver()
    const { twin, clock, client } = await startTwin()
    const service = await serviceWith(client, [our], { inboundRequestUrl: receiver.url })
    twin.enableAdvancedOptOut(service)

    for (const body of ['hello', 'Quit', 'UNSTOP', 'info', 'stop please']) twin.text({ from: customer, to: our, body })
    await clock.advance(400)
    await twin.idle()

    expect(receiver.received.map(({ params }) => [params.get('Body'), params.get('OptOutType')])).toEqual([
      ['hello', null],
      ['Quit', 'STOP'],
      ['UNSTOP', 'START'],
      ['info', 'HELP'],
      ['stop please', null],
    ])
  })

  it('of one service leaves the texts of another without OptOutType', async () => {
    const receiver = await startReceiver()
    const other = '+15550100002'
    const { twin, clock, client } = await startTwin({
      numbers: [our, other].map((phoneNumber) => ({ phoneNumber, smsUrl: '' })),
    })
    twin.enableAdvancedOptOut(await serviceWith(client, [our], { inboundRequestUrl: receiver.url }))
    await serviceWith(client, [other], { inboundRequestUrl: receiver.url })

    twin.text({ from: customer, to: other, body: 'STOP' })
    await clock.advance(400)
    await twin.idle()

    expect(receiver.received[0]?.params.has('OptOutType')).toBe(false)
  })

  it('accepts what the service sends to who opted out, and fails it with 21610 by status callback', async () => {
    const receiver = await startReceiver()
    const { twin, clock, client } = await startTwin()
    const messagingServiceSid = await serviceWith(client, [our], { statusCallback: receiver.url })
    twin.enableAdvancedOptOut(messagingServiceSid)
    await client.messaging.v1.services(messagingServiceSid).update({ useInboundWebhookOnNumber: true })
    twin.text({ from: customer, to: our, body: 'STOP' })

    const sent = await client.messages.create({ to: customer, messagingServiceSid, body: 'Hello' })
    expect(sent.status).toBe('accepted')
    await clock.advance(600)
    await twin.idle()

    expect(receiver.received.map(({ params }) => [params.get('MessageStatus'), params.get('ErrorCode')])).toEqual([
      ['queued', null],
      ['failed', '21610'],
    ])
    expect(await client.messages(sent.sid).fetch()).toMatchObject({ status: 'failed', errorCode: 21610 })
    expect(twin.handset(customer).some(({ body }) => body === 'Hello')).toBe(false)
  })

  it('blocks per service and recipient: others get their texts, START ends it, and a send by number is refused at once', async () => {
    const { twin, clock, client } = await startTwin()
    const messagingServiceSid = await serviceWith(client, [our], { useInboundWebhookOnNumber: true })
    twin.enableAdvancedOptOut(messagingServiceSid)
    const other = '+15550100101'
    twin.text({ from: customer, to: our, body: 'STOP' })

    const byNumber = client.messages.create({ to: customer, from: our, body: 'x' })
    await expect(byNumber).rejects.toMatchObject({ status: 400, code: 21610 })
    await client.messages.create({ to: other, messagingServiceSid, body: 'to another' })
    twin.text({ from: customer, to: our, body: 'START' })
    await client.messages.create({ to: customer, messagingServiceSid, body: 'welcome back' })
    await clock.advance(600)

    expect(twin.handset(other)).toMatchObject([{ body: 'to another', status: 'delivered' }])
    expect(twin.handset(customer).at(-1)).toMatchObject({ body: 'welcome back', status: 'delivered' })
  })

  it('relieves the owner of a short code: STOP blocks and is confirmed', async () => {
    const { twin, clock, client } = await startTwin({ numbers: [{ phoneNumber: '55501', kind: 'short-code' }] })
    const { sid } = await client.messaging.v1.services.create({ friendlyName: 'S', useInboundWebhookOnNumber: true })
    await client.messaging.v1.services(sid).shortCodes.create({ shortCodeSid: twin.numbers()[0]?.sid ?? '' })
    twin.enableAdvancedOptOut(sid)

    twin.text({ from: customer, to: '55501', body: 'STOP' })
    await client.messages.create({ to: customer, messagingServiceSid: sid, body: 'x' })
    await clock.advance(600)

    expect(twin.messages().map(({ body, status }) => [body, status])).toEqual([
      ['STOP', 'received'],
      [confirmation, 'delivered'],
      ['x', 'failed'],
    ])
  })

  it('is a switch of a service there is', async () => {
    const { twin } = await startTwin()

    expect(() => twin.enableAdvancedOptOut('MG1')).toThrow('MG1 is not a Messaging Service of this twin')
  })
})
