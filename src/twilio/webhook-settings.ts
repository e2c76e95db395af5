// Where Twilio sends inbound texts, as its resources hold it: read, and written. Voice is never touched.
import { DeliveryError } from '../errors.js'
import type { Call } from '../transport.js'
import { pageSize, rowsOf, type Sdk } from './sdk.js'

/** What decides where texts go: a number, a short code, or the Messaging Service they are in. */
export interface WebhookResource {
  readonly kind: 'number' | 'short-code' | 'service'
  /** PN…, SC… or MG… */
  readonly sid: string
}

/** `''` is unset. */
export interface WebhookSettings {
  readonly url: string
  readonly method: string
  readonly fallbackUrl: string
  readonly fallbackMethod: string
  /** Of a phone number alone: a TwiML application that overrules all the others. */
  readonly applicationSid?: string
}

/** What Twilio calls each setting. */
export const settingNames: Readonly<
  Record<WebhookResource['kind'], Readonly<Partial<Record<keyof WebhookSettings, string>>>>
> = {
  number: {
    applicationSid: 'SmsApplicationSid',
    url: 'SmsUrl',
    method: 'SmsMethod',
    fallbackUrl: 'SmsFallbackUrl',
    fallbackMethod: 'SmsFallbackMethod',
  },
  'short-code': {
    url: 'SmsUrl',
    method: 'SmsMethod',
    fallbackUrl: 'SmsFallbackUrl',
    fallbackMethod: 'SmsFallbackMethod',
  },
  service: {
    url: 'InboundRequestUrl',
    method: 'InboundMethod',
    fallbackUrl: 'FallbackUrl',
    fallbackMethod: 'FallbackMethod',
  },
}

export interface Account {
  readonly name: string
  /** `active`, `suspended` or `closed`. */
  readonly status: string
  readonly trial: boolean
}

/** A name that texts can come from and no text can go to. */
export interface AlphaSender {
  readonly sender: string
  readonly serviceSid: string
}

export interface WebhookWriter {
  /** Undefined for an API key that may not read it: only the auth token and Main keys may. */
  readAccount(call: Call): Promise<Account | undefined>
  listAlphaSenders(call: Call): Promise<readonly AlphaSender[]>
  readWebhook(resource: WebhookResource, call: Call): Promise<WebhookSettings>
  /** Writes those settings alone and answers with all as they are then. */
  writeWebhook(resource: WebhookResource, changed: Partial<WebhookSettings>, call: Call): Promise<WebhookSettings>
}

export function createWebhookWriter(sdk: Sdk, accountSid: string): WebhookWriter {
  const resourceOf = (kind: WebhookResource['kind'], sid: string, call: Call) =>
    ({
      number: () => {
        const number = sdk(call).incomingPhoneNumbers(sid)
        return {
          read: async () => ofNumber(await number.fetch()),
          write: async (changed: Partial<WebhookSettings>) => ofNumber(await number.update(smsFields(changed))),
        }
      },
      'short-code': () => {
        const code = sdk(call).shortCodes(sid)
        return {
          read: async () => ofSms(await code.fetch()),
          write: async (changed: Partial<WebhookSettings>) => ofSms(await code.update(smsFields(changed))),
        }
      },
      service: () => {
        const service = sdk(call).messaging.v1.services(sid)
        return {
          read: async () => ofService(await service.fetch()),
          write: async (changed: Partial<WebhookSettings>) => ofService(await service.update(serviceFields(changed))),
        }
      },
    })[kind]()

  return {
    async readAccount(call) {
      try {
        const { friendlyName, status, type } = await sdk(call).api.v2010.accounts(accountSid).fetch()
        return { name: friendlyName, status, trial: type === 'Trial' }
      } catch (error) {
        if (error instanceof DeliveryError && (error.status === 401 || error.status === 403)) return undefined
        throw error
      }
    },
    async listAlphaSenders(call) {
      const { services } = sdk(call).messaging.v1
      const found: AlphaSender[] = []
      for (const { sid: serviceSid } of await rowsOf(services.page({ pageSize }))) {
        for (const { alphaSender: sender } of await rowsOf(services(serviceSid).alphaSenders.page({ pageSize }))) {
          found.push({ sender, serviceSid })
        }
      }
      return found
    },
    readWebhook: ({ kind, sid }, call) => resourceOf(kind, sid, call).read(),
    writeWebhook: ({ kind, sid }, changed, call) => resourceOf(kind, sid, call).write(changed),
  }
}

interface SmsRow {
  readonly smsUrl: string
  readonly smsMethod: string
  readonly smsFallbackUrl: string
  readonly smsFallbackMethod: string
}

/** Unset is "" on some resources and null on others. */
function ofSms(row: SmsRow): WebhookSettings {
  return {
    url: row.smsUrl || '',
    method: row.smsMethod || 'POST',
    fallbackUrl: row.smsFallbackUrl || '',
    fallbackMethod: row.smsFallbackMethod || 'POST',
  }
}

function ofNumber(row: SmsRow & { readonly smsApplicationSid: string }): WebhookSettings {
  return { ...ofSms(row), applicationSid: row.smsApplicationSid || '' }
}

function ofService(row: {
  readonly inboundRequestUrl: string
  readonly inboundMethod: string
  readonly fallbackUrl: string
  readonly fallbackMethod: string
}): WebhookSettings {
  return {
    url: row.inboundRequestUrl || '',
    method: row.inboundMethod || 'POST',
    fallbackUrl: row.fallbackUrl || '',
    fallbackMethod: row.fallbackMethod || 'POST',
  }
}

function smsFields({ url, method, fallbackUrl, fallbackMethod, applicationSid }: Partial<WebhookSettings>) {
  return {
    ...(applicationSid !== undefined && { smsApplicationSid: applicationSid }),
    ...(url !== undefined && { smsUrl: url }),
    ...(method !== undefined && { smsMethod: method }),
    ...(fallbackUrl !== undefined && { smsFallbackUrl: fallbackUrl }),
    ...(fallbackMethod !== undefined && { smsFallbackMethod: fallbackMethod }),
  }
}

function serviceFields({ url, method, fallbackUrl, fallbackMethod }: Partial<WebhookSettings>) {
  return {
    ...(url !== undefined && { inboundRequestUrl: url }),
    ...(method !== undefined && { inboundMethod: method }),
    ...(fallbackUrl !== undefined && { fallbackUrl }),
    ...(fallbackMethod !== undefined && { fallbackMethod }),
  }
}
