// What can happen to a conversation, whoever makes it happen: the API or a teammate in the inbox.
import { contactReplied } from './contacts.js'
import { ApiError, missing } from './errors.js'
import { sanitize } from './html.js'
import { conversationNotice, indexConversation, type Topic } from './notices.js'
import type { ContactRecord, ConversationRecord, PartRecord, World } from './state.js'
import type { TwinPart } from './types.js'

/** What somebody wrote, as it will be kept. */
export interface Writing {
  /** HTML; null for what is done without a word. */
  readonly body: string | null
  readonly attachments: PartRecord['attachments']
  readonly viaApi: boolean
  /** Epoch ms; now when undefined. In the past only for migrations. */
  readonly createdAt?: number | undefined
}

/** Reads a body as Intercom does. Throws when nothing is left of it and there is no attachment either. */
export function compose(html: string, rest: Omit<Writing, 'body'>): Writing {
  const body = sanitize(html)
  if (body === '' && rest.attachments.length === 0) throw missing('body')
  return { ...rest, body: body === '' ? null : body }
}

const wordless = (viaApi: boolean): Writing => ({ body: null, attachments: [], viaApi })

type Author = TwinPart['author']
type Assignee = { readonly type: 'admin' | 'team'; readonly id: string }

/** Timers take no more. */
const longestSleepMs = 2 ** 31 - 1

export function startConversation(world: World, contact: ContactRecord, writing: Writing): ConversationRecord {
  const now = writing.createdAt ?? world.clock.now()
  const conversation: ConversationRecord = {
    id: world.ids.decimal(),
    contactId: contact.id,
    state: 'open',
    source: {
      id: world.ids.decimal(),
      body: writing.body ?? '',
      createdAt: now,
      attachments: writing.attachments,
      redacted: false,
      viaApi: writing.viaApi,
    },
    parts: [],
    adminAssigneeId: null,
    teamAssigneeId: null,
    tags: [],
    waitingSince: now,
    createdAt: now,
    updatedAt: world.clock.now(),
    title: null,
    read: false,
    snoozedUntil: null,
  }
  world.conversations.set(conversation.id, conversation)
  contactReplied(world, contact, now)
  changed(world, conversation)
  announce(world, conversation, 'conversation.user.created', [])
  return conversation
}

/** A reply reopens what was closed, and is then stored as part type `open`, which carries the body. */
export function replyAsContact(
  world: World,
  conversation: ConversationRecord,
  contact: ContactRecord,
  writing: Writing,
): PartRecord {
  const partType = conversation.state === 'closed' ? 'open' : 'comment'
  const author = { type: contact.role, id: contact.id, name: contact.name ?? '' }
  setState(conversation, 'open')
  const part = addPart(world, conversation, { partType, author, writing })
  conversation.waitingSince ??= part.createdAt
  conversation.read = false
  contactReplied(world, contact, part.createdAt)
  changed(world, conversation)
  announce(world, conversation, 'conversation.user.replied', [part])
  return part
}

/**
 * What a teammate or a bot writes for the customer. Together with closing or assigning, and on a closed conversation,
 * it makes one part of that type, which carries the body: there is no comment beside it. Assigning also sends that
 * part on the topic of assignment, closing sends no other topic.
 */
export function replyAsAdmin(
  world: World,
  conversation: ConversationRecord,
  author: Author,
  reply: Writing & { readonly and?: 'close' | 'assign' | 'quick_reply' | undefined; readonly assignee?: Assignee },
): PartRecord {
  const closed = conversation.state === 'closed'
  const assignee = reply.and === 'assign' ? (reply.assignee ?? { type: 'admin', id: author.id }) : null
  if (assignee !== null) checkAssignee(conversation, assignee)
  // The page's example of quick replies shows a closed conversation that stays closed.
  if (reply.and !== 'quick_reply') setState(conversation, reply.and === 'close' ? 'closed' : 'open')
  if (assignee !== null) setAssignee(conversation, assignee)
  const part = addPart(world, conversation, {
    partType: replyType(reply.and, closed),
    author,
    writing: reply,
    assignedTo: assignee?.id === '0' ? null : assignee,
  })
  if (author.type === 'admin') {
    // Bots leave both alone: the customer goes on waiting.
    conversation.waitingSince = null
    conversation.read = true
  }
  changed(world, conversation)
  if (author.type === 'bot') announce(world, conversation, 'conversation.operator.replied', [part])
  // Bots' answers arrive on this topic as well (community, 2026-05-19).
  announce(world, conversation, 'conversation.admin.replied', [part])
  if (assignee !== null) {
    announce(world, conversation, closed ? 'conversation.admin.open.assigned' : 'conversation.admin.assigned', [part])
  }
  return part
}

function replyType(and: 'close' | 'assign' | 'quick_reply' | undefined, closed: boolean): TwinPart['partType'] {
  if (and === 'close' || and === 'quick_reply') return and
  if (and === 'assign') return closed ? 'assign_and_reopen' : 'assignment'
  return closed ? 'open' : 'comment'
}

export function addNote(world: World, conversation: ConversationRecord, author: Author, writing: Writing): PartRecord {
  return act(world, conversation, 'conversation.admin.noted', { partType: 'note', author, writing })
}

export function closeConversation(
  world: World,
  conversation: ConversationRecord,
  author: Author,
  viaApi: boolean,
): PartRecord {
  setState(conversation, 'closed')
  return act(world, conversation, 'conversation.admin.closed', { partType: 'close', author, writing: wordless(viaApi) })
}

export function openConversation(
  world: World,
  conversation: ConversationRecord,
  author: Author,
  viaApi: boolean,
): PartRecord {
  const topic = conversation.state === 'snoozed' ? 'conversation.admin.unsnoozed' : 'conversation.admin.opened'
  setState(conversation, 'open')
  return act(world, conversation, topic, { partType: 'open', author, writing: wordless(viaApi) })
}

export function snoozeConversation(
  world: World,
  conversation: ConversationRecord,
  author: Author,
  snooze: { readonly untilMs: number; readonly viaApi: boolean },
): PartRecord {
  setState(conversation, 'snoozed')
  conversation.snoozedUntil = snooze.untilMs
  void wake(world, conversation, snooze.untilMs)
  return act(world, conversation, 'conversation.admin.snoozed', {
    partType: 'snoozed',
    author,
    writing: wordless(snooze.viaApi),
  })
}

/** Assigning a closed conversation reopens it. */
export function assignConversation(
  world: World,
  conversation: ConversationRecord,
  author: Author,
  assignment: { readonly assignee: Assignee; readonly viaApi: boolean },
): PartRecord {
  const { assignee } = assignment
  checkAssignee(conversation, assignee)
  const closed = conversation.state === 'closed'
  setAssignee(conversation, assignee)
  if (closed) setState(conversation, 'open')
  return act(world, conversation, closed ? 'conversation.admin.open.assigned' : 'conversation.admin.assigned', {
    partType: closed ? 'assign_and_reopen' : 'assignment',
    author,
    writing: wordless(assignment.viaApi),
    assignedTo: assignee.id === '0' ? null : assignee,
  })
}

interface NewPart {
  readonly partType: TwinPart['partType']
  readonly author: Author
  readonly writing: Writing
  readonly assignedTo?: Assignee | null
}

function act(world: World, conversation: ConversationRecord, topic: Topic, made: NewPart): PartRecord {
  const part = addPart(world, conversation, made)
  changed(world, conversation)
  announce(world, conversation, topic, [part])
  return part
}

function addPart(world: World, conversation: ConversationRecord, made: NewPart): PartRecord {
  const { writing } = made
  const now = writing.createdAt ?? world.clock.now()
  const part: PartRecord = {
    id: world.ids.decimal(),
    partType: made.partType,
    body: writing.body,
    author: made.author,
    createdAt: now,
    updatedAt: now,
    redacted: false,
    attachments: writing.attachments,
    viaApi: writing.viaApi,
    assignedTo: made.assignedTo ?? null,
    state: conversation.state,
  }
  conversation.parts.push(part)
  return part
}

function setState(conversation: ConversationRecord, state: ConversationRecord['state']): void {
  conversation.state = state
  conversation.snoozedUntil = null
}

/** Seen with teams only. */
function checkAssignee(conversation: ConversationRecord, assignee: Assignee): void {
  if (assignee.type === 'team' && assignee.id === conversation.teamAssigneeId) {
    throw new ApiError(422, 'parameter_invalid', 'Conversation is already assigned to the specified assignee')
  }
}

function setAssignee(conversation: ConversationRecord, assignee: Assignee): void {
  const id = assignee.id === '0' ? null : assignee.id
  if (assignee.type === 'admin') conversation.adminAssigneeId = id
  else conversation.teamAssigneeId = id
}

/** Keeps the books and the index up with what was just done. */
export function changed(world: World, conversation: ConversationRecord): void {
  conversation.updatedAt = world.clock.now()
  indexConversation(world, conversation)
  world.conversationChanged(conversation)
}

export function announce(
  world: World,
  conversation: ConversationRecord,
  topic: Topic,
  parts: readonly PartRecord[],
): void {
  world.notify(conversationNotice(world, conversation, topic, parts))
}

/** A snooze that ends opens the conversation; which webhook tells of that is not documented, so none is sent. */
async function wake(world: World, conversation: ConversationRecord, untilMs: number): Promise<void> {
  while (world.clock.now() < untilMs && !world.stopped.aborted) {
    await world.clock.sleep(Math.min(untilMs - world.clock.now(), longestSleepMs), world.stopped)
  }
  const stands = conversation.state === 'snoozed' && conversation.snoozedUntil === untilMs
  if (world.stopped.aborted || !stands || !world.conversations.has(conversation.id)) return
  setState(conversation, 'open')
  changed(world, conversation)
}
