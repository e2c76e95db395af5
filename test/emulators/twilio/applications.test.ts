import { describe, expect, it } from 'vitest'
import { customer, form, our, rest, serviceWith, startReceiver, startTwin } from './twins.js'

const text = { from: customer, to: our, body: 'x' }

describe('TwiML applications', () => {
  it('are made, listed by name, fetched and changed', async () => {
    const { client } = await startTwin()
    const relay = 'https://relay.example.com'

    const a = await client.applications.create({ friendlyName: 'A', smsUrl: `${relay}/a`, smsMethod: 'GET' })
    const b = await client.applications.create({ friendlyName: 'B' })
    expect(a).toMatchObject({ friendlyName: 'A', smsUrl: `${relay}/a`, smsMethod: 'GET', smsFallbackUrl: null })
    expect(b).toMatchObject({ smsUrl: null, smsMethod: 'POST', smsFallbackMethod: 'POST' })
    await client.applications(b.sid).update({ smsUrl: `${relay}/b`, smsFallbackUrl: `${relay}/c` })
    await client.applications(a.sid).update({ smsUrl: '' })

    expect((await client.applications.list({ pageSize: 1 })).map(({ sid }) => sid)).toEqual([a.sid, b.sid])
    expect(await client.applications.list({ friendlyName: 'B' })).toMatchObject([{ sid: b.sid }])
    expect(await client.applications(a.sid).fetch()).toMatchObject({ friendlyName: 'A', smsUrl: null })
    expect(await client.applications(b.sid).fetch()).toMatchObject({
      friendlyName: 'B',
      smsUrl: `${relay}/b`,
      smsFallbackUrl: `${relay}/c`,
    })
  })

  it('that do not exist are answered 404 with 20404', async () => {
    const { twin } = await startTwin()
    const path = `/Applications/AP${'0'.repeat(32)}.json`

    for (const response of [await rest(twin, path), await rest(twin, path, form({ SmsUrl: '' }))]) {
      expect(response.status).toBe(404)
      expect(await response.json()).toMatchObject({ code: 20404 })
    }
  })
})

describe('the route of a text to a number with an application', () => {
  async function startRouted(service: { inboundRequestUrl?: string } | undefined) {
    const receiver = await startReceiver()
    const { twin, client } = await startTwin({ numbers: [{ phoneNumber: our, smsUrl: `${receiver.url}/number` }] })
    if (service !== undefined) await serviceWith(client, [our], service)
    const { sid } = await client.applications.create({ smsUrl: `${receiver.url}/application` })
    const number = client.incomingPhoneNumbers(twin.numbers()[0]?.sid ?? '')
    await number.update({ smsApplicationSid: sid })
    return { receiver, twin, client, number, sid }
  }

  it('is the URL of the application; SmsApplicationSid= gives it back to the number', async () => {
    const { receiver, twin, number, sid } = await startRouted(undefined)
    expect((await number.fetch()).smsApplicationSid).toBe(sid)

    twin.text(text)
    await twin.idle()
    expect((await number.update({ smsApplicationSid: '' })).smsApplicationSid).toBe('')
    twin.text(text)
    await twin.idle()

    expect(receiver.received.map(({ target }) => target)).toEqual(['/application', '/number'])
  })

  it.each([
    ['a URL', { inboundRequestUrl: 'http://127.0.0.1:9/service' }],
    ['none', {}],
  ])('is that URL in a service with %s, too', async (_, service) => {
    const { receiver, twin, client } = await startRouted(service)

    twin.text(text)
    await twin.idle()

    expect(receiver.received.map(({ target }) => target)).toEqual(['/application'])
    expect(await client.messages.list()).toHaveLength(1)
  })

  it('is nowhere when the application has no URL, though the number has one', async () => {
    const { receiver, twin, client, sid } = await startRouted(undefined)
    await client.applications(sid).update({ smsUrl: '' })

    twin.text(text)
    await twin.idle()

    expect(receiver.received).toEqual([])
    expect(twin.messages()).toMatchObject([{ webhookAttempts: 0 }])
  })

  it('leads on to the fallback URL of the application, by its methods', async () => {
    const { receiver, twin, client, sid } = await startRouted(undefined)
    await client.applications(sid).update({
      smsUrl: 'http://127.0.0.1:9/refused#rc=0',
      smsFallbackUrl: `${receiver.url}/fallback`,
      smsFallbackMethod: 'GET',
    })

    twin.text(text)
    await twin.idle()

    expect(receiver.received.map(({ method, target }) => [method, target.split('?')[0]])).toEqual([
      ['GET', '/fallback'],
    ])
  })
})
