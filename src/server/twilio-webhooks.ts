import type { IncomingMessage } from 'node:http'
import type { NewDelivery } from '../delivery.js'
import type { InboundSms, Receipt } from '../message.js'
import { canonical } from '../phone.js'
import { type Form, parseInboundSms, parseReceipt, verifyTwilioSignature } from '../twilio/webhook.js'
import { readBody } from './body.js'
import { type Answer, accept, answerWebhook, type DoorParts, Refused, type Source } from './door.js'
import { createDoorMarks } from './hub-marks.js'

/** Far above any text: Twilio's own limit for an answer, and no form of theirs comes near it. */
const largestForm = 64 * 1024

/** Anything else would be taken for TwiML or, as text/plain, be texted to the customer. */
const emptyTwiml: Answer = {
  status: 200,
  body: '<?xml version="1.0" encoding="UTF-8"?><Response/>',
  contentType: 'text/xml',
}

/** What a set-up or a doctor posts to see whether it arrives says nothing about Twilio. */
const isSelfTest = (rawPath: string) => rawPath.endsWith('?ref=self-test')

export interface TwilioDoorSettings {
  readonly publicUrl: string
  readonly accountSid: string
  /** Several during a rotation. */
  readonly authTokens: readonly string[]
  /** How a text becomes a delivery. */
  readonly toDelivery: (sms: InboundSms) => NewDelivery<'inbound-sms'>
  /** Keeps what Twilio says of a text of ours, on disk. */
  readonly keepReceipt: (receipt: Receipt, now: number) => Promise<unknown>
}

export function createTwilioDoor(settings: TwilioDoorSettings, parts: DoorParts) {
  const { publicUrl, accountSid, authTokens, toDelivery, keepReceipt } = settings
  const marks = createDoorMarks(parts)

  /** Which token signs, while it is rotated: Twilio takes the new one only once it is promoted. */
  const noteToken = (signed: Parameters<typeof verifyTwilioSignature>[0]): void => {
    const isBy = (one: string) => verifyTwilioSignature({ ...signed, authTokens: [one] })
    const token = authTokens.length === 1 ? 0 : authTokens.findIndex(isBy)
    marks.note('twilio-signed', { token, of: authTokens.length })
  }

  /** The form, proven to come from our account at Twilio. */
  const readForm = async (request: IncomingMessage): Promise<Form> => {
    const contentType = request.headers['content-type'] ?? ''
    if (!contentType.startsWith('application/x-www-form-urlencoded')) {
      throw new Refused('content-type', 415, `expected a form, not "${contentType}"`)
    }
    const form = [...new URLSearchParams((await readBody(request, largestForm)).toString('utf8'))]
    const signature = request.headers['x-twilio-signature']
    if (typeof signature !== 'string') throw new Refused('signature', 403, 'no X-Twilio-Signature')
    const rawPath = request.url ?? '/'
    const signed = { publicUrl, rawPath, params: form, signature, authTokens }
    const isTrial = isSelfTest(rawPath)
    if (!verifyTwilioSignature(signed)) {
      if (!isTrial) marks.note('twilio-unsigned')
      throw new Refused('signature', 403, `not signed with our auth token for ${publicUrl}${rawPath.split('?')[0]}`)
    }
    const account = form.find(([name]) => name === 'AccountSid')?.[1] ?? ''
    if (account !== accountSid) throw new Refused('account', 403, `unknown account "${account}"`)
    if (!isTrial) noteToken(signed)
    return form
  }

  const at = (source: Source, handle: (form: Form, request: IncomingMessage) => Promise<Answer>) => {
    return (request: IncomingMessage) =>
      answerWebhook(source, parts, async () => handle(await readForm(request), request))
  }

  return {
    receiveSms: at('twilio-sms', async (form) => {
      await accept('twilio-sms', toDelivery(parseInboundSms(form)), parts)
      return emptyTwiml
    }),
    receiveReceipt: at('twilio-status', async (form, request) => {
      const ref = new URL(request.url ?? '/', publicUrl).searchParams.get('ref')
      const receipt = parseReceipt(form)
      // A state we do not know says nothing about the text; refusing it would only fill Twilio's debugger.
      if (receipt !== undefined) {
        const { optedOut, ...facts } = receipt
        const now = parts.clock.now()
        await keepReceipt({ ...facts, ...(ref !== null && { ref }) }, now)
        if (optedOut !== undefined) {
          await parts.store.optOut(optedOut.ours, canonical(optedOut.theirs), `receipt ${facts.errorCode}`, now)
        }
        parts.metrics.accepted('twilio-status', false)
      }
      return { status: 204 }
    }),
  }
}
