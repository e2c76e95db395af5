import type { ClientOpts } from 'twilio/lib/base/BaseTwilio.js'
import type { MessageInstance } from 'twilio/lib/rest/api/v2010/account/message.js'
import { classify } from '../classify.js'
import { DeliveryError } from '../errors.js'
import type { MessageSid, OutboundSms, SmsStatus } from '../message.js'
import { type Address, parseAddress } from '../phone.js'
import type { Call, Transport, VendorRequest } from '../transport.js'
import { createBackOff } from './back-off.js'
import { createGate } from './gate.js'
import { createSdkHttpClient } from './http-client.js'
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
}

export interface TwilioClient {
  sendSms(
    sms: OutboundSms & { readonly statusCallback: string; readonly validityPeriodS: number },
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
  /** A question that changes nothing and that every kind of key may ask: is Twilio there, and are we let in? */
  ping(call: Call): Promise<void>
}

export interface TwilioCredentials {
  readonly accountSid: string
  /** Several during a rotation; calls use the first. */
  readonly authTokens: readonly string[]
  /** Used for calls instead of the auth token. */
  readonly apiKey?: { readonly sid: string; readonly secret: string }
}

/** Their clock is not ours, and their times have one-second resolution. */
const clockSlackMs = 5000
/** The most Twilio gives; nearly every customer's texts fit on one page, whatever order it is in. */
const pageSize = 1000
const noLimit = undefined

/** What we use of the SDK's pages: the class itself differs from what its own nextPage() returns. */
interface Page {
  readonly instances: readonly MessageInstance[]
  nextPage(): Promise<Page> | undefined
}

/** Loads the SDK (a tenth of a second): call it late. */
export async function createTwilioClient(
  parts: TwilioCredentials & {
    /** Everything Twilio at one origin, for twins and proxies. */
    readonly baseUrl?: string
    readonly transport: Transport
    /** Calls at one time. Default 8. */
    readonly concurrency?: number
    /** 0 ≤ x < 1. */
    readonly random?: () => number
  },
): Promise<TwilioClient> {
  const { accountSid, authTokens, apiKey, baseUrl, transport, concurrency = 8 } = parts
  const { default: Twilio } = await import('twilio/lib/rest/Twilio.js')
  // The SDK loads what it needs for messages (a tenth of a second) at their first use: not while a reply waits.
  void new Twilio(accountSid, authTokens[0], { accountSid }).messages
  const gate = createGate(concurrency)
  const backOff = createBackOff(parts.random ?? Math.random)

  /** The SDK has no way to pass something along with one call, so each call gets an SDK client (20 µs) of its own. */
  function sdk(call: Call, limit: VendorRequest['limit'] | undefined) {
    const send = (request: VendorRequest) =>
      backOff.watch(
        gate.through(
          {
            priority: call.priority,
            signal: call.signal,
            stopped: () => classify({ kind: 'stopped', sent: false }, { ...request, route: 'Messages' }),
          },
          () => transport.request(request, call),
        ),
      )
    // The SDK calls nothing but `request` on its HTTP client.
    const httpClient = createSdkHttpClient({ baseUrl, limit, send }) as unknown as NonNullable<ClientOpts['httpClient']>
    const [user, password] = apiKey === undefined ? [accountSid, authTokens[0]] : [apiKey.sid, apiKey.secret]
    // Empty edge and region keep TWILIO_EDGE and TWILIO_REGION of the environment from changing the host.
    return new Twilio(user, password, { accountSid, httpClient, autoRetry: false, edge: '', region: '' })
  }
  const messages = (...how: Parameters<typeof sdk>) => sdk(...how).messages

  return {
    async sendSms(sms, call) {
      const { from, to, body, statusCallback, validityPeriodS: validityPeriod } = sms
      // Only campaigns are paced: for a person who waits, Twilio's queue is the right shock absorber.
      const limit =
        call.priority === 'bulk' ? { key: `twilio:${from}`, rule: senderRule(from), cost: segmentsOf(body) } : noLimit
      const made = await messages(call, limit).create({ from, to, body, statusCallback, validityPeriod })
      if (typeof made.sid !== 'string' || made.sid === '') {
        throw new DeliveryError('twilio accepted a text without naming its sid', {
          outcome: 'ambiguous',
          shore: 'twilio',
        })
      }
      return made.sid as MessageSid // Twilio's own word
    },

    async ping(call) {
      await sdk(call, noLimit).incomingPhoneNumbers.page({ pageSize: 1 })
    },

    async listSent(to, { since, until }, call) {
      const slackMs = clockSlackMs + transport.clockDoubtMs('twilio')
      const found: SentSms[] = []
      let page: Page = await messages(call, noLimit).page({ to, pageSize })
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
          }))
          .filter(({ createdAt }) => createdAt >= since - slackMs)
        found.push(...recent.filter(({ createdAt }) => createdAt <= until + slackMs))
        const next = recent.length === 0 ? undefined : await page.nextPage()
        if (next === undefined) return found.sort((a, b) => b.createdAt - a.createdAt)
        page = next
      }
    },
  }
}
