// What teammates do, and what the bridge hears of it.
import { describe, expect, it } from 'vitest'
import { at, text } from './json.js'
import { ada, bob, start, startHubStage, startSeconds, useStages } from './stage.js'

// The API's answers are judged elsewhere.
useStages({ judged: false })

const part = 'data.item.conversation_parts.conversation_parts.0'

/** A conversation whose beginnings the hub has already forgotten. */
async function begun(options: Parameters<typeof startHubStage>[0] = {}) {
  const stage = await startHubStage(options)
  const ids = await stage.lead()
  await stage.twin.idle()
  const seen = stage.hub.received.length
  const heard = async () => {
    await stage.twin.idle()
    return stage.hub.received.slice(seen).map(({ event }) => event)
  }
  return { ...stage, ...ids, heard }
}

describe('a teammate’s reply', () => {
  it('arrives as one notification in the whole envelope, with that part alone', async () => {
    const { twin, contactId, conversationId, heard, clock } = await begun()
    twin.inbox.note(conversationId, 'before')
    await clock.advance(60_000)
    const reply = twin.inbox.reply(conversationId, '<p>Your <b>order</b> ships<br>today</p>', { adminId: bob.id })
    const event = (await heard()).at(-1)
    const contact = twin.contacts()[0]
    expect(event).toEqual({
      type: 'notification_event',
      app_id: 'abc123de',
      data: {
        type: 'notification_event_data',
        item: {
          type: 'conversation',
          id: conversationId,
          created_at: startSeconds,
          updated_at: startSeconds + 60,
          waiting_since: null,
          snoozed_until: null,
          source: {
            type: 'conversation',
            id: twin.conversations()[0]?.source.id,
            delivered_as: 'customer_initiated',
            subject: '',
            body: 'Hello',
            author: { type: 'lead', id: contactId, name: null, email: '' },
            attachments: [],
            url: null,
            redacted: false,
          },
          contacts: {
            type: 'contact.list',
            contacts: [{ type: 'contact', id: contactId, external_id: contact?.externalId }],
          },
          first_contact_reply: { created_at: startSeconds, type: 'conversation', url: null },
          admin_assignee_id: null,
          team_assignee_id: null,
          open: true,
          state: 'open',
          read: true,
          tags: { type: 'tag.list', tags: [] },
          priority: 'not_priority',
          sla_applied: null,
          statistics: {
            type: 'conversation_statistics',
            time_to_assignment: null,
            time_to_admin_reply: 60,
            time_to_first_close: null,
            time_to_last_close: null,
            median_time_to_reply: 60,
            first_contact_reply_at: startSeconds,
            first_assignment_at: null,
            first_admin_reply_at: startSeconds + 60,
            first_close_at: null,
            last_assignment_at: null,
            last_assignment_admin_reply_at: null,
            last_contact_reply_at: startSeconds,
            last_admin_reply_at: startSeconds + 60,
            last_close_at: null,
            last_closed_by_id: null,
            count_reopens: 0,
            count_assignments: 0,
            count_conversation_parts: 2,
            assigned_team_first_response_time: [],
            assigned_team_first_response_time_in_office_hours: [],
            handling_time: null,
          },
          conversation_rating: null,
          teammates: {
            type: 'admin.list',
            admins: [
              { type: 'admin', id: ada.id },
              { type: 'admin', id: bob.id },
            ],
          },
          title: '',
          custom_attributes: {},
          topics: { type: 'topic.list', topics: [], total_count: 0 },
          ticket: null,
          linked_objects: { type: 'list', data: [], total_count: 0, has_more: false },
          ai_agent: null,
          ai_agent_participated: false,
          conversation_parts: {
            type: 'conversation_part.list',
            total_count: 1,
            conversation_parts: [
              {
                type: 'conversation_part',
                id: reply.id,
                part_type: 'comment',
                body: 'Your order ships\ntoday',
                created_at: startSeconds + 60,
                updated_at: startSeconds + 60,
                notified_at: startSeconds + 60,
                assigned_to: null,
                author: {
                  id: bob.id,
                  type: 'admin',
                  name: bob.name,
                  email: bob.email,
                  from_ai_agent: false,
                  is_ai_answer: false,
                },
                attachments: [],
                external_id: null,
                redacted: false,
                metadata: {},
                email_message_metadata: null,
                state: 'open',
                tags: [],
                event_details: {},
                app_package_code: null,
              },
            ],
          },
        },
      },
      links: {},
      id: text(event, 'id'),
      topic: 'conversation.admin.replied',
      delivery_status: 'pending',
      delivery_attempts: 1,
      delivered_at: 0,
      first_sent_at: startSeconds + 60,
      created_at: startSeconds + 60,
      self: null,
    })
    expect(event?.id).toMatch(/^notif_[0-9a-f-]{36}$/)
  })

  it('and close is one part of type close that carries the body, on the topic of replies alone', async () => {
    const { twin, conversationId, heard } = await begun()
    const reply = twin.inbox.reply(conversationId, 'Bye', { and: 'close' })
    const events = await heard()
    expect(events.map((event) => [event.topic, at(event, `${part}.part_type`), at(event, `${part}.body`)])).toEqual([
      ['conversation.admin.replied', 'close', 'Bye'],
    ])
    expect(at(events[0], 'data.item.state')).toBe('closed')
    expect(twin.conversations()[0]?.parts).toEqual([reply])
  })

  it('and assign is one part of type assignment that carries the body, on two topics under one part id', async () => {
    const { twin, conversationId, heard } = await begun()
    const reply = twin.inbox.reply(conversationId, 'Mine', { and: 'assign' })
    const events = await heard()
    expect(events.map((event) => [event.topic, at(event, `${part}.id`), at(event, `${part}.part_type`)])).toEqual([
      ['conversation.admin.replied', reply.id, 'assignment'],
      ['conversation.admin.assigned', reply.id, 'assignment'],
    ])
    expect(at(events[0], `${part}.body`)).toBe('Mine')
    expect(at(events[0], `${part}.assigned_to`)).toEqual({ type: 'admin', id: ada.id })
    expect(twin.conversations()[0]).toMatchObject({ adminAssigneeId: ada.id, parts: [{ id: reply.id }] })
  })

  it('on a closed conversation is one part of type open that carries the body', async () => {
    const { twin, conversationId, heard } = await begun()
    twin.inbox.close(conversationId)
    twin.inbox.reply(conversationId, 'One more thing')
    const events = await heard()
    expect(events.map((event) => [event.topic, at(event, `${part}.part_type`), at(event, `${part}.body`)])).toEqual([
      ['conversation.admin.closed', 'close', null],
      ['conversation.admin.replied', 'open', 'One more thing'],
    ])
    expect(twin.conversations()[0]?.state).toBe('open')
  })

  it('may bring files and quick replies', async () => {
    const { twin, conversationId, heard } = await begun()
    const attachments = [{ name: 'a.png', contentType: 'image/png', data: new Uint8Array([1, 2, 3]) }]
    twin.inbox.reply(conversationId, '', { attachments })
    twin.inbox.reply(conversationId, 'Yes or no?', { and: 'quick_reply' })
    const [files, quick] = await heard()
    expect(at(files, `${part}.attachments.0`)).toMatchObject({ type: 'upload', name: 'a.png', filesize: 3 })
    const fetched = await fetch(text(files, `${part}.attachments.0.url`))
    expect([...new Uint8Array(await fetched.arrayBuffer())]).toEqual([1, 2, 3])
    expect(at(quick, `${part}.part_type`)).toBe('quick_reply')
  })

  it('is HTML with ISO statistics in the dialect of 2.14', async () => {
    const { twin, conversationId, heard } = await begun({ dialect: '2.14' })
    twin.inbox.reply(conversationId, 'Your <b>order</b>')
    const [event] = await heard()
    expect(at(event, `${part}.body`)).toBe('<p>Your <b>order</b></p>')
    expect(at(event, 'data.item.source.body')).toBe('<p>Hello</p>')
    expect(at(event, 'data.item.statistics.last_admin_reply_at')).toBe('2026-11-02T12:00:00.000Z')
    expect(at(event, 'data.item.statistics.last_close_at')).toBeNull()
    expect(at(event, 'data.item.created_at')).toBe(startSeconds)
  })
})

describe('a bot’s reply', () => {
  it('arrives on two topics under one part id, and leaves the customer waiting', async () => {
    const { twin, conversationId, heard } = await begun()
    const reply = twin.inbox.botReply(conversationId, 'We will be right back')
    const events = await heard()
    expect(events.map((event) => [event.topic, at(event, `${part}.id`), at(event, `${part}.author.type`)])).toEqual([
      ['conversation.operator.replied', reply.id, 'bot'],
      ['conversation.admin.replied', reply.id, 'bot'],
    ])
    expect(new Set(events.map(({ id }) => id)).size).toBe(2)
    expect(at(events[0], `${part}.author.email`)).toBe('operator+abc123de@intercom.io')
    expect(at(events[0], 'data.item.waiting_since')).toBe(startSeconds)
  })
})

describe('other work in the inbox', () => {
  it('arrives on its own topics', async () => {
    const { twin, conversationId, heard, clock } = await begun()
    const { inbox } = twin
    inbox.note(conversationId, 'careful')
    inbox.close(conversationId)
    inbox.open(conversationId)
    inbox.snooze(conversationId, clock.now() + 1000)
    inbox.open(conversationId)
    inbox.assign(conversationId, { type: 'team', id: '201' })
    inbox.close(conversationId)
    inbox.assign(conversationId, { type: 'admin', id: bob.id })
    const events = await heard()
    expect(events.map((event) => [event.topic, at(event, `${part}.part_type`), at(event, `${part}.body`)])).toEqual([
      ['conversation.admin.noted', 'note', 'careful'],
      ['conversation.admin.closed', 'close', null],
      ['conversation.admin.opened', 'open', null],
      ['conversation.admin.snoozed', 'snoozed', null],
      ['conversation.admin.unsnoozed', 'open', null],
      ['conversation.admin.assigned', 'assignment', null],
      ['conversation.admin.closed', 'close', null],
      ['conversation.admin.open.assigned', 'assign_and_reopen', null],
    ])
  })

  it('tags the first message when there is no part yet', async () => {
    const { twin, conversationId, heard } = await begun()
    twin.inbox.tag(conversationId, 'Urgent')
    const [event] = await heard()
    const { source, tags } = twin.conversations()[0] ?? {}
    expect(event?.topic).toBe('conversation_part.tag.created')
    expect(at(event, part)).toMatchObject({ id: source?.id, part_type: 'comment', body: 'Hello' })
    expect(at(event, 'data.item.tags.tags.0')).toMatchObject({ id: tags?.[0]?.id, name: 'Urgent' })
  })

  it('redacts', async () => {
    const { twin, conversationId, heard } = await begun()
    const reply = twin.inbox.reply(conversationId, 'secret')
    twin.inbox.redact(conversationId, reply.id)
    const event = (await heard()).at(-1)
    expect(event?.topic).toBe('conversation_part.redacted')
    expect(at(event, part)).toMatchObject({ id: reply.id, redacted: true, body: 'This message was deleted' })
  })

  it('deletes: the item then has no id', async () => {
    const { twin, conversationId, heard } = await begun()
    twin.inbox.deleteConversation(conversationId)
    const [event] = await heard()
    expect([event?.topic, event?.data.item]).toEqual([
      'conversation.deleted',
      { type: 'conversation', conversation_id: conversationId },
    ])
  })
})

describe('what is done through the API', () => {
  it('arrives too, marked as the work of an app', async () => {
    const { call, conversationId, contactId, heard } = await begun()
    const reply = `/conversations/${conversationId}/reply`
    await call('POST', reply, { message_type: 'comment', type: 'user', intercom_user_id: contactId, body: 'Me' })
    await call('POST', reply, { message_type: 'comment', type: 'admin', admin_id: ada.id, body: 'Us' })
    await call('POST', reply, { message_type: 'note', type: 'admin', admin_id: ada.id, body: 'Psst' })
    const events = await heard()
    const facts = events.map((event) => [
      event.topic,
      at(event, `${part}.author.type`),
      at(event, `${part}.app_package_code`),
    ])
    expect(facts).toEqual([
      ['conversation.user.replied', 'lead', 'test-integration'],
      ['conversation.admin.replied', 'admin', 'test-integration'],
      ['conversation.admin.noted', 'admin', 'test-integration'],
    ])
  })

  it('begins a conversation with its message in the source and no part', async () => {
    const { hub, lead, twin } = await startHubStage()
    const { conversationId } = await lead('Hello there')
    await twin.idle()
    const created = hub.received.find(({ event }) => event.topic === 'conversation.user.created')?.event
    expect(at(created, 'data.item.id')).toBe(conversationId)
    expect(at(created, 'data.item.source.body')).toBe('Hello there')
    expect(at(created, 'data.item.conversation_parts')).toEqual({
      type: 'conversation_part.list',
      total_count: 0,
      conversation_parts: [],
    })
  })
})

describe('contacts', () => {
  it('arrive with two fields no schema lists, and ISO times in the dialect of 2.14', async () => {
    for (const [dialect, createdAt] of [
      ['2.14', '2026-11-02T12:00:00.000+00:00'],
      ['2.15', startSeconds],
    ] as const) {
      const { hub, twin } = await startHubStage({ dialect })
      const contact = twin.inbox.createContact({ role: 'lead', name: 'Rose' })
      await twin.idle()
      expect(hub.topics()).toEqual(['contact.lead.created'])
      expect(hub.received[0]?.event.data.item).toMatchObject({
        type: 'contact',
        id: contact.id,
        sms_consent: false,
        unsubscribed_from_sms: false,
        created_at: createdAt,
      })
    }
  })

  it('arrive when changed, tagged, archived, merged and deleted', async () => {
    const { hub, twin, client } = await startHubStage()
    const lead = twin.inbox.createContact({ role: 'lead', phone: 'a' })
    const user = twin.inbox.createContact({ role: 'user', externalId: 'x' })
    await client.contacts.update({ contact_id: lead.id, phone: 'b' })
    const tag = await client.tags.create({ name: 'VIP' })
    await client.tags.tagContact({ contact_id: user.id, id: tag.id ?? '' })
    twin.inbox.mergeContact(lead.id, user.id)
    twin.inbox.archiveContact(user.id)
    await client.contacts.unarchive({ contact_id: user.id })
    await client.contacts.delete({ contact_id: user.id })
    await twin.idle()
    const items = new Map(hub.received.map(({ event }) => [event.topic, event.data.item]))
    const reference = { type: 'contact', id: user.id, external_id: 'x' }
    expect(items.get('contact.lead.updated')).toMatchObject({ id: lead.id, phone: 'b' })
    expect(items.get('contact.user.tag.created')).toMatchObject({
      type: 'contact_tag',
      tag: { type: 'tag', id: tag.id, name: 'VIP' },
      contact: { id: user.id },
    })
    expect(items.get('contact.merged')).toMatchObject({ id: user.id, merged_from: { type: 'contact', id: lead.id } })
    expect(items.get('contact.archived')).toEqual({ ...reference, archived: true })
    expect(items.get('contact.unarchive')).toEqual({ ...reference, archived: false })
    expect(items.get('contact.deleted')).toEqual({ ...reference, deleted: true })
    expect(twin.contacts().map((one) => [one.id, one.mergedInto])).toEqual([[lead.id, user.id]])
  })
})

it('the books tell their readers of every change', async () => {
  const { twin, lead } = await startHubStage()
  const seen: unknown[] = []
  const stop = twin.subscribe((event) => {
    if (event.type === 'conversation') seen.push(event.conversation.parts.at(-1)?.body)
  })
  const { conversationId } = await lead()
  twin.inbox.reply(conversationId, 'Hi')
  stop()
  twin.inbox.reply(conversationId, 'Unheard')
  expect(seen).toEqual([undefined, '<p>Hi</p>'])
  expect(twin.conversations()[0]?.createdAt).toBe(start)
})
