import type { Call } from '../transport.js'
import { createMessages, type Messages, resolutionMs } from './messages.js'
import { createNumbers, type Numbers } from './numbers.js'
import { createRegistrations, type Registrations } from './registrations.js'
import { createSdk, type SdkParts } from './sdk.js'
import { createWebhookWriter, type WebhookWriter } from './webhook-settings.js'

export interface TwilioClient extends Messages, Numbers, WebhookWriter, Registrations {
  /** A question that changes nothing and that every kind of key may ask: is Twilio there, and are we let in? */
  ping(call: Call): Promise<void>
  /** How much earlier or later than by our clock Twilio may say that something happened, ms. */
  clockSlackMs(): number
}

/** Loads the SDK (a tenth of a second): call it late. */
export async function createTwilioClient(parts: SdkParts): Promise<TwilioClient> {
  const { baseUrl = 'https://api.twilio.com', transport } = parts
  const sdk = await createSdk(parts)
  const clockSlackMs = () => resolutionMs + transport.clockDoubtMs('twilio')
  return {
    ...createMessages({ sdk, origin: baseUrl.replace(/\/$/, ''), clockSlackMs }),
    ...createNumbers(sdk),
    ...createWebhookWriter(sdk, parts.accountSid),
    ...createRegistrations(sdk),
    clockSlackMs,
    async ping(call) {
      await sdk(call).incomingPhoneNumbers.page({ pageSize: 1 })
    },
  }
}
