// Intercom's webhooks: no API sets them, so the person does, and each topic is proven by an event of our own.
import type { Config } from '../../config/load.js'
import type { Store } from '../../store/store.js'
import { desiredTopics, proveTopics, seenSince, type Topic, type TopicProof } from '../setup/topics.js'
import { desiredWebhooks } from '../setup/webhooks.js'
import type { IntercomStep } from './intercom.js'
import { openPage } from './open-page.js'
import type { Session } from './session.js'

export interface ProvenTopic extends Topic {
  readonly state: 'proven' | 'not-seen' | 'not-asked' | 'refused'
}

export interface HubStep {
  readonly topics: readonly ProvenTopic[]
  readonly wrongSecret: boolean
  readonly otherApps: readonly string[]
}

const developerHub = 'https://app.intercom.com/a/apps/_/developer-hub'

export async function hubStep(
  session: Session,
  config: Config,
  parts: { store: Store; intercom: IntercomStep },
): Promise<HubStep> {
  const { ask, options } = session
  const topics = desiredTopics(config)
  const shownAt = session.context.clock.now()
  showHub(session, config, topics)
  if (ask !== undefined && !options.yes) {
    openHub(session)
    const wants = await ask.confirm('Saved there? Then each topic is proven on a throw-away conversation', true)
    if (!wants) return notAsked(topics)
  }
  for (;;) {
    const step = await proveOnce(session, topics, parts)
    session.stopping.throwIfAborted()
    const urlSeen = await tellOutside(session, { step, store: parts.store, shownAt })
    const missing = step.topics.some(({ needed, provable, state }) => needed && provable && state !== 'proven')
    if (!missing || ask === undefined || options.yes) return step
    // The URL is where it belongs; what is still to be typed there are these.
    if (urlSeen && !step.wrongSecret) copyTopics(session, step)
    if (!(await ask.confirm('Try again?', true))) return step
  }
}

/** What came by way of the public URL came from outside. Resolves whether Intercom knows the URL. */
async function tellOutside(
  { screen }: Session,
  { step, store, shownAt }: { readonly step: HubStep; readonly store: Store; readonly shownAt: number },
): Promise<boolean> {
  const { head, topics } = await seenSince(store, ['ping'], shownAt)
  if (head) screen.ok('Intercom looked at the URL, as it does when it is saved')
  if (topics.has('ping')) screen.ok('Intercom’s test ping came')
  const proven = step.topics.some(({ state }) => state === 'proven')
  if (proven) screen.ok('the public URL is reached from outside')
  return head || proven
}

export function notAsked(topics: readonly Topic[]): HubStep {
  return { topics: topics.map((topic) => ({ ...topic, state: 'not-asked' })), wrongSecret: false, otherApps: [] }
}

function showHub({ screen }: Session, config: Config, topics: readonly Topic[]): void {
  screen.say('')
  screen.say(`Intercom’s webhooks are set by hand: Developer Hub › your app › Configure › Webhooks (${developerHub})`)
  screen.say(`  Endpoint URL  ${desiredWebhooks(config).intercom}`)
  screen.say('  Topics to tick')
  const width = Math.max(...topics.map(({ name }) => name.length))
  for (const { name, why, needed } of topics)
    screen.say(`    ☐ ${name.padEnd(width)}  ${needed ? 'needed' : 'optional'}: ${why}`)
}

/** Terminals that know the sequence (OSC 52) put it on the clipboard, those that do not ignore it. */
function copy({ context }: Session, text: string, said: string): void {
  const sequence = `\u001b]52;c;${Buffer.from(text).toString('base64')}\u0007`
  context.io.err(`${sequence}  ${said} on the clipboard, where the terminal allows it.`)
}

function copyTopics(session: Session, { topics }: HubStep): void {
  const names = topics.filter(({ state }) => state !== 'proven').map(({ name }) => name)
  const said = names.length === 1 ? `${names[0]} is` : 'The topics that did not come are, one per line,'
  copy(session, names.join('\n'), said)
}

function openHub(session: Session): void {
  const { context, options, answers } = session
  copy(session, `${answers.find('publicUrl')?.text ?? ''}/webhooks/intercom`, 'The URL is')
  if (options.open) openPage(developerHub, context.env)
}

async function proveOnce(
  session: Session,
  topics: readonly Topic[],
  { store, intercom }: { store: Store; intercom: IntercomStep },
): Promise<HubStep> {
  const { screen, context, stopping } = session
  const spinner = await screen.spin(
    'A throw-away conversation is made; waiting for Intercom’s webhooks, a minute at most…',
  )
  let proof: TopicProof
  try {
    proof = await proveTopics(topics, {
      intercom: intercom.intercom,
      adminId: intercom.workspace.adminId,
      store,
      clock: context.clock,
      stopping,
      onSeen: (topic) => screen.ok(topic),
    })
  } finally {
    spinner.stop()
  }
  const { seen, refused, leftOver } = proof
  const step: HubStep = {
    topics: topics.map((topic) => ({ ...topic, state: stateOf(topic, proof) })),
    wrongSecret: seen.wrongSecret && seen.topics.size === 0,
    otherApps: [...seen.appIds].filter((id) => id !== intercom.workspace.appId),
  }
  for (const { name, state, needed, provable } of step.topics) {
    if (state === 'refused') screen.warn(`${name}: could not be tried: ${refused.get(name)}`)
    else if (!provable) screen.warn(`${name}: cannot be tried from here; tick it all the same`)
    else if (state === 'not-seen' && !step.wrongSecret)
      screen[needed ? 'bad' : 'warn'](`${name} did not come: is it ticked, and saved?`)
  }
  if (step.wrongSecret) {
    screen.bad('webhooks came that another client secret had signed: INTERCOM_CLIENT_SECRET is that of another app')
  }
  for (const id of step.otherApps) {
    screen.bad(
      `webhooks come from the workspace ${id}, not from ${intercom.workspace.appId}: the app is installed there too`,
    )
  }
  if (leftOver !== '') screen.warn(`could not be cleaned up, do it by hand: ${leftOver}`)
  return step
}

function stateOf({ name, provable }: Topic, { seen, refused }: TopicProof): ProvenTopic['state'] {
  if (seen.topics.has(name)) return 'proven'
  if (refused.has(name)) return 'refused'
  return provable ? 'not-seen' : 'not-asked'
}
