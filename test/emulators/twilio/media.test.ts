import { describe, expect, it } from 'vitest'
import { accountSid, authToken, customer, form, nextStatus, our, rest, startReceiver, startTwin } from './twins.js'

const picture = { contentType: 'image/png', data: new Uint8Array([137, 80, 78, 71, 0, 255]) }

describe('media of a text', () => {
  it('lie behind credentials, at a CDN of another origin that accepts none', async () => {
    const receiver = await startReceiver()
    const { twin } = await startTwin({ numbers: [{ phoneNumber: our, smsUrl: receiver.url }] })
    const { sid, numMedia } = twin.text({ from: customer, to: our, body: '', media: [picture] })
    await twin.idle()
    const mediaUrl = receiver.received[0]?.params.get('MediaUrl0') ?? ''
    const basic = `Basic ${Buffer.from(`${accountSid}:${authToken}`).toString('base64')}`

    const stranger = await fetch(mediaUrl, { redirect: 'manual' })
    const redirect = await fetch(mediaUrl, { redirect: 'manual', headers: { authorization: basic } })
    const location = redirect.headers.get('location') ?? ''
    const refused = await fetch(location, { headers: { authorization: basic } })
    const got = await fetch(location)

    expect(sid).toMatch(/^MM/)
    expect(numMedia).toBe(1)
    expect(mediaUrl).toMatch(
      new RegExp(`^${twin.url}/2010-04-01/Accounts/${accountSid}/Messages/${sid}/Media/ME[0-9a-f]{32}$`),
    )
    expect(stranger.status).toBe(401)
    expect(redirect.status).toBe(307)
    expect(new URL(location).origin).not.toBe(twin.url)
    expect(refused.status).toBe(400)
    expect(await refused.text()).toContain('Only one auth mechanism allowed')
    expect(got.headers.get('content-type')).toBe('image/png')
    expect(new Uint8Array(await got.arrayBuffer())).toEqual(picture.data)
  })

  it('are listed and deleted', async () => {
    const { twin, client } = await startTwin()
    const { sid } = twin.text({ from: customer, to: our, body: '', media: [picture, picture] })
    const media = client.messages(sid).media

    const [first] = await media.list()
    expect(first).toMatchObject({ contentType: 'image/png', parentSid: sid })
    expect(await media(first?.sid ?? '').remove()).toBe(true)

    expect(await media.list()).toHaveLength(1)
    await expect(media(first?.sid ?? '').fetch()).rejects.toMatchObject({ status: 404, code: 20404 })
  })
})

describe('media of an API message', () => {
  it('are fetched with HEAD and then GET, and kept with the message', async () => {
    const receiver = await startReceiver(() => ({
      status: 200,
      headers: { 'content-type': 'image/png' },
      body: 'pixels',
    }))
    const { twin, clock, client } = await startTwin()

    const sent = await client.messages.create({ to: customer, from: our, mediaUrl: [`${receiver.url}/a.png`] })
    const fetched = nextStatus(twin, 'sent')
    await clock.advance(200)
    await fetched
    await clock.advance(200)

    expect(sent.sid).toMatch(/^MM/)
    expect(sent.numMedia).toBe('1')
    expect(receiver.received.map(({ method, target }) => `${method} ${target}`)).toEqual(['HEAD /a.png', 'GET /a.png'])
    expect(twin.handset(customer)).toMatchObject([{ sid: sent.sid, status: 'delivered' }])
    expect(await client.messages(sent.sid).media.list()).toMatchObject([{ contentType: 'image/png' }])
  })

  it.each([
    ['is not there', () => ({ status: 404 }), 11200],
    ['has no type', () => ({ status: 200, body: 'pixels' }), 12300],
    [
      'is too large',
      (r: { method: string }) => ({
        status: 200,
        headers: png,
        body: r.method === 'GET' ? 'x'.repeat(5 * 1024 * 1024 + 1) : '',
      }),
      11751,
    ],
  ] as const)('fail the message when one %s', async (_, reply, errorCode) => {
    const receiver = await startReceiver(reply)
    const { twin, clock } = await startTwin()

    await rest(twin, '/Messages.json', form({ To: customer, From: our, MediaUrl: receiver.url }))
    const failed = nextStatus(twin, 'failed')
    await clock.advance(200)
    await failed

    expect(twin.messages()).toMatchObject([{ status: 'failed', errorCode }])
    expect(twin.handset(customer)).toEqual([])
  })
})

const png = { 'content-type': 'image/png' }
