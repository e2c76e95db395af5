import { describe, expect, it } from 'vitest'
import { accountSid, customer, form, our, rest, serviceWith, startTwin } from './twins.js'

const mg = `MG${'0'.repeat(32)}`

describe('creating a message', () => {
  it('answers 201 with the shape Twilio has while the message is queued', async () => {
    const { twin } = await startTwin()

    const response = await rest(twin, '/Messages.json', form({ To: customer, From: our, Body: 'Hello there' }))

    const body = await response.json()
    expect(response.status).toBe(201)
    expect(body).toEqual({
      account_sid: accountSid,
      api_version: '2010-04-01',
      body: 'Hello there',
      date_created: 'Sun, 22 Nov 2026 05:00:00 +0000',
      date_sent: null,
      date_updated: 'Sun, 22 Nov 2026 05:00:00 +0000',
      direction: 'outbound-api',
      error_code: null,
      error_message: null,
      from: our,
      messaging_service_sid: null,
      num_media: '0',
      num_segments: '1',
      price: null,
      price_unit: null,
      sid: expect.stringMatching(/^SM[0-9a-f]{32}$/),
      status: 'queued',
      subresource_uris: { media: `/2010-04-01/Accounts/${accountSid}/Messages/${body.sid}/Media.json` },
      to: customer,
      uri: `/2010-04-01/Accounts/${accountSid}/Messages/${body.sid}.json`,
    })
    expect(response.headers.get('twilio-request-id')).toMatch(/^RQ[0-9a-f]{32}$/)
    expect(response.headers.get('twilio-concurrent-requests')).toBe('1')
  })

  it('is accepted without a sender or segments when a Messaging Service sends', async () => {
    const { client } = await startTwin()
    const service = await serviceWith(client, [our])

    const message = await client.messages.create({ to: customer, messagingServiceSid: service, body: 'x'.repeat(161) })

    expect(message).toMatchObject({ status: 'accepted', from: null, numSegments: '0', messagingServiceSid: service })
  })

  it.each([
    ['no recipient', { From: our, Body: 'x' }, 21604],
    ['no sender', { To: customer, Body: 'x' }, 21603],
    ['neither body nor media', { To: customer, From: our }, 21619],
    ['an empty body', { To: customer, From: our, Body: '' }, 21602],
    ['a recipient that is no number', { To: '5550100100', From: our, Body: 'x' }, 21211],
    ['a short code as recipient', { To: '55501', From: our, Body: 'x' }, 21265],
    ['a sender the account does not own', { To: customer, From: '+15550100999', Body: 'x' }, 21606],
    ['a sender that is none', { To: customer, From: '!', Body: 'x' }, 21212],
    ['an alphanumeric sender to the US', { To: customer, From: 'Acme', Body: 'x' }, 21612],
    ['more than 1600 characters', { To: customer, From: our, Body: 'x'.repeat(1601) }, 21617],
    ['a callback with an underscore in its host', { StatusCallback: 'https://re_lay.example.com/' }, 21609],
    ['a callback that is no URL', { StatusCallback: 'status' }, 21609],
    ['a callback over 4000 characters', { StatusCallback: `https://relay.example.com/${'x'.repeat(4000)}` }, 21609],
    ['a validity of 0', { ValidityPeriod: '0' }, 21624],
    ['a validity over ten hours', { ValidityPeriod: '36001' }, 21624],
    ['the sender as recipient', { To: our, From: our, Body: 'x' }, 21266],
    ['media that is no URL', { MediaUrl: 'picture.png' }, 21620],
    ['a service that does not exist', { To: customer, MessagingServiceSid: mg, Body: 'x' }, 21701],
    ['a service SID that is none', { To: customer, MessagingServiceSid: 'MG1', Body: 'x' }, 21705],
    ['magic From 1', { To: customer, From: '+15005550001', Body: 'x' }, 21212],
    ['magic From 7', { To: customer, From: '+15005550007', Body: 'x' }, 21606],
    ['magic From 8', { To: customer, From: '+15005550008', Body: 'x' }, 21611],
    ['magic To 1', { To: '+15005550001', From: our, Body: 'x' }, 21211],
    ['magic To 2', { To: '+15005550002', From: our, Body: 'x' }, 21612],
    ['magic To 3', { To: '+15005550003', From: our, Body: 'x' }, 21408],
    ['magic To 4', { To: '+15005550004', From: our, Body: 'x' }, 21610],
    ['magic To 9', { To: '+15005550009', From: our, Body: 'x' }, 21614],
  ])('refuses %s', async (_, fields, code) => {
    const { twin } = await startTwin()
    const defaults = 'To' in fields || 'From' in fields ? {} : { To: customer, From: our, Body: 'x' }

    const response = await rest(twin, '/Messages.json', form({ ...defaults, ...fields }))

    expect(await response.json()).toEqual({
      code,
      message: expect.any(String),
      more_info: `https://www.twilio.com/docs/errors/${code}`,
      status: 400,
    })
    expect(response.status).toBe(400)
    expect(twin.messages()).toEqual([])
  })

  it('reads a JSON body as one that names no recipient', async () => {
    const { twin } = await startTwin()

    const response = await rest(twin, '/Messages.json', {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ To: customer, From: our, Body: 'x' }),
    })

    expect(await response.json()).toMatchObject({ code: 21604, status: 400 })
  })

  it('tells a service without numbers from one whose only number is the recipient', async () => {
    const { client } = await startTwin()
    const empty = await serviceWith(client, [])
    const only = await serviceWith(client, [our])

    const toEmpty = client.messages.create({ to: customer, messagingServiceSid: empty, body: 'x' })
    const toItself = client.messages.create({ to: our, messagingServiceSid: only, body: 'x' })

    await expect(toEmpty).rejects.toMatchObject({ code: 21704, status: 400 })
    await expect(toItself).rejects.toMatchObject({ code: 21703, status: 400 })
  })

  it('accepts the magic sender of test credentials and sends it nowhere', async () => {
    const { twin, clock, client } = await startTwin()

    const sent = await client.messages.create({ to: customer, from: '+15005550006', body: 'x' })
    await clock.advance(60_000)

    expect((await client.messages(sent.sid).fetch()).status).toBe('queued')
    expect(twin.handset(customer)).toEqual([])
  })
})

describe('one message', () => {
  it('is fetched, redacted, not cancelled, and deleted', async () => {
    const { twin, clock, client } = await startTwin()
    const { sid } = await client.messages.create({ to: customer, from: our, body: 'secret' })
    await clock.advance(400)

    expect(await client.messages(sid).fetch()).toMatchObject({ status: 'delivered', body: 'secret', errorCode: null })
    expect((await client.messages(sid).update({ body: '' })).body).toBe('')
    await expect(client.messages(sid).update({ status: 'canceled' })).rejects.toMatchObject({ code: 30409 })
    expect(await client.messages(sid).remove()).toBe(true)

    await expect(client.messages(sid).fetch()).rejects.toMatchObject({ status: 404, code: 20404 })
    expect(twin.messages()).toEqual([])
  })
})

describe('listing messages', () => {
  it('puts the latest sent first, filters, and pages by token while new rows arrive', async () => {
    const { twin, clock, client } = await startTwin()
    for (const body of ['one', 'two', 'three', 'four', 'five']) {
      twin.text({ from: customer, to: our, body })
      await clock.advance(1000)
    }

    const first = await client.messages.page({ to: our, pageSize: 2 })
    twin.text({ from: customer, to: our, body: 'six' })
    const second = await first.nextPage()
    const third = await second?.nextPage()
    const back = await second?.previousPage()

    expect(first.instances.map(({ body }) => body)).toEqual(['five', 'four'])
    expect(second?.instances.map(({ body }) => body)).toEqual(['three', 'two'])
    expect(third?.instances.map(({ body }) => body)).toEqual(['one'])
    expect(third?.nextPageUrl).toBeUndefined()
    expect(back?.instances.map(({ body }) => body)).toEqual(['five', 'four'])
    expect(await client.messages.list({ to: customer })).toEqual([])
    expect(await client.messages.list({ from: customer, pageSize: 3 })).toHaveLength(6)
  })

  it('keeps its page URIs relative and repeats the filters in them', async () => {
    const { twin } = await startTwin()
    for (const body of ['one', 'two']) twin.text({ from: customer, to: our, body })

    const page = await (await rest(twin, `/Messages.json?To=%2B15550100001&DateSent%3E=2026-11-22&PageSize=1`)).json()

    const uri = `/2010-04-01/Accounts/${accountSid}/Messages.json?To=%2B15550100001&DateSent%3E=2026-11-22&PageSize=1`
    expect(page).toMatchObject({
      page: 0,
      page_size: 1,
      start: 0,
      end: 0,
      uri: `${uri}&Page=0`,
      first_page_uri: `${uri}&Page=0`,
      next_page_uri: `${uri}&Page=1&PageToken=PA${page.messages[0].sid}`,
      previous_page_uri: null,
    })
  })

  it('filters by the date sent, to the day or to the second, and leaves out what was not sent', async () => {
    const { twin, clock, client } = await startTwin()
    twin.text({ from: customer, to: our, body: 'first day' })
    await clock.advance(24 * 3_600_000)
    twin.text({ from: customer, to: our, body: 'second day' })
    await client.messages.create({ to: customer, from: our, body: 'not sent yet' })

    const bodies = async (filter: Parameters<typeof client.messages.list>[0]) =>
      (await client.messages.list(filter)).map(({ body }) => body)

    expect(await bodies({ dateSent: new Date('2026-11-22T05:00:00Z') })).toEqual(['first day'])
    expect(await bodies({ dateSentBefore: new Date('2026-11-22T05:00:00Z') })).toEqual(['first day'])
    expect(await bodies({ dateSentAfter: new Date('2026-11-22T05:00:01Z') })).toEqual(['second day'])
    const day = await (await rest(twin, '/Messages.json?DateSent%3C=2026-11-22')).json()
    expect(day.messages).toHaveLength(1)
    expect(await bodies({})).toEqual(['not sent yet', 'second day', 'first day'])
  })

  it('shows a new message only after the lag, though it can be fetched at once', async () => {
    const { twin, clock, client } = await startTwin({ listLagMs: 5000 })
    const { sid } = twin.text({ from: customer, to: our, body: 'late' })

    expect(await client.messages.list()).toEqual([])
    expect((await client.messages(sid).fetch()).body).toBe('late')
    await clock.advance(5000)
    expect(await client.messages.list()).toHaveLength(1)
  })
})
