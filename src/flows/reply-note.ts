// A reply that did not simply arrive is told of where its author sees it: in a note in its conversation.
import type { Delivery, Flow, FlowResult, NewDelivery, Tools } from '../delivery.js'
import type { Conversation, Part } from '../intercom/client.js'
import type { ReplyNote } from '../message.js'
import type { Store, Thread } from '../store/store.js'
import { noteAbout, type Reply, replyNoteDelivery, replyNoteKey } from './reply-note-delivery.js'
import { type Explain, noteHtml } from './reply-note-words.js'
import { toSmsText } from './sms-text.js'
import { createNoteWriter, type NoteParts } from './write-note.js'

/** One that was opened for a note stays closed if somebody closes it within so long, ms. */
const opensAgainAfterMs = 600_000

export interface ReplyNoteParts extends NoteParts {
  readonly store: Store
  /** What a code of the vendor's means. */
  readonly explain: Explain
  /** Of the workspace; IANA. Undefined when unknown. */
  readonly timeZone: (tools: Tools) => Promise<string | undefined>
}

/** Of a reply that left though a note says that it did not; none when no note does. */
export async function sentNotes(
  store: Pick<Store, 'unseen'>,
  reply: Reply,
): Promise<readonly NewDelivery<'reply-note'>[]> {
  const keys = (['waiting', 'refused', 'discarded'] as const).map((end) => replyNoteKey({ replyId: reply.id, end }))
  const unseen = await store.unseen(keys)
  return unseen.length === keys.length ? [] : [replyNoteDelivery(noteAbout(reply, 'sent'))]
}

export function createReplyNoteFlow(parts: ReplyNoteParts): Flow<'reply-note'> {
  const { store, intercom, explain, adminId } = parts
  const write = createNoteWriter(parts)

  /** Undefined when it need not be told any more. */
  const whatToSay = async (note: ReplyNote, tools: Tools, thread: Thread, part: Part | undefined) => {
    const { end, replyId, messageSid, code } = note
    const reply = await store.findDelivery(replyId)
    const isOver = reply?.state === 'delivered' || reply?.state === 'suppressed'
    if ((end === 'waiting' || end === 'refused') && isOver) return undefined
    if (end === 'discarded' && reply?.state !== 'discarded') return undefined
    const undelivered = replyNoteKey({ replyId, end: 'undelivered' })
    if (end === 'sent' && (await store.unseen([undelivered])).length === 0) return undefined
    const receipt = messageSid === undefined ? undefined : await store.findReceipt(messageSid)
    const timeZone = await parts.timeZone(tools)
    return noteHtml({
      end,
      to: thread.replyTo,
      // Words that somebody took back stay taken back.
      words: part === undefined || part.redacted ? '' : toSmsText(part.body),
      writtenAt: note.writtenAt,
      now: tools.now(),
      ...(note.because !== undefined && { because: note.because }),
      code: code ?? (receipt?.errorCode === undefined ? undefined : String(receipt.errorCode)),
      known: receipt?.conflict ? 'contradicted' : reach(reply),
      replyId,
      automatic: note.quiet === 'automatic',
      explain,
      ...(timeZone !== undefined && { timeZone }),
    })
  }

  /** The words of the attempt that may have written it; until then they are found anew. */
  const wordsFor = async (note: ReplyNote, thread: Thread, conversation: Conversation, tools: Tools) => {
    const noted = tools.effects.step('words')?.value
    if (typeof noted === 'string' && tools.effects.step('note') !== undefined) return noted
    const part = conversation.parts.find(({ id }) => id === note.partId)
    const html = await whatToSay(note, tools, thread, part)
    if (html !== undefined) await tools.effects.note('words', html)
    return html
  }

  /** In a conversation that is closed or snoozed nobody would see it. */
  const isToBeOpened = async ({ end, quiet }: ReplyNote, { state, parts: all }: Conversation, tools: Tools) => {
    if (state === 'open' || end === 'sent' || quiet !== undefined) return false
    const admin = await adminId(tools)
    // Something closes it each time it opens, or answers: it must not go on for ever.
    return !all.some(
      ({ partType, author, writtenAt }) =>
        partType === 'open' && author.id === admin && writtenAt > tools.now() - opensAgainAfterMs,
    )
  }

  return {
    async deliver({ payload: note }, tools): Promise<FlowResult> {
      const { conversationId } = note
      const thread = await store.findThreadOfConversation(conversationId)
      const conversation = thread && (await intercom.getConversation(conversationId, tools.call))
      if (thread === undefined || conversation === undefined) return { state: 'suppressed', reason: 'no such thread' }
      const html = await wordsFor(note, thread, conversation, tools)
      if (html === undefined) return { state: 'suppressed', reason: 'it has come to another end since' }
      const partId = await write(html, conversation, tools)
      const opened = await isToBeOpened(note, conversation, tools)
      if (opened) await intercom.openConversation(conversationId, await adminId(tools), tools.call)
      return { state: 'delivered', result: { conversationId, partId, ...(opened && { opened }) } }
    },
  }
}

/** How far the reply is known to have come: its texts that left, and those of which nobody knows. */
function reach(reply: Pick<Delivery, 'steps'> | undefined): 'nothing left' | 'part left' | 'unknown' {
  const texts = Object.entries(reply?.steps ?? {}).filter(([name]) => /^sms-\d+$/.test(name))
  if (texts.some(([, { doneAt }]) => doneAt === undefined)) return 'unknown'
  return texts.length === 0 ? 'nothing left' : 'part left'
}
