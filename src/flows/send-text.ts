// One text to a customer, handed to Twilio once.
import type { Delivery, Tools } from '../delivery.js'
import { DeliveryError, unprovable } from '../errors.js'
import type { MessageSid } from '../message.js'
import { redact } from '../phone.js'
import type { Store, Thread } from '../store/store.js'
import type { TwilioClient } from '../twilio/client.js'
import type { SentSms } from '../twilio/messages.js'
import { keepReceipt } from './keep-receipt.js'
import { isSameText } from './sms-text.js'

/** Twilio's own recipe for lost answers: none in the list after about two minutes means it was not made. */
const messageVisibleAfterMs = 120_000

export interface SendTextParts {
  readonly store: Store
  readonly twilio: TwilioClient
  /** Where Twilio reports on a text; carries our reference. */
  readonly statusCallback: (ref: string) => string
  /** The vendor refuses to text someone who opted out. */
  readonly isOptOut: (error: DeliveryError) => boolean
  /** Shortens every vendor lag, for vendors that have none (the twins). */
  readonly visibleAfterMs?: number
}

export interface TextToSend {
  readonly delivery: Pick<Delivery, 'id'>
  readonly thread: Pick<Thread, 'ours' | 'theirs' | 'replyTo'>
  readonly body: string
  /** Among the texts of this delivery. */
  readonly index: number
  /** Twilio gives up on it when it could not be passed on for so long, s. */
  readonly validityPeriodS: number
  /** Runs right before it leaves, also when an earlier attempt is proven to have sent nothing; may throw. */
  readonly beforeSending?: () => Promise<void>
}

export function createSendText({ store, twilio, statusCallback, isOptOut, visibleAfterMs }: SendTextParts) {
  const rememberOptOut = async (error: unknown, { thread }: TextToSend, tools: Tools): Promise<never> => {
    if (error instanceof DeliveryError && isOptOut(error)) {
      await store.optOut(thread.ours, thread.theirs, `refused ${error.code}`, tools.now())
    }
    throw error
  }

  /** The effect is called `sms-<index>`. */
  return (text: TextToSend, tools: Tools): Promise<MessageSid> => {
    const { delivery, thread, body, index, validityPeriodS, beforeSending } = text
    const ref = `${delivery.id}.${index}`
    const sms = { from: thread.ours, to: thread.replyTo, body, statusCallback: statusCallback(ref), validityPeriodS }
    return tools.effects.run<MessageSid>(`sms-${index}`, {
      visibleAfterMs: visibleAfterMs ?? messageVisibleAfterMs,
      perform: async () => {
        await beforeSending?.()
        const sid = await twilio.sendSms(sms, tools.call).catch((error: unknown) => rememberOptOut(error, text, tools))
        // From now on this text is known as ours, so that no other look-up takes it for its own.
        await keepReceipt(store, { messageSid: sid, status: 'queued', ref }, tools.now())
        return sid
      },
      confirm: async ({ begunAt: since, endedBy: until }) => {
        const told = await store.findReceiptByRef(ref)
        if (told !== undefined) return told.messageSid
        const sent = await twilio.listSent(thread.replyTo, { since, until }, tools.call)
        // Oldest first. From may be null while the text is queued.
        const unknown: SentSms[] = []
        for (const one of sent.toReversed()) {
          if (one.from !== undefined && one.from !== thread.ours) continue
          if ((await store.findReceipt(one.messageSid)) === undefined) unknown.push(one)
        }
        const made = unknown.find((one) => isSameText(one.body, body))
        if (made === undefined && unknown.some((one) => one.body === '')) {
          throw unprovable(`Twilio lists a text to ${redact(thread.replyTo)} without its words: it may be this one`)
        }
        if (made !== undefined) {
          const { messageSid, status, errorCode } = made
          await keepReceipt(store, { messageSid, status, ref, ...(errorCode && { errorCode }) }, tools.now())
        }
        return made?.messageSid
      },
    })
  }
}
