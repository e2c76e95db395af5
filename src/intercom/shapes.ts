// What we read of Intercom's JSON (intercom-2.15.yaml), turned into our words. Everything else is left alone, so that
// new fields and the other versions' differences do no harm.
import { z } from 'zod'
import type { ContactId, ConversationId, PartId } from '../message.js'

export interface Contact {
  readonly id: ContactId
  readonly role: 'user' | 'lead'
  readonly phone?: string
  readonly email?: string
  readonly name?: string
  /** Epoch ms, one-second resolution, as all times here. */
  readonly updatedAt: number
  readonly lastRepliedAt?: number
  readonly createdAt: number
}

export interface Part {
  readonly id: PartId
  readonly partType: string
  /** HTML, '' when none. */
  readonly body: string
  readonly author: { readonly type: string; readonly id: string }
  readonly writtenAt: number
  readonly redacted: boolean
  readonly attachments: readonly { readonly name: string; readonly url: string }[]
}

export interface Conversation {
  readonly id: ConversationId
  readonly state: 'open' | 'closed' | 'snoozed'
  readonly contactIds: readonly ContactId[]
  readonly createdAt: number
  readonly updatedAt: number
  readonly source: { readonly id: string; readonly body: string; readonly authorId: string; readonly redacted: boolean }
  /** Oldest first, at most the 500 newest; empty in search results. */
  readonly parts: readonly Part[]
  readonly teamId?: string
}

/** Ids are strings of digits here and numbers there. */
const id = z.union([z.string().min(1), z.number()]).transform(String)
const contactId = id.transform((text) => text as ContactId) // Intercom's own word, as the two below
export const conversationId = id.transform((text) => text as ConversationId)
const partId = id.transform((text) => text as PartId)

/** Seconds in REST and in webhooks from 2.15 on; ISO 8601 in some fields of older webhooks. To epoch ms. */
export const time = z.union([
  z.number().transform((seconds) => seconds * 1000),
  z.iso.datetime({ offset: true }).transform((text) => Date.parse(text)),
])

const text = z
  .string()
  .nullish()
  .transform((value) => value ?? '')

const author = z
  .object({ type: text, id: id.nullish().transform((value) => value ?? '') })
  .nullish()
  .transform((value) => value ?? { type: '', id: '' })

const part = z
  .object({
    id: partId,
    part_type: z.string(),
    body: text,
    author,
    created_at: time,
    redacted: z.boolean().nullish(),
    attachments: z.array(z.object({ name: text, url: z.string() })).nullish(),
  })
  .transform(
    (json): Part => ({
      id: json.id,
      partType: json.part_type,
      body: json.body,
      author: json.author,
      writtenAt: json.created_at,
      redacted: json.redacted ?? false,
      attachments: json.attachments ?? [],
    }),
  )

export const contactReferences = z
  .object({ contacts: z.array(z.object({ id: contactId })).nullish() })
  .nullish()
  .transform((json) => json?.contacts?.map((contact) => contact.id) ?? [])

export const partList = z
  .object({ conversation_parts: z.array(part).nullish() })
  .nullish()
  .transform((json) => json?.conversation_parts ?? [])

export const conversation = z
  .object({
    id: conversationId,
    state: z.enum(['open', 'closed', 'snoozed']),
    contacts: contactReferences,
    created_at: time,
    updated_at: time,
    source: z.object({ id: id.nullish(), body: text, author, redacted: z.boolean().nullish() }).nullish(),
    conversation_parts: partList,
    team_assignee_id: id.nullish(),
  })
  .transform(
    (json): Conversation => ({
      id: json.id,
      state: json.state,
      contactIds: json.contacts,
      createdAt: json.created_at,
      updatedAt: json.updated_at,
      source: {
        id: json.source?.id ?? '',
        body: json.source?.body ?? '',
        authorId: json.source?.author.id ?? '',
        redacted: json.source?.redacted ?? false,
      },
      parts: json.conversation_parts,
      // Unassigned is 0 in some answers and null in others.
      ...(json.team_assignee_id && json.team_assignee_id !== '0' ? { teamId: json.team_assignee_id } : {}),
    }),
  )

export const contact = z
  .object({
    id: contactId,
    role: z.string(),
    phone: z.string().nullish(),
    email: z.string().nullish(),
    name: z.string().nullish(),
    created_at: time,
    updated_at: time,
    last_replied_at: time.nullish(),
  })
  .transform(
    (json): Contact => ({
      id: json.id,
      role: json.role === 'user' ? 'user' : 'lead',
      ...(json.phone ? { phone: json.phone } : {}),
      ...(json.email ? { email: json.email } : {}),
      ...(json.name ? { name: json.name } : {}),
      createdAt: json.created_at,
      updatedAt: json.updated_at,
      ...(json.last_replied_at ? { lastRepliedAt: json.last_replied_at } : {}),
    }),
  )

const pages = z.object({ next: z.object({ starting_after: z.string() }).nullish() }).nullish()

export const contactPage = z.object({
  data: z.array(contact),
  pages,
})

export const conversationPage = z.object({ conversations: z.array(conversation) })

export interface UpdatedConversation {
  readonly id: ConversationId
  readonly updatedAt: number
}

/** Of every channel of the workspace: what we do not need of one must not hide the others. */
export const updatedPage = z.object({
  conversations: z.array(
    z
      .object({ id: conversationId, updated_at: time })
      .transform((json): UpdatedConversation => ({ id: json.id, updatedAt: json.updated_at })),
  ),
  pages,
})

export const createdConversation = z
  .object({ id, conversation_id: conversationId })
  .transform((json) => ({ conversationId: json.conversation_id, messageId: json.id }))

export const tag = z.object({ id })

export const admin = z
  .object({
    id,
    app: z.object({ id_code: z.string(), name: text, region: z.string(), timezone: z.string().nullish() }),
  })
  .transform(({ id: adminId, app }) => ({
    adminId,
    appId: app.id_code,
    workspace: app.name,
    region: app.region,
    ...(app.timezone ? { timeZone: app.timezone } : {}),
  }))

export const teams = z.object({ teams: z.array(z.object({ id, name: text })) })

export const admins = z.object({ admins: z.array(z.object({ id, name: text })) })

export const oauthToken = z.object({ access_token: z.string().min(1) })

export const dataAttributes = z.object({
  data: z.array(
    z.object({
      name: z.string(),
      custom: z.boolean().nullish(),
      archived: z.boolean().nullish(),
      api_writable: z.boolean().nullish(),
      data_type: z.string().nullish(),
      options: z.array(z.unknown()).nullish(),
    }),
  ),
})

/** Answers of which nothing is used. */
export const anything = z.unknown()
