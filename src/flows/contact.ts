// Who a text is from: memory first, because the vendor's search shows a new contact minutes late and phone numbers
// are not unique there.
import type { Delivery, EffectWindow, Tools } from '../delivery.js'
import { DeliveryError } from '../errors.js'
import type { Contact, IntercomClient } from '../intercom/client.js'
import type { ContactId, InboundSms } from '../message.js'
import { aliasesOf, canonical, isPhoneNumber, type PhoneNumber, parsePhoneNumber } from '../phone.js'
import type { Store } from '../store/store.js'

/** Added to the time a lost creation takes to show: longer than any look-up and creation takes. */
const lockMs = 120_000
/** A contact younger than this may not be known to every part of Intercom yet. */
const youngMs = 300_000
/** Search shows a new contact "a few minutes" late (Intercom's OpenAPI description of contact search). */
const contactVisibleAfterMs = 180_000
/** How long the list of data attributes is believed. */
const attributesMs = 600_000

export interface ContactParts {
  readonly store: Store
  readonly intercom: IntercomClient
  /** ISO 3166 alpha-2; completes numbers that people typed into contacts without a country code. */
  readonly defaultRegion: string
  readonly visibleAfterMs?: number
  /** The contact that a refusal says is there already. */
  readonly existingContactId: (error: DeliveryError) => ContactId | undefined
}

/** The one to use where several contacts have the number: users before leads, then who was active last. */
export function rankContacts(contacts: readonly Contact[]): readonly Contact[] {
  return [...contacts].sort(
    (a, b) =>
      Number(b.role === 'user') - Number(a.role === 'user') ||
      (b.lastRepliedAt ?? 0) - (a.lastRepliedAt ?? 0) ||
      b.updatedAt - a.updatedAt ||
      (a.id < b.id ? -1 : 1),
  )
}

export function createContacts(parts: ContactParts) {
  const { store, intercom, defaultRegion, existingContactId, visibleAfterMs = contactVisibleAfterMs } = parts
  let attributes: { names: ReadonlySet<string>; readAt: number } | undefined

  const readAttributes = async (tools: Tools): Promise<ReadonlySet<string>> => {
    try {
      return await intercom.contactAttributes(tools.call)
    } catch (error) {
      // The token may not read them: a contact without its city is a contact all the same.
      if (error instanceof DeliveryError && error.status === 403) return new Set()
      throw error
    }
  }

  /** Only attributes that the workspace has: writing another is refused. */
  const placeOf = async (sms: InboundSms, tools: Tools): Promise<Record<string, string>> => {
    const { city, state, country } = sms
    const told = Object.entries({ city, state, country }).filter((entry): entry is [string, string] =>
      Boolean(entry[1]),
    )
    if (told.length === 0) return {}
    if (attributes === undefined || tools.now() - attributes.readAt > attributesMs) {
      attributes = { names: await readAttributes(tools), readAt: tools.now() }
    }
    const { names } = attributes
    return Object.fromEntries(told.filter(([name]) => names.has(name)))
  }

  const search = async (phone: PhoneNumber, tools: Tools): Promise<Contact | undefined> => {
    const spellings = aliasesOf(phone)
    const found = await intercom.searchContacts(spellings, tools.call)
    const matching = found.filter((contact) => {
      const number = contact.phone === undefined ? undefined : parsePhoneNumber(contact.phone, defaultRegion)
      return number !== undefined && spellings.includes(number)
    })
    return rankContacts(matching)[0]
  }

  /** A sender without a number has its name alone: the lead we may have made of it just then. */
  const searchNamed = async (name: string, { begunAt, endedBy }: EffectWindow, tools: Tools) => {
    const slackMs = intercom.clockSlackMs()
    const found = await intercom.searchContactsNamed(name, tools.call)
    return found.find(
      ({ role, createdAt }) => role === 'lead' && createdAt >= begunAt - slackMs && createdAt <= endedBy + slackMs,
    )
  }

  const create = (sms: InboundSms, tools: Tools): Promise<Person> => {
    const from = sms.from
    const phone = isPhoneNumber(from) ? from : undefined
    return tools.effects.run<Person>('contact', {
      visibleAfterMs,
      perform: async () => {
        const customAttributes = await placeOf(sms, tools)
        const lead = { name: from, ...(phone !== undefined && { phone }) }
        try {
          return toPerson(await intercom.createLead({ ...lead, customAttributes }, tools.call))
        } catch (error) {
          if (!(error instanceof DeliveryError) || error.outcome !== 'permanent') throw error
          const id = existingContactId(error)
          const existing = id === undefined ? undefined : await intercom.getContact(id, tools.call)
          if (existing !== undefined) return toPerson(existing)
          // An attribute that was archived or changed since we looked must not cost the text.
          if (error.status !== 400 || Object.keys(customAttributes).length === 0) throw error
          attributes = undefined
          return toPerson(await intercom.createLead({ ...lead, customAttributes: {} }, tools.call))
        }
      },
      confirm: async (attempt) => {
        const found = phone === undefined ? await searchNamed(from, attempt, tools) : await search(phone, tools)
        return found === undefined ? undefined : toPerson(found)
      },
    })
  }

  return {
    /** The contact of this text's sender, found or created; the same one for every spelling of the number. */
    async resolve(delivery: Delivery<'inbound-sms'>, tools: Tools): Promise<Person> {
      const sms = delivery.payload
      const who = canonical(sms.from)
      const remembered = await store.findContact(who)
      if (remembered !== undefined) {
        const contact = await intercom.getContact(remembered, tools.call)
        if (contact !== undefined) return contact
        const made = tools.effects.step('contact')?.value as Person | undefined // what `create` wrote
        if (made?.id === remembered && isYoung(made, tools.now())) throw notVisibleYet()
        // Merged, archived or deleted in the meantime.
        await store.forgetContact(who, remembered)
        await tools.effects.forget('contact')
      }
      if (!(await store.lockContact(who, delivery.id, tools.now() + visibleAfterMs + lockMs, tools.now()))) {
        throw new DeliveryError('another text of this customer is making their contact', {
          outcome: 'transient',
          code: 'contact-locked',
          deferred: true,
          retryAfterMs: 250,
        })
      }
      const begun = tools.effects.step('contact') !== undefined
      const known = begun || !isPhoneNumber(sms.from) ? undefined : await search(sms.from, tools)
      const contact = known ?? (await create(sms, tools))
      await store.saveContact(who, contact.id, tools.now())
      return contact
    },
  }
}

/** What conversations need to know of a contact. */
export type Person = Pick<Contact, 'id' | 'role' | 'createdAt'>

const toPerson = ({ id, role, createdAt }: Contact): Person => ({ id, role, createdAt })

/** Whether a 404 for this contact may only mean that it is new. */
export function isYoung(contact: Person, now: number): boolean {
  return now - contact.createdAt < youngMs
}

export function notVisibleYet(): DeliveryError {
  return new DeliveryError('the new contact is not visible yet', {
    outcome: 'transient',
    code: 'contact-not-visible',
    deferred: true,
    retryAfterMs: 1_000,
  })
}
