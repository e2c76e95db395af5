// The state of both twins and the ledger as one JSON document for the browser.
import type { ApiFault, Faults } from '../faults.js'
import type { IntercomTwin, TwinConversation } from '../intercom/types.js'
import type { TwilioTwin, TwinMessage } from '../twilio/types.js'
import type { Handsets } from './handsets.js'
import type { LedgerFeed, PageConversation, PageFaults, PageState, PageText } from './types.js'

// A chaos run can make thousands; a person reads the latest, and the page stays quick.
const mostTexts = 500
const mostConversations = 100
const mostParts = 200
const mostRows = 200

export interface SnapshotParts {
  readonly twilio: TwilioTwin
  readonly intercom: IntercomTwin
  readonly ledger: LedgerFeed
  readonly handsets: Handsets
}

export async function takeSnapshot(
  { twilio, intercom, ledger, handsets }: SnapshotParts,
  bridge: PageState['bridge'],
  now: number,
): Promise<PageState> {
  const rows = await ledger.list()
  const texts = twilio.messages().slice(-mostTexts).map(toPageText)
  return {
    now,
    bridge,
    numbers: twilio.numbers().map((one) => one.phoneNumber),
    handsets: handsets.list(texts.map((one) => one.customer)),
    texts,
    conversations: conversationsOf(intercom),
    admins: intercom.admins().map(({ id, name }) => ({ id, name })),
    teams: intercom.teams().map(({ id, name }) => ({ id, name })),
    ledger: rows.slice(0, mostRows),
    faults: { twilio: toPageFaults(twilio.faults), intercom: toPageFaults(intercom.faults) },
  }
}

function toPageText(message: TwinMessage): PageText {
  const mine = message.direction === 'inbound'
  return {
    sid: message.sid,
    customer: (mine ? message.from : message.to) ?? message.to,
    number: mine ? message.to : message.from,
    direction: mine ? 'from-customer' : 'to-customer',
    body: message.body,
    numMedia: message.numMedia,
    at: message.createdAt,
    state: mine ? sentState(message) : receivedState(message.status),
    errorCode: message.errorCode,
    refused: mine && message.webhookAccepted !== true ? message.webhookAttempts : 0,
  }
}

/** What a customer's own text has come to: Twilio has it at once, and delivered means that the bridge took it. */
function sentState(message: TwinMessage): PageText['state'] {
  if (message.webhookAccepted === true) return 'delivered'
  if (message.status === 'failed') return 'failed'
  return message.status === 'receiving' ? 'sending' : 'sent'
}

function receivedState(status: TwinMessage['status']): PageText['state'] {
  switch (status) {
    case 'accepted':
    case 'scheduled':
    case 'queued':
    case 'sending':
    case 'receiving':
      return 'sending'
    case 'sent':
      return 'sent'
    case 'delivered':
    case 'received':
      return 'delivered'
    case 'undelivered':
    case 'failed':
    case 'canceled':
      return 'failed'
  }
}

function conversationsOf(intercom: IntercomTwin): PageConversation[] {
  const contacts = new Map(intercom.contacts().map((one) => [one.id, one]))
  return intercom
    .conversations()
    .toSorted((a, b) => b.updatedAt - a.updatedAt || Number(b.id) - Number(a.id))
    .slice(0, mostConversations)
    .map((conversation) => {
      const contact = contacts.get(conversation.contactId)
      const name = contact?.name ?? contact?.email ?? null
      return toPageConversation(conversation, { name, phone: contact?.phone ?? null })
    })
}

function toPageConversation(conversation: TwinConversation, contact: PageConversation['contact']): PageConversation {
  const { source, adminAssigneeId, teamAssigneeId } = conversation
  const first = {
    id: `source-${source.id}`,
    kind: 'source' as const,
    html: source.body,
    author: { type: 'lead' as const, name: contact.name ?? contact.phone ?? 'Customer' },
    at: source.createdAt,
    attachments: [],
  }
  const later = conversation.parts.map((part) => ({
    id: part.id,
    kind: part.partType,
    html: part.body ?? '',
    author: { type: part.author.type, name: part.author.name },
    at: part.createdAt,
    attachments: part.attachments.map((one) => one.name),
  }))
  return {
    id: conversation.id,
    state: conversation.state,
    contact,
    assignee: adminAssigneeId ? `admin:${adminAssigneeId}` : teamAssigneeId ? `team:${teamAssigneeId}` : null,
    tags: conversation.tags.map((tag) => tag.name),
    waitingSince: conversation.waitingSince,
    updatedAt: conversation.updatedAt,
    parts: later.length < mostParts ? [first, ...later] : later.slice(-mostParts),
  }
}

function toPageFaults(faults: Faults): PageFaults {
  const api: Partial<Record<ApiFault, number | null>> = {}
  // JSON has no Infinity.
  for (const { kind, times } of faults.armed()) api[kind] = Number.isFinite(times) ? times : null
  return { api, webhooks: [...faults.webhooks] }
}
