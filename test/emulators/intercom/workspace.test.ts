import { IntercomClient, IntercomError } from 'intercom-client'
import { describe, expect, it } from 'vitest'
import { contractPresent, loadContract } from './contract.js'
import { at, errorOf } from './json.js'
import { ada, startSeconds, startStage, token, useStages } from './stage.js'

useStages()

const reason = 'skipped where ../shared/contracts/intercom-2.15.yaml is absent, and with it the judging of all answers'

describe.skipIf(!contractPresent)(`the contract (${reason})`, () => {
  it('finds fault with what is not as the vendor has it', async () => {
    const contract = await loadContract()
    const judge = (body: unknown) => contract.faultsOf({ method: 'GET', path: '/contacts/1', status: 200, body })
    expect(judge({ type: 'contact', phone: null })).toBeUndefined()
    expect(judge({ type: 'contact', created_at: '2026-11-02' })).toContain('/created_at')
    expect(judge({ type: 'contact', tags: { data: {} } })).toContain('/tags')
  })
})

describe('every call', () => {
  it('is refused without the token, with an error.list, its request id and no word about limits', async () => {
    const { call } = await startStage()
    const answer = await call('GET', '/me', undefined, { authorization: 'Bearer another-fake-token' })
    expect(answer.status).toBe(401)
    const requestId = at(answer.body, 'request_id')
    expect(answer.body).toEqual({
      type: 'error.list',
      request_id: requestId,
      errors: [{ code: 'unauthorized', message: 'Access Token Invalid' }],
    })
    expect(requestId).toMatch(/^[0-9a-f-]{36}$/)
    expect(answer.headers.get('x-request-id')).toBe(requestId)
    expect(answer.headers.get('x-ratelimit-limit')).toBeNull()
  })

  it('makes the SDK throw its own class for a refused token', async () => {
    const { twin } = await startStage()
    const client = new IntercomClient({ token: 'another-fake-token', baseUrl: twin.url, maxRetries: 0 })
    const failure = await client.admins.identify().catch((error: unknown) => error)
    expect(failure).toBeInstanceOf(IntercomError)
    expect(failure).toMatchObject({ statusCode: 401 })
  })

  it('needs an Accept header that JSON suits', async () => {
    const { call } = await startStage()
    expect((await call('GET', '/me', undefined, { accept: 'text/html' })).status).toBe(406)
    expect((await call('GET', '/me', undefined, { accept: 'application/json; charset=utf-8' })).status).toBe(200)
    // What the SDK sends.
    expect((await call('GET', '/me', undefined, { accept: '*/*' })).status).toBe(200)
  })

  it('is told the version it is answered in, and refused one that does not exist', async () => {
    const { call } = await startStage()
    const asked = await call('GET', '/me', undefined, { 'intercom-version': '2.14' })
    expect(asked.headers.get('intercom-version')).toBe('2.14')
    const unasked = await call('GET', '/me', undefined, { 'intercom-version': null })
    expect(unasked.headers.get('intercom-version')).toBe('2.15')
    const unknown = await call('GET', '/me', undefined, { 'intercom-version': '9.9' })
    expect(errorOf(unknown).slice(0, 2)).toEqual([400, 'intercom_version_invalid'])
  })

  it('is refused beyond the limit of its ten seconds, and admitted in the next ten', async () => {
    const { call, clock, twin } = await startStage({ rateLimit: 2 })
    const first = await call('GET', '/me')
    expect(first.headers.get('x-ratelimit-limit')).toBe('2')
    expect(first.headers.get('x-ratelimit-remaining')).toBe('1')
    expect(first.headers.get('x-ratelimit-reset')).toBe(String(startSeconds + 10))
    await call('GET', '/me')
    const third = await call('GET', '/me')
    expect(errorOf(third)).toEqual([429, 'rate_limit_exceeded', 'Exceeded rate limit of 2 in 10_seconds'])
    expect(third.headers.get('x-ratelimit-remaining')).toBe('0')
    expect(third.headers.get('retry-after')).toBeNull()
    await clock.advance(10_000)
    expect((await call('GET', '/me')).status).toBe(200)
    expect(twin.rateLimitHits()).toBe(1)
  })

  it('that nobody answers is 404: there is no subscriptions endpoint, no contact search by query', async () => {
    const { call } = await startStage()
    const body = { service_type: 'web', topics: [], url: 'https://example.com' }
    expect(errorOf(await call('POST', '/subscriptions', body))).toEqual([404, 'not_found', 'Resource Not Found'])
    expect((await call('PATCH', '/contacts')).status).toBe(404)
    expect((await call('POST', '/conversations/1/run_assignment_rules')).status).toBe(404)
  })

  it('with a broken body is a 400', async () => {
    const { call } = await startStage()
    expect(errorOf(await call('POST', '/tags', '{"name":')).slice(0, 2)).toEqual([400, 'parameter_invalid'])
  })

  it('is counted by its route', async () => {
    const { call, twin } = await startStage()
    await call('GET', '/conversations/1')
    await call('GET', '/conversations/2')
    await call('GET', '/nowhere')
    expect(twin.requestCounts()).toEqual({ 'GET /conversations/{id}': 2, 'GET /nowhere': 1 })
  })
})

describe('the workspace', () => {
  it('says who we are and where', async () => {
    const { client } = await startStage()
    const me = await client.admins.identify()
    expect(me).toMatchObject({
      type: 'admin',
      id: ada.id,
      email: ada.email,
      app: { id_code: 'abc123de', region: 'US' },
    })
  })

  it('lists admins and teams', async () => {
    const { client } = await startStage()
    const { admins } = await client.admins.list()
    expect(admins?.map((admin) => [admin?.id, admin?.team_ids])).toEqual([
      ['101', [201]],
      ['102', [201]],
    ])
    const { teams } = await client.teams.list()
    expect(teams).toEqual([{ type: 'team', id: '201', name: 'Support', admin_ids: [101, 102] }])
  })

  it('finds a tag by its name whatever the case, and makes it only once', async () => {
    const { client } = await startStage()
    const made = await client.tags.create({ name: 'SMS' })
    const found = await client.tags.create({ name: 'sms' })
    expect(found).toEqual(made)
    expect((await client.tags.list()).data).toEqual([{ type: 'tag', id: made.id, name: 'SMS' }])
    expect(await client.tags.find({ tag_id: made.id ?? '' })).toEqual(made)
  })

  it('deletes a tag once', async () => {
    const { client, call } = await startStage()
    const made = await client.tags.create({ name: 'SMS' })
    await client.tags.delete({ tag_id: made.id ?? '' })
    expect((await client.tags.list()).data).toEqual([])
    expect((await call('DELETE', `/tags/${made.id}`)).status).toBe(404)
  })

  it('refuses a tag without a name', async () => {
    const { call } = await startStage()
    const answer = await call('POST', '/tags', { test: 'invalid' })
    expect(errorOf(answer)).toEqual([400, 'parameter_invalid', 'invalid tag parameters'])
  })

  it('makes a data attribute once, and says where the name is taken the second time', async () => {
    const { call } = await startStage()
    const wanted = { name: 'last_sms_sent_at', model: 'contact', data_type: 'integer' }
    const made = await call('POST', '/data_attributes', wanted)
    expect(made.status).toBe(200)
    expect(at(made.body, 'full_name')).toBe('custom_attributes.last_sms_sent_at')
    const again = await call('POST', '/data_attributes', wanted)
    expect(errorOf(again)).toEqual([
      400,
      'parameter_invalid',
      "You already have 'last_sms_sent_at' in your people data. To save this as new people data, use a different name.",
    ])
    const list = await call('GET', '/data_attributes?model=contact')
    expect(JSON.stringify(list.body)).toContain('custom_attributes.sms_opted_out')
  })

  it('refuses a data attribute of a bad name, type or model', async () => {
    const { call } = await startStage()
    const attempt = async (body: object) => errorOf(await call('POST', '/data_attributes', body)).at(-1)
    expect(await attempt({ name: '!nv@l!d', model: 'contact', data_type: 'string' })).toContain('alphanumeric')
    expect(await attempt({ name: 'a', model: 'contact', data_type: 'mithril' })).toBe("Data Type isn't an option")
    expect(await attempt({ name: 'a', data_type: 'string' })).toContain('either contact or company')
  })
})

it('answers a request without any Accept header 406', async () => {
  const { twin } = await startStage()
  const { request } = await import('node:http')
  const status = await new Promise((resolve) => {
    request(`${twin.url}/me`, { headers: { authorization: `Bearer ${token}` } }, (response) => {
      response.resume()
      resolve(response.statusCode)
    }).end()
  })
  expect(status).toBe(406)
})
