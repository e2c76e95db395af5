// Who takes part in a test: a number of ours, a customer's phone, and what both vendors know of them already.
import type { Clock } from '../../clock.js'
import type { Config } from '../../config/load.js'
import type { AttemptCall } from '../../delivery.js'
import { UserError } from '../../errors.js'
import type { IntercomInbox } from '../../intercom/inbox.js'
import type { ContactId, ConversationId, MessageSid } from '../../message.js'
import { type Address, aliasesOf, type PhoneNumber, parsePhoneNumber, redact } from '../../phone.js'
import type { Outside } from '../../shores.js'
import type { AccountNumber } from '../../twilio/numbers.js'
import type { Mode } from './report.js'
import { isCheck } from './words.js'

/** A text that is on its way to us. */
export interface Sent {
  readonly body: string
  /** When it left, epoch ms. */
  readonly at: number
  /** Of the leg from the customer's phone; undefined for a handset, whose provider is not ours. */
  readonly messageSid?: MessageSid
}

export interface Phone {
  readonly kind: Mode
  readonly number: PhoneNumber
}

export interface Stage {
  readonly outside: Outside
  readonly inbox: IntercomInbox
  readonly clock: Clock
  readonly publicUrl: string
  readonly defaultRegion: string
  readonly ours: AccountNumber
  readonly phone: Phone
  /** The team that conversations of our number are for; undefined when none is set. */
  readonly team: string | undefined
  /** Whether a text opens a conversation again that was closed just now. */
  readonly reopens: boolean
  /** Contacts that had the phone's number before the test. */
  readonly known: ReadonlySet<ContactId>
  /** What an earlier test left open. */
  readonly leftovers: readonly ConversationId[]
}

export interface Wanted {
  readonly kind: Mode
  /** The customer's phone, as typed. */
  readonly phone: string
  /** Our number, as typed; undefined: the only one there is. */
  readonly number: string | undefined
}

export interface StageParts {
  readonly config: Config
  readonly outside: Outside
  readonly clock: Clock
}

/** @throws UserError when these two cannot be tested with; DeliveryError when a vendor does not answer. */
export async function setStage(wanted: Wanted, parts: StageParts, call: AttemptCall): Promise<Stage> {
  const { config, outside, clock } = parts
  const { publicUrl, defaultRegion, teams, reopen } = config
  const number = parsePhoneNumber(wanted.phone, defaultRegion)
  const flag = wanted.kind === 'handset' ? '--handset' : '--from'
  if (number === undefined) {
    throw new UserError(`${flag} ${wanted.phone} is no phone number: type it with its country code, as ${flag} +1…`)
  }
  const { adminId } = await outside.intercom.me(call)
  const numbers = await outside.twilio.listNumbers(call)
  const ours = ourNumber(numbers, wanted, publicUrl)
  if (ours.number === number) throw new UserError(`${number} cannot text itself: name another phone with ${flag}`)
  checkPhone(numbers, { kind: wanted.kind, number }, publicUrl)
  const found = await outside.intercom.searchContacts(aliasesOf(number), call)
  const theirs = found.filter(({ phone }) => isSpelling(phone, { number, defaultRegion }))
  const known = new Set(theirs.map(({ id }) => id))
  const reopens = (reopen?.get(ours.number) ?? reopen?.get('*') ?? 0) > 0
  return {
    outside,
    inbox: outside.inboxOf(config.intercom.adminId ?? adminId),
    clock,
    publicUrl,
    defaultRegion,
    ours,
    phone: { kind: wanted.kind, number },
    team: teams.get(ours.number) ?? teams.get('*'),
    reopens,
    known,
    leftovers: await openChecks(known, { outside, number, reopens }, call),
  }
}

const isBridged = ({ inbound }: AccountNumber, publicUrl: string) => inbound.url?.startsWith(`${publicUrl}/`) ?? false

function ourNumber(numbers: readonly AccountNumber[], { number }: Wanted, publicUrl: string): AccountNumber {
  if (number !== undefined) {
    const ours = numbers.find((one) => one.number === number.replace(/[\s().-]/g, ''))
    if (ours === undefined) throw new UserError(`--number ${number} is not in this Twilio account${among(numbers)}`)
    return ours
  }
  const bridged = numbers.filter((one) => isBridged(one, publicUrl))
  const [only] = bridged
  if (only === undefined) {
    throw new UserError(
      `No number of the account sends its texts to ${publicUrl}: name the one to test with --number${among(numbers)}`,
    )
  }
  if (bridged.length > 1) throw new UserError(`Name the number to test with --number${among(bridged)}`)
  return only
}

function among(numbers: readonly { readonly number: Address }[]): string {
  return numbers.length === 0 ? '' : `: ${numbers.map(({ number }) => number).join(', ')}`
}

function checkPhone(numbers: readonly AccountNumber[], { kind, number }: Phone, publicUrl: string): void {
  const inAccount = numbers.find((one) => one.number === number)
  if (kind === 'handset') {
    if (inAccount === undefined) return
    throw new UserError(`${number} is a number of the Twilio account, not a handset: type --from ${number}`)
  }
  if (inAccount === undefined) {
    throw new UserError(
      `--from ${number} is not in this Twilio account${among(numbers)}. For a phone of your own: --handset ${number}`,
    )
  }
  if (isBridged(inAccount, publicUrl)) {
    throw new UserError(
      `${number} is a number of this bridge too, which would take replies for customers' texts: name one that is not`,
    )
  }
  if (inAccount.drops) {
    throw new UserError(
      `${number} is in a Messaging Service that throws incoming texts away, so no reply would be seen: name another`,
    )
  }
}

/** @throws UserError when a conversation of this phone is open that no test began: the test would write into it. */
async function openChecks(
  contacts: ReadonlySet<ContactId>,
  { outside, number, reopens }: { readonly outside: Outside; readonly number: PhoneNumber; readonly reopens: boolean },
  call: AttemptCall,
): Promise<readonly ConversationId[]> {
  const leftovers: ConversationId[] = []
  for (const contact of contacts) {
    for (const { id, state, source } of await outside.intercom.searchConversations(contact, call)) {
      // One that is closed is in the way only where a text may open it again.
      if (state === 'closed' && !(reopens && isCheck(source.body))) continue
      if (isCheck(source.body)) leftovers.push(id)
      else if ((await outside.intercom.getConversation(id, call))?.state !== 'closed') throw stillOpen(id, number)
    }
  }
  return leftovers
}

function stillOpen(id: ConversationId, number: PhoneNumber): UserError {
  return new UserError(
    `Conversation ${id} of ${redact(number)} is open, and the test would write into it: close it in Intercom first`,
  )
}

/** Whether what stands in a contact is this number, however it was typed. */
export function isSpelling(
  phone: string | undefined,
  { number, defaultRegion }: { readonly number: PhoneNumber; readonly defaultRegion: string },
): boolean {
  const read = phone === undefined ? undefined : parsePhoneNumber(phone, defaultRegion)
  return read !== undefined && aliasesOf(number).includes(read)
}
