// Intercom's webhook topics: which are wanted, and whether they really come. Their names: intercom.md §4.1.
import type { Clock } from '../../clock.js'
import { describeError } from '../../errors.js'
import type { Contact } from '../../intercom/client.js'
import type { ContactId, ConversationId } from '../../message.js'
import type { Store } from '../../store/store.js'
import type { Call } from '../../transport.js'
import type { Intercom } from './vendors.js'

export interface Topic {
  readonly name: string
  readonly why: string
  /** Replies are late or lost without it. */
  readonly needed: boolean
  /** An act by API sets it off. Bots cannot be made to speak. */
  readonly provable: boolean
}

export function desiredTopics({ relayBots }: { readonly relayBots: boolean }): readonly Topic[] {
  return [
    { name: 'conversation.admin.replied', why: 'an agent answers', needed: true, provable: true },
    ...(relayBots
      ? [{ name: 'conversation.operator.replied', why: 'a bot answers', needed: true, provable: false }]
      : []),
    ...optional.map((topic) => ({ ...topic, needed: false, provable: true })),
  ]
}

const optional = [
  { name: 'conversation.admin.noted', why: 'an agent writes a note' },
  { name: 'conversation.admin.assigned', why: 'an agent assigns' },
  { name: 'conversation_part.tag.created', why: 'an agent tags' },
  { name: 'conversation.admin.closed', why: 'an agent closes' },
]

export interface SeenTopics {
  /** Names of topics of which a signed notification came since then. */
  readonly topics: ReadonlySet<string>
  /** Apps they came from. */
  readonly appIds: ReadonlySet<string>
  /** The URL was looked at, as when it is saved. */
  readonly head: boolean
  /** Something came that another secret had signed. */
  readonly wrongSecret: boolean
}

/** What the door noted since a moment, epoch ms; by whichever process it is open in. */
export async function seenSince(
  store: Pick<Store, 'findMark'>,
  topics: readonly string[],
  since: number,
): Promise<SeenTopics> {
  const fresh = async (name: string) => {
    const mark = await store.findMark(name)
    return mark !== undefined && mark.at >= since ? mark : undefined
  }
  const seen = new Set<string>()
  const appIds = new Set<string>()
  for (const topic of topics) {
    const mark = await fresh(`topic:${topic}`)
    if (mark === undefined) continue
    seen.add(topic)
    const { appId } = mark.value as { appId: string } // as the door writes it
    appIds.add(appId)
  }
  return {
    topics: seen,
    appIds,
    head: (await fresh('hub-head')) !== undefined,
    wrongSecret: (await fresh('hub-unsigned')) !== undefined,
  }
}

export interface TopicProof {
  readonly seen: SeenTopics
  /** Acts that Intercom refused, by topic. */
  readonly refused: ReadonlyMap<string, string>
  /** What could not be cleaned up; '' when all was. */
  readonly leftOver: string
}

export interface TopicProofParts {
  readonly intercom: Intercom
  readonly adminId: string
  readonly store: Pick<Store, 'findMark'>
  readonly clock: Clock
  readonly stopping: AbortSignal
  /** Default 60 s. */
  readonly patienceMs?: number
  readonly onSeen?: (topic: string) => void
}

/** The door notes a topic once in ten seconds: one that came just before is as good. */
const markEveryMs = 10_000
/** Once all that are needed have come, the others are given so much longer. */
const graceMs = 10_000
/** One that another secret signed may be somebody's joke; so much longer for one that is right. */
const wrongSecretMs = 5_000
const lookEveryMs = 300

/**
 * Does on a throw-away conversation what each topic tells of, waits for the notifications, and cleans up. No customer
 * hears of it: its contact has no phone and no e-mail.
 */
export async function proveTopics(topics: readonly Topic[], parts: TopicProofParts): Promise<TopicProof> {
  const { store, clock, stopping } = parts
  // Ctrl-C ends the waiting, not the cleaning up.
  const call: Call = { signal: new AbortController().signal, guard: () => {}, priority: 'live' }
  const since = clock.now() - markEveryMs
  const scene = await setScene(parts, call)
  const refused = new Map<string, string>()
  let seen: SeenTopics
  try {
    for (const [topic, act] of Object.entries(actsOn(scene, parts, call))) {
      if (stopping.aborted || topics.every(({ name }) => name !== topic)) continue
      await act().catch((error: unknown) => refused.set(topic, describeError(error)))
    }
    const names = topics.map(({ name }) => name)
    const look = () => seenSince(store, names, since)
    seen = await waitFor(topics, look, parts)
  } finally {
    scene.leftOver = await cleanUp(scene, parts, call)
  }
  return { seen, refused, leftOver: scene.leftOver }
}

interface Scene {
  readonly contactId: ContactId
  readonly conversationId: ConversationId
  tagId: string | undefined
  leftOver: string
}

const sceneName = 'sms-bridge set-up test'
/** Made for the test, and deleted with it. */
const tagName = 'sms-bridge-set-up-test'

async function setScene({ intercom, clock, adminId }: TopicProofParts, call: Call): Promise<Scene> {
  const contact = await intercom.client.createLead({ name: sceneName, customAttributes: {} }, call)
  try {
    const conversationId = await openConversation(contact, { intercom, clock }, call)
    return { contactId: contact.id, conversationId, tagId: undefined, leftOver: '' }
  } catch (error) {
    await intercom
      .inbox(adminId)
      .archiveContact(contact.id, call)
      .catch(() => {}) // what failed first is told
    throw error
  }
}

async function openConversation(
  contact: Contact,
  { intercom, clock }: Pick<TopicProofParts, 'intercom' | 'clock'>,
  call: Call,
): Promise<ConversationId> {
  const from = { id: contact.id, role: contact.role }
  const html = '<p>sms-bridge is being set up. This conversation is a test and goes away by itself.</p>'
  for (let tries = 1; ; tries += 1) {
    try {
      return (await intercom.client.createConversation(from, html, call)).conversationId
    } catch (error) {
      // A new contact is not known everywhere at once.
      if (tries === 5) throw error
      await clock.sleep(1000)
    }
  }
}

function actsOn(
  scene: Scene,
  { intercom, adminId }: TopicProofParts,
  call: Call,
): Readonly<Record<string, () => Promise<unknown>>> {
  const inbox = intercom.inbox(adminId)
  const { conversationId: id } = scene
  return {
    'conversation.admin.replied': () => inbox.reply(id, '<p>A test of the webhooks.</p>', call),
    'conversation.admin.noted': () => inbox.note(id, '<p>A test of the webhooks.</p>', call),
    'conversation.admin.assigned': () => inbox.assign(id, { type: 'admin', id: adminId }, call),
    'conversation_part.tag.created': async () => {
      scene.tagId = (await inbox.tag(id, tagName, call))?.tagId
    },
    'conversation.admin.closed': () => inbox.close(id, call),
  }
}

async function waitFor(
  topics: readonly Topic[],
  look: () => Promise<SeenTopics>,
  { clock, stopping, patienceMs = 60_000, onSeen = () => {} }: TopicProofParts,
): Promise<SeenTopics> {
  const told = new Set<string>()
  let until = clock.now() + patienceMs
  let enough = false
  for (;;) {
    const seen = await look()
    for (const name of seen.topics) {
      if (!told.has(name)) onSeen(name)
      told.add(name)
    }
    // Everything is signed by the same secret: waiting on would bring more of the same.
    if (seen.wrongSecret && seen.topics.size === 0) until = Math.min(until, clock.now() + wrongSecretMs)
    const missing = topics.filter(({ name, provable }) => provable && !seen.topics.has(name))
    if (!enough && missing.every(({ needed }) => !needed)) {
      enough = true
      until = Math.min(until, clock.now() + graceMs)
    }
    if (missing.length === 0 || clock.now() >= until || stopping.aborted) return seen
    await clock.sleep(lookEveryMs, stopping)
  }
}

async function cleanUp(
  { contactId, conversationId, tagId }: Scene,
  parts: TopicProofParts,
  call: Call,
): Promise<string> {
  const inbox = parts.intercom.inbox(parts.adminId)
  const left: string[] = []
  const orLeft = (what: string, done: Promise<void>) =>
    done.catch((error: unknown) => left.push(`${what} (${describeError(error)})`))
  if (tagId !== undefined) await orLeft(`the tag ${tagName}`, inbox.deleteTag(tagId, call))
  await orLeft(`the conversation ${conversationId}`, inbox.deleteConversation(conversationId, call))
  await orLeft(`the contact "${sceneName}"`, inbox.archiveContact(contactId, call))
  return left.join(', ')
}
