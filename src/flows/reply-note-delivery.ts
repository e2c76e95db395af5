// What became of a reply, as a delivery: for flows that find it out, and for people who decide it.
import type { NewDelivery, Parked } from '../delivery.js'
import type { AgentReply, ReplyEnd, ReplyNote } from '../message.js'

export const replyNoteKey = ({ replyId, end }: Pick<ReplyNote, 'replyId' | 'end'>) => `reply:${replyId}:${end}`

/** One for each reply and end, however often and in however many texts it comes to it. */
export function replyNoteDelivery(note: ReplyNote): NewDelivery<'reply-note'> {
  return {
    kind: 'reply-note',
    payload: note,
    // That a customer cannot be answered is said once.
    dedupeKey: note.end === 'unanswerable' ? `unanswerable:${note.conversationId}` : replyNoteKey(note),
    lane: `note:${note.conversationId}`,
    shore: 'intercom',
    priority: 'live',
    number: '',
    rank: '',
  }
}

/** What is needed of a reply's delivery. */
export type Reply = { readonly id: number; readonly payload: AgentReply }

export function noteAbout({ id, payload }: Reply, end: ReplyEnd): ReplyNote {
  const { conversationId, partId, writtenAt, author } = payload
  const quiet = author.kind === 'bot' ? { quiet: true as const } : {}
  return { end, conversationId, partId, writtenAt, replyId: id, ...quiet }
}

/** Of a reply that is about to be parked. */
export function parkedNote(reply: Reply, { reason, retryAt }: Parked): NewDelivery<'reply-note'> {
  const end = retryAt === undefined ? 'refused' : 'waiting'
  return replyNoteDelivery({ ...noteAbout(reply, end), code: reason })
}

/** Of a reply that somebody has discarded. */
export function discardedNote(reply: Reply, because: string): NewDelivery<'reply-note'> {
  return replyNoteDelivery({ ...noteAbout(reply, 'discarded'), because })
}
