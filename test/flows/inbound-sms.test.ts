import { describe, expect, it } from 'vitest'
import { systemClock } from '../../src/clock.js'
import type { TwinConversation } from '../../src/emulators/intercom/types.js'
import { openTestBridge } from '../support/temp.js'
import { customer, otherCustomer, ours, oursToo, type TestBridge } from '../support/test-bridge.js'

const wordsOf = ({ source, parts }: TwinConversation) => [
  source.body,
  ...parts.filter(({ author, body }) => author.type === 'lead' && body !== null).map(({ body }) => body),
]

async function text(world: TestBridge, body: string, from = customer, to = ours) {
  const { sid } = world.twilio.text({ from, to, body })
  await world.settled()
  return sid
}

describe('a text from an unknown number', () => {
  it('creates a lead with the number and an open conversation assigned to the team of the number', async () => {
    const world = await openTestBridge()
    await text(world, 'Hello there')
    const [conversation, ...others] = world.intercom.conversations()
    expect(others).toEqual([])
    expect(conversation).toMatchObject({ state: 'open', teamAssigneeId: '814', source: { body: '<p>Hello there</p>' } })
    const [contact, ...more] = world.intercom.contacts()
    expect(more).toEqual([])
    expect(contact).toMatchObject({ id: conversation?.contactId, role: 'lead', phone: customer })
  })

  it('saves city, state and country where the workspace has such attributes', async () => {
    const world = await openTestBridge({ intercom: { contactAttributes: ['city', 'country'] } })
    const geo = { city: 'BOISE', state: 'ID', country: 'US' }
    world.twilio.text({ from: customer, to: ours, body: 'Hi', geo })
    await world.settled()
    expect(world.intercom.contacts()[0]?.customAttributes).toEqual({ city: 'BOISE', country: 'US' })
  })

  it('is not assigned where its number has no team', async () => {
    const world = await openTestBridge()
    await text(world, 'Hi', customer, oursToo)
    expect(world.intercom.conversations()[0]).toMatchObject({ teamAssigneeId: null, adminAssigneeId: null })
  })

  it('is in the inbox even when its team no longer exists', async () => {
    const world = await openTestBridge({ config: { teams: new Map([['*', '999']]) } })
    await text(world, 'Hi')
    expect(world.intercom.conversations().map(wordsOf)).toEqual([['<p>Hi</p>']])
    expect(world.attempts.map(({ settlement }) => settlement.state)).toEqual(['delivered'])
  })
})

describe('a text from a known contact', () => {
  it.each(['+15550100142', '+1 (555) 010-0142', '555 010 0142'])('is theirs, though typed as %s', async (phone) => {
    const world = await openTestBridge()
    const known = world.intercom.inbox.createContact({ role: 'user', email: 'c@example.com', phone })
    await world.eventually('the index has it', async () => {
      const search = { query: { field: 'formatted_phone', operator: '=', value: customer } }
      const response = await fetch(`${world.intercom.url}/contacts/search`, {
        method: 'POST',
        headers: {
          authorization: 'Bearer fake-access-token',
          accept: 'application/json',
          'content-type': 'application/json',
        },
        body: JSON.stringify(search),
      })
      const found = (await response.json()) as { total_count: number }
      return found.total_count === 1 || phone === '555 010 0142'
    })
    await text(world, 'It is me')
    const expected = phone === '555 010 0142' ? world.intercom.contacts().at(-1)?.id : known.id
    expect(world.intercom.conversations().map(({ contactId }) => contactId)).toEqual([expected])
  })

  it('goes to a user before a lead, and to who was active last among users', async () => {
    const world = await openTestBridge({ intercom: { indexLagMs: 0 } })
    world.intercom.inbox.createContact({ role: 'lead', phone: customer })
    const older = world.intercom.inbox.createContact({ role: 'user', email: 'a@example.com', phone: customer })
    await text(world, 'Hi')
    expect(world.intercom.conversations().map(({ contactId }) => contactId)).toEqual([older.id])
  })

  it('finds a Brazilian contact written without the ninth digit', async () => {
    const world = await openTestBridge({ intercom: { indexLagMs: 0 } })
    const known = world.intercom.inbox.createContact({ role: 'lead', phone: '+551187654321' })
    await text(world, 'Oi', '+5511987654321')
    expect(world.intercom.conversations().map(({ contactId }) => contactId)).toEqual([known.id])
  })

  it('follows a contact that was merged into another', async () => {
    const world = await openTestBridge({ intercom: { indexLagMs: 0 } })
    await text(world, 'First')
    const [first] = world.intercom.conversations()
    const user = world.intercom.inbox.createContact({ role: 'user', email: 'a@example.com', phone: customer })
    world.intercom.inbox.close(first?.id ?? '')
    world.intercom.inbox.mergeContact(first?.contactId ?? '', user.id)
    await text(world, 'Second')
    expect(world.intercom.conversations().at(-1)).toMatchObject({
      contactId: user.id,
      source: { body: '<p>Second</p>' },
    })
  })
})

describe('later texts', () => {
  it('join the open conversation in the order they were sent', async () => {
    const world = await openTestBridge()
    for (const body of ['one', 'two', 'three']) await text(world, body)
    expect(world.intercom.conversations().map(wordsOf)).toEqual([['<p>one</p>', '<p>two</p>', '<p>three</p>']])
  })

  it('join it although search does not show the contact yet', async () => {
    const world = await openTestBridge({ intercom: { indexLagMs: 600_000 } })
    await text(world, 'one')
    await text(world, 'two')
    expect(world.intercom.contacts()).toHaveLength(1)
    expect(world.intercom.conversations().map(wordsOf)).toEqual([['<p>one</p>', '<p>two</p>']])
  })

  it('open a new conversation with the same contact once the first was closed', async () => {
    const world = await openTestBridge()
    await text(world, 'one')
    world.intercom.inbox.close(world.intercom.conversations()[0]?.id ?? '')
    await text(world, 'two')
    const [first, second] = world.intercom.conversations()
    expect(first?.state).toBe('closed')
    expect(second).toMatchObject({ state: 'open', contactId: first?.contactId, source: { body: '<p>two</p>' } })
    expect(world.intercom.contacts()).toHaveLength(1)
  })

  it('open it again within the time that is set for their number, a new one at other numbers', async () => {
    const reopen = new Map([[ours, 5 * 86_400_000]])
    const world = await openTestBridge({ config: { reopen } })
    for (const number of [ours, oursToo]) {
      await text(world, 'one', customer, number)
      world.intercom.inbox.close(world.intercom.conversations().at(-1)?.id ?? '')
      await text(world, 'two', customer, number)
    }
    expect(world.intercom.conversations().map(({ state }) => state)).toEqual(['open', 'closed', 'open'])
    expect(world.intercom.conversations().map(wordsOf)).toEqual([
      ['<p>one</p>', '<p>two</p>'],
      ['<p>one</p>'],
      ['<p>two</p>'],
    ])
  })

  it('open a new one when that time is over', async () => {
    let laterMs = 0
    const clock = async () => ({ ...systemClock, now: () => systemClock.now() + laterMs })
    const world = await openTestBridge({ clock, config: { reopen: new Map([['*', 5 * 86_400_000]]) } })
    await text(world, 'one')
    world.intercom.inbox.close(world.intercom.conversations()[0]?.id ?? '')
    laterMs = 4 * 86_400_000
    await text(world, 'two')
    expect(world.intercom.conversations().map(({ state }) => state)).toEqual(['open'])
    world.intercom.inbox.close(world.intercom.conversations()[0]?.id ?? '')
    laterMs = 6 * 86_400_000
    await text(world, 'three')
    expect(world.intercom.conversations().map(({ state }) => state)).toEqual(['closed', 'open'])
  })

  it('open a new conversation once the first was deleted', async () => {
    const world = await openTestBridge()
    await text(world, 'one')
    world.intercom.inbox.deleteConversation(world.intercom.conversations()[0]?.id ?? '')
    await text(world, 'two')
    expect(world.intercom.conversations().map(wordsOf)).toEqual([['<p>two</p>']])
  })

  it('from another spelling of a Brazilian number join it, and replies go to the newest spelling', async () => {
    const world = await openTestBridge({ intercom: { indexLagMs: 600_000 } })
    const [long, short] = ['+5511987654321', '+551187654321']
    const shownBy = (phone: string) =>
      world.twilio.handset(phone).flatMap(({ direction, body }) => (direction === 'outbound-api' ? [body] : []))
    await text(world, 'one', long)
    const id = world.intercom.conversations()[0]?.id ?? ''
    world.intercom.inbox.reply(id, '<p>to the long one</p>')
    await world.settled()
    await text(world, 'two', short)
    world.intercom.inbox.reply(id, '<p>to the short one</p>')
    await world.settled()
    expect(world.intercom.contacts()).toHaveLength(1)
    expect(world.intercom.conversations().map(wordsOf)).toEqual([['<p>one</p>', '<p>two</p>']])
    expect([shownBy(long), shownBy(short)]).toEqual([['to the long one'], ['to the short one']])
  })

  it('join a snoozed conversation', async () => {
    const world = await openTestBridge()
    await text(world, 'one')
    const [first] = world.intercom.conversations()
    world.intercom.inbox.snooze(first?.id ?? '', Date.UTC(2030, 1, 1))
    await text(world, 'two')
    expect(world.intercom.conversations().map(wordsOf)).toEqual([['<p>one</p>', '<p>two</p>']])
  })

  it('to two of our numbers are two conversations of one contact', async () => {
    const world = await openTestBridge({ intercom: { indexLagMs: 600_000 } })
    world.twilio.text({ from: customer, to: ours, body: 'support?' })
    world.twilio.text({ from: customer, to: oursToo, body: 'sales?' })
    await world.settled()
    expect(world.intercom.conversations().map(wordsOf).sort()).toEqual([['<p>sales?</p>'], ['<p>support?</p>']])
    expect(world.intercom.contacts()).toHaveLength(1)
  })

  it('of fifty customers at once make fifty conversations', async () => {
    const world = await openTestBridge()
    const froms = Array.from({ length: 50 }, (_, index) => `+155501${String(index).padStart(5, '0')}`)
    for (const body of ['a', 'b']) {
      for (const from of froms) world.twilio.text({ from, to: ours, body })
      await world.twilio.idle()
    }
    await world.settled()
    expect(
      world.intercom
        .contacts()
        .map(({ phone }) => phone)
        .sort(),
    ).toEqual(froms)
    expect(world.intercom.conversations().map(wordsOf)).toEqual(froms.map(() => ['<p>a</p>', '<p>b</p>']))
  })
})

describe('what a customer types', () => {
  it.each([
    [
      'markup',
      '<script>alert(1)</script> & <b>x</b>',
      '<p>&lt;script&gt;alert(1)&lt;/script&gt; &amp; &lt;b&gt;x&lt;/b&gt;</p>',
    ],
    ['line breaks', 'one\ntwo\r\nthree', '<p>one<br>two<br>three</p>'],
    ['emoji', '👍🏽 📦', '<p>👍🏽 📦</p>'],
    ['right-to-left text', 'שלום مرحبا', '<p>שלום مرحبا</p>'],
    ['nothing', '', '<p>[empty text]</p>'],
  ])('%s arrives as typed', async (_name, body, html) => {
    const world = await openTestBridge()
    await text(world, body)
    expect(world.intercom.conversations()[0]?.source.body).toBe(html)
  })

  it('names the pictures it came with', async () => {
    const world = await openTestBridge()
    const media = [{ contentType: 'image/jpeg', data: new Uint8Array([1]) }]
    const { sid } = world.twilio.text({ from: customer, to: ours, body: 'Look', media })
    await world.settled()
    const body = `<p>Look<br>[attachment: image/jpeg, see message ${sid} in Twilio]</p>`
    expect(world.intercom.conversations()[0]?.source.body).toBe(body)
  })
})

describe('a webhook that comes twice', () => {
  it('is one message', async () => {
    const world = await openTestBridge()
    world.twilio.faults.webhooks.add('duplicate')
    await text(world, 'once')
    await text(world, 'and once more')
    expect(world.intercom.conversations().map(wordsOf)).toEqual([['<p>once</p>', '<p>and once more</p>']])
  })
})

describe('when Intercom fails', () => {
  const faults = ['error-before', 'error-after', 'reset-after', 'reset-before', 'truncated', 'html'] as const
  const paths = ['/contacts', '/conversations', '/reply', '/parts', '/contacts/search']
  it.each([
    ...paths.flatMap((path) => faults.map((fault) => [fault, path] as const)),
    ['rate-limit', '/reply'] as const,
    ['refuse-credentials', '/conversations'] as const,
    ['outage', '/conversations'] as const,
  ])('%s at %s neither loses, doubles nor reorders a text', async (fault, path) => {
    const world = await openTestBridge({ intercom: { indexLagMs: 10 } })
    world.intercom.faults.arm(fault, { times: 1, method: 'POST', path: new RegExp(`${path}$`) })
    const bodies = ['one', 'two', 'three']
    for (const body of bodies) {
      world.twilio.text({ from: customer, to: ours, body })
      // Twilio gives no order to webhooks that are under way at the same time.
      await world.twilio.idle()
    }
    world.twilio.text({ from: otherCustomer, to: ours, body: 'other' })
    await world.settled()
    const mine = world.intercom.conversations().filter(({ source }) => !source.body.includes('other'))
    expect(mine.map(wordsOf)).toEqual([bodies.map((body) => `<p>${body}</p>`)])
    expect(world.intercom.conversations()).toHaveLength(2)
    expect(world.intercom.contacts()).toHaveLength(2)
  })
})
