import { describe, expect, it } from 'vitest'
import { at, errorOf, text } from './json.js'
import { phone, startSeconds, startStage, useStages } from './stage.js'

useStages()

describe('a new contact', () => {
  it('of role lead needs no more than a phone, and is given an external id', async () => {
    const { client } = await startStage()
    const lead = await client.contacts.create({ role: 'lead', phone, name: 'Rose' })
    expect(lead).toMatchObject({
      type: 'contact',
      role: 'lead',
      phone,
      name: 'Rose',
      created_at: startSeconds,
      last_replied_at: null,
    })
    expect(lead.id).toMatch(/^[0-9a-f]{24}$/)
    expect(lead.external_id).toMatch(/^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-a[0-9a-f]{3}-[0-9a-f]{12}$/)
  })

  it('is answered 200, not 201', async () => {
    const { call } = await startStage()
    expect((await call('POST', '/contacts', { role: 'lead' })).status).toBe(200)
  })

  it('of role lead cannot be given an external id', async () => {
    const { call } = await startStage()
    const answer = await call('POST', '/contacts', { role: 'lead', external_id: 'sms:1' })
    expect(errorOf(answer).slice(0, 2)).toEqual([400, 'parameter_invalid'])
  })

  it('of role user needs an external id or an e-mail address', async () => {
    const { call } = await startStage()
    expect((await call('POST', '/contacts', { role: 'user', phone })).status).toBe(400)
    expect((await call('POST', '/contacts', { phone })).status).toBe(400)
  })

  it('with a known external id is a 409 that names the one there is', async () => {
    const { call } = await startStage()
    const first = await call('POST', '/contacts', { external_id: `sms:${phone}` })
    const second = await call('POST', '/contacts', { external_id: `sms:${phone}` })
    expect(errorOf(second)).toEqual([
      409,
      'conflict',
      `A contact matching those details already exists with id=${text(first.body, 'id')}`,
    ])
  })

  it('with the external id of an archived one is a 409 that says so', async () => {
    const { call, client } = await startStage()
    const first = await client.contacts.create({ external_id: 'a' })
    await client.contacts.archive({ contact_id: first.id ?? '' })
    expect(errorOf(await call('POST', '/contacts', { external_id: 'a' }))).toEqual([
      409,
      'conflict',
      `An archived contact matching those details already exists with id=${first.id}`,
    ])
  })

  it('may share its phone with any number of others, and a lead its e-mail too', async () => {
    const { call } = await startStage()
    const lead = { role: 'lead', phone, email: 'rose@example.com' }
    const statuses = [lead, lead, { role: 'user', email: 'rose@example.com', phone }].map(
      async (body) => (await call('POST', '/contacts', body)).status,
    )
    expect(await Promise.all(statuses)).toEqual([200, 200, 200])
    expect((await call('POST', '/contacts', { role: 'user', email: 'Rose@example.com' })).status).toBe(409)
  })

  it('cannot carry a custom attribute that does not exist', async () => {
    const { call } = await startStage()
    const body = { role: 'lead', custom_attributes: { sms_opted_out: true } }
    expect(at((await call('POST', '/contacts', body)).body, 'custom_attributes')).toEqual({ sms_opted_out: true })
    const unknown = await call('POST', '/contacts', { role: 'lead', custom_attributes: { nickname: 'R' } })
    expect(errorOf(unknown).slice(0, 2)).toEqual([400, 'parameter_invalid'])
  })

  it('cannot be owned by a stranger', async () => {
    const { call } = await startStage()
    expect(errorOf(await call('POST', '/contacts', { role: 'lead', owner_id: 999 }))).toEqual([
      400,
      'parameter_invalid',
      'The owner specified is not a member of the workspace',
    ])
  })

  it('is found at once by id, and by external id when it is a user', async () => {
    const { call, client } = await startStage()
    const user = await client.contacts.create({ external_id: `sms:${phone}` })
    expect((await client.contacts.find({ contact_id: user.id ?? '' })).id).toBe(user.id)
    expect((await client.contacts.showContactByExternalId({ external_id: `sms:${phone}` })).id).toBe(user.id)
    const lead = await client.contacts.create({ role: 'lead' })
    const answer = await call('GET', `/contacts/find_by_external_id/${lead.external_id}`)
    expect(errorOf(answer)).toEqual([404, 'not_found', 'User Not Found'])
  })
})

describe('a contact', () => {
  it('keeps the attributes an update does not name', async () => {
    const { client, call } = await startStage({ contactAttributes: ['a', 'b'] })
    const lead = await client.contacts.create({ role: 'lead', phone, custom_attributes: { a: 1 } })
    await client.contacts.update({ contact_id: lead.id ?? '', name: 'Rose', custom_attributes: { b: 2 } })
    const { body } = await call('GET', `/contacts/${lead.id}`)
    expect(body).toMatchObject({ phone, name: 'Rose', custom_attributes: { a: 1, b: 2 } })
  })

  it('that is archived is out of sight until it is unarchived', async () => {
    const { client, call } = await startStage()
    const { id = '' } = await client.contacts.create({ external_id: 'a' })
    expect(await client.contacts.archive({ contact_id: id })).toEqual({
      type: 'contact',
      id,
      external_id: 'a',
      archived: true,
    })
    expect((await call('GET', `/contacts/${id}`)).status).toBe(404)
    expect((await call('GET', '/contacts/find_by_external_id/a')).status).toBe(404)
    await client.contacts.unarchive({ contact_id: id })
    expect((await call('GET', `/contacts/${id}`)).status).toBe(200)
  })

  it('that is deleted is gone', async () => {
    const { client, call } = await startStage()
    const { id = '' } = await client.contacts.create({ external_id: 'a' })
    expect(await client.contacts.delete({ contact_id: id })).toMatchObject({ id, deleted: true })
    expect(errorOf(await call('GET', `/contacts/${id}`))).toEqual([404, 'not_found', 'User Not Found'])
  })

  it('that is merged away is 404, and 410 with a link from 2.16 on; its conversations follow', async () => {
    const { client, call, clock, lead, twin } = await startStage()
    const { contactId, conversationId } = await lead()
    const user = await client.contacts.create({ external_id: 'a' })
    const merged = await client.contacts.mergeLeadInUser({ from: contactId, into: user.id ?? '' })
    expect(merged).toMatchObject({ id: user.id, phone, external_id: 'a' })
    expect((await call('GET', `/contacts/${contactId}`)).status).toBe(404)
    const gone = await call('GET', `/contacts/${contactId}`, undefined, { 'intercom-version': '2.16' })
    expect(errorOf(gone).slice(0, 2)).toEqual([410, 'contact_merged'])
    expect(gone.headers.get('link')).toBe(`</contacts/${user.id}>`)
    expect(twin.conversations().map((one) => [one.id, one.contactId])).toEqual([[conversationId, user.id]])
    await clock.advance(3000)
    const query = { field: 'role', operator: '=', value: 'lead' }
    expect(at((await call('POST', '/contacts/search', { query })).body, 'total_count')).toBe(0)
  })

  it('of role user cannot be merged away', async () => {
    const { client, call } = await startStage()
    const one = await client.contacts.create({ external_id: 'a' })
    const other = await client.contacts.create({ external_id: 'b' })
    expect((await call('POST', '/contacts/merge', { from: one.id, into: other.id })).status).toBe(400)
  })

  it('can be tagged and untagged', async () => {
    const { client, call } = await startStage()
    const { id: contact_id = '' } = await client.contacts.create({ role: 'lead' })
    const tag = await client.tags.create({ name: 'VIP' })
    const applied = await client.tags.tagContact({ contact_id, id: tag.id ?? '' })
    expect(applied).toMatchObject({ type: 'tag', id: tag.id, name: 'VIP', applied_at: startSeconds })
    expect((await client.contacts.listAttachedTags({ contact_id })).data).toEqual([applied])
    await client.tags.untagContact({ contact_id, tag_id: tag.id ?? '' })
    expect((await client.contacts.listAttachedTags({ contact_id })).data).toEqual([])
    expect(errorOf(await call('POST', `/contacts/${contact_id}/tags`, { id: '1' }))).toEqual([
      404,
      'not_found',
      'Resource Not Found',
    ])
  })

  it('is listed with all others, page by page', async () => {
    const { client, call } = await startStage()
    for (const external_id of ['a', 'b', 'c']) await client.contacts.create({ external_id })
    const first = await call('GET', '/contacts?per_page=2')
    expect(at(first.body, 'pages')).toMatchObject({ type: 'pages', page: 1, per_page: 2, total_pages: 2 })
    const all: (string | undefined | null)[] = []
    for await (const contact of await client.contacts.list({ per_page: 2 })) all.push(contact.external_id)
    expect(all).toEqual(['a', 'b', 'c'])
  })
})
