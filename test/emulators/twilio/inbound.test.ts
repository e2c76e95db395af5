import { validateRequest } from 'twilio/lib/webhooks/webhooks.js'
import { describe, expect, it, onTestFinished } from 'vitest'
import { signatureOf } from '../../../src/emulators/twilio/signature.js'
import { contractsPresent, readContract } from './contract.js'
import { accountSid, authToken, customer, our, type Reply, serviceWith, startReceiver, startTwin } from './twins.js'

const numbers = (smsUrl: string, smsFallbackUrl = '') => [{ phoneNumber: our, smsUrl, smsFallbackUrl }]

describe('the inbound webhook', () => {
  it('is a form in the order Twilio sends, blank geography included', async () => {
    const receiver = await startReceiver()
    const { twin } = await startTwin({ numbers: numbers(`${receiver.url}/sms`) })

    const { sid } = twin.text({ from: customer, to: our, body: 'Hi & bye 👋 ', geo: { city: 'SAN JOSE', state: 'CA' } })
    await twin.idle()

    expect(receiver.received.map(({ method, target }) => [method, target])).toEqual([['POST', '/sms']])
    expect(receiver.received[0]?.body).toBe(
      `ToCountry=&ToState=&SmsMessageSid=${sid}&NumMedia=0&ToCity=&FromZip=&SmsSid=${sid}&FromState=CA` +
        `&SmsStatus=received&FromCity=SAN+JOSE&Body=Hi+%26+bye+%F0%9F%91%8B+&FromCountry=&To=%2B15550100001&ToZip=` +
        `&NumSegments=1&MessageSid=${sid}&AccountSid=${accountSid}&From=%2B15550100100&ApiVersion=2010-04-01`,
    )
    expect(twin.messages()).toMatchObject([{ sid, status: 'received', webhookAttempts: 1, webhookAccepted: true }])
  })

  it('names its service and its media where Twilio does', async () => {
    const receiver = await startReceiver()
    const { twin, client } = await startTwin()
    await serviceWith(client, [our], { inboundRequestUrl: receiver.url })

    const media = [{ contentType: 'image/jpeg', data: new Uint8Array([1]) }]
    twin.text({ from: customer, to: our, body: '', media })
    await twin.idle()

    const names = [...(receiver.received[0]?.params.keys() ?? [])]
    expect(names.slice(0, 3)).toEqual(['ToCountry', 'MediaContentType0', 'ToState'])
    expect(names.slice(13)).toEqual([
      ...['To', 'MessagingServiceSid', 'ToZip', 'NumSegments', 'MessageSid', 'AccountSid', 'From', 'MediaUrl0'],
      'ApiVersion',
    ])
  })

  it('carries the headers of TwilioProxy and a signature the SDK accepts, over the URL without its fragment', async () => {
    const receiver = await startReceiver()
    const { twin } = await startTwin({ numbers: numbers(`${receiver.url}/sms?a=b%20c#rc=2`) })

    twin.text({ from: customer, to: our, body: 'it’s ok ' })
    await twin.idle()

    const [request] = receiver.received
    expect(request?.target).toBe('/sms?a=b%20c')
    expect(request?.headers).toMatchObject({
      'user-agent': 'TwilioProxy/1.1',
      accept: '*/*',
      'accept-encoding': 'gzip',
      'content-type': 'application/x-www-form-urlencoded; charset=utf-8',
      'i-twilio-idempotency-token': expect.stringMatching(/./),
    })
    const signature = String(request?.headers['x-twilio-signature'])
    const params = Object.fromEntries(request?.params ?? [])
    expect(validateRequest(authToken, signature, `${receiver.url}/sms?a=b%20c`, params)).toBe(true)
    expect(validateRequest('another', signature, `${receiver.url}/sms?a=b%20c`, params)).toBe(false)
  })

  it('by GET puts the fields into a signed query', async () => {
    const receiver = await startReceiver()
    const { twin, client } = await startTwin({ numbers: numbers(`${receiver.url}/sms?a=1`) })
    await client.incomingPhoneNumbers(twin.numbers()[0]?.sid ?? '').update({ smsMethod: 'GET' })

    twin.text({ from: customer, to: our, body: 'a b' })
    await twin.idle()

    const [request] = receiver.received
    expect(request).toMatchObject({ method: 'GET', body: '' })
    expect(request?.target).toMatch(/^\/sms\?a=1&ToCountry=&.*&Body=a\+b&/)
    const signature = String(request?.headers['x-twilio-signature'])
    expect(validateRequest(authToken, signature, receiver.url + request?.target, {})).toBe(true)
  })

  it('sends the user of the URL as Basic auth and signs without it', async () => {
    const receiver = await startReceiver()
    const url = receiver.url.replace('http://', 'http://user:pass@')
    const { twin } = await startTwin({ numbers: numbers(`${url}/sms`) })

    twin.text({ from: customer, to: our, body: 'x' })
    await twin.idle()

    const [request] = receiver.received
    expect(request?.headers.authorization).toBe(`Basic ${Buffer.from('user:pass').toString('base64')}`)
    const signature = String(request?.headers['x-twilio-signature'])
    const params = Object.fromEntries(request?.params ?? [])
    expect(validateRequest(authToken, signature, `${receiver.url}/sms`, params)).toBe(true)
  })
})

interface Vector {
  readonly name: string
  readonly authToken: string
  readonly url: string
  readonly params?: Readonly<Record<string, string>>
  readonly signature: string
}

const why = contractsPresent ? '' : ' (skipped: ../shared/contracts is absent)'

describe.skipIf(!contractsPresent)(`signatures${why}`, () => {
  it('equal the published vectors', () => {
    const { vectors } = readContract<{ vectors: readonly Vector[] }>('twilio-signature-vectors.json')

    const ours = vectors.map(({ name, authToken, url, params }) => [
      name,
      signatureOf(authToken, url, Object.entries(params ?? {})),
    ])
    expect(ours).toEqual(vectors.map(({ name, signature }) => [name, signature]))
  })
})

describe('the route of a text', () => {
  const text = { from: customer, to: our, body: 'x' }

  it('is the URL of the service and not of the number', async () => {
    const receiver = await startReceiver()
    const { twin, client } = await startTwin({ numbers: numbers(`${receiver.url}/number`) })
    const service = await serviceWith(client, [our], { inboundRequestUrl: `${receiver.url}/service` })

    twin.text(text)
    await twin.idle()

    expect(receiver.received.map(({ target }) => target)).toEqual(['/service'])
    expect(twin.messages()).toMatchObject([{ messagingServiceSid: service }])
  })

  it('is the URL of the number when the service leaves it to the number', async () => {
    const receiver = await startReceiver()
    const { twin, client } = await startTwin({ numbers: numbers(`${receiver.url}/number`) })
    await serviceWith(client, [our], { useInboundWebhookOnNumber: true })

    twin.text(text)
    await twin.idle()

    expect(receiver.received.map(({ target }) => target)).toEqual(['/number'])
  })

  it('is nowhere when the service has no URL: the text is dropped and no list shows it', async () => {
    const receiver = await startReceiver()
    const { twin, client } = await startTwin({ numbers: numbers(`${receiver.url}/number`) })
    await serviceWith(client, [our])

    twin.text(text)
    await twin.idle()

    expect(receiver.received).toEqual([])
    expect(twin.messages()).toEqual([])
    expect(await client.messages.list()).toEqual([])
  })

  it('leaves out the URL of a number whose application hides it, and the text is still listed', async () => {
    const receiver = await startReceiver()
    const { twin, client } = await startTwin({ numbers: numbers(`${receiver.url}/number`) })
    const number = client.incomingPhoneNumbers(twin.numbers()[0]?.sid ?? '')
    await number.update({ smsApplicationSid: `AP${'0'.repeat(32)}` })

    twin.text(text)
    await twin.idle()
    expect(receiver.received).toEqual([])
    expect(await client.messages.list()).toHaveLength(1)
    await number.update({ smsApplicationSid: '' })
    twin.text(text)
    await twin.idle()

    expect(receiver.received).toHaveLength(1)
  })

  it('is the URL of a short code, too', async () => {
    const receiver = await startReceiver()
    const shortCode = { phoneNumber: '55501', kind: 'short-code', smsUrl: receiver.url } as const
    const { twin } = await startTwin({ numbers: [shortCode] })

    twin.text({ ...text, to: '55501' })
    await twin.idle()

    expect(receiver.received[0]?.params.get('To')).toBe('55501')
  })

  it('never leads to the demo a fresh number points to', async () => {
    const { twin } = await startTwin({ numbers: [{ phoneNumber: our }] })

    twin.text(text)
    await twin.idle()

    expect(twin.numbers()[0]?.smsUrl).toBe('https://demo.twilio.com/welcome/sms/reply')
    expect(twin.messages()).toMatchObject([{ webhookAttempts: 0, webhookAccepted: false }])
  })

  it('ends early for texts Twilio filters: failed, listed, and no webhook', async () => {
    const receiver = await startReceiver()
    const { twin, client } = await startTwin({ numbers: numbers(receiver.url) })
    twin.setFate(customer, 30039)

    twin.text(text)
    await twin.idle()

    expect(receiver.received).toEqual([])
    expect(await client.messages.list()).toMatchObject([{ status: 'failed', errorCode: 30039, direction: 'inbound' }])
  })

  it('does not exist for a number of nobody', async () => {
    const { twin } = await startTwin()

    expect(() => twin.text({ ...text, to: '+15550100999' })).toThrow('+15550100999 is not a number of this twin')
  })
})

const xml = (body: string): Reply => ({ status: 200, headers: { 'content-type': 'text/xml' }, body })

describe('the answer to a text', () => {
  it.each([
    ['an empty TwiML response', xml('<?xml version="1.0" encoding="UTF-8"?><Response/>'), []],
    ['204', { status: 204 }, []],
    ['text/plain', { status: 200, headers: { 'content-type': 'text/plain; charset=UTF-8' }, body: 'OK' }, ['OK']],
    ['a TwiML message', xml('<Response><Message>Tom &amp; Jerry</Message></Response>'), ['Tom & Jerry']],
    [
      'two TwiML messages',
      xml('<Response><Message to="+1"><Body>a</Body></Message><Message>b</Message></Response>'),
      ['a', 'b'],
    ],
    ['an empty TwiML message', xml('<Response><Message/></Response>'), []],
    ['JSON', { status: 200, headers: { 'content-type': 'application/json' }, body: '{}' }, []],
  ] as const)('%s texts the customer accordingly', async (_, reply, texts) => {
    const receiver = await startReceiver(() => reply)
    const { twin, clock } = await startTwin({ numbers: numbers(receiver.url) })

    twin.text({ from: customer, to: our, body: 'hello' })
    await receiver.until(1)
    await nextTurn(twin, texts.length)
    await clock.advance(400)
    await twin.idle()

    const [, ...answers] = twin.handset(customer)
    expect(answers).toMatchObject(texts.map((body) => ({ body, direction: 'outbound-reply', status: 'delivered' })))
    expect(answers).toHaveLength(texts.length)
  })
})

describe('replies that go in circles', () => {
  it('fail with 14107 beyond 30 between two numbers within 30 seconds, and go again after that', async () => {
    const texts = '<Message>x</Message>'.repeat(31)
    const receiver = await startReceiver(() => xml(`<Response>${texts}</Response>`))
    const { twin, clock } = await startTwin({ numbers: numbers(receiver.url) })
    const failed = () => twin.messages().flatMap(({ status, errorCode }) => (status === 'failed' ? [errorCode] : []))

    twin.text({ from: customer, to: our, body: 'hello' })
    await nextTurn(twin, 31)
    expect(failed()).toEqual([14107])
    twin.text({ from: '+15550100101', to: our, body: 'another pair' })
    while (twin.messages().length < 64) await new Promise((resolve) => setImmediate(resolve))
    expect(failed()).toEqual([14107, 14107])
    await clock.advance(30_000)
    twin.text({ from: customer, to: our, body: 'hello again' })
    while (twin.messages().length < 96) await new Promise((resolve) => setImmediate(resolve))
    await clock.advance(400)
    await twin.idle()

    expect(failed()).toEqual([14107, 14107, 14107])
    expect(twin.handset(customer).filter(({ direction }) => direction === 'outbound-reply')).toHaveLength(60)
    expect(receiver.received).toHaveLength(3)
  })
})

describe('many texts at once', () => {
  it('wait for their webhooks without a warning of node’s', async () => {
    const warnings: string[] = []
    const heed = ({ message }: Error) => warnings.push(message)
    process.on('warning', heed)
    onTestFinished(() => void process.off('warning', heed))
    const receiver = await startReceiver(() => 'hang')
    const { twin } = await startTwin({ numbers: numbers(receiver.url) })

    for (let nth = 0; nth < 50; nth += 1) twin.text({ from: `+155501001${10 + nth}`, to: our, body: 'x' })
    await receiver.until(50)
    await twin.stop()

    expect(warnings).toEqual([])
  })
})

/** Resolves when the webhook's answer is known and, if it texts back, those texts exist. */
async function nextTurn(twin: { idle(): Promise<void>; messages(): readonly unknown[] }, replies: number) {
  if (replies === 0) return twin.idle()
  while (twin.messages().length < 1 + replies) await new Promise((resolve) => setImmediate(resolve))
}
