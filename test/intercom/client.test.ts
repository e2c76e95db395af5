import { afterEach, describe, expect, it } from 'vitest'
import { systemClock } from '../../src/clock.js'
import { startIntercomTwin } from '../../src/emulators/intercom/server.js'
import type { IntercomTwin, IntercomTwinOptions } from '../../src/emulators/intercom/types.js'
import { DeliveryError } from '../../src/errors.js'
import { createIntercomClient, type IntercomClient } from '../../src/intercom/client.js'
import { existingContactId } from '../../src/intercom/errors.js'
import { ruleFor } from '../../src/intercom/rate-limit.js'
import type { ContactId, ConversationId } from '../../src/message.js'
import type { PhoneNumber } from '../../src/phone.js'
import { createTransport } from '../../src/transport.js'
import { liveCall, openLimiter, type SeenRequest, sendJson, startVendorServer } from '../support/vendor-server.js'

const accessToken = 'fake-access-token'
const phone = '+15550100177' as PhoneNumber
const nobody = 'ffffffffffffffffffffffff' as ContactId
const nothing = '999999999999' as ConversationId

const stops: (() => Promise<void>)[] = []
afterEach(async () => {
  for (const stop of stops.splice(0)) await stop()
})

function clientAt(baseUrl: string, now?: number) {
  const { limiter, log } = openLimiter()
  const clock = now === undefined ? systemClock : { ...systemClock, now: () => now }
  const transport = createTransport({ clock, limiter, deadlineMs: 2000 })
  return { client: createIntercomClient({ accessToken, baseUrl, transport, clock }), limiter: log }
}

async function setUp(options: Partial<IntercomTwinOptions> = {}) {
  const twin: IntercomTwin = await startIntercomTwin({
    accessToken,
    clientSecret: 'fake-client-secret',
    indexLagMs: 0,
    admins: [{ id: '501', name: 'Ada', email: 'ada@example.com' }],
    teams: [{ id: '814', name: 'Support', adminIds: ['501'] }],
    ...options,
  })
  stops.push(() => twin.stop())
  return { twin, ...clientAt(twin.url) }
}

async function answering(
  answer: (request: SeenRequest, index: number) => { status?: number; json: unknown; headers?: Record<string, string> },
  now?: number,
) {
  const server = await startVendorServer((response, request, index) => {
    const { status = 200, json, headers } = answer(request, index)
    sendJson(response, status, json, headers)
  })
  stops.push(() => server.stop())
  return { server, ...clientAt(`${server.url}/`, now) }
}

const lead = (client: IntercomClient) => client.createLead({ phone, name: 'Ann', customAttributes: {} }, liveCall)
const countOf = (twin: IntercomTwin) => Object.values(twin.requestCounts()).reduce((sum, count) => sum + count, 0)
const errorList = (code: string, message: string) => ({
  type: 'error.list',
  request_id: 'r',
  errors: [{ code, message }],
})

describe('the workspace', () => {
  it('tells whose token this is', async () => {
    const { twin, client } = await setUp()
    const me = { adminId: '501', appId: twin.appId, workspace: 'Sandbox', region: 'US', timeZone: 'Etc/UTC' }
    expect(await client.me(liveCall)).toEqual(me)
  })

  it('names the custom attributes a contact may have', async () => {
    const { client } = await setUp({ contactAttributes: ['city', 'sms_opted_out'] })
    expect(await client.contactAttributes(liveCall)).toEqual(new Set(['city', 'sms_opted_out']))
  })

  it('does not name attributes that are built in, archived or read-only', async () => {
    const attribute = { type: 'data_attribute', model: 'contact', custom: true, archived: false, api_writable: true }
    const { client } = await answering(() => ({
      json: {
        type: 'list',
        data: [
          { ...attribute, name: 'city' },
          { ...attribute, name: 'phone', custom: false },
          { ...attribute, name: 'old', archived: true },
          { ...attribute, name: 'score', api_writable: false },
        ],
      },
    }))
    expect(await client.contactAttributes(liveCall)).toEqual(new Set(['city']))
  })
})

describe('contacts', () => {
  it('are created as leads and read again', async () => {
    const { twin, client } = await setUp({ contactAttributes: ['city'] })
    const made = await client.createLead({ phone, name: 'Ann', customAttributes: { city: 'Sausalito' } }, liveCall)
    expect(twin.contacts()).toMatchObject([
      { id: made.id, role: 'lead', phone, name: 'Ann', customAttributes: { city: 'Sausalito' } },
    ])
    expect(made).toEqual({
      id: twin.contacts()[0]?.id,
      role: 'lead',
      phone,
      name: 'Ann',
      createdAt: expect.any(Number),
      updatedAt: expect.any(Number),
    })
    expect(made.createdAt).toBeGreaterThan(1_600_000_000_000)
    expect(await client.getContact(made.id, liveCall)).toEqual(made)
  })

  it('are found by their number, however it was typed', async () => {
    const { twin, client } = await setUp()
    const typed = twin.inbox.createContact({ role: 'user', email: 'ann@example.com', phone: '+1 (555) 010-0177' })
    const plain = twin.inbox.createContact({ role: 'lead', phone })
    twin.inbox.createContact({ role: 'lead', phone: '+15550100142' })
    const found = await client.searchContacts([phone], liveCall)
    expect(new Set(found.map(({ id }) => id))).toEqual(new Set([typed.id, plain.id]))
    expect(found.find(({ id }) => id === typed.id)).toMatchObject({ role: 'user', email: 'ann@example.com' })
    expect(await client.searchContacts(['+15550100199' as PhoneNumber], liveCall)).toEqual([])
  })

  it('are asked for by every spelling at once, and page by page up to 150', async () => {
    const contact = (id: number) => ({ type: 'contact', id: String(id), role: 'lead', created_at: 1, updated_at: 2 })
    const { server, client } = await answering((_request, index) => ({
      json: {
        type: 'list',
        data: Array.from({ length: 50 }, (_, row) => contact(index * 50 + row)),
        pages: { next: { per_page: 50, starting_after: `cursor ${index}` } },
      },
    }))
    const found = await client.searchContacts(['+5551987654321', '+555187654321'] as PhoneNumber[], liveCall)
    expect(found).toHaveLength(150)
    expect(server.seen.map(({ body }) => JSON.parse(body).pagination.starting_after)).toEqual([
      undefined,
      'cursor 0',
      'cursor 1',
    ])
    expect(JSON.parse(server.seen[0]?.body ?? '').query).toEqual({
      operator: 'OR',
      value: [
        { field: 'phone', operator: '=', value: '+5551987654321' },
        { field: 'formatted_phone', operator: '=', value: '+5551987654321' },
        { field: 'phone', operator: '=', value: '+555187654321' },
        { field: 'formatted_phone', operator: '=', value: '+555187654321' },
      ],
    })
  })

  it('that are gone are undefined: never there, merged, or merged the way of 2.16', async () => {
    const { twin, client } = await setUp()
    expect(await client.getContact(nobody, liveCall)).toBeUndefined()
    const from = twin.inbox.createContact({ role: 'lead', phone })
    const into = twin.inbox.createContact({ role: 'user', email: 'ann@example.com' })
    twin.inbox.mergeContact(from.id, into.id)
    expect(await client.getContact(from.id as ContactId, liveCall)).toBeUndefined()
    const merged = await answering(() => ({
      status: 410,
      json: errorList('contact_merged', 'This contact was merged'),
    }))
    expect(await merged.client.getContact(nobody, liveCall)).toBeUndefined()
  })

  it('are not taken for gone when only a gateway answers 404', async () => {
    const { client } = await answering(() => ({ status: 404, json: { error: 'no such route' } }))
    await expect(client.getContact(nobody, liveCall)).rejects.toMatchObject({ outcome: 'transient', status: 404 })
  })

  it('that exist already are named by the conflict', async () => {
    const id = '5da6f18e3d7cf967e4582d05'
    const message = `A contact matching those details already exists with id=${id}`
    const { client } = await answering(() => ({ status: 409, json: errorList('conflict', message) }))
    const error = await lead(client).catch((thrown: unknown) => thrown)
    expect(error).toMatchObject({ outcome: 'permanent', code: 'conflict', status: 409 })
    expect(error instanceof DeliveryError && existingContactId(error)).toBe(id)
    expect(existingContactId(new DeliveryError(message, { outcome: 'permanent', status: 404 }))).toBeUndefined()
  })
})

describe('conversations', () => {
  async function begun(options?: Partial<IntercomTwinOptions>) {
    const { twin, client } = await setUp(options)
    const contact = await lead(client)
    const { conversationId, messageId } = await client.createConversation(contact, '<p>Hello</p>', liveCall)
    return { twin, client, contact, conversationId, messageId }
  }

  it('are created in the name of the contact', async () => {
    const { twin, client, contact, conversationId, messageId } = await begun()
    expect(twin.conversations()).toMatchObject([{ id: conversationId, contactId: contact.id, state: 'open' }])
    expect(await client.getConversation(conversationId, liveCall)).toEqual({
      id: conversationId,
      state: 'open',
      contactIds: [contact.id],
      createdAt: expect.any(Number),
      updatedAt: expect.any(Number),
      source: { id: twin.conversations()[0]?.source.id, body: '<p>Hello</p>', authorId: contact.id, redacted: false },
      parts: [],
    })
    expect(messageId).toMatch(/^\d+$/)
  })

  it('of a contact that is not known everywhere yet are only a matter of time', async () => {
    const { client } = await setUp({ newContactLagMs: 60_000 })
    const contact = await lead(client)
    await expect(client.createConversation(contact, '<p>Hello</p>', liveCall)).rejects.toMatchObject({
      outcome: 'transient',
      code: 'not_found',
      status: 404,
      retryAfterMs: 1000,
    })
  })

  it('take replies of the contact, which come back as the last part', async () => {
    const { client, contact, conversationId } = await begun()
    const after = await client.replyAsContact(conversationId, contact.id, '<p>And another</p>', liveCall)
    expect(after.parts.at(-1)).toEqual({
      id: expect.stringMatching(/^\d+$/),
      partType: 'comment',
      body: '<p>And another</p>',
      author: { type: 'lead', id: contact.id },
      writtenAt: expect.any(Number),
      redacted: false,
      attachments: [],
    })
  })

  it('that are closed are reopened by a reply', async () => {
    const { twin, client, contact, conversationId } = await begun()
    twin.inbox.close(conversationId)
    const after = await client.replyAsContact(conversationId, contact.id, '<p>Still there?</p>', liveCall)
    expect(after.state).toBe('open')
    expect(after.parts.at(-1)).toMatchObject({ partType: 'open', body: '<p>Still there?</p>' })
  })

  it('show what teammates wrote and attached', async () => {
    const { twin, client, conversationId } = await begun()
    const attachments = [{ name: 'a.png', contentType: 'image/png', data: Uint8Array.of(1) }]
    const reply = twin.inbox.reply(conversationId, '<p>Hi</p>', { attachments })
    const parts = (await client.getConversation(conversationId, liveCall))?.parts
    expect(parts).toMatchObject([
      { id: reply.id, author: { type: 'admin', id: '501' }, body: '<p>Hi</p>', attachments: [{ name: 'a.png' }] },
    ])
    expect(parts?.[0]?.attachments[0]?.url).toMatch(/^http/)
  })

  it('are assigned to a team, once or twice', async () => {
    const { twin, client, conversationId } = await begun()
    await client.assignToTeam(conversationId, '501', '814', liveCall)
    await client.assignToTeam(conversationId, '501', '814', liveCall)
    expect(twin.conversations()[0]?.teamAssigneeId).toBe('814')
    expect(await client.getConversation(conversationId, liveCall)).toMatchObject({ teamId: '814' })
  })

  it('are refused to a team that does not exist, for good', async () => {
    const { client, conversationId } = await begun()
    await expect(client.assignToTeam(conversationId, '501', '999', liveCall)).rejects.toMatchObject({
      outcome: 'permanent',
      shore: 'intercom',
    })
  })

  it('of a contact are listed newest first', async () => {
    const conversation = (id: string, createdAt: number) => ({
      type: 'conversation',
      id,
      created_at: createdAt,
      updated_at: createdAt,
      state: 'open',
      source: { id: '1', body: '<p>x</p>', author: { type: 'lead', id: nobody } },
      team_assignee_id: 0,
    })
    const { server, client } = await answering(() => ({
      json: { type: 'conversation.list', conversations: [conversation('1', 10), conversation('2', 20)] },
    }))
    const found = await client.searchConversations(nobody, liveCall)
    expect(found.map(({ id, createdAt, teamId }) => [id, createdAt, teamId])).toEqual([
      ['2', 20_000, undefined],
      ['1', 10_000, undefined],
    ])
    expect(JSON.parse(server.seen[0]?.body ?? '')).toEqual({
      query: { operator: 'AND', value: [{ field: 'contact_ids', operator: '=', value: nobody }] },
      pagination: { per_page: 150 },
    })
  })

  it('of a contact are found by the search of the twin', async () => {
    const { client, contact, conversationId } = await begun()
    expect(await client.searchConversations(contact.id, liveCall)).toMatchObject([{ id: conversationId, parts: [] }])
    expect(await client.searchConversations(nobody, liveCall)).toEqual([])
  })

  it('in which something happened since then are found, the oldest change first', async () => {
    let now = Date.UTC(2026, 10, 22, 8)
    const { twin, client } = await setUp({ clock: { ...systemClock, now: () => now } })
    const contact = await lead(client)
    const ids: string[] = []
    for (let index = 0; index < 152; index += 1) {
      if (index === 1) now += 60_000
      const { conversationId } = await client.createConversation(contact, `<p>${index}</p>`, liveCall)
      ids.push(conversationId)
    }
    const since = now
    now += 10_000
    const [first = '', second = ''] = ids
    twin.inbox.reply(second, '<p>Hi</p>')
    const before = countOf(twin)
    const found = await client.searchUpdatedSince(since, liveCall)
    expect(found.map(({ id }) => id)).not.toContain(first)
    expect(new Set(found.map(({ id }) => id))).toEqual(new Set(ids.slice(1)))
    expect(found.at(-1)).toEqual({ id: second, updatedAt: now })
    expect(countOf(twin) - before).toBe(2)
    twin.inbox.note(first, '<p>x</p>')
    now += 10_000
    expect(await client.searchUpdatedSince(now - 10_000, liveCall)).toHaveLength(2)
  })

  it('are asked for by whole seconds, and one of another channel in the list does no harm', async () => {
    const odd = { id: 7, updated_at: 1_790_000_001, state: 'unheard-of' }
    const { server, client } = await answering((_request, index) => ({
      json: {
        type: 'conversation.list',
        conversations: [odd],
        pages: { type: 'pages', ...(index === 0 ? { next: { per_page: 150, starting_after: 'abc' } } : {}) },
      },
    }))
    const found = await client.searchUpdatedSince(1_790_000_000_900, liveCall)
    expect(found).toEqual([{ id: '7', updatedAt: 1_790_000_001_000 }])
    const query = { operator: 'AND', value: [{ field: 'updated_at', operator: '>', value: 1_789_999_999 }] }
    expect(server.seen.map(({ body }) => JSON.parse(body))).toEqual([
      { query, pagination: { per_page: 150 } },
      { query, pagination: { per_page: 150, starting_after: 'abc' } },
    ])
  })

  it('that were deleted are undefined to read and not found to reply to', async () => {
    const { twin, client, contact, conversationId } = await begun()
    twin.inbox.deleteConversation(conversationId)
    expect(await client.getConversation(conversationId, liveCall)).toBeUndefined()
    expect(await client.getConversation(nothing, liveCall)).toBeUndefined()
    await expect(client.replyAsContact(conversationId, contact.id, '<p>x</p>', liveCall)).rejects.toMatchObject({
      outcome: 'permanent',
      code: 'not_found',
      status: 404,
    })
  })
})

describe('failures', () => {
  it.each([
    ['error-before', { outcome: 'ambiguous', status: 500 }, 0],
    ['error-after', { outcome: 'ambiguous', status: 500 }, 1],
    ['reset-before', { outcome: 'ambiguous' }, 0],
    ['reset-after', { outcome: 'ambiguous' }, 1],
    ['truncated', { outcome: 'ambiguous' }, 1],
    ['html', { outcome: 'ambiguous', status: 502 }, 0],
    ['rate-limit', { outcome: 'transient', status: 429, code: 'rate_limit_exceeded', deferred: true }, 0],
    [
      'refuse-credentials',
      { outcome: 'transient', status: 401, code: 'unauthorized', pausesShore: true, deferred: true },
      0,
    ],
  ] as const)('with the fault %s a creation fails for what it is, after one request', async (kind, facts, made) => {
    const { twin, client } = await setUp()
    twin.faults.arm(kind)
    await expect(lead(client)).rejects.toMatchObject({ name: 'DeliveryError', shore: 'intercom', ...facts })
    expect(countOf(twin)).toBe(1)
    expect(twin.contacts()).toHaveLength(made)
  })

  it('of what only reads or repeats are never ambiguous', async () => {
    const { twin, client } = await setUp()
    twin.faults.arm('error-after')
    await expect(client.searchContacts([phone], liveCall)).rejects.toMatchObject({ outcome: 'transient' })
    await expect(client.assignToTeam(nothing, '501', '814', liveCall)).rejects.toMatchObject({ outcome: 'transient' })
  })

  it('of the plan are tried to the budget without stopping the shore', async () => {
    const { client } = await answering(() => ({
      status: 403,
      json: errorList('api_plan_restricted', 'Active subscription needed.'),
    }))
    await expect(lead(client)).rejects.toMatchObject({
      outcome: 'transient',
      code: 'api_plan_restricted',
      pausesShore: false,
      deferred: false,
    })
  })

  it('of shape leave a creation unknown and name the field', async () => {
    const { client } = await answering(() => ({
      json: { type: 'contact', role: 'lead', created_at: 1, updated_at: 1 },
    }))
    await expect(lead(client)).rejects.toMatchObject({
      outcome: 'ambiguous',
      code: 'unexpected_shape',
      message: 'intercom answered POST with 200, but its id is not as documented',
    })
    await expect(client.getContact(nobody, liveCall)).rejects.toMatchObject({ outcome: 'transient' })
  })

  it('quote neither token nor text', async () => {
    const { client } = await answering(({ body }) => ({
      status: 400,
      json: errorList('parameter_invalid', `cannot take ${JSON.parse(body).body} (or: My secret words)`),
    }))
    const error: unknown = await client
      .replyAsContact(nothing, nobody, '<p>My secret words</p>', liveCall)
      .catch((thrown: unknown) => thrown)
    expect(String(error)).toBe(
      'DeliveryError: intercom answered POST /conversations/{id}/reply with 400, code parameter_invalid: cannot take … (or: …)',
    )
  })
})

describe('on the wire', () => {
  it('every call carries token, version and types, and takes its place in the limit', async () => {
    const { server, client, limiter } = await answering(() => ({ json: { id: 1, conversation_id: 2 } }))
    const from = { id: nobody, role: 'lead' } as const
    expect(await client.createConversation(from, '<p>x</p>', liveCall)).toEqual({ conversationId: '2', messageId: '1' })
    expect(server.seen).toMatchObject([
      {
        method: 'POST',
        url: '/conversations',
        headers: {
          authorization: `Bearer ${accessToken}`,
          'intercom-version': '2.15',
          accept: 'application/json',
          'content-type': 'application/json',
        },
      },
    ])
    expect(JSON.parse(server.seen[0]?.body ?? '')).toEqual({ from: { type: 'lead', id: nobody }, body: '<p>x</p>' })
    expect(limiter).toEqual([['pass', 'intercom', ruleFor(83), 1, 'live']])
  })

  it('learns the limit from the answers, once per change', async () => {
    const admin = { json: { id: '1', app: { id_code: 'a', region: 'US' } } }
    const limits = ['1666', '1666', '500', '500']
    const { client, limiter } = await answering((_request, index) => ({
      ...admin,
      headers: { 'x-ratelimit-limit': limits[index] ?? '', 'x-ratelimit-remaining': '400', 'x-ratelimit-reset': '9' },
    }))
    for (const _ of limits) await client.me(liveCall)
    expect(limiter.filter(([what]) => what === 'learn')).toEqual([
      ['learn', 'intercom', ruleFor(1666)],
      ['learn', 'intercom', ruleFor(500)],
    ])
    expect(limiter.filter(([what]) => what === 'pass').map(([, , rule]) => rule)).toEqual(
      [83, 1666, 1666, 500].map(ruleFor),
    )
  })

  it('a 429 holds everything until the window is over', async () => {
    const now = 1_790_000_004_000
    const { client, limiter } = await answering(
      () => ({
        status: 429,
        json: errorList('rate_limit_exceeded', 'Exceeded rate limit of 83 in 10_seconds'),
        headers: { 'x-ratelimit-limit': '83', 'x-ratelimit-remaining': '0', 'x-ratelimit-reset': '1790000010' },
      }),
      now,
    )
    await expect(client.me(liveCall)).rejects.toMatchObject({
      outcome: 'transient',
      code: 'rate_limit_exceeded',
      deferred: true,
      retryAfterMs: 6000,
    })
    expect(limiter.slice(1)).toEqual([
      ['learn', 'intercom', ruleFor(83)],
      ['hold', 'intercom', 1_790_000_010_000],
    ])
  })
})
