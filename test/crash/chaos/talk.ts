// What customers and agents say, each with words that occur nowhere else, and what became of it.
import type { TwinConversation } from '../../../src/emulators/intercom/types.js'
import type { Ledger, Said, Thread } from './books.js'
import { type Correspondent, lostWebhooksAreFound, type Vendor } from './plan.js'
import { numbers, type World } from './world.js'

export interface Talk {
  /** Answers the bridge's key of it. */
  text(by: Correspondent): string
  /** Agents answer in the newest conversation, and this answers the key; where there is none, `catchUp` does it later. */
  reply(to: Correspondent, how: { readonly close: boolean; readonly long: boolean }): string | undefined
  note(to: Correspondent): void
  close(to: Correspondent): void
  /** The newest conversation. */
  conversationOf(who: Correspondent): TwinConversation | undefined
  /** How many texts of ours their phone shows. */
  onPhone(who: Correspondent): number
  /** Does what had to wait for a conversation; `all`: waits for every conversation that can come. */
  catchUp(how?: { readonly all: boolean }): Promise<void>
  /** From now on the order of webhooks is not the order in which they were answered. */
  reordered(): void
  /** 429s, armed ones among them. */
  refusals(vendor: Vendor): number
  /** Whether all that was said has come to an end in the store. */
  isComplete(): Promise<boolean>
  ledger(): Promise<Ledger>
  counts(): string
}

const nouns = ['harbor', 'anchor', 'ferry', 'gull', 'pier', 'tide', 'buoy', 'sail', 'reef', 'keel']

export function openTalk(world: World): Talk {
  const { twilio, intercom } = world
  const texts: Said[] = []
  const replies: Said[] = []
  const notes: string[] = []
  const answered: Said[] = []
  const later: { readonly to: Correspondent; readonly act: (conversationId: string) => unknown }[] = []
  const refusals = { twilio: 0, intercom: 0 }
  let inOrder = true
  let said = 0

  world.onEvent((event, of) => {
    if (event.type === 'request' && event.status === 429) refusals[of] += 1
    if (event.type !== 'webhook' || event.status !== 200) return
    const key = 'sid' in event ? `twilio:${event.sid}` : `intercom:part:${event.partId}`
    const one = [...texts, ...replies].find((each) => each.key === key)
    if (one === undefined || one.promised) return
    one.promised = true
    if (of === 'twilio') answered.push(one)
  })

  const threadOf = ({ customer, number }: Correspondent): Thread => ({
    customer: `+155501001${String(10 + customer)}`,
    ours: numbers[number],
  })
  const word = (kind: 't' | 'r' | 'n') => {
    said += 1
    return `${kind}${said}-${nouns[said % nouns.length]}`
  }
  const newest = (to: Correspondent): TwinConversation | undefined => {
    const { customer, ours } = threadOf(to)
    const begins = texts.filter(({ thread }) => thread.customer === customer && thread.ours === ours)
    return intercom
      .conversations()
      .findLast(({ source }) => begins.some(({ words: [first = '?'] }) => source.body.includes(first)))
  }
  const inConversation = <T>(to: Correspondent, act: (conversationId: string) => T): T | undefined => {
    const conversation = newest(to)
    if (conversation !== undefined) return act(conversation.id)
    later.push({ to, act })
    return undefined
  }

  return {
    text(by) {
      const thread = threadOf(by)
      const words = [word('t')]
      const { sid } = twilio.text({ from: thread.customer, to: thread.ours, body: `${words[0]} please` })
      const key = `twilio:${sid}`
      texts.push({ words, thread, key, promised: false })
      return key
    },
    reply(to, { close, long }) {
      return inConversation(to, (conversationId) => {
        const words = long ? [word('r'), word('r')] : [word('r')]
        const { id } = intercom.inbox.reply(conversationId, bodyOf(words), close ? { and: 'close' } : {})
        const key = `intercom:part:${id}`
        replies.push({ words, thread: threadOf(to), key, promised: false })
        return key
      })
    },
    note(to) {
      inConversation(to, (conversationId) => {
        const one = word('n')
        notes.push(one)
        intercom.inbox.note(conversationId, `<p>${one}</p>`)
      })
    },
    close: (to) => inConversation(to, (conversationId) => void intercom.inbox.close(conversationId)),
    conversationOf: newest,
    onPhone: (who) => twilio.handset(threadOf(who).customer).filter(({ direction }) => direction !== 'inbound').length,
    async catchUp({ all } = { all: false }) {
      for (const one of later.splice(0)) {
        if (all) await conversationFor(one.to)
        inConversation(one.to, one.act)
      }
    },
    reordered() {
      inOrder = false
    },
    refusals: (vendor) => refusals[vendor],
    async isComplete() {
      const ended = new Set((await world.rows()).filter(({ state }) => state !== 'ready').map(({ key }) => key))
      return [...texts, ...replies].every(({ key }) => ended.has(key))
    },
    async ledger() {
      const rows = await world.rows()
      const notDelivered = new Map(
        rows.filter(({ state }) => state !== 'delivered').map(({ key, state, reason }) => [key, `${state}: ${reason}`]),
      )
      for (const one of [...texts, ...replies]) one.promised ||= lostWebhooksAreFound
      const place = new Map(rows.map(({ key, id }) => [key, id]))
      const byPlace = (a: Said, b: Said) => (place.get(a.key) ?? 0) - (place.get(b.key) ?? 0)
      const textOrder = inOrder ? answered : answered.toSorted(byPlace)
      return { texts, replies, notes, textOrder, notDelivered }
    },
    counts: () => `${texts.length} texts, ${replies.length} replies`,
  }

  /** None will come where no text of theirs was taken in. */
  async function conversationFor(to: Correspondent): Promise<void> {
    const { customer, ours } = threadOf(to)
    await world.eventually(`a conversation of ${customer} at ${ours}`, async () => {
      if (newest(to) !== undefined) return true
      await Promise.all([twilio.idle(), intercom.idle()])
      const waiting = new Set((await world.rows()).filter(({ state }) => state === 'ready').map(({ key }) => key))
      const theirs = texts.filter(({ thread }) => thread.customer === customer && thread.ours === ours)
      return !lostWebhooksAreFound && theirs.every(({ key }) => !waiting.has(key))
    })
  }
}

/** Long enough for two texts, cut at the space before the second word. */
function bodyOf([first = '', second]: readonly string[]): string {
  if (second === undefined) return `<p>${first} it is</p>`
  return `<p>${`${first} `.padEnd(1_598, 'x')} ${second} it is</p>`
}
