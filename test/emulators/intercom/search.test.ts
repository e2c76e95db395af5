import { describe, expect, it } from 'vitest'
import { at, errorOf, text } from './json.js'
import { phone, type Stage, startSeconds, startStage, useStages } from './stage.js'

useStages()

async function found({ call }: Stage, kind: 'contacts' | 'conversations', query: unknown): Promise<unknown> {
  const { body } = await call('POST', `/${kind}/search`, { query })
  const rows = at(body, kind === 'contacts' ? 'data' : 'conversations')
  return Array.isArray(rows) ? rows.map((row) => at(row, kind === 'contacts' ? 'phone' : 'id')) : body
}

const filter = (field: string, operator: string, value: unknown) => ({ field, operator, value })

describe('search of contacts', () => {
  it('finds a new contact only when the index has caught up', async () => {
    const { client, clock } = await startStage()
    await client.contacts.create({ role: 'lead', phone })
    const query = { field: 'phone', operator: '=', value: phone } as const
    expect((await client.contacts.search({ query })).data).toEqual([])
    await clock.advance(2999)
    expect((await client.contacts.search({ query })).data).toEqual([])
    await clock.advance(1)
    expect((await client.contacts.search({ query })).data.map((one) => one.phone)).toEqual([phone])
  })

  it('goes on finding a changed phone by the old number until the index has caught up', async () => {
    const stage = await startStage()
    const contact = await stage.client.contacts.create({ role: 'lead', phone })
    await stage.clock.advance(3000)
    await stage.client.contacts.update({ contact_id: contact.id ?? '', phone: '+15550100188' })
    expect(await found(stage, 'contacts', filter('phone', '=', phone))).toEqual(['+15550100188'])
    expect(await found(stage, 'contacts', filter('phone', '=', '+15550100188'))).toEqual([])
    await stage.clock.advance(3000)
    expect(await found(stage, 'contacts', filter('phone', '=', phone))).toEqual([])
    expect(await found(stage, 'contacts', filter('phone', '=', '+15550100188'))).toEqual(['+15550100188'])
  })

  it('compares phone as it was written and formatted_phone as E.164', async () => {
    const stage = await startStage({ indexLagMs: 0 })
    for (const written of ['+1 (555) 010-0177', '0015550100177', '5550100177']) {
      await stage.client.contacts.create({ role: 'lead', phone: written })
    }
    expect(await found(stage, 'contacts', filter('phone', '=', phone))).toEqual([])
    const query = filter('formatted_phone', '=', phone)
    expect(await found(stage, 'contacts', query)).toEqual(['+1 (555) 010-0177', '0015550100177'])
  })

  it('joins filters with AND and OR, two levels deep', async () => {
    const stage = await startStage({ indexLagMs: 0 })
    await stage.client.contacts.create({ role: 'lead', phone: 'a' })
    await stage.client.contacts.create({ external_id: 'x', phone: 'b' })
    await stage.client.contacts.create({ external_id: 'y', phone: 'c' })
    const or = { operator: 'OR', value: [filter('phone', '=', 'a'), filter('phone', '=', 'b')] }
    expect(await found(stage, 'contacts', or)).toEqual(['a', 'b'])
    const and = { operator: 'AND', value: [or, { operator: 'AND', value: [filter('role', '=', 'user')] }] }
    expect(await found(stage, 'contacts', and)).toEqual(['b'])
    const tooDeep = { operator: 'AND', value: [{ operator: 'AND', value: [or] }] }
    expect(errorOf(await stage.call('POST', '/contacts/search', { query: tooDeep })).slice(0, 2)).toEqual([
      400,
      'parameter_invalid',
    ])
    const tooMany = { operator: 'OR', value: Array.from({ length: 16 }, () => filter('phone', '=', 'a')) }
    expect((await stage.call('POST', '/contacts/search', { query: tooMany })).status).toBe(400)
  })

  it.each([
    ['=', 'bravo', ['bravo']],
    ['!=', 'bravo', ['alpha', 'charlie']],
    ['IN', ['alpha', 'bravo'], ['alpha', 'bravo']],
    ['NIN', ['alpha', 'bravo'], ['charlie']],
    ['~', 'RAV', ['bravo']],
    ['!~', 'a', []],
    ['^', 'al', ['alpha']],
    ['$', 'lie', ['charlie']],
  ])('knows %s on strings', async (operator, value, expected) => {
    const stage = await startStage({ indexLagMs: 0 })
    for (const one of ['alpha', 'bravo', 'charlie']) await stage.client.contacts.create({ role: 'lead', phone: one })
    expect(await found(stage, 'contacts', filter('phone', operator, value))).toEqual(expected)
  })

  it('knows e-mail, external id, role, tag and custom attributes', async () => {
    const stage = await startStage({ indexLagMs: 0 })
    const { client } = stage
    const attributes = { custom_attributes: { sms_opted_out: true } }
    const user = await client.contacts.create({ external_id: 'x', phone: 'b', ...attributes })
    await client.contacts.update({ contact_id: user.id ?? '', email: 'rose@example.com' })
    await client.contacts.create({ role: 'lead', phone: 'a' })
    const tag = await client.tags.create({ name: 'VIP' })
    await client.tags.tagContact({ contact_id: user.id ?? '', id: tag.id ?? '' })
    for (const query of [
      filter('email', '=', 'rose@example.com'),
      filter('external_id', '=', 'x'),
      filter('role', '=', 'user'),
      filter('tag_id', '=', tag.id),
      filter('custom_attributes.sms_opted_out', '=', true),
    ]) {
      expect(await found(stage, 'contacts', query)).toEqual(['b'])
    }
    expect((await stage.call('POST', '/contacts/search', { query: filter('tag_id', 'IN', [tag.id]) })).status).toBe(400)
    expect((await stage.call('POST', '/contacts/search', { query: filter('shoe_size', '=', 1) })).status).toBe(400)
  })

  it('compares dates by the day, and has no >= for them', async () => {
    const stage = await startStage({ indexLagMs: 0 })
    await stage.client.contacts.create({ role: 'lead', phone })
    expect(await found(stage, 'contacts', filter('created_at', '>', startSeconds - 3600))).toEqual([])
    expect(await found(stage, 'contacts', filter('created_at', '>', startSeconds - 86_400))).toEqual([phone])
    expect(await found(stage, 'contacts', filter('created_at', '=', startSeconds + 3600))).toEqual([phone])
    for (const operator of ['!=', '>=', '<=', 'IN']) {
      const value = operator === 'IN' ? [startSeconds] : startSeconds
      const answer = await stage.call('POST', '/contacts/search', { query: filter('created_at', operator, value) })
      expect(answer.status).toBe(400)
    }
  })

  it('sorts as asked, pages by a cursor, and refuses an order it does not know', async () => {
    const stage = await startStage({ indexLagMs: 0 })
    const { call, clock, client } = stage
    for (const one of ['a', 'b', 'c']) {
      await client.contacts.create({ role: 'lead', phone: one })
      await clock.advance(1000)
    }
    const query = filter('role', '=', 'lead')
    const sort = { field: 'updated_at', order: 'descending' }
    const first = await call('POST', '/contacts/search', { query, sort, pagination: { per_page: 2 } })
    expect([at(first.body, 'data.0.phone'), at(first.body, 'data.1.phone')]).toEqual(['c', 'b'])
    expect(first.body).toMatchObject({
      total_count: 3,
      pages: { type: 'pages', page: 1, per_page: 2, total_pages: 2, next: { per_page: 2 } },
    })
    const starting_after = text(first.body, 'pages.next.starting_after')
    const second = await call('POST', '/contacts/search', { query, sort, pagination: { per_page: 2, starting_after } })
    expect(at(second.body, 'data.0.phone')).toBe('a')
    expect(at(second.body, 'pages')).toEqual({ type: 'pages', page: 2, per_page: 2, total_pages: 2 })
    const bad = await call('POST', '/contacts/search', { query, sort: { field: 'updated_at', order: 'up' } })
    expect(errorOf(bad).slice(0, 2)).toEqual([400, 'invalid_sort_order'])
  })

  it('goes through all pages with the SDK', async () => {
    const { client } = await startStage({ indexLagMs: 0 })
    for (const one of ['a', 'b', 'c']) await client.contacts.create({ role: 'lead', phone: one })
    const pages = await client.contacts.search({
      query: { field: 'role', operator: '=', value: 'lead' },
      pagination: { per_page: 1 },
    })
    const phones: unknown[] = []
    for await (const contact of pages) phones.push(contact.phone)
    expect(phones).toEqual(['a', 'b', 'c'])
  })
})

describe('search of conversations', () => {
  it('finds the open ones of a contact, late, without their parts', async () => {
    const stage = await startStage()
    const { contactId, conversationId } = await stage.lead()
    const open = { operator: 'AND', value: [filter('contact_ids', '=', contactId), filter('open', '=', true)] }
    expect(await found(stage, 'conversations', open)).toEqual([])
    await stage.clock.advance(3000)
    const { body } = await stage.call('POST', '/conversations/search', { query: open })
    expect(body).toMatchObject({ type: 'conversation.list', total_count: 1, conversations: [{ id: conversationId }] })
    expect(at(body, 'conversations.0.conversation_parts')).toBeUndefined()
    expect(at(body, 'pages.per_page')).toBe(20)
  })

  it('goes on finding a closed one as open until the index has caught up, showing its true state', async () => {
    const stage = await startStage()
    const { conversationId } = await stage.lead()
    await stage.clock.advance(3000)
    stage.twin.inbox.close(conversationId)
    const { body } = await stage.call('POST', '/conversations/search', { query: filter('open', '=', true) })
    expect(at(body, 'conversations.0.state')).toBe('closed')
    await stage.clock.advance(3000)
    expect(await found(stage, 'conversations', filter('open', '=', true))).toEqual([])
  })

  it('counts the snoozed among the open', async () => {
    const stage = await startStage({ indexLagMs: 0 })
    const { conversationId } = await stage.lead()
    stage.twin.inbox.snooze(conversationId, stage.clock.now() + 60_000)
    expect(await found(stage, 'conversations', filter('open', '=', true))).toEqual([conversationId])
    expect(await found(stage, 'conversations', filter('state', '=', 'snoozed'))).toEqual([conversationId])
  })

  it('compares dates to the second, including the second itself', async () => {
    const stage = await startStage({ indexLagMs: 0 })
    const { conversationId } = await stage.lead()
    for (const field of ['updated_at', 'waiting_since', 'statistics.last_contact_reply_at']) {
      expect(await found(stage, 'conversations', filter(field, '>', startSeconds))).toEqual([conversationId])
      expect(await found(stage, 'conversations', filter(field, '<', startSeconds))).toEqual([conversationId])
      expect(await found(stage, 'conversations', filter(field, '>', startSeconds + 1))).toEqual([])
    }
  })

  it('knows tags, assignees and single words of the first message', async () => {
    const stage = await startStage({ indexLagMs: 0 })
    const { conversationId } = await stage.lead('I need support')
    stage.twin.inbox.tag(conversationId, 'Urgent')
    stage.twin.inbox.assign(conversationId, { type: 'team', id: '201' })
    const { tags } = stage.twin.conversations()[0] ?? { tags: [] }
    for (const query of [
      filter('tag_ids', 'IN', [tags[0]?.id]),
      filter('team_assignee_id', '=', 201),
      filter('source.body', '=', 'support'),
    ]) {
      expect(await found(stage, 'conversations', query)).toEqual([conversationId])
    }
    expect(await found(stage, 'conversations', filter('source.body', '=', 'need support'))).toEqual([])
  })

  it('loses a deleted one at once', async () => {
    const stage = await startStage({ indexLagMs: 0 })
    const { conversationId } = await stage.lead()
    stage.twin.inbox.deleteConversation(conversationId)
    expect(await found(stage, 'conversations', filter('state', '=', 'open'))).toEqual([])
  })
})
