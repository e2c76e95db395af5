import { randomBytes } from 'node:crypto'
import { realClock, type TwinClock } from '../clock.js'
import { createFaults, type Faults } from '../faults.js'
import { createLoopGuard, type LoopGuard } from './loop-guard.js'
import type { BrandRow, CampaignRow, TollFreeRow } from './registrations.js'
import type { TwilioTwinEvent, TwilioTwinOptions, TwinFate, TwinMessage, TwinNumber } from './types.js'
import { createWork, type Work } from './work.js'

/** A message with what the API and the carrier know of it beyond its row in the books. */
export interface Entry {
  readonly message: { -readonly [K in keyof TwinMessage]: TwinMessage[K] }
  readonly media: StoredMedia[]
  /** Media an API caller asked for, not fetched yet. */
  readonly mediaUrls: readonly string[]
  readonly validityMs: number
  /** Epoch ms; null for at once. */
  readonly sendAt: number | null
  /** The number it goes out by: known before `from` shows it when a Messaging Service sends. */
  readonly sender: string
  /** Where its status callbacks go: its own URL, or its service's. */
  readonly callbackUrl: string | null
  /** "0" in the API until a service has chosen the sender. */
  segments: number
  deleted: boolean
}

export interface StoredMedia {
  readonly sid: string
  readonly contentType: string
  readonly data: Uint8Array
  readonly createdAt: number
  /** The secret part of its address at the CDN. */
  readonly token: string
}

export type NumberRow = { -readonly [K in keyof TwinNumber]: TwinNumber[K] } & {
  friendlyName: string
  smsMethod: 'GET' | 'POST'
  smsFallbackMethod: 'GET' | 'POST'
  smsApplicationSid: string
  statusCallback: string
  readonly createdAt: number
  updatedAt: number
}

export interface AlphaSenderRow {
  readonly sid: string
  readonly alphaSender: string
  readonly createdAt: number
}

export interface ServiceRow {
  readonly sid: string
  friendlyName: string
  inboundRequestUrl: string | null
  inboundMethod: 'GET' | 'POST'
  fallbackUrl: string | null
  fallbackMethod: 'GET' | 'POST'
  statusCallback: string | null
  useInboundWebhookOnNumber: boolean
  advancedOptOut: boolean
  /** SIDs of the phone numbers and short codes in its sender pool. */
  readonly pool: string[]
  readonly alphaSenders: AlphaSenderRow[]
  readonly createdAt: number
  updatedAt: number
}

export interface ApplicationRow {
  readonly sid: string
  friendlyName: string
  smsUrl: string | null
  smsMethod: 'GET' | 'POST'
  smsFallbackUrl: string | null
  smsFallbackMethod: 'GET' | 'POST'
  readonly createdAt: number
  updatedAt: number
}

export interface State {
  readonly accountSid: string
  readonly authToken: string
  readonly apiKeys: ReadonlyMap<string, string>
  readonly accountType: 'Full' | 'Trial'
  readonly clock: TwinClock
  readonly random: () => number
  readonly maxConcurrent: number
  readonly listLagMs: number
  readonly carrierMs: number
  readonly startedAt: number
  readonly faults: Faults
  readonly work: Work
  /** Oldest first. */
  readonly entries: Entry[]
  readonly numbers: NumberRow[]
  readonly services: ServiceRow[]
  readonly brands: BrandRow[]
  readonly campaigns: CampaignRow[]
  readonly tollFree: TollFreeRow[]
  readonly applications: ApplicationRow[]
  /** `sender number or service SID|recipient` of everyone who texted STOP. */
  readonly optOuts: Set<string>
  readonly fates: Map<string, TwinFate>
  /** The number each recipient of a service was last texted from: `MG…|recipient`. */
  readonly stickySenders: Map<string, string>
  /** Per sender, resolves when its latest message has been handed to the carrier. */
  readonly lastHandedOver: Map<string, Promise<void>>
  readonly loopGuard: LoopGuard
  readonly listeners: Set<(event: TwilioTwinEvent) => void>
  /** Known once the listeners are up. */
  origin: string
  cdnOrigin: string
}

/**
 * What a fresh number answers texts with until someone sets its URL. The twin never calls it: it is the vendor's
 * demo on the internet, and stands for "not set".
 */
export const demoUrl = 'https://demo.twilio.com/welcome/sms/reply'

export function createState(options: TwilioTwinOptions): State {
  const clock = options.clock ?? realClock
  const startedAt = clock.now()
  return {
    accountSid: options.accountSid,
    authToken: options.authToken,
    apiKeys: new Map(Object.entries(options.apiKeys ?? {})),
    accountType: options.accountType ?? 'Full',
    clock,
    random: options.random ?? Math.random,
    maxConcurrent: options.maxConcurrent ?? 100,
    listLagMs: options.listLagMs ?? 0,
    carrierMs: options.carrierMs ?? 200,
    startedAt,
    faults: createFaults(),
    work: createWork(),
    entries: [],
    numbers: options.numbers.map((number) => ({
      sid: newSid(number.kind === 'short-code' ? 'SC' : 'PN'),
      phoneNumber: number.phoneNumber,
      kind: number.kind ?? 'long-code',
      friendlyName: number.phoneNumber,
      smsUrl: number.smsUrl ?? (number.kind === 'short-code' ? '' : demoUrl),
      smsMethod: 'POST',
      smsFallbackUrl: number.smsFallbackUrl ?? '',
      smsFallbackMethod: 'POST',
      smsApplicationSid: '',
      statusCallback: '',
      createdAt: startedAt,
      updatedAt: startedAt,
    })),
    services: [],
    brands: [],
    campaigns: [],
    tollFree: [],
    applications: [],
    optOuts: new Set(),
    fates: new Map(),
    stickySenders: new Map(),
    lastHandedOver: new Map(),
    loopGuard: createLoopGuard(clock),
    listeners: new Set(),
    origin: '',
    cdnOrigin: '',
  }
}

export function newSid(prefix: string): string {
  return `${prefix}${randomBytes(16).toString('hex')}`
}

export function emit(state: State, event: TwilioTwinEvent): void {
  for (const listener of state.listeners) listener(event)
}

type NewEntry = Partial<Omit<Entry, 'message'>> & {
  readonly message: Pick<TwinMessage, 'direction' | 'from' | 'to' | 'body' | 'status'> & Partial<TwinMessage>
}

export function newEntry(state: State, { message, ...rest }: NewEntry): Entry {
  const now = state.clock.now()
  const media = rest.media ?? []
  const mediaUrls = rest.mediaUrls ?? []
  const numMedia = media.length + mediaUrls.length
  return {
    message: {
      sid: newSid(numMedia > 0 ? 'MM' : 'SM'),
      errorCode: null,
      numMedia,
      messagingServiceSid: null,
      createdAt: now,
      sentAt: null,
      updatedAt: now,
      statusCallback: null,
      webhookAttempts: 0,
      webhookAccepted: null,
      ...message,
    },
    media,
    mediaUrls,
    validityMs: 36_000_000,
    sendAt: null,
    sender: message.from ?? '',
    callbackUrl: null,
    segments: 0,
    deleted: false,
    ...rest,
  }
}

export function record(state: State, entry: Entry): void {
  state.entries.push(entry)
  emit(state, { type: 'message', message: { ...entry.message } })
}

export function change(state: State, entry: Entry, fields: Partial<TwinMessage>): void {
  Object.assign(entry.message, fields, { updatedAt: state.clock.now() })
  emit(state, { type: 'message', message: { ...entry.message } })
}

export function findEntry(state: State, sid: string): Entry | undefined {
  return state.entries.find((entry) => entry.message.sid === sid && !entry.deleted)
}

export function findNumber(state: State, phoneNumber: string): NumberRow | undefined {
  return state.numbers.find((number) => number.phoneNumber === phoneNumber)
}

export function serviceOf(state: State, number: NumberRow): ServiceRow | undefined {
  return state.services.find((service) => service.pool.includes(number.sid))
}
