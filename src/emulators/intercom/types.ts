import type { TwinClock } from '../clock.js'
import type { Faults } from '../faults.js'

export interface TwinContact {
  readonly id: string
  role: 'lead' | 'user'
  name: string | null
  email: string | null
  phone: string | null
  externalId: string | null
  customAttributes: Record<string, string | number | boolean | null>
  archived: boolean
  /** Set when merged into another contact. */
  mergedInto: string | null
  readonly createdAt: number
  updatedAt: number
  lastRepliedAt: number | null
}

export interface TwinPart {
  readonly id: string
  readonly partType:
    | 'comment'
    | 'note'
    | 'close'
    | 'open'
    | 'assignment'
    | 'assign_and_reopen'
    | 'snoozed'
    | 'quick_reply'
  /** HTML, or null. */
  body: string | null
  readonly author: {
    readonly type: 'admin' | 'user' | 'lead' | 'bot' | 'team'
    readonly id: string
    readonly name: string
  }
  /** Epoch ms (the API shows seconds). */
  readonly createdAt: number
  redacted: boolean
  readonly attachments: readonly { readonly name: string; readonly url: string; readonly contentType: string }[]
  /** Made through the API rather than in the inbox. */
  readonly viaApi: boolean
}

export interface TwinConversation {
  readonly id: string
  readonly contactId: string
  state: 'open' | 'closed' | 'snoozed'
  /** What the contact wrote first. */
  readonly source: { readonly id: string; readonly body: string; readonly createdAt: number }
  readonly parts: readonly TwinPart[]
  adminAssigneeId: string | null
  teamAssigneeId: string | null
  tags: readonly { readonly id: string; readonly name: string }[]
  waitingSince: number | null
  readonly createdAt: number
  updatedAt: number
}

export interface IntercomTwinOptions {
  readonly accessToken: string
  readonly clientSecret: string
  readonly appId?: string
  /** As `GET /me` tells it. Default US. */
  readonly region?: 'US' | 'EU' | 'AU'
  /** Of the workspace, as `GET /me` tells it. Default Etc/UTC. */
  readonly timeZone?: string | null
  /** Tick boxes of the Developer Hub that are not ticked: what needs one is answered 403. */
  readonly unticked?: readonly string[]
  /** For the OAuth exchange: codes handed out in the browser, and whose they are. */
  readonly oauth?: { readonly clientId: string; readonly codes: readonly string[] }
  readonly admins?: readonly { id: string; name: string; email: string }[]
  readonly teams?: readonly { id: string; name: string; adminIds: readonly string[] }[]
  /** Names of contact data attributes that exist. */
  readonly contactAttributes?: readonly string[]
  readonly clock?: TwinClock
  readonly random?: () => number
  readonly host?: string
  readonly port?: number
  /** Calls per 10-second window. Default 1666. */
  readonly rateLimit?: number
  /** How late contacts and conversations appear in search, ms. Default 3000. */
  readonly indexLagMs?: number
  /** How long a new contact answers 404 as an author of conversations, ms. Default 0. */
  readonly newContactLagMs?: number
  /** Dialect of webhook payloads. Default '2.15': plain text, Unix dates. */
  readonly dialect?: '2.14' | '2.15'
}

export type IntercomTwinEvent =
  | { readonly type: 'conversation'; readonly conversation: TwinConversation }
  | {
      readonly type: 'request'
      readonly method: string
      readonly path: string
      readonly status: number | 'reset' | 'hung'
    }
  | {
      readonly type: 'webhook'
      readonly topic: string
      /** The part it told of; null where there is none, as in a ping. */
      readonly partId: string | null
      readonly status: number | 'failed'
    }

/** What a teammate does in the inbox (not through the API). Each returns the part it made. */
export interface TwinInbox {
  reply(
    conversationId: string,
    html: string,
    options?: {
      adminId?: string
      and?: 'close' | 'assign' | 'quick_reply'
      attachments?: readonly { name: string; contentType: string; data: Uint8Array }[]
    },
  ): TwinPart
  /** A bot answers; the webhook arrives on two topics. */
  botReply(conversationId: string, html: string): TwinPart
  note(conversationId: string, html: string, options?: { adminId?: string }): TwinPart
  close(conversationId: string, options?: { adminId?: string }): TwinPart
  open(conversationId: string, options?: { adminId?: string }): TwinPart
  snooze(conversationId: string, untilMs: number, options?: { adminId?: string }): TwinPart
  assign(
    conversationId: string,
    assignee: { type: 'admin' | 'team'; id: string },
    options?: { adminId?: string },
  ): TwinPart
  tag(conversationId: string, name: string, options?: { adminId?: string }): void
  redact(conversationId: string, partId: string): void
  deleteConversation(conversationId: string): void
  createContact(contact: {
    role?: 'lead' | 'user'
    name?: string
    email?: string
    phone?: string
    externalId?: string
  }): TwinContact
  archiveContact(contactId: string): void
  mergeContact(from: string, into: string): void
}

export interface IntercomTwin {
  readonly url: string
  readonly appId: string
  readonly faults: Faults
  readonly inbox: TwinInbox
  contacts(): readonly TwinContact[]
  /** Every conversation, oldest first, with all parts: the books that tests compare with. */
  conversations(): readonly TwinConversation[]
  teams(): readonly { readonly id: string; readonly name: string }[]
  admins(): readonly { readonly id: string; readonly name: string }[]
  /**
   * The Developer Hub: sends HEAD to the URL, then subscribes it to the topics and sends the ping.
   * Rejects when HEAD is not answered 2xx.
   */
  setWebhook(url: string, topics?: readonly string[]): Promise<void>
  subscribe(listener: (event: IntercomTwinEvent) => void): () => void
  requestCounts(): Readonly<Record<string, number>>
  /** 429s answered so far that were not armed as faults. */
  rateLimitHits(): number
  /** Resolves when no webhook is under way or waiting for its retry. */
  idle(): Promise<void>
  stop(): Promise<void>
}
