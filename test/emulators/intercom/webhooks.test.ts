// The delivery contract: HEAD, ping, signature, time-out, one retry, 410, 429, and the faults of the way.
import { describe, expect, it, onTestFinished } from 'vitest'
import type { IntercomTwinEvent } from '../../../src/emulators/intercom/types.js'
import { signatureOf, startHub } from './hub.js'
import { at } from './json.js'
import { clientSecret, type Stage, startHubStage, startSeconds, startStage, useStages } from './stage.js'

// The API's answers are judged elsewhere.
useStages({ judged: false })

const topics = ['conversation.admin.replied']

async function begun(listed: readonly string[] | undefined = topics) {
  const stage = await startHubStage({}, listed)
  const { conversationId } = await stage.lead()
  await stage.twin.idle()
  return { ...stage, conversationId }
}

const bodies = (hub: { received: readonly { event: unknown }[] }) =>
  hub.received.map(({ event }) => at(event, 'data.item.conversation_parts.conversation_parts.0.body'))

/** Resolves with the status of the next webhook the twin has settled. */
function nextAttempt({ twin }: Stage): Promise<number | 'failed'> {
  return new Promise((resolve) => {
    const stop = twin.subscribe((event) => {
      if (event.type !== 'webhook') return
      stop()
      resolve(event.status)
    })
  })
}

describe('setting the webhook', () => {
  it('sends HEAD first, then a ping without an id', async () => {
    const { hub } = await begun()
    expect(hub.all.map(({ method, event }) => [method, event.topic])).toEqual([
      ['HEAD', ''],
      ['POST', 'ping'],
    ])
    expect(hub.all[1]?.event).toEqual({
      type: 'notification_event',
      app_id: 'abc123de',
      data: {
        type: 'notification_event_data',
        item: { type: 'ping', message: 'something something interzen' },
      },
      links: {},
      id: null,
      topic: 'ping',
      delivery_status: null,
      delivery_attempts: 1,
      delivered_at: 0,
      first_sent_at: startSeconds,
      created_at: startSeconds,
      self: null,
    })
  })

  it('fails when HEAD is not answered 2xx, and then nothing is sent', async () => {
    const { twin, lead } = await startStage()
    const hub = await startHub()
    hub.headStatus = 405
    await expect(twin.setWebhook(hub.url)).rejects.toThrow('did not answer HEAD with 2xx (405)')
    await lead()
    await twin.idle()
    expect(hub.all.map(({ method }) => method)).toEqual(['HEAD'])
    await hub.stop()
    await expect(twin.setWebhook(hub.url)).rejects.toThrow('(failed)')
  })

  it('brings the topics that are ticked, and all when none is named', async () => {
    const some = await begun()
    some.twin.inbox.note(some.conversationId, 'unheard')
    some.twin.inbox.reply(some.conversationId, 'heard')
    await some.twin.idle()
    expect(some.hub.topics()).toEqual(['conversation.admin.replied'])
    const all = await startHubStage()
    await all.lead()
    await all.twin.idle()
    expect(all.hub.topics().toSorted()).toEqual(['contact.lead.created', 'conversation.user.created'])
  })
})

describe('a delivery', () => {
  it('is signed over its raw body with the client secret', async () => {
    const { hub, twin, conversationId } = await begun()
    twin.inbox.reply(conversationId, 'Olé 🎉')
    await twin.idle()
    const [delivered] = hub.received
    expect(delivered?.headers).toMatchObject({
      'user-agent': 'intercom-parrot-service-client/1.0',
      accept: 'application/json',
      'content-type': 'application/json',
      'x-hub-signature': signatureOf(delivered?.raw ?? '', clientSecret),
    })
  })

  it('is told of with the part it brings and how it was answered', async () => {
    const { twin, conversationId } = await begun()
    const told: IntercomTwinEvent[] = []
    twin.subscribe((event) => void (event.type === 'webhook' && told.push(event)))
    const { id } = twin.inbox.reply(conversationId, 'Hi')
    await twin.idle()
    expect(told).toEqual([{ type: 'webhook', topic: 'conversation.admin.replied', partId: id, status: 200 }])
  })

  it('that fails is tried once more after a minute, and never again', async () => {
    const stage = await begun()
    const { hub, twin, clock, conversationId } = stage
    hub.answers = [503, 503]
    twin.inbox.reply(conversationId, 'Hi')
    await clock.untilSleep(60_000)
    await clock.advance(59_999)
    expect(hub.received).toHaveLength(1)
    await clock.advance(1)
    await twin.idle()
    expect(hub.received.map(({ event }) => event.delivery_attempts)).toEqual([1, 2])
    expect(hub.received[1]?.event).toEqual({ ...hub.received[0]?.event, delivery_attempts: 2 })
    await clock.advance(600_000)
    await twin.idle()
    expect(hub.received).toHaveLength(2)
  })

  it('that is not answered in five seconds has failed', async () => {
    const stage = await begun()
    const { hub, twin, clock, conversationId } = stage
    hub.answers = ['hang']
    const attempt = nextAttempt(stage)
    twin.inbox.reply(conversationId, 'Hi')
    await hub.untilReceived(1)
    await clock.advance(5000)
    expect(await attempt).toBe('failed')
    await clock.untilSleep(60_000)
    await clock.advance(60_000)
    await twin.idle()
    expect(hub.received.map(({ event }) => event.delivery_attempts)).toEqual([1, 2])
  })

  it('to a bridge that is down is one failure, and the retry arrives when it is back', async () => {
    const stage = await startStage()
    const { twin, clock } = stage
    const hub = await startHub()
    await twin.setWebhook(hub.url, topics)
    await twin.idle()
    const { conversationId } = await stage.lead()
    await hub.stop()
    const attempt = nextAttempt(stage)
    twin.inbox.reply(conversationId, 'Hi')
    expect(await attempt).toBe('failed')
    await clock.untilSleep(60_000)
    const retry = nextAttempt(stage)
    const back = await startHub(Number(new URL(hub.url).port))
    await clock.advance(60_000)
    expect(await retry).toBe(200)
    expect(bodies(back)).toEqual(['Hi'])
    await back.stop()
  })

  it('answered 410 ends the subscription', async () => {
    const { hub, twin, conversationId } = await begun()
    hub.answers = [410]
    twin.inbox.reply(conversationId, 'one')
    await twin.idle()
    twin.inbox.reply(conversationId, 'two')
    await twin.idle()
    expect(bodies(hub)).toEqual(['one'])
  })

  it('answered 429 holds everything back for a minute', async () => {
    const { hub, twin, clock, conversationId } = await begun()
    hub.answers = [429]
    twin.inbox.reply(conversationId, 'one')
    await clock.untilSleep(60_000)
    twin.inbox.reply(conversationId, 'two')
    await clock.advance(59_999)
    expect(bodies(hub)).toEqual(['one'])
    await clock.advance(1)
    await twin.idle()
    expect(bodies(hub).slice(1).sort()).toEqual(['one', 'two'])
  })

  it('answered 429 again and again waits twice as long each time, and is dropped after two hours', async () => {
    const { hub, twin, clock, conversationId } = await begun()
    hub.answers = Array.from({ length: 20 }, () => 429)
    twin.inbox.reply(conversationId, 'one')
    for (const minutes of [1, 2, 4, 8, 16, 32]) {
      await clock.untilSleep(minutes * 60_000)
      await clock.advance(minutes * 60_000)
    }
    // The seventh wait would be one of 64 minutes: the two hours end before it does.
    await clock.untilSleep(57 * 60_000 + 1)
    await clock.advance(57 * 60_000 + 1)
    await twin.idle()
    expect(bodies(hub)).toEqual(Array.from({ length: 7 }, () => 'one'))
    hub.answers = []
    twin.inbox.reply(conversationId, 'two')
    await clock.untilSleep(7 * 60_000 - 1)
    await clock.advance(7 * 60_000)
    await twin.idle()
    expect(bodies(hub).slice(7)).toEqual(['two'])
  })

  it('of one conversation follows the one before it', async () => {
    const { hub, twin, conversationId } = await begun()
    const written = Array.from({ length: 20 }, (_, index) => `${index}`)
    for (const body of written) twin.inbox.reply(conversationId, body)
    await twin.idle()
    expect(bodies(hub)).toEqual(written)
  })
})

describe('a fault of the way', () => {
  it('duplicate brings each notification twice, under one id', async () => {
    const { hub, twin, conversationId } = await begun()
    twin.faults.webhooks.add('duplicate')
    twin.inbox.reply(conversationId, 'Hi')
    await twin.idle()
    expect(bodies(hub)).toEqual(['Hi', 'Hi'])
    expect(new Set(hub.received.map(({ event }) => event.id)).size).toBe(1)
  })

  it('reorder holds each back until the next has gone', async () => {
    const { hub, twin, conversationId } = await begun()
    twin.faults.webhooks.add('reorder')
    for (const body of ['one', 'two', 'three']) twin.inbox.reply(conversationId, body)
    await twin.idle()
    expect(bodies(hub)).toEqual(['two', 'one'])
    twin.faults.clear()
    await twin.idle()
    expect(bodies(hub)).toEqual(['two', 'one', 'three'])
  })

  it('drop brings nothing', async () => {
    const { hub, twin, conversationId } = await begun()
    twin.faults.webhooks.add('drop')
    twin.inbox.reply(conversationId, 'Hi')
    await twin.idle()
    expect(hub.received).toHaveLength(0)
    expect(twin.conversations()[0]?.parts).toHaveLength(1)
  })
})

it('a twin that stops leaves no webhook waiting', async () => {
  const { hub, twin, clock, conversationId } = await begun()
  hub.answers = [503]
  twin.inbox.reply(conversationId, 'Hi')
  await clock.untilSleep(60_000)
  await twin.stop()
  await twin.idle()
  expect(hub.received).toHaveLength(1)
})

it('fifty webhooks wait at once without a warning of node’s', async () => {
  const warnings: string[] = []
  const heed = ({ message }: Error) => warnings.push(message)
  process.on('warning', heed)
  onTestFinished(() => void process.off('warning', heed))
  const { hub, twin, lead } = await startHubStage({}, topics)
  const leads = await Promise.all(Array.from({ length: 50 }, () => lead()))
  hub.answers = leads.map(() => 'hang')

  for (const { conversationId } of leads) twin.inbox.reply(conversationId, 'Hi')
  await hub.untilReceived(50)
  await twin.stop()

  expect(warnings).toEqual([])
})
