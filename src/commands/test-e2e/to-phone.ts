// The second hop: an agent's reply, and what of it reaches the phone.
import type { AttemptCall } from '../../delivery.js'
import type { SentSms } from '../../twilio/messages.js'
import { Broken, causeOfCode, whyNotSent } from './causes.js'
import { goals, inSeconds, type Scene, type Seen, waited, watching } from './scene.js'
import { type OnItsWay, seekText } from './sightings.js'
import { watch } from './watch.js'

/** How long after a private note the phone is watched at least, ms. */
const noteWatchMs = 2_000

/** The reply is on the phone: from the right number, as plain text. */
export async function onPhone(scene: Scene, call: AttemptCall): Promise<Seen> {
  const { stage, words, made } = scene
  const since = made.repliedAt ?? scene.startedAt
  let last: OnItsWay | undefined
  const arrived = await watch(
    async () => {
      last = await seekText(stage, words.reply, since, call)
      const [text] = last.texts
      if (text === undefined) return undefined
      made.replyAcceptedMs ??= stage.clock.now() - since
      if (text.status === 'failed' || text.status === 'undelivered') throw await failed(scene, text, call)
      return last.arrived ? text : undefined
    },
    watching(scene, call),
  )
  const [text] = last?.texts ?? []
  if (text === undefined) throw new Broken(`no text with these words left ${waited(scene)}`, await whyNotSent(stage))
  checkText(scene, text)
  const acceptedMs = made.replyAcceptedMs ?? 0
  const accepted = `accepted after ${inSeconds(acceptedMs)}`
  if (arrived === undefined) return { seen: `${accepted}, then ${text.status}`, late: notDelivered(scene, text) }
  const ms = arrived.at - since
  const slow = acceptedMs > goals.toPhone / 2 ? 'Intercom or the bridge' : 'the carrier'
  return {
    seen: `${accepted}, delivered after ${inSeconds(ms)}`,
    ms,
    ...(ms > goals.toPhone && { late: `${slow} took most of the time` }),
  }
}

async function failed({ stage }: Scene, { messageSid, status }: SentSms, call: AttemptCall): Promise<Broken> {
  const code = (await stage.outside.twilio.findSent(messageSid, call))?.errorCode
  if (code === undefined) return new Broken(`Twilio accepted it, and then it was ${status}`)
  return new Broken(`Twilio accepted it, and then it was ${status} (${code})`, causeOfCode(code, stage.ours.number))
}

function checkText({ stage: { ours } }: Scene, { from, body }: SentSms): void {
  if (from !== undefined && from !== ours.number) {
    throw new Broken(`the reply came from ${from}, not from ${ours.number}`, {
      text: 'the Messaging Service or the bridge’s memory of this customer has another number',
      check: 'store',
    })
  }
  if (/[<>]/.test(body)) throw new Broken('the text on the phone still has HTML in it')
}

/** Some carriers tell nothing after they took a text; what never got so far is broken. */
function notDelivered(scene: Scene, { status }: SentSms): string {
  if (status === 'sent') return `the carrier told nothing more ${waited(scene)}: look at the phone`
  const { number } = scene.stage.ours
  throw new Broken(`Twilio accepted it, and it is still ${status} ${waited(scene)}`, {
    text: `${number} has a queue of texts at Twilio, or the carrier takes none from it`,
    check: `registration:${number}`,
  })
}

/** Nothing of the note was texted, and the reply only once. */
export async function staysPrivate(scene: Scene, call: AttemptCall): Promise<Seen> {
  const { stage, words, made, startedAt, patienceMs } = scene
  const { clock } = stage
  // A note would be under way no longer than the reply was, were it relayed.
  const watchMs = Math.min(Math.max(noteWatchMs, 2 * (made.replyAcceptedMs ?? 0)), patienceMs)
  await clock.sleep(Math.max(0, (made.notedAt ?? 0) + watchMs - clock.now()), call.signal)
  call.signal.throwIfAborted()
  const note = await seekText(stage, words.note, startedAt, call)
  if (note.texts.length > 0) {
    throw new Broken('the private note was texted to the phone', {
      text: 'stop the bridge and report it: notes must never leave Intercom. If another program texts for this workspace, it may be that one',
      check: 'notes',
    })
  }
  const reply = await seekText(stage, words.reply, startedAt, call)
  if (reply.texts.length > 1) {
    throw new Broken(`the reply was texted ${reply.texts.length} times`, {
      text: 'another bridge or program answers Intercom’s webhooks as well',
      check: 'intercom-subscription',
    })
  }
  return { seen: 'the phone got the reply, once, and nothing of the note' }
}
