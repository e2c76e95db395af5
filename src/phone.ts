// Addresses a text can come from or go to. Most are E.164 numbers; short codes and alphanumeric senders are not
// phone numbers but must never cost a message.
import { type CountryCode, isSupportedCountry, parsePhoneNumberFromString } from 'libphonenumber-js/max'

/** A number in E.164, e.g. `+15550100177`. */
export type PhoneNumber = string & { readonly brand: 'E.164' }
/** 3 to 8 digits without a plus, e.g. `24273`. */
export type ShortCode = string & { readonly brand: 'short code' }
/** A name of up to 11 characters that can send but not receive, e.g. `ACME`. */
export type AlphanumericSender = string & { readonly brand: 'alphanumeric sender' }
export type Address = PhoneNumber | ShortCode | AlphanumericSender

const e164 = /^\+[1-9]\d{6,14}$/
const shortCode = /^\d{3,8}$/

export function isPhoneNumber(address: string): address is PhoneNumber {
  return e164.test(address)
}

export function isShortCode(address: string): address is ShortCode {
  return shortCode.test(address)
}

/** Whether numbers of this region (ISO 3166 alpha-2) can be completed. */
export function isRegion(region: string): boolean {
  return isSupportedCountry(region)
}

/**
 * Reads what a vendor or a person wrote as a phone number; undefined when it is none.
 * `region` (ISO 3166 alpha-2) completes numbers written without a country code.
 */
export function parsePhoneNumber(text: string, region: string): PhoneNumber | undefined {
  const trimmed = text.trim()
  // Vendors send E.164; numbers too new for libphonenumber's tables must still pass.
  if (isPhoneNumber(trimmed)) return trimmed
  const parsed = parsePhoneNumberFromString(trimmed.replace(/^00/, '+'), region as CountryCode) // an unknown region only means no completion
  const number = parsed?.isPossible() ? parsed.number : undefined
  return number !== undefined && isPhoneNumber(number) ? number : undefined
}

/** Where a number belongs (ISO 3166 alpha-2); undefined where its digits do not tell. */
export function countryOf(number: PhoneNumber): string | undefined {
  return parsePhoneNumberFromString(number)?.country
}

/**
 * Reads the From or To of a text. Never fails: what is neither number nor short code is an alphanumeric sender.
 * Takes digits as they are: only a plus makes a phone number here, as in Twilio's own fields.
 */
export function parseAddress(text: string): Address {
  const trimmed = text.trim()
  if (isPhoneNumber(trimmed) || isShortCode(trimmed)) return trimmed
  return trimmed as AlphanumericSender // whatever is left is a name
}

interface AliasRule {
  readonly pattern: RegExp
  readonly rewrite: string
}

// The same handset is written in two ways where a country once added a mobile digit: Brazil's ninth digit
// (+55 AA 9XXXXXXXX), Mexico's 1 (+52 1 …, dropped in 2019) and Argentina's 9 (+54 9 …).
const aliasRules: readonly AliasRule[] = [
  { pattern: /^\+55(\d{2})9(\d{8})$/, rewrite: '+55$1$2' },
  { pattern: /^\+55(\d{2})([6-9]\d{7})$/, rewrite: '+55$19$2' },
  { pattern: /^\+521(\d{10})$/, rewrite: '+52$1' },
  { pattern: /^\+52([2-9]\d{9})$/, rewrite: '+521$1' },
  { pattern: /^\+549(\d{10})$/, rewrite: '+54$1' },
  { pattern: /^\+54([1-8]\d{9})$/, rewrite: '+549$1' },
]

/** Every way this number may be written, the given one first. */
export function aliasesOf(number: PhoneNumber): readonly PhoneNumber[] {
  const others = aliasRules.flatMap(({ pattern, rewrite }) =>
    pattern.test(number) ? [number.replace(pattern, rewrite) as PhoneNumber] : [],
  ) // the rewrites keep E.164
  return [number, ...others]
}

/** The one spelling under which a customer is remembered: aliases share it. */
export function canonical(address: Address): Address {
  if (!isPhoneNumber(address)) return address
  return [...aliasesOf(address)].sort((a, b) => a.length - b.length || (a < b ? -1 : 1))[0] ?? address
}

/** For logs: the last four digits of a number, names as they are. */
export function redact(address: string): string {
  return isPhoneNumber(address) ? `…${address.slice(-4)}` : address
}
