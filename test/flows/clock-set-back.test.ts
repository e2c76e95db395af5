// The machine's clock is set back by an hour while the bridge runs, and it is restarted like that.
import { describe, expect, it, onTestFinished } from 'vitest'
import { createSteadyClock } from '../../src/clock.js'
import { newPlace, postgresFailure } from '../support/stores.js'
import { openTestBridge } from '../support/temp.js'
import { customer, otherCustomer, ours } from '../support/test-bridge.js'

const hour = 3_600_000

describe.each(['sqlite', 'postgres'] as const)('a clock set back an hour, on %s', (engine) => {
  it.skipIf(engine === 'postgres' && postgresFailure !== undefined)(
    'delays nothing, loses nothing and doubles nothing, not even a send that was under way',
    async () => {
      const place = newPlace(engine)
      onTestFinished(() => place.remove())
      let back = 0
      const setBacks: number[] = []
      const { twilio, intercom, ...world } = await openTestBridge({
        storeUrl: place.url,
        clock: async (store) => {
          const atLeast = await store.latestTime()
          return createSteadyClock({
            wall: () => Date.now() - back,
            elapsed: () => performance.now(),
            onSetBack: (ms) => setBacks.push(Math.round(ms / hour)),
            ...(atLeast !== undefined && { atLeast }),
          })
        },
      })
      const inbox = () =>
        intercom.conversations().map(({ source, parts }) => [source.body, ...parts.map(({ body }) => body)])
      const phone = () =>
        twilio
          .messages()
          .filter(({ direction }) => direction !== 'inbound')
          .map(({ to, body }) => [to, body])

      twilio.text({ from: customer, to: ours, body: 'before' })
      await world.eventually('the text is there', () => intercom.conversations()[0]?.teamAssigneeId === '814')
      const id = intercom.conversations()[0]?.id ?? ''

      // Twilio sends the reply, its answer is lost, and the clock is set before the bridge has looked for it.
      twilio.faults.arm('reset-after', { times: 1, method: 'POST', path: /Messages\.json$/ })
      twilio.faults.arm('error-before', { times: 2, method: 'GET', path: /Messages\.json$/ })
      intercom.inbox.reply(id, '<p>one</p>')
      await world.eventually('it was sent', () => phone().length === 1)
      back = hour
      intercom.inbox.reply(id, '<p>two</p>')
      twilio.text({ from: customer, to: ours, body: 'after' })
      twilio.text({ from: otherCustomer, to: ours, body: 'somebody new' })
      await world.eventually('all have arrived', () => phone().length === 2 && inbox().flat().includes('<p>after</p>'))
      await world.settled()

      await world.restart()
      twilio.text({ from: customer, to: ours, body: 'restarted' })
      intercom.inbox.reply(id, '<p>three</p>')
      await world.eventually('these too', () => phone().length === 3 && inbox().flat().includes('<p>restarted</p>'))
      await world.settled()
      expect(phone()).toEqual([
        [customer, 'one'],
        [customer, 'two'],
        [customer, 'three'],
      ])
      const said = (body: string) =>
        inbox()
          .flat()
          .filter((one) => one === `<p>${body}</p>`).length
      expect(['before', 'after', 'somebody new', 'restarted'].map(said)).toEqual([1, 1, 1, 1])
      expect(setBacks).toEqual([1, 1])
    },
  )
})
