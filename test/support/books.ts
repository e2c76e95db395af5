// The vendors' own books: what the inbox and the phones show, by customer.
import type { IntercomTwin } from '../../src/emulators/intercom/types.js'
import type { TwilioTwin, TwinMessage } from '../../src/emulators/twilio/types.js'

type Books = Readonly<Record<string, readonly string[]>>

function grouped(entries: readonly (readonly [string, readonly string[]])[]): Books {
  const books: Record<string, string[]> = {}
  for (const [phone, bodies] of entries) {
    const page = books[phone] ?? []
    books[phone] = page
    page.push(...bodies)
  }
  return books
}

const textOf = (html: string) => html.replace(/^<p>(?<text>.*)<\/p>$/, '$<text>')

/** Each customer's texts as the inbox shows them, oldest first, over all of their conversations. */
export function inboxOf(intercom: IntercomTwin): Books {
  const phoneOf = new Map(intercom.contacts().map(({ id, phone }) => [id, phone ?? '']))
  return grouped(
    intercom.conversations().map(({ contactId, source, parts }) => {
      const more = parts.filter(({ author, body }) => author.type === 'lead' && body !== null)
      return [phoneOf.get(contactId) ?? '', [source.body, ...more.map(({ body }) => body ?? '')].map(textOf)] as const
    }),
  )
}

/** What each customer was sent, in the order in which Twilio took it. */
export function phonesOf(twilio: TwilioTwin): Books {
  return grouped(
    twilio
      .messages()
      .filter(({ direction }) => direction !== 'inbound')
      .map(({ to, body }) => [to, [body]] as const),
  )
}

/** The texts whose webhook was answered 2xx, as each customer sent them. */
export function answeredOf(twilio: TwilioTwin): Books {
  return textsOf(twilio, ({ webhookAccepted }) => webhookAccepted === true)
}

/** Every text, as each customer sent them. */
export function sentOf(twilio: TwilioTwin): Books {
  return textsOf(twilio, () => true)
}

function textsOf(twilio: TwilioTwin, holds: (message: TwinMessage) => boolean): Books {
  const texts = twilio.messages().filter((message) => message.direction === 'inbound' && holds(message))
  return grouped(texts.map(({ from, body }) => [from ?? '', [body]] as const))
}

export const countOf = (books: Books): number => Object.values(books).flat().length

/** What is wrong with what was shown: what is lost, and what is there twice, out of order or of nobody's. */
export function faultsOf(shown: Books, sent: Books): string[] {
  const faults: string[] = []
  for (const phone of new Set([...Object.keys(shown), ...Object.keys(sent)])) {
    const [there = [], order = []] = [shown[phone], sent[phone]]
    for (const body of order) if (!there.includes(body)) faults.push(`${phone}: ${body} is lost`)
    for (const [at, body] of there.entries()) {
      const last = at === 0 ? -1 : order.indexOf(there[at - 1] ?? '')
      if (order.indexOf(body) <= last) faults.push(`${phone}: ${body} is doubled, out of order or nobody's`)
    }
  }
  return faults
}
