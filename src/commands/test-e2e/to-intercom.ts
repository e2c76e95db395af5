// The first hop: a customer's text, and where it comes out in Intercom.

import type { AttemptCall } from '../../delivery.js'
import { DeliveryError } from '../../errors.js'
import type { Conversation } from '../../intercom/client.js'
import type { ConversationId } from '../../message.js'
import { Broken, whyNotInIntercom } from './causes.js'
import type { Cause } from './report.js'
import { firstConversation, goals, isNew, type Scene, type Seen, sendText, waited, watching } from './scene.js'
import { createFinder, holds } from './sightings.js'
import { isSpelling, type Sent } from './stage.js'
import { type Sighting, watch } from './watch.js'

/** Twilio's times are whole seconds, and its clock is not ours, ms. */
const roughlyMs = 2_000

/** The text is in a new conversation, of the right contact and for the right team. */
export async function inIntercom(scene: Scene, sent: Sent, call: AttemptCall): Promise<Seen> {
  const { stage, words, made } = scene
  const { id, createdAt, contactIds } = (await findText(scene, { sent, words: words.first }, call)).found
  if (!isNew(scene, createdAt)) {
    throw new Broken(
      `it joined conversation ${id}, which was ${stage.reopens ? 'open, or closed not long ago' : 'open'}`,
      {
        text: stage.reopens
          ? 'a conversation of this customer was in the way: delete it in Intercom, then run the test again'
          : 'a conversation of this customer was open: close it in Intercom, then run the test again',
      },
    )
  }
  made.texts.set(words.first, id)
  const [contactId] = contactIds
  if (contactId !== undefined) made.contactId = contactId
  const { found, at } = await untilRight(scene, id, call)
  const ms = at - sent.at
  return {
    seen: `conversation ${id}${stage.team === undefined ? '' : `, team ${stage.team}`}`,
    ms,
    ...(ms > goals.toInbox && { late: await whyLate(scene, { sent, createdAt: found.createdAt }, call) }),
  }
}

/** The text is in the conversation that is open. */
export async function followsUp(scene: Scene, call: AttemptCall): Promise<Seen> {
  const { stage, words, made } = scene
  const id = firstConversation(scene)
  const sent = await sendText(scene, words.more, call)
  const finder = createFinder(scene, call)
  const joined = await watch(
    async () => {
      const conversation = await stage.outside.intercom.getConversation(id, call)
      if (conversation !== undefined && holds(conversation, words.more)) return conversation
      return finder.find(words.more)
    },
    watching(scene, call),
  )
  if (joined === undefined) throw await notFound(scene, sent, call)
  made.texts.set(words.more, joined.found.id)
  if (joined.found.id !== id) {
    throw new Broken(`it went to conversation ${joined.found.id}, though ${id} is open`, {
      text: 'the bridge does not know the open conversation any more, or another bridge took the text',
      check: 'store',
    })
  }
  return { seen: `conversation ${id}`, ms: joined.at - sent.at }
}

/** The text is in another conversation than the one that was closed. */
export async function opensAnew(scene: Scene, call: AttemptCall): Promise<Seen> {
  const { words, made } = scene
  const id = firstConversation(scene)
  const sent = await sendText(scene, words.again, call)
  const { found, at } = await findText(scene, { sent, words: words.again }, call)
  made.texts.set(words.again, found.id)
  if (found.id === id) {
    throw new Broken(`it reopened conversation ${id}`, {
      text: 'a workflow or a person reopened the conversation before the text came, or the bridge wrote into a closed one',
      check: 'store',
    })
  }
  return { seen: `conversation ${found.id}, beside ${id}`, ms: at - sent.at }
}

/** The text is in the conversation that was closed, which is open again. */
export async function opensAgain(scene: Scene, call: AttemptCall): Promise<Seen> {
  const { words, made } = scene
  const id = firstConversation(scene)
  const sent = await sendText(scene, words.again, call)
  const { found, at } = await findText(scene, { sent, words: words.again }, call)
  made.texts.set(words.again, found.id)
  if (found.id !== id) {
    throw new Broken(`it opened conversation ${found.id}, though ${id} was closed just now`, {
      text: 'serve runs with another SMS_BRIDGE_REOPEN: restart it',
    })
  }
  return { seen: `conversation ${id}`, ms: at - sent.at }
}

async function findText(
  scene: Scene,
  { sent, words }: { readonly sent: Sent; readonly words: string },
  call: AttemptCall,
): Promise<Sighting<Conversation>> {
  const finder = createFinder(scene, call)
  const sighting = await watch(() => finder.find(words), watching(scene, call))
  if (sighting === undefined) throw await notFound(scene, sent, call)
  return sighting
}

async function notFound(scene: Scene, sent: Sent, call: AttemptCall): Promise<Broken> {
  const cause = await whyNotInIntercom(scene.stage, sent, call.signal).catch((error: unknown) => {
    if (!(error instanceof DeliveryError)) throw error
    return undefined
  })
  return new Broken(`the text is in no conversation ${waited(scene)}`, cause)
}

/** Contact and team come a moment after the conversation. */
async function untilRight(scene: Scene, id: ConversationId, call: AttemptCall): Promise<Sighting<Conversation>> {
  let wrong: Wrong = gone
  const sighting = await watch(
    async () => {
      const now = await scene.stage.outside.intercom.getConversation(id, call)
      const fault = now === undefined ? gone : await faultOf(scene, now, call)
      if (fault === undefined) return now
      wrong = fault
      return undefined
    },
    watching(scene, call),
  )
  if (sighting === undefined) throw new Broken(`conversation ${id} is there, but ${wrong.seen}`, wrong.cause)
  return sighting
}

interface Wrong {
  readonly seen: string
  readonly cause: Cause
}

const gone: Wrong = {
  seen: 'it was deleted at once',
  cause: { text: 'a person, a workflow or another test deleted it' },
}

async function faultOf(
  { stage }: Scene,
  { contactIds, teamId }: Conversation,
  call: AttemptCall,
): Promise<Wrong | undefined> {
  const { team, phone, defaultRegion, outside } = stage
  const [contactId] = contactIds
  const contact = contactId === undefined ? undefined : await outside.intercom.getContact(contactId, call)
  if (contact === undefined || !isSpelling(contact.phone, { number: phone.number, defaultRegion })) {
    return {
      seen: `its contact${contact === undefined ? ' is gone' : `, ${contact.id}, has another number`}`,
      cause: { text: 'the bridge remembers another contact for this phone', check: 'store' },
    }
  }
  if (team === undefined || teamId === team) return undefined
  return {
    seen: `it is assigned to ${teamId === undefined ? 'no team' : `team ${teamId}`}, not to team ${team}`,
    cause: {
      text: `team ${team} of SMS_BRIDGE_TEAMS is gone, serve runs with other settings, or a workflow of Intercom’s assigns anew`,
      check: 'teams',
    },
  }
}

async function whyLate(
  { stage }: Scene,
  { sent, createdAt }: { readonly sent: Sent; readonly createdAt: number },
  call: AttemptCall,
): Promise<string> {
  const { twilio } = stage.outside
  const { texts } = await twilio.listReceived(stage.ours.number, sent.at - twilio.clockSlackMs(), call)
  const arrived = texts.find(({ from, body }) => from === stage.phone.number && body === sent.body)
  const carriedMs = arrived === undefined ? 0 : arrived.sentAt - sent.at
  if (carriedMs > roughlyMs) return `Twilio took ${Math.round(carriedMs / 1000)} s to bring the text to our number`
  if (createdAt - sent.at < goals.toInbox - roughlyMs) {
    return 'Intercom has the conversation from earlier on: it showed it late, or its contact and team came late'
  }
  return 'the bridge or Intercom was slow: sms-bridge status shows the bridge’s own times'
}
