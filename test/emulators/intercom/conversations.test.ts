import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { describe, expect, it } from 'vitest'
import { at, errorOf, text } from './json.js'
import { ada, startSeconds, startStage, useStages } from './stage.js'

useStages()

describe('a conversation begun by a contact', () => {
  it('answers with the message, not with the conversation', async () => {
    const { client } = await startStage()
    const contact = await client.contacts.create({ role: 'lead' })
    const from = { type: 'lead', id: contact.id ?? '' } as const
    const message = await client.conversations.create({ from, body: 'Hello there' })
    expect(message).toEqual({
      type: 'user_message',
      id: message.id,
      created_at: startSeconds,
      body: 'Hello there',
      message_type: 'inapp',
      conversation_id: message.conversation_id,
    })
    expect(message.conversation_id).toMatch(/^\d{15}$/)
  })

  it('is open, unassigned and waiting, its first message wrapped in HTML', async () => {
    const { client, lead } = await startStage()
    const { contactId, conversationId } = await lead('Hello there')
    const conversation = await client.conversations.find({ conversation_id: conversationId })
    expect(conversation).toMatchObject({
      type: 'conversation',
      state: 'open',
      open: true,
      read: false,
      waiting_since: startSeconds,
      admin_assignee_id: null,
      team_assignee_id: null,
      source: {
        delivered_as: 'customer_initiated',
        body: '<p>Hello there</p>',
        author: { type: 'lead', id: contactId, email: '' },
      },
      contacts: { type: 'contact.list', contacts: [{ type: 'contact', id: contactId }] },
      conversation_parts: { type: 'conversation_part.list', conversation_parts: [], total_count: 0 },
    })
  })

  it('needs a contact that exists', async () => {
    const { call } = await startStage()
    const answer = await call('POST', '/conversations', { from: { type: 'lead', id: '0'.repeat(24) }, body: 'Hi' })
    expect(errorOf(answer)).toEqual([404, 'not_found', 'User Not Found'])
  })

  it('needs a contact that is known by now', async () => {
    const { call, clock } = await startStage({ newContactLagMs: 2000 })
    const contact = await call('POST', '/contacts', { role: 'lead' })
    const body = { from: { type: 'lead', id: at(contact.body, 'id') }, body: 'Hi' }
    expect(errorOf(await call('POST', '/conversations', body))).toEqual([404, 'not_found', 'User Not Found'])
    await clock.advance(2000)
    expect((await call('POST', '/conversations', body)).status).toBe(200)
  })

  it('needs something to say', async () => {
    const { call } = await startStage()
    const contact = await call('POST', '/contacts', { role: 'lead' })
    const body = { from: { type: 'lead', id: at(contact.body, 'id') }, body: '<foo></foo>' }
    expect(errorOf(await call('POST', '/conversations', body)).slice(0, 2)).toEqual([400, 'parameter_missing'])
  })

  it('shows the contact as one who replied', async () => {
    const { call, lead } = await startStage()
    const { contactId } = await lead()
    expect(at((await call('GET', `/contacts/${contactId}`)).body, 'last_replied_at')).toBe(startSeconds)
  })
})

describe('a reply of the contact', () => {
  it('is a comment, and leaves the time since when they wait alone', async () => {
    const { client, clock, lead } = await startStage()
    const { contactId, conversationId } = await lead()
    await clock.advance(60_000)
    const conversation = await client.conversations.reply({
      conversation_id: conversationId,
      body: { message_type: 'comment', type: 'user', intercom_user_id: contactId, body: 'Anyone?' },
    })
    expect(conversation).toMatchObject({
      waiting_since: startSeconds,
      updated_at: startSeconds + 60,
      conversation_parts: {
        conversation_parts: [
          {
            part_type: 'comment',
            body: '<p>Anyone?</p>',
            author: { type: 'lead', id: contactId },
            app_package_code: 'test-integration',
          },
        ],
      },
    })
  })

  it('to a closed conversation reopens it and is of part type open, body and all', async () => {
    const { client, lead, twin } = await startStage()
    const { contactId, conversationId } = await lead()
    twin.inbox.reply(conversationId, 'Bye', { and: 'close' })
    const conversation = await client.conversations.reply({
      conversation_id: conversationId,
      body: { message_type: 'comment', type: 'user', intercom_user_id: contactId, body: 'Wait' },
    })
    expect(conversation).toMatchObject({ state: 'open', open: true, waiting_since: startSeconds })
    expect(conversation.statistics?.count_reopens).toBe(1)
    expect(conversation.conversation_parts?.conversation_parts?.at(-1)).toMatchObject({
      part_type: 'open',
      body: '<p>Wait</p>',
    })
  })

  it('may go to the last conversation, and never to another contact’s', async () => {
    const { call, lead } = await startStage()
    const first = await lead()
    const body = { message_type: 'comment', type: 'user', intercom_user_id: first.contactId, body: 'Me again' }
    const last = await call('POST', '/conversations/last/reply', body)
    expect(at(last.body, 'id')).toBe(first.conversationId)
    const second = await lead()
    expect((await call('POST', `/conversations/${second.conversationId}/reply`, body)).status).toBe(404)
    expect(errorOf(await call('POST', '/conversations/1/reply', body))).toEqual([
      404,
      'not_found',
      'Resource Not Found',
    ])
  })

  it('may come with files, which the twin keeps and hands out for half an hour', async () => {
    const { call, clock, lead } = await startStage()
    const { contactId, conversationId } = await lead()
    const file = { content_type: 'image/png', data: Buffer.from('pixels').toString('base64'), name: 'a b.png' }
    const answer = await call('POST', `/conversations/${conversationId}/reply`, {
      message_type: 'comment',
      type: 'user',
      intercom_user_id: contactId,
      body: '',
      attachment_files: [file],
    })
    const attachment = at(answer.body, 'conversation_parts.conversation_parts.0.attachments.0')
    expect(attachment).toMatchObject({ type: 'upload', name: 'a b.png', content_type: 'image/png', filesize: 6 })
    const url = text(attachment, 'url')
    expect(await (await fetch(url)).text()).toBe('pixels')
    expect((await fetch(url.replace(/signature=.{4}/, 'signature=0000'))).status).toBe(403)
    await clock.advance(30 * 60_000 + 1000)
    expect((await fetch(url)).status).toBe(403)
    const again = await call('GET', `/conversations/${conversationId}`)
    const fresh = text(again.body, 'conversation_parts.conversation_parts.0.attachments.0.url')
    expect((await fetch(fresh)).status).toBe(200)
  })

  it('may name attachments, which the twin fetches itself', async () => {
    const { call, lead, twin } = await startStage()
    const { contactId, conversationId } = await lead()
    const server = createServer((request, response) => {
      response.writeHead(request.url === '/cat.jpg' ? 200 : 401, { 'content-type': 'image/jpeg' }).end('cat')
    })
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
    const { port } = server.address() as AddressInfo // listening on TCP
    const reply = (name: string) =>
      call('POST', `/conversations/${conversationId}/reply`, {
        message_type: 'comment',
        type: 'user',
        intercom_user_id: contactId,
        body: '',
        attachment_urls: [`http://127.0.0.1:${port}/${name}`],
      })
    const [fetched, refused] = [await reply('cat.jpg'), await reply('private.jpg')]
    server.close()
    server.closeAllConnections()
    const attachment = at(fetched.body, 'conversation_parts.conversation_parts.0.attachments.0')
    expect(attachment).toMatchObject({ name: 'cat.jpg', content_type: 'image/jpeg', filesize: 3 })
    expect(text(attachment, 'url')).toContain(twin.url)
    expect(errorOf(refused).slice(0, 2)).toEqual([400, 'parameter_invalid'])
    expect(twin.conversations()[0]?.parts).toHaveLength(1)
  })
})

describe('an admin through the API', () => {
  it('comments, which ends the waiting', async () => {
    const { client, lead } = await startStage()
    const { conversationId: conversation_id } = await lead()
    const conversation = await client.conversations.reply({
      conversation_id,
      body: { message_type: 'comment', type: 'admin', admin_id: ada.id, body: 'On it' },
    })
    expect(conversation).toMatchObject({ waiting_since: null, read: true })
    expect(conversation.conversation_parts?.conversation_parts).toMatchObject([
      { part_type: 'comment', body: '<p>On it</p>', author: { type: 'admin', id: ada.id, email: ada.email } },
    ])
  })

  it('notes, which changes nothing else', async () => {
    const { client, lead } = await startStage()
    const { conversationId: conversation_id } = await lead()
    const conversation = await client.conversations.reply({
      conversation_id,
      body: { message_type: 'note', type: 'admin', admin_id: ada.id, body: '<b>VIP</b>' },
    })
    expect(conversation.waiting_since).toBe(startSeconds)
    expect(conversation.conversation_parts?.conversation_parts).toMatchObject([
      { part_type: 'note', body: '<p><b>VIP</b></p>' },
    ])
  })

  it('who does not exist is 404', async () => {
    const { call, lead } = await startStage()
    const { conversationId } = await lead()
    const body = { message_type: 'comment', type: 'admin', admin_id: '999', body: 'Hi' }
    const answer = await call('POST', `/conversations/${conversationId}/reply`, body)
    expect(errorOf(answer).slice(0, 2)).toEqual([404, 'admin_not_found'])
  })

  it('closes with a body: one part, of type close', async () => {
    const { client, lead } = await startStage()
    const { conversationId: conversation_id } = await lead()
    const conversation = await client.conversations.manage({
      conversation_id,
      body: { message_type: 'close', type: 'admin', admin_id: ada.id, body: 'Goodbye :)' },
    })
    expect(conversation).toMatchObject({ state: 'closed', open: false })
    expect(conversation.conversation_parts?.conversation_parts).toMatchObject([
      { part_type: 'close', body: '<p>Goodbye :)</p>' },
    ])
    expect(conversation.statistics).toMatchObject({ last_close_at: startSeconds, last_closed_by_id: ada.id })
  })

  it('opens, snoozes and assigns', async () => {
    const { client, clock, lead, twin } = await startStage()
    const { conversationId: conversation_id } = await lead()
    const manage = (body: Parameters<typeof client.conversations.manage>[0]['body']) =>
      client.conversations.manage({ conversation_id, body })
    await manage({ message_type: 'close', type: 'admin', admin_id: ada.id })
    await manage({ message_type: 'open', admin_id: ada.id })
    const until = startSeconds + 3600
    const snoozed = await manage({ message_type: 'snoozed', admin_id: ada.id, snoozed_until: until })
    expect(snoozed).toMatchObject({ state: 'snoozed', open: true, snoozed_until: until })
    await clock.advance(3600_000)
    expect(twin.conversations()[0]?.state).toBe('open')
    const assigned = await manage({ message_type: 'assignment', type: 'team', admin_id: ada.id, assignee_id: '201' })
    expect(assigned).toMatchObject({ team_assignee_id: 201, admin_assignee_id: null })
    const parts = assigned.conversation_parts?.conversation_parts?.map((part) => [part.part_type, part.body])
    expect(parts).toEqual([
      ['close', null],
      ['open', null],
      ['snoozed', null],
      ['assignment', null],
    ])
    const unassigned = await manage({ message_type: 'assignment', type: 'team', admin_id: ada.id, assignee_id: '0' })
    expect(unassigned.team_assignee_id).toBeNull()
  })

  it('cannot assign twice to the same team', async () => {
    const { call, lead } = await startStage()
    const { conversationId } = await lead()
    const body = { message_type: 'assignment', type: 'team', admin_id: ada.id, assignee_id: '201' }
    expect((await call('POST', `/conversations/${conversationId}/parts`, body)).status).toBe(200)
    const again = await call('POST', `/conversations/${conversationId}/parts`, body)
    expect(again.status).toBe(422)
    expect(errorOf(again)[2]).toContain('already assigned to the specified assignee')
  })

  it('reopens what is closed by assigning it', async () => {
    const { call, lead, twin } = await startStage()
    const { conversationId } = await lead()
    twin.inbox.close(conversationId)
    const body = { message_type: 'assignment', type: 'admin', admin_id: ada.id, assignee_id: 102 }
    const answer = await call('POST', `/conversations/${conversationId}/parts`, body)
    expect(answer.body).toMatchObject({ state: 'open', admin_assignee_id: 102 })
    expect(at(answer.body, 'conversation_parts.conversation_parts.1')).toMatchObject({
      part_type: 'assign_and_reopen',
      assigned_to: { type: 'admin', id: '102' },
    })
  })

  it('tags only with an admin id', async () => {
    const { client, call, lead } = await startStage()
    const { conversationId: conversation_id } = await lead()
    const { id = '' } = await client.tags.create({ name: 'Urgent' })
    const bare = await call('POST', `/conversations/${conversation_id}/tags`, { id })
    expect(errorOf(bare).slice(0, 2)).toEqual([400, 'parameter_missing'])
    const tag = await client.tags.tagConversation({ conversation_id, id, admin_id: ada.id })
    expect(tag).toMatchObject({ type: 'tag', id, name: 'Urgent', applied_by: { type: 'admin', id: ada.id } })
    expect((await client.conversations.find({ conversation_id })).tags?.tags).toEqual([tag])
    await client.tags.untagConversation({ conversation_id, tag_id: id, admin_id: ada.id })
    const gone = await call('DELETE', `/conversations/${conversation_id}/tags/${id}`, { admin_id: ada.id })
    expect(errorOf(gone)).toEqual([404, 'tag_not_found', 'Tag not found'])
    const nowhere = await call('POST', '/conversations/1/tags', { id, admin_id: ada.id })
    expect(errorOf(nowhere)).toEqual([404, 'not_found', 'Conversation not found'])
  })

  it('redacts a part or the first message', async () => {
    const { client, call, lead, twin } = await startStage()
    const { conversationId: conversation_id } = await lead('My card is 4111')
    const part = twin.inbox.reply(conversation_id, 'Oh no')
    const redacted = await client.conversations.redactConversationPart({
      type: 'conversation_part',
      conversation_id,
      conversation_part_id: part.id,
    })
    const deleted = '<p><i>This message was deleted</i></p>'
    expect(redacted.conversation_parts?.conversation_parts).toMatchObject([{ redacted: true, body: deleted }])
    const source_id = redacted.source?.id ?? ''
    const both = await client.conversations.redactConversationPart({ type: 'source', conversation_id, source_id })
    expect(both.source).toMatchObject({ redacted: true, body: deleted })
    const body = { type: 'conversation_part', conversation_id, conversation_part_id: '1' }
    expect(errorOf(await call('POST', '/conversations/redact', body)).slice(0, 2)).toEqual([
      404,
      'conversation_part_or_message_not_found',
    ])
    const silent = twin.inbox.close(conversation_id)
    const wordless = await call('POST', '/conversations/redact', { ...body, conversation_part_id: silent.id })
    expect(errorOf(wordless)[1]).toBe('conversation_part_not_redactable')
  })

  it('deletes, and then it is 404', async () => {
    const { client, call, lead } = await startStage()
    const { conversationId } = await lead()
    const deleted = await client.conversations.deleteConversation({ conversation_id: Number(conversationId) })
    expect(deleted).toEqual({ id: conversationId, object: 'conversation', deleted: true })
    expect(errorOf(await call('GET', `/conversations/${conversationId}`))).toEqual([
      404,
      'not_found',
      'Resource Not Found',
    ])
  })

  it('updates read and title, but no attribute that does not exist', async () => {
    const { client, call, lead } = await startStage()
    const { conversationId: conversation_id } = await lead()
    const updated = await client.conversations.update({ conversation_id, read: true, title: 'Order 7' })
    expect(updated).toMatchObject({ read: true, title: 'Order 7' })
    const unknown = await call('PUT', `/conversations/${conversation_id}`, { custom_attributes: { priority: 'High' } })
    expect(errorOf(unknown).slice(0, 2)).toEqual([400, 'parameter_invalid'])
  })
})

describe('a conversation read back', () => {
  it('shows the newest 500 parts alone', async () => {
    const { client, lead, twin } = await startStage()
    const { conversationId } = await lead()
    for (let index = 1; index <= 502; index += 1) twin.inbox.reply(conversationId, `${index}`)
    const conversation = await client.conversations.find({ conversation_id: conversationId })
    const bodies = conversation.conversation_parts?.conversation_parts?.map((part) => part.body)
    expect([bodies?.length, bodies?.[0], bodies?.at(-1)]).toEqual([500, '<p>3</p>', '<p>502</p>'])
  })

  it('is plain text when asked for', async () => {
    const { client, lead, twin } = await startStage()
    const { conversationId } = await lead('1 &lt; 2<br>really')
    twin.inbox.reply(conversationId, 'See <a href="https://example.com">this</a>')
    const asked = { conversation_id: conversationId, display_as: 'plaintext' }
    const conversation = await client.conversations.find(asked)
    expect(conversation.source?.body).toBe('1 < 2\nreally')
    expect(conversation.conversation_parts?.conversation_parts?.[0]?.body).toBe('See this (https://example.com)')
  })

  it('is in the list of all, page by page', async () => {
    const { client, lead } = await startStage()
    const made = [(await lead()).conversationId, (await lead()).conversationId, (await lead()).conversationId]
    const listed: unknown[] = []
    for await (const conversation of await client.conversations.list({ per_page: 2 })) listed.push(conversation.id)
    expect(listed).toEqual(made)
  })
})
