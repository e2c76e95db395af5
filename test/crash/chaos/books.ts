// The vendors' own books against what was said: every word once, in order, and to nobody else.
import type { IntercomTwin, TwinConversation } from '../../../src/emulators/intercom/types.js'
import type { TwilioTwin } from '../../../src/emulators/twilio/types.js'

/** One customer at one of our numbers. */
export interface Thread {
  readonly customer: string
  readonly ours: string
}

export interface Said {
  /** Words that occur nowhere else, one for each text it is cut into. */
  readonly words: readonly string[]
  readonly thread: Thread
  /** The bridge's key of it. */
  readonly key: string
  /** Whether the bridge has promised to deliver it: its webhook was answered 2xx. */
  promised: boolean
}

export interface Ledger {
  readonly texts: readonly Said[]
  readonly replies: readonly Said[]
  /** Words of notes. */
  readonly notes: readonly string[]
  /** Texts in the order in which they must be seen; those that are not in it may be anywhere. */
  readonly textOrder: readonly Said[]
  /** Keys of what ended parked or suppressed in the store, with the reason. */
  readonly notDelivered: ReadonlyMap<string, string>
}

export type Trouble = 'lost' | 'doubled' | 'out of order' | 'wrong thread' | 'not delivered' | 'rate limit'

export interface Finding {
  readonly trouble: Trouble
  readonly what: string
}

/** A word somewhere at a vendor. */
interface Sight {
  readonly word: string
  readonly thread: Thread
  /** Where, in words. */
  readonly at: string
}

const wordPattern = /\b[trn]\d+-[a-z]+\b/g

export function compare(ledger: Ledger, twilio: TwilioTwin, intercom: IntercomTwin): Finding[] {
  const { texts, replies, textOrder, notes } = ledger
  const inbox = seenInInbox(ledger, intercom)
  const phones = seenOnPhones(twilio)
  return [
    ...compareSide('text', texts, inbox.sights, ledger),
    ...compareSide('reply', replies, phones, ledger),
    ...inbox.findings,
    ...strangers(phones, replies, notes),
    ...contactsOf(intercom),
    ...orderOf('text', textOrder, inbox.sights),
    ...orderOf('reply', replies, phones),
  ]
}

function compareSide(name: string, said: readonly Said[], sights: readonly Sight[], ledger: Ledger): Finding[] {
  const findings: Finding[] = []
  for (const one of said) {
    const reason = ledger.notDelivered.get(one.key)
    if (reason !== undefined) findings.push({ trouble: 'not delivered', what: `${name} ${one.words[0]}: ${reason}` })
    for (const word of one.words) {
      const seen = sights.filter((sight) => sight.word === word)
      if (seen.length === 0 && one.promised && reason === undefined) {
        findings.push({ trouble: 'lost', what: `${name} ${word}` })
      }
      const places = seen.map(({ at }) => at).join(', ')
      if (seen.length > 1) findings.push({ trouble: 'doubled', what: `${name} ${word}: ${places}` })
      if (seen.some(({ thread }) => !isSame(thread, one.thread))) {
        findings.push({ trouble: 'wrong thread', what: `${name} ${word}: ${places}` })
      }
    }
  }
  return findings
}

const isSame = (a: Thread, b: Thread) => a.customer === b.customer && a.ours === b.ours

/** What contacts said in conversations, oldest first. A conversation belongs to the number its first word went to. */
function seenInInbox({ texts }: Ledger, intercom: IntercomTwin): { sights: Sight[]; findings: Finding[] } {
  const phones = new Map(intercom.contacts().map(({ id, phone }) => [id, phone ?? `contact ${id}`]))
  const sights: (Sight & { readonly id: string })[] = []
  const findings: Finding[] = []
  for (const conversation of intercom.conversations()) {
    const customer = phones.get(conversation.contactId) ?? 'nobody'
    const ours = texts.find(({ words }) => conversation.source.body.includes(words[0] ?? ''))?.thread.ours
    if (ours === undefined) {
      findings.push({ trouble: 'wrong thread', what: `a conversation of ${customer} that nobody began` })
    }
    for (const { id, body } of saidBy(conversation)) {
      for (const [word] of body.matchAll(wordPattern)) {
        const at = `conversation ${conversation.id} of ${customer}`
        sights.push({ word, thread: { customer, ours: ours ?? '' }, at, id })
      }
    }
  }
  // Ids count up over the whole workspace.
  return { sights: sights.sort((a, b) => Number(a.id) - Number(b.id)), findings }
}

function saidBy({ source, parts }: TwinConversation): readonly { id: string; body: string }[] {
  const later = parts.filter(({ author }) => author.type === 'lead' || author.type === 'user')
  return [source, ...later].map(({ id, body }) => ({ id, body: body ?? '' }))
}

/** Every text that reached a phone, in the order in which phones show them. */
function seenOnPhones(twilio: TwilioTwin): Sight[] {
  const customers = new Set(twilio.messages().map(({ direction, from, to }) => (direction === 'inbound' ? from : to)))
  return [...customers].flatMap((customer) =>
    twilio
      .handset(customer ?? '')
      .filter(({ direction }) => direction !== 'inbound')
      .flatMap(({ body, from, to, sid }) => {
        const words = [...body.matchAll(wordPattern)].map(([word]) => word)
        const thread = { customer: to, ours: from ?? '' }
        return (words.length === 0 ? [body] : words).map((word) => ({
          word,
          thread,
          at: `${sid} from ${from} to ${to}`,
        }))
      }),
  )
}

/** Notes on phones, and texts that nobody wrote. */
function strangers(phones: readonly Sight[], replies: readonly Said[], notes: readonly string[]): Finding[] {
  const known = new Set(replies.flatMap(({ words }) => words))
  return phones
    .filter(({ word }) => !known.has(word))
    .map(({ word, at }) => ({
      trouble: 'wrong thread',
      what: `${notes.includes(word) ? 'note' : 'unknown text'} ${word} on a phone: ${at}`,
    }))
}

function contactsOf(intercom: IntercomTwin): Finding[] {
  const counts = new Map<string, number>()
  for (const { phone } of intercom.contacts()) counts.set(phone ?? '', (counts.get(phone ?? '') ?? 0) + 1)
  return [...counts]
    .filter(([, count]) => count > 1)
    .map(([phone, count]) => ({ trouble: 'wrong thread', what: `${count} contacts with ${phone}` }))
}

/** Of each thread, what is seen must be seen in the order in which it was said. */
function orderOf(name: string, said: readonly Said[], sights: readonly Sight[]): Finding[] {
  const threads = new Map(said.map(({ thread }) => [`${thread.customer} ${thread.ours}`, thread]))
  return [...threads.values()].flatMap((thread): Finding[] => {
    const words = said.filter((one) => isSame(one.thread, thread)).flatMap((one) => one.words)
    const seen = [...new Set(sights.map(({ word }) => word))].filter((word) => words.includes(word))
    const wanted = words.filter((word) => seen.includes(word))
    if (seen.join() === wanted.join()) return []
    const what = `${name}s of ${thread.customer} at ${thread.ours}: ${seen.join(' ')}, not ${wanted.join(' ')}`
    return [{ trouble: 'out of order', what }]
  })
}
