// Several `serve` on one PostgreSQL, behind a load balancer, between both twins.
import { onTestFinished } from 'vitest'
import { freePort } from '../../src/commands/sandbox-world.js'
import type { IntercomTwinOptions } from '../../src/emulators/intercom/types.js'
import { type LoadBalancer, startLoadBalancer } from '../support/load-balancer.js'
import { environmentOf, type ServeProcess, startServe } from '../support/serve-process.js'
import { type Place, postgresPlace } from '../support/stores.js'
import { openTestBridge, tempFolder } from '../support/temp.js'
import type { TestBridge } from '../support/test-bridge.js'

export interface Machine {
  readonly serve: ServeProcess
  readonly port: number
}

export interface Machines extends TestBridge {
  readonly place: Place
  readonly balancer: LoadBalancer
  /** Starts one more; resolves when it listens and takes its turn. */
  start(): Promise<Machine>
  /** Ends one as a supervisor does; resolves when it has ended. */
  retire(machine: Machine): Promise<void>
}

export async function openMachines(intercom: Partial<IntercomTwinOptions> = {}): Promise<Machines> {
  const place = postgresPlace()
  onTestFinished(() => place.remove())
  const world = await openTestBridge({ ownProcess: true, storeUrl: place.url, intercom })
  const env = { ...environmentOf(world.config), SMS_BRIDGE_HOME: tempFolder() }
  const balancer = await startLoadBalancer(world.config.port)
  return {
    ...world,
    place,
    balancer,
    async start() {
      const port = await freePort()
      const serve = startServe({ ...env, SMS_BRIDGE_PORT: String(port) })
      await serve.logged('serve.started')
      balancer.backends.push(port)
      return { serve, port }
    },
    async retire({ serve, port }) {
      serve.child.kill('SIGTERM')
      const code = await serve.ended
      balancer.backends.splice(balancer.backends.indexOf(port), 1)
      if (code !== 0) throw new Error(`serve ended with ${code}:\n${serve.stderr()}`)
    },
  }
}

/** How many deliveries it brought to their end. */
export const deliveredBy = ({ serve }: Machine): number =>
  serve.lines.filter(({ event, outcome }) => event === 'delivery.attempted' && outcome === 'delivered').length

export interface Talk {
  /** What each customer was answered in the inbox, in order. */
  answers(): Readonly<Record<string, readonly string[]>>
  /** No new question from now on; resolves when the last answer is on the phone. */
  end(): Promise<void>
}

/** Question and answer, again and again: the next question when the answer to the last one is on the phone. */
export function talk({ twilio, intercom, eventually }: TestBridge, to: ReadonlyMap<string, string>): Talk {
  const answers = new Map([...to.keys()].map((phone): [string, string[]] => [phone, []]))
  const reached = new Map([...to.keys()].map((phone) => [phone, 0]))
  let over = false
  const ask = (from: string) => {
    const round = (answers.get(from)?.length ?? 0) + 1
    twilio.text({ from, to: to.get(from) ?? '', body: `question ${round}` })
  }
  intercom.subscribe((event) => {
    if (event.type !== 'conversation') return
    const { id, contactId, source, parts } = event.conversation
    const from = intercom.contacts().find((contact) => contact.id === contactId)?.phone ?? ''
    const round = answers.get(from)?.length ?? 0
    const asked = [source, ...parts].some(({ body }) => body === `<p>question ${round + 1}</p>`)
    if (!asked) return
    answers.get(from)?.push(`answer ${round + 1}`)
    queueMicrotask(() => intercom.inbox.reply(id, `<p>answer ${round + 1}</p>`))
  })
  twilio.subscribe((event) => {
    if (event.type !== 'message' || event.message.direction === 'inbound' || event.message.status !== 'sent') return
    const phone = event.message.to
    reached.set(phone, (reached.get(phone) ?? 0) + 1)
    if (!over) ask(phone)
  })
  for (const phone of to.keys()) ask(phone)
  return {
    answers: () => Object.fromEntries(answers),
    async end() {
      over = true
      const asked = (phone: string) => twilio.messages().filter(({ from }) => from === phone).length
      await eventually('the last answers are on the phones', () =>
        [...reached].every(([phone, count]) => count === asked(phone)),
      )
    },
  }
}
