import { parseAddress } from '../../src/phone.js'
import type { AccountNumber, InboundSettings, MessagingService } from '../../src/twilio/numbers.js'

const unset: InboundSettings = { url: undefined, method: 'POST', fallbackUrl: undefined, fallbackMethod: 'POST' }

/** A long code with these settings of its own, routed by nothing else. */
export function numberWith(own: Partial<InboundSettings> = {}, rest: Partial<AccountNumber> = {}): AccountNumber {
  const settings = { ...unset, ...own }
  return {
    sid: `PN${'1'.repeat(32)}`,
    number: parseAddress('+15550100100'),
    kind: 'long-code',
    own: settings,
    via: 'number',
    inbound: settings,
    drops: false,
    ...rest,
  }
}

export function serviceWith(settings: Partial<MessagingService> = {}): MessagingService {
  return { ...unset, sid: `MG${'2'.repeat(32)}`, name: 'Support', usesNumbersUrl: false, ...settings }
}
