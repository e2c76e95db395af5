// What is done to a conversation without adding a part to it.
import { announce, changed } from './conversations.js'
import { ApiError } from './errors.js'
import { taggedPart } from './notices.js'
import type { AppliedTag, ConversationRecord, PartRecord, Tag, World } from './state.js'

const redactedBody = '<p><i>This message was deleted</i></p>'

export function tagConversation(world: World, conversation: ConversationRecord, tag: Tag, adminId: string): AppliedTag {
  const known = conversation.tags.find(({ id }) => id === tag.id)
  if (known !== undefined) return known
  const applied = { id: tag.id, name: tag.name, appliedAt: world.clock.now(), appliedBy: adminId }
  conversation.tags = [...conversation.tags, applied]
  changed(world, conversation)
  announce(world, conversation, 'conversation_part.tag.created', [taggedPart(world, conversation)])
  return applied
}

/** No topic tells of a tag taken off a conversation. */
export function untagConversation(
  world: World,
  conversation: ConversationRecord,
  tagId: string,
): AppliedTag | undefined {
  const applied = conversation.tags.find(({ id }) => id === tagId)
  if (applied === undefined) return undefined
  conversation.tags = conversation.tags.filter(({ id }) => id !== tagId)
  changed(world, conversation)
  return applied
}

export function redactPart(world: World, conversation: ConversationRecord, part: PartRecord): void {
  if (part.body === null) {
    throw new ApiError(400, 'conversation_part_not_redactable', 'Conversation part is not redactable')
  }
  part.body = redactedBody
  part.redacted = true
  part.updatedAt = world.clock.now()
  changed(world, conversation)
  announce(world, conversation, 'conversation_part.redacted', [part])
}

export function redactSource(world: World, conversation: ConversationRecord): void {
  conversation.source.body = redactedBody
  conversation.source.redacted = true
  changed(world, conversation)
  announce(world, conversation, 'conversation_part.redacted', [taggedPart(world, { ...conversation, parts: [] })])
}

export function deleteConversation(world: World, conversation: ConversationRecord): void {
  world.conversations.delete(conversation.id)
  world.conversationIndex.remove(conversation.id)
  world.conversationChanged(conversation)
  // Recorded so: the id has another name here than everywhere else.
  const item = { type: 'conversation', conversation_id: conversation.id }
  world.notify({ topic: 'conversation.deleted', item, key: conversation.id })
}

export function updateConversation(
  world: World,
  conversation: ConversationRecord,
  update: { readonly read?: boolean | undefined; readonly title?: string | null | undefined },
): void {
  if (update.read !== undefined) conversation.read = update.read
  if (update.title !== undefined) conversation.title = update.title
  changed(world, conversation)
}
