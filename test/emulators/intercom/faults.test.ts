import { describe, expect, it } from 'vitest'
import { at, errorOf } from './json.js'
import { phone, startStage, useStages } from './stage.js'

// The API's answers are judged elsewhere.
useStages({ judged: false })

const lead = { role: 'lead', phone }

describe('an armed fault', () => {
  it('of the rate limit answers 429 in Intercom’s words, and is no hit of the true limit', async () => {
    const { call, twin } = await startStage()
    twin.faults.arm('rate-limit', { times: 1 })
    const answer = await call('POST', '/contacts', lead)
    expect(errorOf(answer)).toEqual([429, 'rate_limit_exceeded', 'Exceeded rate limit of 1666 in 10_seconds'])
    expect(answer.headers.get('x-ratelimit-remaining')).toBe('0')
    expect(twin.rateLimitHits()).toBe(0)
    expect(twin.contacts()).toHaveLength(0)
    expect((await call('POST', '/contacts', lead)).status).toBe(200)
  })

  it.each([
    ['error-before', 0],
    ['error-after', 1],
  ] as const)('of kind %s answers a 500 error.list with %i contacts made', async (kind, made) => {
    const { call, twin } = await startStage()
    twin.faults.arm(kind)
    expect(errorOf(await call('POST', '/contacts', lead)).slice(0, 2)).toEqual([500, 'server_error'])
    expect(twin.contacts()).toHaveLength(made)
  })

  it.each([
    ['reset-before', 0],
    ['outage', 0],
    ['reset-after', 1],
    ['truncated', 1],
  ] as const)('of kind %s breaks the connection with %i contacts made', async (kind, made) => {
    const { call, twin } = await startStage()
    twin.faults.arm(kind)
    await expect(call('POST', '/contacts', lead)).rejects.toThrow()
    expect(twin.contacts()).toHaveLength(made)
  })

  it('of kind timeout-after makes the contact and never answers', async () => {
    const { twin, client } = await startStage()
    twin.faults.arm('timeout-after')
    const outcome = new Promise((resolve) => {
      twin.subscribe((event) => {
        if (event.type === 'request') resolve(event.status)
      })
    })
    const hangUp = new AbortController()
    const call = client.contacts.create(lead, { abortSignal: hangUp.signal })
    const failed = expect(call).rejects.toThrow()
    expect(await outcome).toBe('hung')
    expect(twin.contacts()).toHaveLength(1)
    hangUp.abort()
    await failed
  })

  it('of kind slow answers when its time has passed', async () => {
    const { call, clock, twin } = await startStage()
    twin.faults.arm('slow', { ms: 7000 })
    const answer = call('POST', '/contacts', lead)
    await clock.untilSleep(7000)
    expect(twin.contacts()).toHaveLength(1)
    await clock.advance(7000)
    expect((await answer).status).toBe(200)
  })

  it('of refused credentials answers 401 whatever was sent', async () => {
    const { call, twin } = await startStage()
    twin.faults.arm('refuse-credentials')
    expect(errorOf(await call('GET', '/me'))).toEqual([401, 'unauthorized', 'Access Token Invalid'])
  })

  it('of a gateway answers HTML', async () => {
    const { twin } = await startStage()
    twin.faults.arm('html')
    const response = await fetch(`${twin.url}/me`)
    expect([response.status, response.headers.get('content-type')]).toEqual([502, 'text/html'])
  })

  it('may be bound to a method and a path', async () => {
    const { call, twin } = await startStage()
    twin.faults.arm('error-before', { method: 'POST', path: /\/contacts$/ })
    expect((await call('GET', '/contacts')).status).toBe(200)
    expect((await call('POST', '/contacts', lead)).status).toBe(500)
    twin.faults.clear()
    expect(at((await call('POST', '/contacts', lead)).body, 'phone')).toBe(phone)
  })
})
