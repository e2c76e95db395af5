import type { ConversationRecord, PartRecord } from './state.js'

export type Statistics = Readonly<Record<string, number | string | null | readonly never[]>>

const isContacts = ({ author }: PartRecord) => author.type === 'user' || author.type === 'lead'
const isAdminReply = ({ author, body, partType }: PartRecord) =>
  author.type === 'admin' && body !== null && partType !== 'note'
const isAssignment = ({ partType }: PartRecord) => partType === 'assignment' || partType === 'assign_and_reopen'
const isReopening = ({ partType }: PartRecord) => partType === 'open' || partType === 'assign_and_reopen'

/**
 * What reporting keeps of a conversation, from its parts. Times are Unix seconds, durations seconds. What has not
 * happened is null, as recorded, though the schema does not allow it. Bots' answers are no admin's replies.
 */
export function statisticsOf(conversation: ConversationRecord): Statistics {
  const { parts, createdAt } = conversation
  const at = (part: PartRecord | undefined) => (part === undefined ? null : Math.floor(part.createdAt / 1000))
  const took = (part: PartRecord | undefined) =>
    part === undefined ? null : Math.max(0, Math.floor((part.createdAt - createdAt) / 1000))
  const firstReply = parts.find(isAdminReply)
  const closes = parts.filter(({ partType }) => partType === 'close')
  const assignments = parts.filter(isAssignment)
  const lastAssignment = assignments.at(-1)
  const afterAssignment = parts.find(
    (part) => isAdminReply(part) && part.createdAt >= (lastAssignment?.createdAt ?? Infinity),
  )
  return {
    type: 'conversation_statistics',
    time_to_assignment: took(assignments[0]),
    time_to_admin_reply: took(firstReply),
    time_to_first_close: took(closes[0]),
    time_to_last_close: took(closes.at(-1)),
    median_time_to_reply: took(firstReply),
    first_contact_reply_at: Math.floor(conversation.source.createdAt / 1000),
    first_assignment_at: at(assignments[0]),
    first_admin_reply_at: at(firstReply),
    first_close_at: at(closes[0]),
    last_assignment_at: at(lastAssignment),
    last_assignment_admin_reply_at: at(afterAssignment),
    last_contact_reply_at: at(parts.findLast(isContacts)) ?? Math.floor(conversation.source.createdAt / 1000),
    last_admin_reply_at: at(parts.findLast(isAdminReply)),
    last_close_at: at(closes.at(-1)),
    last_closed_by_id: closes.at(-1)?.author.id ?? null,
    count_reopens: parts.filter(isReopening).length,
    count_assignments: assignments.length,
    count_conversation_parts: parts.length,
    assigned_team_first_response_time: [],
    assigned_team_first_response_time_in_office_hours: [],
    handling_time: null,
  }
}
