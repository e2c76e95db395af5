import { afterEach, describe, expect, it } from 'vitest'
import { systemClock } from '../../src/clock.js'
import { startIntercomTwin } from '../../src/emulators/intercom/server.js'
import { createIntercomClient } from '../../src/intercom/client.js'
import { createIntercomInbox, type InboxParts } from '../../src/intercom/inbox.js'
import type { ContactId, ConversationId } from '../../src/message.js'
import type { PhoneNumber } from '../../src/phone.js'
import { createTransport } from '../../src/transport.js'
import { liveCall, openLimiter, sendJson, startVendorServer } from '../support/vendor-server.js'

const accessToken = 'fake-access-token'
const phone = '+15550100177' as PhoneNumber
const nothing = '999999999999' as ConversationId
const nobody = 'ffffffffffffffffffffffff' as ContactId

const stops: (() => Promise<void>)[] = []
afterEach(async () => {
  for (const stop of stops.splice(0)) await stop()
})

function partsFor(baseUrl: string): InboxParts {
  const transport = createTransport({ clock: systemClock, limiter: openLimiter().limiter, deadlineMs: 2000 })
  return { accessToken, baseUrl, transport, clock: systemClock, adminId: '501' }
}

/** A twin with one conversation, seen from both its sides. */
async function setUp() {
  const twin = await startIntercomTwin({
    accessToken,
    clientSecret: 'fake-client-secret',
    admins: [{ id: '501', name: 'Ada', email: 'ada@example.com' }],
    teams: [{ id: '814', name: 'Support', adminIds: ['501'] }],
  })
  stops.push(() => twin.stop())
  const parts = partsFor(twin.url)
  const client = createIntercomClient(parts)
  const contact = await client.createLead({ phone, customAttributes: {} }, liveCall)
  const { conversationId: id } = await client.createConversation(contact, '<p>Hello</p>', liveCall)
  const book = () => {
    const found = twin.conversations().find((one) => one.id === id)
    if (found === undefined) throw new Error('the conversation is gone')
    return found
  }
  return { twin, client, inbox: createIntercomInbox(parts), contact, id, book }
}

describe('a teammate', () => {
  it('writes to the customer, and a note to the others', async () => {
    const { inbox, id, book } = await setUp()
    const replied = await inbox.reply(id, '<p>On its <b>way</b></p>', liveCall)
    const noted = await inbox.note(id, '<p>VIP</p>', liveCall)
    expect(replied.parts.at(-1)).toMatchObject({ partType: 'comment', author: { type: 'admin', id: '501' } })
    expect(noted.parts.at(-1)).toMatchObject({ partType: 'note', body: '<p>VIP</p>' })
    expect(book().parts.map(({ partType, body, viaApi }) => [partType, body, viaApi])).toEqual([
      ['comment', '<p>On its <b>way</b></p>', true],
      ['note', '<p>VIP</p>', true],
    ])
  })

  it('closes, and reopens by assigning', async () => {
    const { inbox, id, book } = await setUp()
    await inbox.close(id, liveCall)
    expect(book().state).toBe('closed')
    await inbox.assign(id, { type: 'team', id: '814' }, liveCall)
    await inbox.assign(id, { type: 'team', id: '814' }, liveCall)
    await inbox.assign(id, { type: 'admin', id: '501' }, liveCall)
    expect(book()).toMatchObject({ state: 'open', teamAssigneeId: '814', adminAssigneeId: '501' })
    expect(book().parts.map(({ partType }) => partType)).toEqual(['close', 'assign_and_reopen', 'assignment'])
  })

  it('tags with a tag that is made when there is none of that name', async () => {
    const { inbox, id, book } = await setUp()
    const first = await inbox.tag(id, 'Urgent', liveCall)
    expect(await inbox.tag(id, 'urgent', liveCall)).toEqual(first)
    expect(book().tags.map(({ name }) => name)).toEqual(['Urgent'])
    expect(await inbox.tag(nothing, 'Urgent', liveCall)).toBeUndefined()
  })

  it('lists conversations at once, though search does not find them yet', async () => {
    const { inbox, client, contact, id } = await setUp()
    expect((await inbox.listConversations(liveCall)).map((one) => [one.id, one.source.body])).toEqual([
      [id, '<p>Hello</p>'],
    ])
    expect(await client.searchConversations(contact.id, liveCall)).toEqual([])
  })

  it('takes conversation and contact away, once or twice', async () => {
    const { inbox, client, twin, contact, id } = await setUp()
    for (const _ of ['once', 'twice']) {
      await inbox.deleteConversation(id, liveCall)
      await inbox.archiveContact(contact.id, liveCall)
    }
    await inbox.archiveContact(nobody, liveCall)
    expect(twin.conversations()).toEqual([])
    expect(twin.contacts().map(({ archived }) => archived)).toEqual([true])
    expect(await client.getContact(contact.id, liveCall)).toBeUndefined()
  })

  it('is told when the app may not delete conversations', async () => {
    const errors = [{ code: 'forbidden', message: 'You do not have the required scope' }]
    const server = await startVendorServer((response) =>
      sendJson(response, 403, { type: 'error.list', request_id: 'r', errors }),
    )
    stops.push(() => server.stop())
    const inbox = createIntercomInbox(partsFor(server.url))
    await expect(inbox.deleteConversation(nothing, liveCall)).rejects.toMatchObject({ status: 403, code: 'forbidden' })
    expect(server.seen.map(({ method, url }) => `${method} ${url}`)).toEqual([`DELETE /conversations/${nothing}`])
  })

  it('notifies nobody where that is wished', async () => {
    const conversation = { id: '1', state: 'open', created_at: 1, updated_at: 1 }
    const server = await startVendorServer((response) => sendJson(response, 200, conversation))
    stops.push(() => server.stop())
    const body = { message_type: 'note', type: 'admin', admin_id: '501', body: '<p>x</p>' }
    await createIntercomInbox(partsFor(server.url)).note(nothing, '<p>x</p>', liveCall)
    await createIntercomInbox({ ...partsFor(server.url), skipNotifications: true }).note(nothing, '<p>x</p>', liveCall)
    expect(server.seen.map((one) => JSON.parse(one.body))).toEqual([body, { ...body, skip_notifications: true }])
  })
})
