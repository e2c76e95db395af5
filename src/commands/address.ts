import type { Context } from '../cli/context.js'
import { UserError } from '../errors.js'
import { type Address, type AlphanumericSender, isPhoneNumber, isShortCode, parsePhoneNumber } from '../phone.js'

type Local = Pick<Context, 'localConfig'>

/** Whatever people type for a number: `(555) 010-0177`, a short code, the name of a sender. */
export async function findAddress(context: Local, text: string): Promise<Address | undefined> {
  const trimmed = text.trim()
  if (isPhoneNumber(trimmed) || isShortCode(trimmed)) return trimmed
  if (/[a-z]/i.test(trimmed)) return trimmed as AlphanumericSender // what is not a number is a name
  return parsePhoneNumber(trimmed, (await context.localConfig()).defaultRegion)
}

/** Throws UserError for what is no number. */
export async function getAddress(context: Local, text: string): Promise<Address> {
  const address = await findAddress(context, text)
  if (address !== undefined) return address
  throw new UserError(
    `${JSON.stringify(text)} is no phone number: type it with its country code, +15550100177 for example`,
  )
}
