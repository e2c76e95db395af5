// Plays one plan, lets the bridge come to rest, and compares the books.
import { describeError } from '../../../src/errors.js'
import type { EngineName } from '../../support/stores.js'
import { compare, type Finding } from './books.js'
import { type Action, type KillPoint, lostWebhooksAreFound, type Plan, show, type Vendor } from './plan.js'
import { openTalk, type Talk } from './talk.js'
import { openWorld, type World } from './world.js'

export interface Result {
  readonly timeline: readonly string[]
  readonly findings: readonly Finding[]
  /** How much was going on. */
  readonly counts: string
}

/** How long `wait` waits at most, in the time of the world. */
const longestWaitMs = 6_000

export async function run(plan: Plan, engine: EngineName, module: string): Promise<Result> {
  const { dialect, newContactLagMs, listLagMs } = plan
  const world = await openWorld({ engine, module, dialect, newContactLagMs, listLagMs })
  const timeline: string[] = []
  try {
    await world.start()
    const player = playerOf(world, openTalk(world), timeline)
    for (const action of plan.actions) await player.play(action)
    return await player.finish()
  } catch (cause) {
    const waiting = (await world.rows()).filter(({ state }) => state === 'ready')
    const story = [...timeline, 'waiting in the store:', ...waiting.map((row) => JSON.stringify(row)), lastLines(world)]
    throw new Error(`${describeError(cause)}\n${story.join('\n')}`, { cause })
  } finally {
    await world.stop()
  }
}

function playerOf(world: World, talk: Talk, timeline: string[]) {
  const note = (what: string) => void timeline.push(`${String(world.events()).padStart(5)}  ${what}`)
  /** What ends after so many more actions. */
  const lasting: { left: number; end: () => unknown }[] = []
  const armed = { twilio: 0, intercom: 0 }
  const trap = trapOf(world)
  let kills = 0
  /** Actions to go before a dead bridge is started again. */
  let rest = 0

  const last = (actions: number, end: () => unknown) => void lasting.push({ left: actions, end })

  const bringUp = async () => {
    if (!world.bridge().isOver) return
    if (rest > 0) {
      rest -= 1
      return
    }
    const how = await world.bridge().ended
    const where = world.bridge().lines.some(({ event }) => event === 'chaos.dying')
      ? ` after ${world.bridge().effects().at(-1)}`
      : ''
    note(`the bridge was ended by ${how}${where}, starting again`)
    if (how !== 'SIGKILL') throw new Error(`the bridge ended by itself (${how})\n${lastLines(world)}`)
    kills += 1
    await world.start()
  }

  const perform: { [Name in Action['do']]: (action: Extract<Action, { do: Name }>) => unknown } = {
    text: ({ by }) => talk.text(by),
    reply: ({ to, close, long }) => talk.reply(to, { close, long }),
    note: ({ to }) => talk.note(to),
    close: ({ to }) => talk.close(to),
    fault({ vendor, kind, times, ms, creating }) {
      if (kind === 'rate-limit') armed[vendor] += times
      world[vendor].faults.arm(kind, { times, ms, ...(creating && { method: 'POST', path: creatingPath[vendor] }) })
    },
    webhooks({ vendor, kind, actions }) {
      if (kind === 'reorder' && vendor === 'twilio') talk.reordered()
      world[vendor].faults.webhooks.add(kind)
      last(actions, () => world[vendor].faults.webhooks.delete(kind))
    },
    async outage({ vendor, kind, actions }) {
      if (kind === 'down') {
        await world.wires[vendor].down()
        last(actions, () => world.wires[vendor].up())
      } else {
        world[vendor].faults.arm(kind)
        last(actions, () => world[vendor].faults.disarm(kind))
      }
    },
    async kill({ at, actions }) {
      await trap.set(at)
      rest = actions
    },
    async restart() {
      await trap.set(undefined)
      await stopInOrder(world)
      await world.start()
    },
    wait: ({ events }) => waitFor(world, events),
  }

  const play = async (action: Action) => {
    await bringUp()
    note(show(action))
    await perform[action.do](action as never) // the table pairs each action with its own
    await talk.catchUp()
    if (action.do === 'wait') return
    for (const one of lasting) {
      one.left -= 1
      if (one.left === 0) await one.end()
    }
  }

  const finish = async (): Promise<Result> => {
    await trap.set(undefined)
    for (const { left, end } of lasting) if (left > 0) await end()
    const consumed = { ...armed }
    for (const vendor of ['twilio', 'intercom'] as const) {
      const left = world[vendor].faults.armed().filter(({ kind }) => kind === 'rate-limit')
      for (const { times } of left) consumed[vendor] -= times
      world[vendor].faults.clear()
    }
    note('every fault is over')
    rest = 0
    await bringUp()
    await talk.catchUp({ all: true })
    await world.quiet()
    if (lostWebhooksAreFound) await world.eventually('everything is found', async () => await talk.isComplete())
    await stopInOrder(world)
    note('the bridge is at rest')
    const findings = [...compare(await talk.ledger(), world.twilio, world.intercom)]
    for (const vendor of ['twilio', 'intercom'] as const) {
      const ours = talk.refusals(vendor) - consumed[vendor]
      if (ours !== 0) findings.push({ trouble: 'rate limit', what: `${ours} calls too many at ${vendor}` })
    }
    return { timeline, findings, counts: `${talk.counts()}, ${kills} kills, ${world.events()} events` }
  }
  return { play, finish }
}

const creatingPath: Readonly<Record<Vendor, RegExp>> = {
  twilio: /Messages\.json$/,
  intercom: /\/(?:contacts|conversations|reply|parts)$/,
}

async function waitFor(world: World, events: number): Promise<void> {
  const goal = world.events() + events
  await world.within(longestWaitMs, () => world.events() >= goal || world.bridge().isOver)
}

/** SIGTERM: a bridge that does not end by itself leaks something, or waits for ever. */
async function stopInOrder(world: World): Promise<void> {
  const bridge = world.bridge()
  bridge.kill('SIGTERM')
  const how = await world.eventually('the bridge ends after SIGTERM', () => bridge.isOver && bridge.ended)
  if (how !== 0 && how !== 'SIGKILL') throw new Error(`after SIGTERM the bridge ended with ${how}\n${lastLines(world)}`)
}

const lastLines = (world: World) =>
  world
    .bridge()
    .lines.filter(({ event }) => event !== 'chaos.effect')
    .slice(-20)
    .map((line) => JSON.stringify(line))
    .join('\n')

/** Kills the bridge at a point that is counted, not timed. */
function trapOf(world: World) {
  let waiting: KillPoint | undefined
  let left = 0
  const kill = () => {
    waiting = undefined
    world.bridge().kill('SIGKILL')
  }
  world.onEvent((event, of) => {
    if (waiting === undefined || waiting.when === 'effect' || waiting.when === 'on-the-way') return
    const counts =
      waiting.when === 'webhook'
        ? event.type === 'webhook'
        : event.type === 'request' &&
          of === waiting.vendor &&
          event.method === 'POST' &&
          creatingPath[of].test(event.path)
    if (!counts) return
    left -= 1
    // Told before the answer is written.
    if (left === 0) kill()
  })
  return {
    /** One at a time: an earlier one that has not struck is forgotten. */
    async set(at: KillPoint | undefined) {
      for (const wire of Object.values(world.wires)) wire.release()
      await world.bridge().dieAfter(at?.when === 'effect' ? { count: at.count } : undefined)
      waiting = at
      left = at !== undefined && 'count' in at ? at.count : 0
      if (at?.when === 'on-the-way') {
        world.wires[at.vendor].catchNextPost(kill, () => world.clock.sleep(at.lateMs))
      }
    },
  }
}
