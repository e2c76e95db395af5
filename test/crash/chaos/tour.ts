// Customers live through the same short story, one after another, and the bridge dies after the first effect of the
// story, after the second and so on: at every place between two effects.
import { describeError } from '../../../src/errors.js'
import { compare, type Finding } from './books.js'
import type { Death } from './bridge-process.js'
import type { Correspondent } from './plan.js'
import { openTalk, type Talk } from './talk.js'
import { openWorld, type World, type WorldOptions } from './world.js'

/** Every effect of the story, when nothing goes wrong. */
export async function effectsOfStory(options: WorldOptions): Promise<Death[]> {
  const world = await openWorld(options)
  try {
    await world.start()
    await liveThrough(world, openTalk(world), { customer: 0, number: 0 })
    const counts = new Map<string, number>()
    return world
      .bridge()
      .effects()
      .map((name) => {
        const count = (counts.get(name) ?? 0) + 1
        counts.set(name, count)
        return { name, count }
      })
  } finally {
    await world.stop()
  }
}

export interface Tour {
  /** The deaths it died. */
  readonly died: readonly Death[]
  readonly findings: readonly Finding[]
}

export async function tour(options: WorldOptions, deaths: readonly Death[]): Promise<Tour> {
  const world = await openWorld(options)
  const died: Death[] = []
  let starts = 0
  try {
    await world.start()
    const talk = openTalk(world)
    for (const [customer, death] of deaths.entries()) {
      await world.bridge().dieAfter(death)
      const startsBefore = starts
      await liveThrough(world, talk, { customer, number: 0 }, () => {
        starts += 1
      })
      if (starts > startsBefore) died.push(death)
      else await world.bridge().dieAfter(undefined)
    }
    return { died, findings: compare(await talk.ledger(), world.twilio, world.intercom) }
  } catch (cause) {
    throw new Error(`${describeError(cause)}\nIt died after: ${JSON.stringify(died)}`, { cause })
  } finally {
    await world.stop()
  }
}

/** A new contact with a new conversation, a text appended, a reply of two texts. A bridge that dies is started again. */
async function liveThrough(world: World, talk: Talk, who: Correspondent, restarted = () => {}): Promise<void> {
  let diedOnce = false
  const deliveredBefore = deliveredBy(world)
  const revive = async () => {
    if (!world.bridge().isOver) return
    diedOnce = true
    const how = await world.bridge().ended
    if (how !== 'SIGKILL') throw new Error(`the bridge ended by itself (${how})`)
    restarted()
    await world.start()
  }
  const rest = (what: string, holds: () => boolean) =>
    world.eventually(what, async () => {
      await revive()
      return holds() && (await world.rows()).every(({ state }) => state !== 'ready')
    })
  /** Until it is taken in: what came when nobody was there is gone, only reconciliation would find it. */
  const say = async (key: () => string) => {
    for (let taken = false; !taken; ) {
      await revive()
      const said = key()
      await Promise.all([world.twilio.idle(), world.intercom.idle()])
      taken = (await world.rows()).some((row) => row.key === said)
    }
  }
  const conversation = () => talk.conversationOf(who)
  await say(() => talk.text(who))
  await rest('a conversation, assigned', () => conversation()?.teamAssigneeId === '814')
  const parts = conversation()?.parts.length ?? 0
  await say(() => talk.text(who))
  await rest('a text more in it', () => (conversation()?.parts.length ?? 0) > parts)
  await say(() => talk.reply(who, { close: false, long: true }) ?? '')
  await rest('both texts on the phone', () => talk.onPhone(who) >= 2)
  await Promise.all([world.twilio.idle(), world.intercom.idle()])
  await rest('nothing left to do', () => true)
  // What the store shows as settled its process may be about to die of.
  await rest('all three told of', () => diedOnce || deliveredBy(world) - deliveredBefore >= 3)
}

/** Deliveries that this life of the bridge has settled, and outlived. */
function deliveredBy(world: World): number {
  const ends = world.bridge().lines.filter(({ event }) => event === 'delivery.attempted')
  return ends.filter(({ outcome }) => outcome === 'delivered').length
}
