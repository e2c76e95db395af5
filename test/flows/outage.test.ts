// A vendor is away for a day, in every way in which it can be: nothing is given up, nothing is doubled, all of it arrives
// in order, and what is late says so.
import { describe, expect, it } from 'vitest'
import type { ApiFault } from '../../src/emulators/faults.js'
import { ManualClock } from '../support/manual-clock.js'
import { openTestBridge } from '../support/temp.js'
import { ours } from '../support/test-bridge.js'

const minute = 60_000
const hour = 60 * minute
const phones = Array.from({ length: 20 }, (_, index) => `+155501001${20 + index}`)
/** Connections reset, server errors, a gateway's page, our credentials refused. */
const ways: readonly ApiFault[] = ['outage', 'error-before', 'html', 'refuse-credentials']

async function openWorld() {
  const clock = new ManualClock()
  const world = await openTestBridge({
    clock: async () => clock,
    relay: { leaseMs: 100 * hour, pollMs: 1_000, firstPauseMs: 5_000 },
    intercom: { rateLimit: 1_000_000, indexLagMs: 0 },
  })
  /** Lets so much time pass for the bridge, with its real calls under way. */
  const pass = async (ms: number, stepMs: number) => {
    for (let passed = 0; passed < ms; passed += stepMs) {
      await clock.advance(stepMs)
      for (let round = 0; round < 3; round += 1) await world.store().nextDue()
    }
  }
  const until = async (what: string, holds: () => boolean) => {
    for (let round = 0; round < 5_000 && !holds(); round += 1) await pass(1_000, 1_000)
    if (!holds()) throw new Error(`never: ${what}`)
  }
  return { ...world, clock, pass, until }
}

const wordsOf = (bodies: readonly string[]) => bodies.map((body) => body.replace(/^\[delayed, sent [^\]]*\] /, ''))
const bodyOf = (html: string | null) => (html ?? '').replace(/<[^>]*>/g, '')

describe('a day of outage', { timeout: 120_000 }, () => {
  it('of Intercom at 500 texts ends with every text in its conversation, in order, and no dead letter', async () => {
    const { twilio, intercom, clock, pass, until, ...world } = await openWorld()
    const texts: { from: string; body: string }[] = []
    for (let index = 0; index < 500; index += 1) {
      if (index % 125 === 0) {
        intercom.faults.clear()
        intercom.faults.arm(ways[index / 125] ?? 'outage')
      }
      const text = { from: phones[index % phones.length] ?? '', body: `text ${index}` }
      texts.push(text)
      twilio.text({ ...text, to: ours })
      await twilio.idle()
      await pass((24 * hour) / 500, minute)
    }
    const waiting = await world.store().summarize(0, clock.now())
    expect([waiting.waiting, waiting.parked, waiting.pauses.map(({ shore }) => shore)]).toEqual([500, 0, ['intercom']])
    const tried = await world.store().listDeliveries({ limit: 500 })
    expect(tried.filter(({ attempts }) => attempts > 0)).toEqual([])

    intercom.faults.clear()
    const arrived = () =>
      intercom
        .conversations()
        .map(({ contactId, source, parts }): [string, string[]] => [
          intercom.contacts().find(({ id }) => id === contactId)?.phone ?? '',
          [source.body, ...parts.filter(({ author }) => author.type === 'lead').map(({ body }) => body ?? '')].map(
            bodyOf,
          ),
        ])
    await until('all have arrived', () => arrived().flatMap(([, bodies]) => bodies).length === 500)
    expect(new Map(arrived().map(([phone, bodies]) => [phone, wordsOf(bodies)]))).toEqual(
      new Map(phones.map((phone) => [phone, texts.filter(({ from }) => from === phone).map(({ body }) => body)])),
    )
    expect(arrived()).toHaveLength(phones.length)
    // The clock began at 12:00 UTC on 22 November; the last texts of the day were written minutes before the end.
    const first = arrived().find(([phone]) => phone === phones[0])?.[1][0]
    expect(first).toBe('[delayed, sent 22 Nov 12:00] text 0')
    const late = arrived().flatMap(([, bodies]) => bodies.filter((body) => body.startsWith('[delayed, sent ')))
    expect([late.length > 480, late.length < 500]).toEqual([true, true])
    expect((await world.store().summarize(0, clock.now())).parked).toBe(0)
  })

  it('of Twilio ends with every reply on its phone, in order, and no dead letter', async () => {
    const { twilio, intercom, clock, pass, until, ...world } = await openWorld()
    const few = phones.slice(0, 4)
    for (const from of few) twilio.text({ from, to: ours, body: 'Hello' })
    await until(
      'four conversations',
      () => intercom.conversations().filter((one) => one.teamAssigneeId === '814').length === 4,
    )
    const replies: { to: string; body: string }[] = []
    for (let index = 0; index < 48; index += 1) {
      if (index % 12 === 0) {
        twilio.faults.clear()
        twilio.faults.arm(ways[index / 12] ?? 'outage')
      }
      const conversation = intercom.conversations()[index % 4]
      const to = intercom.contacts().find(({ id }) => id === conversation?.contactId)?.phone ?? ''
      replies.push({ to, body: `reply ${index}` })
      intercom.inbox.reply(conversation?.id ?? '', `<p>reply ${index}</p>`)
      await intercom.idle()
      await pass(hour / 2, minute)
    }
    expect((await world.store().summarize(0, clock.now())).pauses.map(({ shore }) => shore)).toEqual(['twilio'])
    twilio.faults.clear()
    const sent = () => twilio.messages().filter(({ direction }) => direction !== 'inbound')
    await until('all are sent', () => sent().length === 48)
    // The local Twilio's clock is not the bridge's here, so some say that they are late.
    const sentTo = (phone: string) =>
      wordsOf(
        sent()
          .filter(({ to }) => to === phone)
          .map(({ body }) => body),
      )
    for (const phone of few)
      expect(sentTo(phone)).toEqual(replies.filter(({ to }) => to === phone).map(({ body }) => body))
    expect((await world.store().summarize(0, clock.now())).parked).toBe(0)
  })
})
