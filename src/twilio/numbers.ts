// The account's numbers, and what its texts really run into: a number's own URL is often not what counts.
import type { ApplicationInstance } from 'twilio/lib/rest/api/v2010/account/application.js'
import type { ServiceInstance } from 'twilio/lib/rest/messaging/v1/service.js'
import { DeliveryError } from '../errors.js'
import { type Address, parseAddress } from '../phone.js'
import type { Call } from '../transport.js'
import { pageSize, rowsOf, type Sdk } from './sdk.js'
import { type SenderKind, senderKind } from './senders.js'

export interface InboundSettings {
  /** Undefined when none is set. */
  readonly url: string | undefined
  readonly method: string
  readonly fallbackUrl: string | undefined
  readonly fallbackMethod: string
}

export interface MessagingService extends InboundSettings {
  readonly sid: string
  readonly name: string
  readonly usesNumbersUrl: boolean
}

export interface AccountNumber {
  /** PN… or SC… */
  readonly sid: string
  readonly number: Address
  readonly kind: SenderKind
  /** As set on the number itself, whether or not it counts. */
  readonly own: InboundSettings
  readonly applicationSid?: string
  /** The Messaging Service whose sender pool it is in. */
  readonly service?: MessagingService
  /** Whose settings decide where its texts go. */
  readonly via: 'number' | 'service' | 'application'
  /** Where its texts go. */
  readonly inbound: InboundSettings
  /** Its texts are thrown away unlogged (InboundRequestUrl null): no list will ever show them. */
  readonly drops: boolean
}

export interface Numbers {
  /** Every phone number and short code of the account. Asks once per list, service and application. */
  listNumbers(call: Call): Promise<readonly AccountNumber[]>
}

export function createNumbers(sdk: Sdk): Numbers {
  /** Services by the SID of each number in their pools: a number does not tell which one it is in. */
  const readPools = async (call: Call): Promise<ReadonlyMap<string, MessagingService>> => {
    const { services } = sdk(call).messaging.v1
    const pools = new Map<string, MessagingService>()
    for (const row of await rowsOf(services.page({ pageSize }))) {
      const service = toService(row)
      const { phoneNumbers, shortCodes } = services(row.sid)
      for (const { sid } of await rowsOf(phoneNumbers.page({ pageSize }))) pools.set(sid, service)
      for (const { sid } of await rowsOf(shortCodes.page({ pageSize }))) pools.set(sid, service)
    }
    return pools
  }

  const readApplication = async (sid: string, call: Call): Promise<InboundSettings> => {
    try {
      return settingsOf(await sdk(call).applications(sid).fetch())
    } catch (error) {
      // The number names one that was deleted: its texts go nowhere.
      if (error instanceof DeliveryError && error.status === 404 && error.outcome === 'permanent') return nowhere
      throw error
    }
  }

  return {
    async listNumbers(call) {
      const phones = await rowsOf(sdk(call).incomingPhoneNumbers.page({ pageSize }))
      const codes = await rowsOf(sdk(call).shortCodes.page({ pageSize }))
      const pools = await readPools(call)
      const applications = new Map<string, InboundSettings>()
      for (const { smsApplicationSid: sid } of phones) {
        if (sid && !applications.has(sid)) applications.set(sid, await readApplication(sid, call))
      }
      const numberOf = (sid: string, number: Address, own: InboundSettings, applicationSid = ''): AccountNumber => {
        const service = pools.get(sid)
        const kind = sid.startsWith('SC') ? 'short-code' : senderKind(number)
        return {
          sid,
          number,
          kind,
          own,
          ...(applicationSid === '' ? {} : { applicationSid }),
          ...(service === undefined ? {} : { service }),
          ...routeOf(own, service, applications.get(applicationSid)),
        }
      }
      return [
        ...phones.map((row) =>
          numberOf(row.sid, parseAddress(row.phoneNumber), settingsOf(row), row.smsApplicationSid || ''),
        ),
        ...codes.map((row) => numberOf(row.sid, parseAddress(row.shortCode), settingsOf(row))),
      ]
    },
  }
}

const nowhere: InboundSettings = {
  url: undefined,
  method: 'POST',
  fallbackUrl: undefined,
  fallbackMethod: 'POST',
}

function routeOf(
  own: InboundSettings,
  service: MessagingService | undefined,
  application: InboundSettings | undefined,
): Pick<AccountNumber, 'via' | 'inbound' | 'drops'> {
  if (application !== undefined) return { via: 'application', inbound: application, drops: false }
  if (service === undefined || service.usesNumbersUrl) return { via: 'number', inbound: own, drops: false }
  const { url, method, fallbackUrl, fallbackMethod } = service
  return { via: 'service', inbound: { url, method, fallbackUrl, fallbackMethod }, drops: url === undefined }
}

type SmsSettings = Pick<ApplicationInstance, 'smsUrl' | 'smsMethod' | 'smsFallbackUrl' | 'smsFallbackMethod'>

/** Unset is "" on some resources and null on others. */
function settingsOf({ smsUrl, smsMethod, smsFallbackUrl, smsFallbackMethod }: SmsSettings): InboundSettings {
  return {
    url: smsUrl || undefined,
    method: smsMethod || 'POST',
    fallbackUrl: smsFallbackUrl || undefined,
    fallbackMethod: smsFallbackMethod || 'POST',
  }
}

function toService(row: ServiceInstance): MessagingService {
  return {
    sid: row.sid,
    name: row.friendlyName,
    usesNumbersUrl: row.useInboundWebhookOnNumber,
    url: row.inboundRequestUrl || undefined,
    method: row.inboundMethod || 'POST',
    fallbackUrl: row.fallbackUrl || undefined,
    fallbackMethod: row.fallbackMethod || 'POST',
  }
}
