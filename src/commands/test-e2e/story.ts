// The test itself, step by step, seen from the customer's phone and from the agent's inbox.
import type { AttemptCall } from '../../delivery.js'
import type { StepName } from './report.js'
import { firstConversation, goals, type Scene, type Seen, sendText, type Words } from './scene.js'
import type { Sent } from './stage.js'
import { followsUp, inIntercom, opensAgain, opensAnew } from './to-intercom.js'
import { onPhone, staysPrivate } from './to-phone.js'
import { newWords } from './words.js'

export interface Act {
  readonly name: StepName
  readonly what: string
  readonly goalMs?: number
  play(call: AttemptCall): Promise<Seen>
}

export function storyOf(scene: Scene): readonly Act[] {
  const { stage, words, made } = scene
  const { inbox, clock } = stage
  let sent: Sent | undefined

  const timed = (act: (call: AttemptCall) => Promise<string>) => async (call: AttemptCall) => {
    const begunAt = clock.now()
    const seen = await act(call)
    return { seen, ms: clock.now() - begunAt }
  }

  return [
    {
      name: 'text-in',
      what: 'text to us is on its way',
      play: timed(async (call) => {
        sent = await sendText(scene, words.first, call)
        return `“${sent.body}”`
      }),
    },
    {
      name: 'in-intercom',
      what: 'in Intercom, with the right contact and team',
      goalMs: goals.toInbox,
      async play(call) {
        if (sent === undefined) throw new Error('no text was sent')
        return inIntercom(scene, sent, call)
      },
    },
    {
      name: 'reply',
      what: 'agent’s reply is written',
      play: timed(async (call) => {
        made.repliedAt = clock.now()
        await inbox.reply(firstConversation(scene), `<p>sms-bridge reply <b>${words.reply}</b></p>`, call)
        return `“sms-bridge reply ${words.reply}”`
      }),
    },
    { name: 'on-phone', what: 'reply is on the phone', goalMs: goals.toPhone, play: (call) => onPhone(scene, call) },
    {
      name: 'follow-up',
      what: 'follow-up joins the same conversation',
      play: (call) => followsUp(scene, call),
    },
    {
      name: 'note',
      what: 'private note is written',
      play: timed(async (call) => {
        await inbox.note(firstConversation(scene), `<p>sms-bridge note ${words.note}</p>`, call)
        made.notedAt = clock.now()
        return 'for teammates alone'
      }),
    },
    {
      name: 'close',
      what: 'conversation is closed',
      play: timed(async (call) => {
        const id = firstConversation(scene)
        await inbox.close(id, call)
        return `conversation ${id}`
      }),
    },
    stage.reopens
      ? { name: 'reopened', what: 'new text opens it again', play: (call) => opensAgain(scene, call) }
      : { name: 'new-conversation', what: 'new text opens a new conversation', play: (call) => opensAnew(scene, call) },
    { name: 'note-private', what: 'private note stayed private', play: (call) => staysPrivate(scene, call) },
  ]
}

/** Texts of one test: from the phone, and to it. */
export const textsOfOneTest = { in: 3, out: 1 } as const

/** `random`: 0 ≤ x < 1. */
export function chooseWords(random: () => number): Words {
  const chosen = new Set<string>()
  while (chosen.size < 5) chosen.add(newWords(random))
  const [first = '', reply = '', more = '', note = '', again = ''] = chosen
  return { first, reply, more, note, again }
}
