import type { TwinClock } from '../clock.js'
import type { Faults } from '../faults.js'

export type TwinMessageStatus =
  | 'accepted'
  | 'scheduled'
  | 'queued'
  | 'sending'
  | 'sent'
  | 'delivered'
  | 'undelivered'
  | 'failed'
  | 'canceled'
  | 'receiving'
  | 'received'

/** One row of the twin's books, as Twilio itself would know it. */
export interface TwinMessage {
  readonly sid: string
  readonly direction: 'inbound' | 'outbound-api' | 'outbound-reply'
  from: string | null
  readonly to: string
  readonly body: string
  status: TwinMessageStatus
  errorCode: number | null
  readonly numMedia: number
  readonly messagingServiceSid: string | null
  /** Epoch ms. */
  readonly createdAt: number
  sentAt: number | null
  updatedAt: number
  /** As given by the API caller. */
  readonly statusCallback: string | null
  /** Status callbacks and inbound webhooks tried so far. */
  webhookAttempts: number
  /** Whether the inbound webhook was answered 2xx; null for outbound. */
  webhookAccepted: boolean | null
}

export interface TwinNumber {
  readonly sid: string
  readonly phoneNumber: string
  readonly kind: 'long-code' | 'toll-free' | 'short-code'
  smsUrl: string
  smsFallbackUrl: string
}

/**
 * What becomes of a text: null, delivered; a Twilio error code, undelivered with it (failed, for the codes Twilio finds
 * before any carrier does); 'no-receipt', sent and never heard of again, as with carriers that return no receipts.
 */
export type TwinFate = number | null | 'no-receipt'

/** As the API names them. */
export type TwinBrandStatus =
  | 'PENDING'
  | 'APPROVED'
  | 'FAILED'
  | 'IN_REVIEW'
  | 'DELETION_PENDING'
  | 'DELETION_FAILED'
  | 'SUSPENDED'

/** As the API names them. */
export type TwinTollFreeStatus = 'PENDING_REVIEW' | 'IN_REVIEW' | 'TWILIO_APPROVED' | 'TWILIO_REJECTED'

export interface TwilioTwinOptions {
  readonly accountSid: string
  readonly authToken: string
  /** API keys accepted besides the auth token: SK… → secret. */
  readonly apiKeys?: Readonly<Record<string, string>>
  /** Default Full. */
  readonly accountType?: 'Full' | 'Trial'
  readonly numbers: readonly {
    phoneNumber: string
    kind?: TwinNumber['kind']
    smsUrl?: string
    smsFallbackUrl?: string
  }[]
  readonly clock?: TwinClock
  /** 0 ≤ x < 1; for carriers' fates and shuffles. */
  readonly random?: () => number
  readonly host?: string
  readonly port?: number
  /** API calls at one time before 429/20429. Default 100. */
  readonly maxConcurrent?: number
  /** How late a new message appears in GET Messages.json, ms. Default 0. */
  readonly listLagMs?: number
  /** Time between queued, sent and delivered, ms. Default 200. */
  readonly carrierMs?: number
}

export type TwilioTwinEvent =
  | { readonly type: 'message'; readonly message: TwinMessage }
  | {
      readonly type: 'request'
      readonly method: string
      readonly path: string
      readonly status: number | 'reset' | 'hung'
    }
  | { readonly type: 'webhook'; readonly url: string; readonly status: number | 'failed'; readonly sid: string }

export interface TwilioTwin {
  /** Everything Twilio at one origin: `/2010-04-01/…` and `/v1/…`. */
  readonly url: string
  readonly faults: Faults
  /** A customer's handset sends a text. Resolves when the message exists and its webhook chain has been started. */
  text(sms: {
    from: string
    to: string
    body: string
    media?: readonly { contentType: string; data: Uint8Array }[]
    geo?: { city?: string; state?: string; zip?: string; country?: string }
  }): TwinMessage
  /** Every message, oldest first: the books that tests compare with. */
  messages(): readonly TwinMessage[]
  /** What one handset shows, oldest first: texts it sent and texts that reached it (sent or delivered). */
  handset(phoneNumber: string): readonly TwinMessage[]
  /**
   * Decides the fate of the next messages to a handset, until decided anew. The two codes of inbound filtering, 30038
   * and 30039, are for the texts it sends instead: they fail with the code and no webhook is called.
   */
  setFate(phoneNumber: string, fate: TwinFate): void
  numbers(): readonly TwinNumber[]
  setSmsUrl(phoneNumber: string, smsUrl: string, smsFallbackUrl?: string): void
  /**
   * Throws the console's switch, which no API can throw, and which stays thrown: texts of STOP, START and HELP to this
   * Messaging Service carry OptOutType, and what it sends to who opted out is accepted, then failed with 21610.
   */
  enableAdvancedOptOut(serviceSid: string): void
  /** How far the account's 10DLC brand is. None until first set, here or by a campaign, which has one. */
  setBrand(status: TwinBrandStatus): void
  /** How far the 10DLC campaign of a Messaging Service is: IN_PROGRESS, VERIFIED, FAILED. None until first set. */
  setCampaign(serviceSid: string, status: string): void
  /** How far the verification of a toll-free number is. None until first set. */
  setTollFree(phoneNumber: string, status: TwinTollFreeStatus): void
  subscribe(listener: (event: TwilioTwinEvent) => void): () => void
  /** Requests answered so far, by `METHOD path-with-sids-replaced`, for counting attempts. */
  requestCounts(): Readonly<Record<string, number>>
  /** Resolves when no webhook or carrier step is under way. */
  idle(): Promise<void>
  stop(): Promise<void>
}
