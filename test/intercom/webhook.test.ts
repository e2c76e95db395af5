import { createHmac } from 'node:crypto'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { afterEach, describe, expect, it } from 'vitest'
import { startIntercomTwin } from '../../src/emulators/intercom/server.js'
import {
  isWrittenForCustomer,
  type Notification,
  parseNotification,
  verifyHubSignature,
} from '../../src/intercom/webhook.js'
import type { PartId } from '../../src/message.js'

describe('a signature', () => {
  const secret = 'fake-client-secret'
  const body = Buffer.from('{"type":"notification_event","text":"é"}')
  const signature = `sha1=${createHmac('sha1', secret).update(body).digest('hex')}`

  it('is accepted over the very bytes that came', () => {
    expect(verifyHubSignature(body, signature, secret)).toBe(true)
    // Computed with openssl: printf '%s' hello | openssl dgst -sha1 -hmac fake-client-secret
    expect(verifyHubSignature(Buffer.from('hello'), 'sha1=5d8b05d8a1f3e6bf1f1ac4d7ed7e5ef4a8f2d2d9', secret)).toBe(
      false,
    )
  })

  it.each([
    ['missing', undefined],
    ['empty', ''],
    ['without its prefix', signature.slice(5)],
    ['cut short', signature.slice(0, -1)],
    ['of something else', `sha1=${'0'.repeat(40)}`],
  ])('that is %s is refused', (_what, header) => {
    expect(verifyHubSignature(body, header, secret)).toBe(false)
  })

  it('is refused over other bytes or under another secret', () => {
    expect(verifyHubSignature(Buffer.from(`${body.toString()} `), signature, secret)).toBe(false)
    expect(verifyHubSignature(body, signature, 'another')).toBe(false)
  })
})

const admin = { type: 'admin', id: '501' }
const part = {
  id: '7' as PartId,
  partType: 'comment',
  body: 'Hi',
  author: admin,
  writtenAt: 1,
  redacted: false,
  attachments: [],
}

describe('what is written for the customer', () => {
  it.each(['comment', 'quick_reply', 'assignment', 'close', 'open', 'assign_and_reopen'])(
    'is a %s with words in it',
    (partType) => {
      expect(isWrittenForCustomer({ ...part, partType })).toBe(true)
      expect(isWrittenForCustomer({ ...part, partType, body: '' })).toBe(false)
    },
  )

  it.each(['note', 'snoozed', 'away_mode_assignment', 'channel_and_reply_time_expectation'])(
    'is never a %s',
    (partType) => {
      expect(isWrittenForCustomer({ ...part, partType })).toBe(false)
    },
  )

  it.each([
    ['admin', true],
    ['team', true],
    ['bot', true],
    ['user', false],
    ['lead', false],
    ['contact', false],
    ['constructor', false],
  ])('comes from a teammate, a team or a bot: %s is %s', (type, expected) => {
    expect(isWrittenForCustomer({ ...part, author: { type, id: '1' } })).toBe(expected)
  })

  it('is not what was redacted', () => {
    expect(isWrittenForCustomer({ ...part, redacted: true })).toBe(false)
  })

  it('has words, a picture or a file', () => {
    const attachments = [{ name: 'a.png', url: 'https://files.example.com/a.png' }]
    expect(isWrittenForCustomer({ ...part, body: '', attachments })).toBe(true)
    expect(isWrittenForCustomer({ ...part, body: '<p><img src="https://files.example.com/a.png"></p>' })).toBe(true)
    expect(isWrittenForCustomer({ ...part, body: '<p class="no-margin"> <br>&nbsp;</p>' })).toBe(false)
  })

  it('is told in no time of a body of nothing but opening brackets', () => {
    // A pattern that looks on from each to the end takes longer than a test may.
    expect(isWrittenForCustomer({ ...part, body: '<'.repeat(300_000) })).toBe(true)
  })
})

const restPart = {
  type: 'conversation_part',
  id: '37358539897',
  part_type: 'comment',
  body: '<p>Your order ships today</p>',
  created_at: 1_768_032_812,
  author: { id: '9608799', type: 'admin', name: 'Jo', email: 'jo@example.com' },
  attachments: [{ type: 'upload', name: 'a.png', url: 'https://files.example.com/a.png' }],
  redacted: false,
}

function event(topic: string, parts: readonly object[], change: object = {}) {
  const item = {
    type: 'conversation',
    id: '215472621202693',
    created_at: 1_768_031_789,
    updated_at: 1_768_032_812,
    contacts: { type: 'contact.list', contacts: [{ type: 'contact', id: '696205460674dbb9050aa7fd' }] },
    statistics: { type: 'conversation_statistics', last_admin_reply_at: '2026-01-10T08:14:54.000Z' },
    conversation_parts: { type: 'conversation_part.list', conversation_parts: parts, total_count: parts.length },
    ...change,
  }
  return {
    type: 'notification_event',
    app_id: 'abc123def',
    data: { type: 'notification_event_data', item },
    id: 'notif_574e80f7',
    topic,
    created_at: 1_768_033_204,
  }
}

const reply = {
  conversationId: '215472621202693',
  partId: '37358539897',
  author: { kind: 'admin', id: '9608799' },
  body: '<p>Your order ships today</p>',
  attachments: [{ name: 'a.png', url: 'https://files.example.com/a.png' }],
  writtenAt: 1_768_032_812_000,
}

describe('a notification', () => {
  it('of a reply tells the conversation and what was written', () => {
    expect(parseNotification(event('conversation.admin.replied', [restPart]))).toEqual({
      id: 'notif_574e80f7',
      topic: 'conversation.admin.replied',
      appId: 'abc123def',
      conversation: {
        id: '215472621202693',
        contactIds: ['696205460674dbb9050aa7fd'],
        createdAt: 1_768_031_789_000,
        replies: [reply],
        sawOtherParts: false,
      },
    })
  })

  it('may give numbers for ids and ISO for times', () => {
    const parts = [{ ...restPart, id: 37358539897, created_at: '2026-01-10T08:13:32.000Z' }]
    const { conversation } = parseNotification(event('conversation.admin.replied', parts, { id: 215472621202693 }))
    expect(conversation?.replies).toEqual([reply])
  })

  it('tells several parts apart', () => {
    const parts = [
      { ...restPart, id: '1', part_type: 'assignment' },
      { ...restPart, id: '2', part_type: 'note' },
      { ...restPart, id: '3', author: { type: 'bot', id: '5' } },
      { ...restPart, id: '4', author: { type: 'lead', id: '6' } },
    ]
    const { conversation } = parseNotification(event('conversation.admin.assigned', parts))
    expect(conversation?.replies.map(({ partId, author }) => [partId, author.kind])).toEqual([
      ['1', 'admin'],
      ['3', 'bot'],
    ])
    expect(conversation?.sawOtherParts).toBe(true)
  })

  it.each(['conversation_part.tag.created', 'conversation_part.redacted'])(
    'of %s shows an old part, not a new one',
    (topic) => {
      expect(parseNotification(event(topic, [restPart])).conversation).toMatchObject({
        replies: [],
        sawOtherParts: false,
      })
    },
  )

  it('without parts or contacts has none', () => {
    const bare = { contacts: undefined, conversation_parts: null }
    expect(parseNotification(event('conversation.read', [], bare)).conversation).toMatchObject({
      contactIds: [],
      replies: [],
    })
  })

  it('of a deleted conversation has its id elsewhere', () => {
    const json = event('conversation.deleted', [])
    const deleted = { ...json, data: { item: { type: 'conversation', conversation_id: '12' } } }
    expect(parseNotification(deleted).conversation).toEqual({
      id: '12',
      contactIds: [],
      createdAt: 1_768_033_204_000,
      replies: [],
      sawOtherParts: false,
    })
  })

  it('of a ping or a contact is about no conversation', () => {
    const ping = { type: 'notification_event', app_id: 'a', id: null, topic: 'ping', data: { item: { type: 'ping' } } }
    expect(parseNotification(ping)).toEqual({ id: null, topic: 'ping', appId: 'a' })
    const item = { type: 'contact', id: '6', created_at: '2026-01-10T08:14:54.000Z' }
    expect(parseNotification({ ...ping, id: 'n', topic: 'contact.lead.created', data: { item } })).toEqual({
      id: 'n',
      topic: 'contact.lead.created',
      appId: 'a',
    })
  })

  it.each([
    ['body', null],
    ['topic', { ...event('x', []), topic: undefined }],
    ['app_id', { ...event('x', []), app_id: 7 }],
    ['data.item', { ...event('x', []), data: {} }],
    ['data.item.id', event('x', [], { id: undefined })],
    ['data.item.created_at', event('x', [], { created_at: 'yesterday' })],
    ['data.item.conversation_parts.conversation_parts.0.id', event('x', [{ ...restPart, id: null }])],
  ])('with a broken %s is refused by the name of the field', (field, json) => {
    expect(() => parseNotification(json)).toThrow(expect.objectContaining({ name: 'BadWebhook', field }))
  })
})

describe.each(['2.14', '2.15'] as const)('the notifications of an app pinned to %s', (dialect) => {
  const stops: (() => Promise<void>)[] = []
  afterEach(async () => {
    for (const stop of stops.splice(0)) await stop()
  })

  async function listen() {
    const clientSecret = 'fake-client-secret'
    const twin = await startIntercomTwin({ accessToken: 'fake', clientSecret, dialect, newContactLagMs: 0 })
    const told: Notification[] = []
    const server = createServer(async (request, response) => {
      const chunks: Buffer[] = []
      for await (const chunk of request) chunks.push(chunk)
      const raw = Buffer.concat(chunks)
      if (
        request.method === 'POST' &&
        verifyHubSignature(raw, String(request.headers['x-hub-signature']), clientSecret)
      ) {
        told.push(parseNotification(JSON.parse(raw.toString())))
      }
      response.writeHead(200).end()
    })
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
    stops.push(async () => {
      await twin.stop()
      server.closeAllConnections()
      await new Promise((resolve) => server.close(resolve))
    })
    const { port } = server.address() as AddressInfo // listening on TCP
    await twin.setWebhook(`http://127.0.0.1:${port}/webhooks/intercom`)
    const contact = twin.inbox.createContact({ role: 'lead', phone: '+15550100177' })
    const made = await fetch(`${twin.url}/conversations`, {
      method: 'POST',
      headers: { authorization: 'Bearer fake', accept: 'application/json', 'content-type': 'application/json' },
      body: JSON.stringify({ from: { type: 'lead', id: contact.id }, body: 'Hello' }),
    })
    const { conversation_id: id } = (await made.json()) as { conversation_id: string } // the twin's answer
    await twin.idle()
    return { twin, told, id, contact }
  }

  it('are understood, whatever teammates do', async () => {
    const { twin, told, id, contact } = await listen()
    const expected = [
      twin.inbox.reply(id, '<p>one</p>'),
      twin.inbox.reply(id, '<p>two</p>', { and: 'close' }),
      twin.inbox.reply(id, '<p>three</p>'),
      twin.inbox.botReply(id, '<p>four</p>'),
    ]
    twin.inbox.note(id, '<p>not for the customer</p>')
    twin.inbox.close(id)
    twin.inbox.deleteConversation(id)
    await twin.idle()
    const replies = told.flatMap(({ conversation }) => conversation?.replies ?? [])
    expect(new Set(replies.map(({ partId }) => partId))).toEqual(new Set(expected.map((one) => one.id)))
    for (const { conversationId, body, writtenAt, partId } of replies) {
      const shown = expected.find((one) => one.id === partId)
      expect(conversationId).toBe(id)
      expect(body.replace(/<[^>]*>/g, '')).toBe(shown?.body?.replace(/<[^>]*>/g, ''))
      expect(writtenAt).toBe(Math.floor((shown?.createdAt ?? 0) / 1000) * 1000)
    }
    expect(told.map(({ topic }) => topic)).toEqual(expect.arrayContaining(['ping', 'conversation.deleted']))
    expect(told.find(({ topic }) => topic === 'conversation.admin.replied')?.conversation?.contactIds).toEqual([
      contact.id,
    ])
  })
})
