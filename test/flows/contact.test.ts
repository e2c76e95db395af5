import { describe, expect, it, onTestFinished } from 'vitest'
import { rankContacts } from '../../src/flows/contact.js'
import type { Contact } from '../../src/intercom/client.js'
import type { ContactId } from '../../src/message.js'
import { openTestBridge } from '../support/temp.js'
import { customer, ours, type TestBridge } from '../support/test-bridge.js'
import { type SeenRequest, sendJson, startVendorServer } from '../support/vendor-server.js'

const contact = (id: string, facts: Partial<Contact>): Contact => ({
  id: id as ContactId, // the brand is only made here
  role: 'lead',
  updatedAt: 0,
  createdAt: 0,
  ...facts,
})
const chosen = (...contacts: Contact[]) => rankContacts(contacts).map(({ id }) => id)

describe('of several contacts with one number', () => {
  it('a user comes before a lead, however active the lead', () => {
    expect(chosen(contact('lead', { lastRepliedAt: 9 }), contact('user', { role: 'user' }))).toEqual(['user', 'lead'])
  })

  it('who replied last comes first', () => {
    expect(chosen(contact('a', { lastRepliedAt: 1 }), contact('b', { lastRepliedAt: 2 }), contact('c', {}))).toEqual([
      'b',
      'a',
      'c',
    ])
  })

  it('then who was changed last, then the smaller id, so that the choice is always the same', () => {
    const all = [contact('c', { updatedAt: 1 }), contact('b', { updatedAt: 2 }), contact('a', { updatedAt: 1 })]
    expect(chosen(...all)).toEqual(['b', 'a', 'c'])
    expect(chosen(...all.toReversed())).toEqual(['b', 'a', 'c'])
  })
})

type OtherAnswers = (request: SeenRequest, world: TestBridge) => { status: number; json: unknown } | undefined

/** A bridge whose Intercom gives some answers that the twin never would, and leaves the others to it. */
async function openBehind(other: OtherAnswers, contactAttributes: readonly string[] = ['city']) {
  const opened: TestBridge[] = []
  const front = await startVendorServer(async (response, request) => {
    const [world] = opened
    if (world === undefined) throw new Error('a call before the bridge was there')
    const { method, url, body } = request
    const answer = other(request, world)
    if (answer !== undefined) return sendJson(response, answer.status, answer.json)
    const { authorization = '', accept = '' } = request.headers
    const headers = { authorization, accept, 'content-type': 'application/json' }
    const passed = await fetch(world.intercom.url + url, { method, headers, ...(method === 'POST' && { body }) })
    sendJson(response, passed.status, await passed.json())
  })
  onTestFinished(() => front.stop())
  const secrets = { accessToken: 'fake-access-token', clientSecret: 'fake-client-secret' }
  const world = await openTestBridge({
    config: { intercom: { ...secrets, region: 'us', baseUrl: front.url } },
    intercom: { contactAttributes, indexLagMs: 600_000 },
  })
  opened.push(world)
  return { world, front }
}

const errorList = (code: string, message: string) => ({ type: 'error.list', errors: [{ code, message }] })

async function textFromBoise(world: TestBridge) {
  world.twilio.text({ from: customer, to: ours, body: 'Hi', geo: { city: 'BOISE' } })
  await world.settled()
}

describe('a text is in the inbox', () => {
  it('though the token may neither read data attributes nor assign', async () => {
    const { world, front } = await openBehind(({ url }) =>
      /^\/data_attributes|\/parts$/.test(url) ? { status: 403, json: errorList('forbidden', 'No scope') } : undefined,
    )
    await textFromBoise(world)
    const refused = front.seen.filter(({ url }) => /^\/data_attributes|\/parts$/.test(url))
    expect(refused.map(({ method }) => method)).toEqual(['GET', 'POST'])
    expect(world.intercom.contacts()).toMatchObject([{ phone: customer, customAttributes: {} }])
    expect(world.intercom.conversations()).toMatchObject([{ source: { body: '<p>Hi</p>' }, teamAssigneeId: null }])
    expect(world.attempts.map(({ settlement }) => settlement.state)).toEqual(['delivered'])
    expect(await world.store().pauses()).toEqual([])
  })

  it('of the contact that creating one is told is there already', async () => {
    const { world } = await openBehind(({ method, url }, { intercom }) => {
      if (method !== 'POST' || url !== '/contacts') return undefined
      const message = `A contact matching those details already exists with id=${intercom.contacts()[0]?.id}`
      return { status: 409, json: errorList('conflict', message) }
    })
    const existing = world.intercom.inbox.createContact({ role: 'lead', phone: customer })
    await textFromBoise(world)
    expect(world.intercom.contacts()).toHaveLength(1)
    expect(world.intercom.conversations().map(({ contactId }) => contactId)).toEqual([existing.id])
    expect(world.attempts.map(({ settlement }) => settlement.state)).toEqual(['delivered'])
  })

  it('though a data attribute was archived since it was read: its contact goes without', async () => {
    const city = { name: 'city', custom: true, archived: false, api_writable: true, data_type: 'string' }
    const { world, front } = await openBehind(
      ({ url }) => (url.startsWith('/data_attributes') ? { status: 200, json: { data: [city] } } : undefined),
      [],
    )
    await textFromBoise(world)
    const creations = front.seen.filter(({ method, url }) => method === 'POST' && url === '/contacts')
    expect(creations.map(({ body }) => JSON.parse(body).custom_attributes)).toEqual([{ city: 'BOISE' }, {}])
    expect(world.intercom.contacts()).toMatchObject([{ phone: customer, customAttributes: {} }])
    expect(world.attempts.map(({ settlement }) => settlement.state)).toEqual(['delivered'])
  })
})
