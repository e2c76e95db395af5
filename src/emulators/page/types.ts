// What the page is told and what it needs to be told it: plain strings and numbers, so that it can be drawn as it is.
import type { ApiFault, WebhookFault } from '../faults.js'
import type { TwinConversation, TwinPart } from '../intercom/types.js'

/** One delivery of the bridge, as the page shows it. */
export interface LedgerRow {
  readonly id: string
  /** When the bridge took it in, epoch ms. */
  readonly at: number
  readonly direction: 'in' | 'out'
  /** `inbound-sms`, `agent-reply`…; unknown kinds are shown as they are called. */
  readonly kind: string
  /** The customer's number. */
  readonly number: string
  /** `ready`, `delivered`, `suppressed`, `parked`…; unknown states are shown as they are called. */
  readonly state: string
  readonly attempts: number
  /** Why it waits, failed or was left out, in plain words; empty when there is nothing to say. */
  readonly note: string
  /** From taken in to settled, ms; null while it is under way. */
  readonly hopMs: number | null
}

/** The bridge's books. The page reads them anew after every call of the listener. */
export interface LedgerFeed {
  /** Newest first; the page shows the first 200. */
  list(): Promise<readonly LedgerRow[]>
  /** Returns what ends the subscription. */
  subscribe(listener: () => void): () => void
}

export type Vendor = 'twilio' | 'intercom'

export interface PageText {
  readonly sid: string
  readonly customer: string
  /** The company's number; null while a messaging service has not chosen one. */
  readonly number: string | null
  readonly direction: 'from-customer' | 'to-customer'
  readonly body: string
  readonly numMedia: number
  readonly at: number
  readonly state: 'sending' | 'sent' | 'delivered' | 'failed'
  readonly errorCode: number | null
  /** Webhooks the bridge has not answered 2xx for this text; 0 once one was. */
  readonly refused: number
}

export interface PagePart {
  readonly id: string
  readonly kind: TwinPart['partType'] | 'source'
  /** HTML of a stranger: to be turned into text, never into elements. */
  readonly html: string
  readonly author: { readonly type: TwinPart['author']['type']; readonly name: string }
  readonly at: number
  readonly attachments: readonly string[]
}

export interface PageConversation {
  readonly id: string
  readonly state: TwinConversation['state']
  readonly contact: { readonly name: string | null; readonly phone: string | null }
  /** `admin:ID` or `team:ID`, or null. */
  readonly assignee: string | null
  readonly tags: readonly string[]
  readonly waitingSince: number | null
  readonly updatedAt: number
  readonly parts: readonly PagePart[]
}

export interface PageFaults {
  /** What is armed, with the calls it still applies to; null for until it is switched off. */
  readonly api: Partial<Record<ApiFault, number | null>>
  readonly webhooks: readonly WebhookFault[]
}

export interface PageState {
  readonly now: number
  readonly bridge: BridgeHealth & { readonly url: string }
  readonly numbers: readonly string[]
  readonly handsets: readonly { readonly number: string; readonly fate: number | null }[]
  readonly texts: readonly PageText[]
  /** Latest change first. */
  readonly conversations: readonly PageConversation[]
  readonly admins: readonly { readonly id: string; readonly name: string }[]
  readonly teams: readonly { readonly id: string; readonly name: string }[]
  readonly ledger: readonly LedgerRow[]
  readonly faults: Readonly<Record<Vendor, PageFaults>>
}

export interface BridgeHealth {
  readonly health: 'checking' | 'ready' | 'not-ready' | 'down'
  /** The status `/readyz` answered with; null when nothing answered. */
  readonly status: number | null
}
