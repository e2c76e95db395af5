// Texts at Twilio: sent, looked up, listed.
import type { MessageInstance } from 'twilio/lib/rest/api/v2010/account/message.js'
import { DeliveryError } from '../errors.js'
import type { InboundSms, MessageSid, OutboundSms, SmsStatus } from '../message.js'
import { type Address, parseAddress } from '../phone.js'
import type { Call } from '../transport.js'
import { pageSize, rowsOf, type Sdk, type SdkPage } from './sdk.js'
import { segmentsOf, senderRule } from './senders.js'
import { isSmsStatus } from './status.js'

/** A text of ours as Twilio lists it. */
export interface SentSms {
  readonly messageSid: MessageSid
  /** Undefined while Twilio has not chosen a sender. */
  readonly from: Address | undefined
  readonly body: string
  /** Epoch ms, one-second resolution. */
  readonly createdAt: number
  readonly status: SmsStatus
  readonly errorCode?: number
}

/** A customer's text as Twilio lists it: which media came with it has to be asked for (`listMedia`). */
export interface ListedSms extends InboundSms {
  readonly sentAt: number
  readonly mediaCount: number
}

export interface Received {
  /** Oldest first. */
  readonly texts: readonly ListedSms[]
  /** Those that Twilio filtered before any webhook (30038, 30039): they were never for us. */
  readonly filtered: number
}

/** What became of a text of ours. */
export interface SentState {
  /** Undefined for a state we have no word for. */
  readonly status: SmsStatus | undefined
  readonly errorCode?: number
  /** Epoch ms. */
  readonly createdAt: number
}

export interface Messages {
  sendSms(
    sms: Pick<OutboundSms, 'from' | 'to' | 'body'> & {
      /** Where Twilio tells what becomes of it. */
      readonly statusCallback?: string
      readonly validityPeriodS: number
    },
    call: Call,
  ): Promise<MessageSid>
  /**
   * Texts of ours to a number that may have been created between two moments of our clock (epoch ms), newest first: for
   * finding out what an unanswered send did.
   */
  listSent(
    to: Address,
    window: { readonly since: number; readonly until: number },
    call: Call,
  ): Promise<readonly SentSms[]>
  /** Customers' texts to a number of ours since a moment of Twilio's clock (epoch ms). Those still arriving come later. */
  listReceived(to: Address, since: number, call: Call): Promise<Received>
  listMedia(messageSid: MessageSid, call: Call): Promise<InboundSms['media']>
  /** Undefined when it was deleted. */
  findSent(messageSid: MessageSid, call: Call): Promise<SentState | undefined>
}

/** Their clock is not ours, and their times have one-second resolution. */
export const resolutionMs = 5000

export interface MessagesParts {
  readonly sdk: Sdk
  /** Where media lie: the API's own origin. */
  readonly origin: string
  /** How much earlier or later than by our clock Twilio may say that something happened, ms. */
  readonly clockSlackMs: () => number
}

export function createMessages({ sdk, origin, clockSlackMs }: MessagesParts): Messages {
  return {
    async sendSms(sms, call) {
      const { from, to, body, statusCallback, validityPeriodS: validityPeriod } = sms
      // Only campaigns are paced: for a person who waits, Twilio's queue is the right shock absorber.
      const pace = { key: `twilio:${from}`, rule: senderRule(from) }
      const limit = call.priority === 'bulk' ? { ...pace, cost: segmentsOf(body) } : undefined
      const told = statusCallback === undefined ? {} : { statusCallback }
      const made = await sdk(call, limit).messages.create({ from, to, body, ...told, validityPeriod })
      if (typeof made.sid !== 'string' || made.sid === '') {
        throw new DeliveryError('twilio accepted a text without naming its sid', {
          outcome: 'ambiguous',
          shore: 'twilio',
        })
      }
      return made.sid as MessageSid // Twilio's own word
    },

    async listSent(to, { since, until }, call) {
      const slackMs = clockSlackMs()
      const found: SentSms[] = []
      // Nearly every customer's texts fit on one page, whatever order it is in.
      let page: SdkPage<MessageInstance> = await sdk(call).messages.page({ to, pageSize })
      for (;;) {
        // Only by recipient: From and date_sent of a queued text may still be null.
        const recent = page.instances
          .filter(({ direction }) => direction === 'outbound-api')
          .map((row) => ({
            messageSid: row.sid as MessageSid, // Twilio's own word
            from: row.from ? parseAddress(row.from) : undefined,
            body: row.body,
            createdAt: row.dateCreated.getTime(),
            // Whatever its state is called, Twilio has it.
            status: isSmsStatus(row.status) ? row.status : ('queued' as const),
            ...(row.errorCode ? { errorCode: row.errorCode } : {}),
          }))
          .filter(({ createdAt }) => createdAt >= since - slackMs)
        found.push(...recent.filter(({ createdAt }) => createdAt <= until + slackMs))
        const next = recent.length === 0 ? undefined : await page.nextPage()
        if (next === undefined) return found.sort((a, b) => b.createdAt - a.createdAt)
        page = next
      }
    },

    async listReceived(to, since, call) {
      const listed = await rowsOf<MessageInstance>(
        sdk(call).messages.page({ to, dateSentAfter: new Date(since), pageSize }),
      )
      const inbound = listed.filter(({ direction }) => direction === 'inbound')
      return {
        // Listed most recent first, in whole seconds: turned round, those of one second are in their order too.
        texts: inbound
          .filter(({ status }) => status === 'received')
          .reverse()
          .map(toListed)
          .sort((a, b) => a.sentAt - b.sentAt),
        filtered: inbound.filter(({ status }) => status === 'failed').length,
      }
    },

    async listMedia(messageSid, call) {
      const rows = await rowsOf(sdk(call).messages(messageSid).media.page({ pageSize }))
      // The medium itself lies where its description does, without the suffix: the address webhooks tell.
      return rows.map(({ contentType, uri }) => ({ contentType, url: `${origin}${uri.replace(/\.json$/, '')}` }))
    },

    async findSent(messageSid, call) {
      try {
        const { status, errorCode, dateCreated } = await sdk(call).messages(messageSid).fetch()
        return {
          status: isSmsStatus(status) ? status : undefined,
          createdAt: dateCreated.getTime(),
          ...(errorCode ? { errorCode } : {}),
        }
      } catch (error) {
        if (error instanceof DeliveryError && error.status === 404 && error.outcome === 'permanent') return undefined
        throw error
      }
    },
  }
}

function toListed(row: MessageInstance): ListedSms {
  return {
    messageSid: row.sid as MessageSid, // Twilio's own word
    from: parseAddress(row.from ?? ''),
    to: parseAddress(row.to ?? ''),
    body: (row.body ?? '').replaceAll('\0', ''),
    ...(row.messagingServiceSid ? { messagingServiceSid: row.messagingServiceSid } : {}),
    media: [],
    mediaCount: Number(row.numMedia),
    sentAt: row.dateCreated.getTime(),
  }
}
