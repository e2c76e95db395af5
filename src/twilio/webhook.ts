// Twilio's webhooks: proven to come from Twilio, then turned into our words.
import webhooks from 'twilio/lib/webhooks/webhooks.js'
import { z } from 'zod'
import { BadWebhook } from '../errors.js'
import type { InboundSms, MessageSid, Receipt } from '../message.js'
import { type Address, parseAddress } from '../phone.js'
import { isOptOutCode } from './errors.js'
import { isSmsStatus } from './status.js'

/** A decoded form, in the order in which it came: URLSearchParams is one. */
export type Form = Iterable<readonly [name: string, value: string]>

/**
 * Whether Twilio signed this request for our public URL. Never looks at Host or X-Forwarded-*: anyone can write those.
 * https://www.twilio.com/docs/usage/webhooks/webhooks-security
 */
export function verifyTwilioSignature(request: {
  /** Without a trailing slash; may have a path of its own. */
  readonly publicUrl: string
  /** Path and query as they came over the wire, nothing decoded. */
  readonly rawPath: string
  /** Every field that came, nothing trimmed or dropped: all are signed. */
  readonly params: Form
  readonly signature: string
  /** Several during a rotation. */
  readonly authTokens: readonly string[]
}): boolean {
  const { publicUrl, rawPath, params, signature, authTokens } = request
  if (!rawPath.startsWith('/')) return false
  // A proxy may or may not have taken our public path off before it reached us.
  const pathAt = publicUrl.indexOf('/', publicUrl.indexOf('//') + 2)
  const candidates = pathAt === -1 ? [publicUrl + rawPath] : [publicUrl + rawPath, publicUrl.slice(0, pathAt) + rawPath]
  const fields = valuesByName(params)
  return authTokens.some(
    // Anyone can sign with an empty token.
    (token) => token !== '' && candidates.some((url) => webhooks.validateRequest(token, signature, url, fields)),
  )
}

/** The X-Twilio-Signature of a form posted to this URL, as Twilio makes it: for trying a door out. */
export function signTwilioRequest(authToken: string, url: string, params: Form): string {
  return webhooks.getExpectedTwilioSignature(authToken, url, valuesByName(params))
}

function valuesByName(params: Form): Record<string, string | string[]> {
  // Without a prototype: a field may be called `__proto__`.
  const fields: Record<string, string | string[]> = Object.create(null)
  for (const [name, value] of params) {
    const before = fields[name]
    if (before === undefined) fields[name] = value
    else if (typeof before === 'string') fields[name] = [before, value]
    else before.push(value)
  }
  return fields
}

const sid = z.string().regex(/^[A-Z]{2}[0-9a-fA-F]{32}$/)
const address = z.string().trim().min(1)
const blankable = z.string().optional()

/** Present with Advanced Opt-Out alone, when Twilio has answered (docs/messaging/tutorials/advanced-opt-out). */
const keywordOf: ReadonlyMap<string | undefined, InboundSms['keyword']> = new Map([
  ['START', 'start'],
  ['STOP', 'stop'],
  ['HELP', 'help'],
])

const inboundForm = z.object({
  MessageSid: sid,
  From: address,
  To: address,
  Body: z.string().default(''),
  MessagingServiceSid: blankable,
  OptOutType: blankable,
  FromCity: blankable,
  FromState: blankable,
  FromZip: blankable,
  FromCountry: blankable,
})

/** @throws BadWebhook */
export function parseInboundSms(params: Form): InboundSms {
  const fields = plainFields(params)
  const form = parse(inboundForm, fields)
  const given = {
    messagingServiceSid: form.MessagingServiceSid,
    keyword: keywordOf.get(form.OptOutType),
    city: form.FromCity,
    state: form.FromState,
    zip: form.FromZip,
    country: form.FromCountry,
  }
  return {
    messageSid: form.MessageSid as MessageSid, // the schema has looked
    from: parseAddress(form.From),
    to: parseAddress(form.To),
    body: form.Body,
    media: mediaIn(fields),
    // Twilio sends what it does not know as an empty field.
    ...Object.fromEntries(Object.entries(given).filter(([, value]) => value !== undefined && value !== '')),
  }
}

function mediaIn(fields: Readonly<Record<string, string>>): InboundSms['media'] {
  const media: { contentType: string; url: string }[] = []
  for (let index = 0; ; index += 1) {
    const url = fields[`MediaUrl${index}`]
    if (url === undefined) return media
    media.push({ contentType: fields[`MediaContentType${index}`] ?? 'application/octet-stream', url })
  }
}

export interface ParsedReceipt extends Omit<Receipt, 'ref'> {
  /** It failed because they must not be texted. */
  readonly optedOut?: { readonly ours: Address; readonly theirs: Address }
}

const receiptForm = z.object({
  MessageSid: sid,
  From: z.string().default(''),
  To: z.string().default(''),
  MessageStatus: z.string().min(1),
  ErrorCode: z.string().regex(/^\d*$/).default(''),
})

/**
 * Undefined for a state we have no word for (`partially_delivered`, say): it tells nothing we could act on.
 * The reference is in the callback's URL, not in its form.
 * @throws BadWebhook
 */
export function parseReceipt(params: Form): ParsedReceipt | undefined {
  const { MessageSid, MessageStatus, ErrorCode, From, To } = parse(receiptForm, plainFields(params))
  if (!isSmsStatus(MessageStatus)) return undefined
  const errorCode = Number(ErrorCode)
  return {
    messageSid: MessageSid as MessageSid, // the schema has looked
    status: MessageStatus,
    ...(errorCode === 0 ? {} : { errorCode }),
    // With Advanced Opt-Out Twilio takes the text and fails it later.
    ...(isOptOutCode(ErrorCode) &&
      From !== '' &&
      To !== '' && { optedOut: { ours: parseAddress(From), theirs: parseAddress(To) } }),
  }
}

/** NUL bytes fall out here: no database and no inbox takes them. */
function plainFields(params: Form): Record<string, string> {
  const fields: Record<string, string> = Object.create(null)
  for (const [name, value] of params) fields[name] = value.includes('\0') ? value.replaceAll('\0', '') : value
  return fields
}

function parse<T>(schema: z.ZodType<T>, fields: unknown): T {
  const result = schema.safeParse(fields)
  if (result.success) return result.data
  const [issue] = result.error.issues
  throw new BadWebhook(issue?.path.join('.') || 'form', issue?.code === 'invalid_type' ? 'is missing' : 'is malformed')
}
