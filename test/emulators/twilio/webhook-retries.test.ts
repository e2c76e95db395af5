import { describe, expect, it } from 'vitest'
import { customer, nextEvent, our, type Reply, startReceiver, startTwin } from './twins.js'

const text = { from: customer, to: our, body: 'x' }
const numbers = (smsUrl: string, smsFallbackUrl = '') => [{ phoneNumber: our, smsUrl, smsFallbackUrl }]
const status = (code: number): Reply => ({ status: code })
/** Nothing listens on the discard port. */
const closed = 'http://127.0.0.1:9/sms'

describe('by default', () => {
  it.each([
    [500, 1],
    [404, 1],
    [429, 1],
  ])('a webhook answered %i is not tried again', async (code, attempts) => {
    const receiver = await startReceiver(() => status(code))
    const { twin } = await startTwin({ numbers: numbers(receiver.url) })

    twin.text(text)
    await twin.idle()

    expect(twin.messages()).toMatchObject([{ webhookAttempts: attempts, webhookAccepted: false }])
  })

  it('a webhook that finds no connection is tried once more', async () => {
    const { twin } = await startTwin({ numbers: numbers(closed) })

    twin.text(text)
    await twin.idle()

    expect(twin.messages()).toMatchObject([{ webhookAttempts: 2, webhookAccepted: false }])
  })

  it('a webhook whose connection is reset after the request is not tried again', async () => {
    const receiver = await startReceiver(() => 'reset')
    const { twin } = await startTwin({ numbers: numbers(receiver.url) })

    twin.text(text)
    await twin.idle()

    expect(receiver.received).toHaveLength(1)
  })

  it('a webhook is given up after 15 seconds without an answer', async () => {
    const receiver = await startReceiver(() => 'hang')
    const { twin, clock } = await startTwin({ numbers: numbers(receiver.url) })
    let ended: unknown
    void nextEvent(twin, ({ type }) => type === 'webhook').then((event) => {
      ended = event
    })

    twin.text(text)
    await receiver.until(1)
    await clock.advance(14_999)
    expect(ended).toBeUndefined()
    await clock.advance(1)
    await twin.idle()

    expect(ended).toMatchObject({ url: receiver.url, status: 'failed' })
  })
})

describe('the fragment of the URL', () => {
  it('sets the number of retries and what they are for; all carry one idempotency token', async () => {
    const receiver = await startReceiver((_, nth) => status(nth < 4 ? 503 : 204))
    const { twin } = await startTwin({ numbers: numbers(`${receiver.url}#rc=5&rp=5xx`) })

    twin.text(text)
    twin.text({ ...text, body: 'another' })
    await twin.idle()

    expect(twin.messages()).toMatchObject([
      { webhookAttempts: 4, webhookAccepted: true },
      { webhookAttempts: 1, webhookAccepted: true },
    ])
    const tokens = receiver.received.map(({ headers }) => headers['i-twilio-idempotency-token'])
    expect(new Set(tokens.slice(0, 4)).size).toBe(1)
    expect(tokens[4]).not.toBe(tokens[0])
  })

  it.each([
    ['rc=0', closed, 1],
    ['rc=3', closed, 4],
    ['rc=9', closed, 6],
    ['rc=2&rp=5xx', closed, 1],
    ['rc=2&rp=5xx,ct', closed, 3],
  ])('%s decides over a closed port: %s is tried %i times', async (fragment, url, attempts) => {
    const { twin } = await startTwin({ numbers: numbers(`${url}#${fragment}`) })

    twin.text(text)
    await twin.idle()

    expect(twin.messages()).toMatchObject([{ webhookAttempts: attempts }])
  })

  it.each([
    ['4xx', 404, 3],
    ['all', 404, 3],
    ['all', 500, 3],
    ['5xx', 404, 1],
  ])('rp=%s tries a %i %i times with rc=2', async (policy, code, attempts) => {
    const receiver = await startReceiver(() => status(code))
    const { twin } = await startTwin({ numbers: numbers(`${receiver.url}#rc=2&rp=${policy}`) })

    twin.text(text)
    await twin.idle()

    expect(receiver.received).toHaveLength(attempts)
  })

  it('sets how long an answer may take and how long all tries together', async () => {
    const receiver = await startReceiver(() => 'hang')
    const { twin, clock } = await startTwin({ numbers: numbers(`${receiver.url}#rt=2000&tt=5000&rc=5&rp=rt`) })

    twin.text(text)
    for (const [count, ms] of [
      [1, 2000],
      [2, 2000],
      [3, 1000],
    ] as const) {
      await receiver.until(count)
      await clock.advance(ms)
    }
    await twin.idle()

    expect(receiver.received).toHaveLength(3)
  })
})

describe('the fallback URL', () => {
  it.each([
    ['500', '11217', 1],
    ['a reset', '11200', 1],
    ['more than 64 kB', '11750', 1],
    ['no connection', '11205', 0],
  ])('takes over at once after %s, told the error %s', async (failure, code, reached) => {
    const replies: Readonly<Record<string, Reply>> = {
      '500': status(500),
      'a reset': 'reset',
      'more than 64 kB': { status: 200, headers: { 'content-type': 'text/xml' }, body: 'x'.repeat(64 * 1024 + 1) },
    }
    const receiver = await startReceiver(() => replies[failure] ?? status(500))
    const fallback = await startReceiver()
    const url = reached === 0 ? closed : `${receiver.url}/sms`
    const { twin } = await startTwin({ numbers: numbers(`${url}#rc=0`, `${fallback.url}/fallback`) })

    twin.text(text)
    await twin.idle()

    expect(receiver.received).toHaveLength(reached)
    expect(fallback.received.map(({ target }) => target)).toEqual(['/fallback'])
    const params = fallback.received[0]?.params
    expect(params?.get('Body')).toBe('x')
    expect([...(params?.entries() ?? [])].slice(-2)).toEqual([
      ['ErrorCode', code],
      ['ErrorUrl', url],
    ])
    expect(twin.messages()).toMatchObject([{ webhookAccepted: true }])
  })
})

describe('a redirect', () => {
  it('is followed with GET, and the form is lost', async () => {
    const receiver = await startReceiver(({ target }) =>
      target === '/sms' ? { status: 302, headers: { location: '/elsewhere' } } : { status: 204 },
    )
    const { twin } = await startTwin({ numbers: numbers(`${receiver.url}/sms`) })

    twin.text(text)
    await twin.idle()

    expect(receiver.received.map(({ method, target, body }) => [method, target, body !== ''])).toEqual([
      ['POST', '/sms', true],
      ['GET', '/elsewhere', false],
    ])
    expect(twin.messages()).toMatchObject([{ webhookAccepted: true }])
  })

  it('in a circle is given up', async () => {
    const receiver = await startReceiver(() => ({ status: 302, headers: { location: '/sms' } }))
    const { twin } = await startTwin({ numbers: numbers(`${receiver.url}/sms`) })

    twin.text(text)
    await twin.idle()

    expect(twin.messages()).toMatchObject([{ webhookAttempts: 6, webhookAccepted: false }])
  })
})

describe('faults of webhooks', () => {
  const bodies = (received: readonly { params: URLSearchParams }[]) => received.map(({ params }) => params.get('Body'))

  it('duplicate: every webhook comes twice', async () => {
    const receiver = await startReceiver()
    const { twin } = await startTwin({ numbers: numbers(receiver.url) })
    twin.faults.webhooks.add('duplicate')

    twin.text({ ...text, body: 'one' })
    twin.text({ ...text, body: 'two' })
    await twin.idle()

    expect(bodies(receiver.received)).toEqual(['one', 'one', 'two', 'two'])
  })

  it('drop: no webhook comes, and the text is in the list', async () => {
    const receiver = await startReceiver()
    const { twin, client } = await startTwin({ numbers: numbers(receiver.url) })
    twin.faults.webhooks.add('drop')

    twin.text(text)
    await twin.idle()

    expect(receiver.received).toEqual([])
    expect(await client.messages.list({ to: our })).toHaveLength(1)
  })

  it('reorder: every second webhook overtakes the one before', async () => {
    const receiver = await startReceiver()
    const { twin } = await startTwin({ numbers: numbers(receiver.url) })
    twin.faults.webhooks.add('reorder')

    for (const body of ['one', 'two', 'three', 'four']) {
      twin.text({ ...text, body })
      if (body === 'two') await twin.idle()
    }
    await twin.idle()

    expect(bodies(receiver.received)).toEqual(['two', 'one', 'four', 'three'])
  })

  it('reorder: a webhook nothing overtakes comes a second late', async () => {
    const receiver = await startReceiver()
    const { twin, clock } = await startTwin({ numbers: numbers(receiver.url) })
    twin.faults.webhooks.add('reorder')

    twin.text(text)
    await clock.advance(999)
    expect(receiver.received).toEqual([])
    await clock.advance(1)
    await twin.idle()

    expect(receiver.received).toHaveLength(1)
  })

  it('none: texts of one handset come in order, however long one takes', async () => {
    const receiver = await startReceiver()
    const { twin } = await startTwin({ numbers: numbers(receiver.url) })
    const sent = Array.from({ length: 20 }, (_, index) => `text ${index}`)

    for (const body of sent) twin.text({ ...text, body })
    await twin.idle()

    expect(bodies(receiver.received)).toEqual(sent)
  })
})

describe('stopping the twin', () => {
  it('ends webhooks under way', async () => {
    const receiver = await startReceiver(() => 'hang')
    const { twin } = await startTwin({ numbers: numbers(`${receiver.url}#rc=5&rp=all`) })
    twin.text(text)
    await receiver.until(1)

    await twin.stop()
    await twin.idle()

    expect(receiver.received).toHaveLength(1)
  })
})
