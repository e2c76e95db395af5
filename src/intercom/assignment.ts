import { DeliveryError } from '../errors.js'
import type { ConversationId } from '../message.js'
import type { Call } from '../transport.js'
import { anything } from './shapes.js'
import { conversationPath, type Wire } from './wire.js'

export interface Assignee {
  readonly type: 'admin' | 'team'
  /** `0` is nobody. */
  readonly id: string
}

/** In the name of an admin; can be repeated. */
export async function assignConversation(
  { run }: Wire,
  { id, adminId, assignee }: { readonly id: ConversationId; readonly adminId: string; readonly assignee: Assignee },
  call: Call,
): Promise<void> {
  const body = { message_type: 'assignment', type: assignee.type, admin_id: adminId, assignee_id: assignee.id }
  try {
    await run({ method: 'POST', path: `${conversationPath(id)}/parts`, body }, anything, call)
  } catch (error) {
    // "already assigned to the specified assignee": what we wanted.
    if (error instanceof DeliveryError && error.status === 422 && /already assigned/.test(error.message)) return
    throw error
  }
}
