// Killed while a vendor has done what we asked and we have not heard so: the next process finds out, and repeats nothing.
import { describe, expect, it, onTestFinished } from 'vitest'
import type { TwinConversation } from '../../src/emulators/intercom/types.js'
import { environmentOf, startServe } from '../support/serve-process.js'
import { newPlace, postgresFailure } from '../support/stores.js'
import { openTestBridge, tempFolder } from '../support/temp.js'
import { ours } from '../support/test-bridge.js'

const [contact, conversation, append, assign, reply] = [1, 2, 3, 4, 5].map((digit) => `+1555010010${digit}`) as [
  string,
  string,
  string,
  string,
  string,
]

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
      const env = { ...environmentOf(world.config), SMS_BRIDGE_HOME: tempFolder() }
      const first = startServe(env)
      await first.logged('serve.started')
      await world.subscribe()
      const conversationOf = (phone: string) => {
        const { id } = intercom.contacts().find((one) => one.phone === phone) ?? {}
        return intercom.conversations().find(({ contactId }) => contactId === id)
      }
      for (const from of [append, reply]) twilio.text({ from, to: ours, body: 'Hello' })
      await world.eventually('two are assigned', () =>
        [append, reply].every((phone) => conversationOf(phone)?.teamAssigneeId === '814'),
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
      await world.eventually(
        'all five were done',
        () =>
          conversationOf(conversation) !== undefined &&
          conversationOf(append)?.parts.some(({ body }) => body === '<p>append</p>') &&
          conversationOf(assign)?.teamAssigneeId === '814' &&
          twilio.messages().some(({ body }) => body === 'reply'),
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
        'five more deliveries',
        () =>
          second.lines.filter(({ event, outcome }) => event === 'delivery.attempted' && outcome === 'delivered')
            .length === 5,
      )
      second.child.kill('SIGTERM')
      expect(await second.ended).toBe(0)

      const phones = intercom.contacts().map(({ phone }) => phone)
      expect(phones.toSorted()).toEqual([contact, conversation, append, assign, reply])
      expect(intercom.conversations().map(wordsOf).toSorted()).toEqual(
        [
          ['<p>contact</p>'],
          ['<p>conversation</p>'],
          ['<p>Hello</p>', '<p>append</p>'],
          ['<p>assign</p>'],
          ['<p>Hello</p>'],
        ].toSorted(),
      )
      expect(intercom.conversations().map(({ teamAssigneeId }) => teamAssigneeId)).toEqual([
        '814',
        '814',
        '814',
        '814',
        '814',
      ])
      expect(
        twilio
          .messages()
          .filter(({ direction }) => direction !== 'inbound')
          .map(({ body }) => body),
      ).toEqual(['reply'])
    },
  )
})
