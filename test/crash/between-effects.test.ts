// Killed while a vendor has done what we asked and we have not heard so: the next process finds out, and repeats nothing.
import { describe, expect, it, onTestFinished } from 'vitest'
import type { TwinConversation } from '../../src/emulators/intercom/types.js'
import { environmentOf, startServe } from '../support/serve-process.js'
import { newPlace, postgresFailure } from '../support/stores.js'
import { openTestBridge, tempFolder } from '../support/temp.js'
import { ours, oursToo } from '../support/test-bridge.js'

const phones = [1, 2, 3, 4, 5, 6, 7].map((digit) => `+1555010011${digit}`)
const [contact = '', conversation = '', append = '', assign = '', reply = '', note = '', away = ''] = phones

/** Open for an hour three days from now: closed at this moment. */
const closed = `${new Intl.DateTimeFormat('en', { weekday: 'short', timeZone: 'UTC' }).format(Date.now() + 3 * 86_400_000)} 9-10 UTC`

const wordsOf = ({ source, parts }: TwinConversation) => [
  source.body,
  ...parts.filter(({ author, body }) => author.type === 'lead' && body !== null).map(({ body }) => body),
]

describe.each(['sqlite', 'postgres'] as const)('killed on %s', (engine) => {
  it.skipIf(engine === 'postgres' && postgresFailure !== undefined)(
    'in the middle of every kind of effect at once, it repeats none of them',
    { timeout: 90_000 },
    async () => {
      const place = newPlace(engine)
      onTestFinished(() => place.remove())
      const { twilio, intercom, ...world } = await openTestBridge({ ownProcess: true, storeUrl: place.url })
      const env = {
        ...environmentOf(world.config),
        SMS_BRIDGE_HOME: tempFolder(),
        SMS_BRIDGE_HOURS: `${oursToo}=${closed}`,
        SMS_BRIDGE_AWAY_TEXT: 'closed',
      }
      const first = startServe(env)
      await first.logged('serve.started')
      await world.subscribe()
      const conversationOf = (phone: string) => {
        const { id } = intercom.contacts().find((one) => one.phone === phone) ?? {}
        return intercom.conversations().find(({ contactId }) => contactId === id)
      }
      for (const from of [append, reply, note]) twilio.text({ from, to: ours, body: 'Hello' })
      await world.eventually('three are assigned', () =>
        [append, reply, note].every((phone) => conversationOf(phone)?.teamAssigneeId === '814'),
      )

      // Each of these is done by the vendor; the answer never comes.
      const hang = async (vendor: typeof twilio | typeof intercom, path: RegExp, begin: () => unknown) => {
        vendor.faults.arm('timeout-after', { times: 1, method: 'POST', path })
        begin()
        await world.eventually(`a hanging ${path}`, () => vendor.faults.armed().length === 0)
      }
      const text = (from: string, body: string) => () => twilio.text({ from, to: ours, body })
      await hang(intercom, /^\/contacts$/, text(contact, 'contact'))
      await hang(intercom, /^\/conversations$/, text(conversation, 'conversation'))
      await hang(intercom, /\/reply$/, text(append, 'append'))
      await hang(intercom, /\/parts$/, text(assign, 'assign'))
      const answered = conversationOf(reply)?.id ?? ''
      await hang(twilio, /Messages\.json$/, () => intercom.inbox.reply(answered, '<p>reply</p>'))
      twilio.setFate(note, 30003)
      await hang(intercom, /\/reply$/, () => intercom.inbox.reply(conversationOf(note)?.id ?? '', '<p>lost</p>'))
      await hang(twilio, /Messages\.json$/, () => twilio.text({ from: away, to: oursToo, body: 'away' }))
      await world.eventually(
        'all seven were done',
        () =>
          conversationOf(conversation) !== undefined &&
          conversationOf(append)?.parts.some(({ body }) => body === '<p>append</p>') &&
          conversationOf(assign)?.teamAssigneeId === '814' &&
          ['reply', 'closed'].every((body) => twilio.messages().some((one) => one.body === body)) &&
          conversationOf(note)?.parts.some(({ partType }) => partType === 'note'),
      )
      first.child.kill('SIGKILL')
      expect(await first.ended).toBe('SIGKILL')

      const second = startServe(env)
      await second.logged('serve.started')
      await world.eventually(
        'the first text is in a conversation',
        () => conversationOf(contact)?.teamAssigneeId === '814',
      )
      await world.eventually(
        'seven more deliveries',
        () =>
          second.lines.filter(({ event, outcome }) => event === 'delivery.attempted' && outcome === 'delivered')
            .length === 7,
      )
      second.child.kill('SIGTERM')
      expect(await second.ended).toBe(0)

      expect(
        intercom
          .contacts()
          .map(({ phone }) => phone)
          .toSorted(),
      ).toEqual(phones)
      expect(intercom.conversations().map(wordsOf).toSorted()).toEqual(
        [
          ['<p>contact</p>'],
          ['<p>conversation</p>'],
          ['<p>Hello</p>', '<p>append</p>'],
          ['<p>assign</p>'],
          ['<p>Hello</p>'],
          ['<p>Hello</p>'],
          ['<p>away</p>'],
        ].toSorted(),
      )
      expect(phones.map((phone) => conversationOf(phone)?.teamAssigneeId)).toEqual([...Array(6).fill('814'), null])
      expect(
        twilio
          .messages()
          .filter(({ direction }) => direction !== 'inbound')
          .map(({ body }) => body)
          .toSorted(),
      ).toEqual(['closed', 'lost', 'reply'])
      const notes = (phone: string) => conversationOf(phone)?.parts.filter(({ partType }) => partType === 'note')
      expect(phones.map((phone) => notes(phone)?.length)).toEqual([0, 0, 0, 0, 0, 1, 1])
    },
  )
})
