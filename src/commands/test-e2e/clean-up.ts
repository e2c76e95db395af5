// Takes away what the test made, however it ended.

import type { AttemptCall } from '../../delivery.js'
import { DeliveryError } from '../../errors.js'
import type { ConversationId } from '../../message.js'
import { Broken, causeOfError } from './causes.js'
import { isNew, type Scene, type Seen } from './scene.js'
import { createFinder } from './sightings.js'
import type { Stage } from './stage.js'
import { watch } from './watch.js'

/** How long to look for a conversation that a text may still open, ms. */
const straggleMs = 10_000

/** What an earlier test left open: the next text would join it. */
export async function clearLeftovers({ stage }: Scene, call: AttemptCall): Promise<void> {
  const done: Done = { deleted: 0, closed: 0, left: [] }
  for (const id of stage.leftovers) await takeAway(stage, id, done, call)
}

/**
 * Conversations are deleted or, where the app may not, closed; the contact is archived when the test made it.
 * @throws Broken naming what is left behind.
 */
export async function cleanUp(scene: Scene, call: AttemptCall): Promise<Seen> {
  const { stage, made } = scene
  await findStragglers(scene, call)
  const ours = new Set([...made.texts.values()].filter((id) => id !== undefined))
  const done: Done = { deleted: 0, closed: 0, left: [] }
  for (const id of ours) await takeAway(stage, id, done, call)
  const archived = await archiveContact(scene, done, call)
  const seen = [
    done.deleted > 0 ? `${conversations(done.deleted)} deleted` : '',
    done.closed > 0
      ? `${conversations(done.closed)} closed, because the Intercom app may not delete conversations`
      : '',
    archived ? 'contact archived' : '',
  ].filter((part) => part !== '')
  if (done.left.length > 0) {
    const [{ what, error }] = done.left as [Left, ...Left[]] // there is one, as just seen
    throw new Broken([...seen, `left behind: ${done.left.map((one) => one.what).join(', ')}`].join(' · '), {
      ...causeOfError(error, ''),
      text: `${what}: ${error.message}`,
    })
  }
  return { seen: seen.length === 0 ? 'there was nothing to take away' : seen.join(' · ') }
}

interface Left {
  readonly what: string
  readonly error: DeliveryError
}

interface Done {
  deleted: number
  closed: number
  readonly left: Left[]
}

const conversations = (count: number) => (count === 1 ? '1 conversation' : `${count} conversations`)

/** Texts whose conversation no step has seen: it failed, or Ctrl-C came in between. */
async function findStragglers(scene: Scene, call: AttemptCall): Promise<void> {
  const { stage, made, patienceMs } = scene
  const { clock } = stage
  const finder = createFinder(scene, call)
  for (const [words, id] of made.texts) {
    if (id !== undefined) continue
    const look = { clock, signal: call.signal, patienceMs: Math.min(straggleMs, patienceMs), everyMs: 500 }
    const found = await watch(() => finder.find(words), look).catch(ignoreFault)
    // It may stand in a conversation that was there before: that one is not ours to delete.
    if (found !== undefined && isNew(scene, found.found.createdAt)) {
      made.texts.set(words, found.found.id)
      const [contactId] = found.found.contactIds
      if (contactId !== undefined) made.contactId ??= contactId
    }
  }
}

function ignoreFault(error: unknown): undefined {
  if (!(error instanceof DeliveryError)) throw error
}

async function takeAway({ inbox, outside }: Stage, id: ConversationId, done: Done, call: AttemptCall): Promise<void> {
  try {
    await inbox.deleteConversation(id, call)
    done.deleted += 1
  } catch (error) {
    if (!(error instanceof DeliveryError)) throw error
    try {
      if ((await outside.intercom.getConversation(id, call))?.state !== 'closed') await inbox.close(id, call)
      done.closed += 1
    } catch (second) {
      if (!(second instanceof DeliveryError)) throw second
      done.left.push({ what: `conversation ${id}`, error: second })
    }
  }
}

/** A contact that was there before may be a real one. */
async function archiveContact(scene: Scene, done: Done, call: AttemptCall): Promise<boolean> {
  const { stage, made } = scene
  const id = made.contactId
  if (id === undefined || stage.known.has(id)) return false
  try {
    const { intercom } = stage.outside
    const contact = await intercom.getContact(id, call)
    if (contact === undefined || !isNew(scene, contact.createdAt)) return false
    await stage.inbox.archiveContact(id, call)
    return true
  } catch (error) {
    if (!(error instanceof DeliveryError)) throw error
    done.left.push({ what: `contact ${id}`, error })
    return false
  }
}
