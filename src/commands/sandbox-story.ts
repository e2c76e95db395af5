// The product's story, told once without a browser: every step is looked at from the customer's and the agent's side.
import type { Clock } from '../clock.js'
import type { TwinConversation } from '../emulators/intercom/types.js'
import { companyNumber, type World } from './sandbox-world.js'

const customer = '+15550100142'
/** How long one step may take before it counts as broken, ms. */
const patienceMs = 10_000

export interface StoryStep {
  readonly what: string
  readonly ok: boolean
  readonly ms: number
  /** What was seen, or what was missing. */
  readonly seen: string
}

/** Tells the story step by step; stops at the first step that does not hold. */
export async function* tellStory(world: World, clock: Clock): AsyncGenerator<StoryStep> {
  const { twilio, intercom } = world
  const conversations = () => intercom.conversations()
  const textsShown = () => twilio.handset(customer).filter(({ direction }) => direction !== 'inbound')

  const step = async (what: string, look: () => string | undefined): Promise<StoryStep> => {
    const startedAt = clock.now()
    const seen = await waitFor(world, clock, look)
    const ms = clock.now() - startedAt
    return { what, ok: seen !== undefined, ms, seen: seen ?? `not seen within ${patienceMs / 1000} s` }
  }

  twilio.text({ from: customer, to: companyNumber, body: 'Hi, is my order on its way? 📦' })
  yield await step('a text becomes a conversation', () => {
    const [first] = conversations()
    return first?.source.body.includes('is my order')
      ? `conversation ${first.id}: ${strip(first.source.body)}`
      : undefined
  })
  const first = conversations()[0]
  if (first === undefined) return

  yield await step('it is assigned to the team of the number', () =>
    first.teamAssigneeId === null ? undefined : `team ${first.teamAssigneeId}`,
  )

  intercom.inbox.reply(first.id, '<p>It left this morning. <a href="https://example.com/t/1">Track it</a></p>')
  yield await step(
    "the agent's reply reaches the phone",
    () => textsShown().find(({ body, status }) => body.startsWith('It left') && status === 'delivered')?.body,
  )

  twilio.text({ from: customer, to: companyNumber, body: 'Great, thank you!' })
  yield await step('the follow-up joins the same conversation', () =>
    partWith(first, 'Great, thank you!') ? `conversation ${first.id}, ${conversations().length} in all` : undefined,
  )

  intercom.inbox.note(first.id, '<p>Customer seems happy.</p>')
  intercom.inbox.reply(first.id, '<p>Any time!</p>', { and: 'close' })
  yield await step('a reply that closes the conversation is sent, the private note before it is not', () => {
    const bodies = textsShown().map(({ body }) => body)
    if (bodies.some((body) => body.includes('seems happy'))) return undefined
    return bodies.includes('Any time!') ? `${bodies.length} texts on the phone` : undefined
  })

  twilio.text({ from: customer, to: companyNumber, body: 'One more question…' })
  yield await step('a text after the close opens a new conversation', () => {
    const second = conversations().find(({ id, source }) => id !== first.id && source.body.includes('One more'))
    return second === undefined ? undefined : `conversation ${second.id}, beside ${first.id}`
  })
}

function partWith({ parts }: TwinConversation, text: string): boolean {
  return parts.some(({ body }) => body?.includes(text) ?? false)
}

function strip(html: string): string {
  return html.replace(/<[^>]*>/g, ' ').trim()
}

/** Looks after every event of the twins until there is something to see. */
async function waitFor(world: World, clock: Clock, look: () => string | undefined): Promise<string | undefined> {
  const give = new AbortController()
  let seen = look()
  const check = () => {
    seen ??= look()
    if (seen !== undefined) give.abort()
  }
  const ends = [world.twilio.subscribe(check), world.intercom.subscribe(check)]
  check()
  await clock.sleep(patienceMs, give.signal)
  for (const end of ends) end()
  return seen
}
