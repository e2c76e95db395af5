// A private note in a conversation, written once.
import type { Tools } from '../delivery.js'
import type { Conversation, IntercomClient, Part } from '../intercom/client.js'
import type { PartId } from '../message.js'
import { sameWords } from './sms-text.js'

/** Reading a conversation by its id is no search; a little time for the vendor's replicas. */
const partVisibleAfterMs = 10_000

export interface NoteParts {
  readonly intercom: IntercomClient
  /** In whose name notes are written. */
  readonly adminId: (tools: Tools) => Promise<string>
  /** Shortens every vendor lag, for vendors that have none (the twins). */
  readonly visibleAfterMs?: number
}

/**
 * The effect is called `note`; it is found again by its words, which no other note of the conversation may have.
 * @returns the note's part, for tracing; empty when the answer did not show it.
 */
export function createNoteWriter({ intercom, adminId, visibleAfterMs }: NoteParts) {
  return (html: string, conversation: Conversation, tools: Tools): Promise<PartId> => {
    const isIt = ({ partType, body }: Part) => partType === 'note' && sameWords(body, html)
    return tools.effects.run<PartId>('note', {
      visibleAfterMs: visibleAfterMs ?? partVisibleAfterMs,
      perform: async () => {
        const after = await intercom.writeNote(conversation.id, await adminId(tools), html, tools.call)
        return after.parts.findLast(isIt)?.id ?? ('' as PartId) // ids are for tracing only
      },
      confirm: async () => {
        const now = await intercom.getConversation(conversation.id, tools.call)
        return (now ?? conversation).parts.findLast(isIt)?.id
      },
    })
  }
}
