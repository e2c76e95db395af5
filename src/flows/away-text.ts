// A customer who texts outside a number's hours is told so, once in each closed period.
import type { Flow, NewDelivery, Tools } from '../delivery.js'
import { DeliveryError, describeError } from '../errors.js'
import { closedPeriod, type Holiday, hoursOf, opensInWords, type WeeklyHours } from '../hours.js'
import type { Conversation, Part } from '../intercom/client.js'
import type { Log } from '../log.js'
import { type AwayText, type ConversationId, type InboundSms, startWords } from '../message.js'
import { type Address, canonical, isPhoneNumber, redact } from '../phone.js'
import type { Store } from '../store/store.js'
import { isZone } from '../wall-time.js'
import { maySayStop, readConsent } from './consent.js'
import { createSendText, type SendTextParts } from './send-text.js'
import { toInboxHtml } from './sms-text.js'
import { createNoteWriter, type NoteParts } from './write-note.js'

/** Later than so long after the customer's text it is of no use to them, ms. */
const usefulMs = 30 * 60_000
const openAgain = 'the number is open again'

export interface AwayParts extends SendTextParts, NoteParts {
  readonly store: Store
  readonly log: Log
  /** Our number → when it is open; `*` stands for any other number. */
  readonly hours?: ReadonlyMap<string, WeeklyHours>
  readonly holidays: readonly Holiday[]
  /** With `{opens}` where the time of opening goes. */
  readonly awayText: string
  /** Of the workspace; IANA. Undefined when unknown. */
  readonly timeZone: (tools: Tools) => Promise<string | undefined>
  /** Whether this part of a conversation is the customer's to read. */
  readonly isForCustomer: (part: Part) => boolean
}

/** A text that was just put into its conversation. */
export interface Texted {
  readonly sms: InboundSms
  readonly conversationId: ConversationId
  /** Epoch ms. */
  readonly at: number
  /** When a teammate last wrote to them, as far as was seen, epoch ms. */
  readonly answeredAt?: number
}

/** Words that Twilio answers by itself (docs/messaging/tutorials/advanced-opt-out). YES is an answer to many questions. */
const answeredByTwilio: ReadonlySet<string> = new Set([...startWords.filter((word) => word !== 'YES'), 'HELP', 'INFO'])

/** What machines say of themselves: two of them must not keep each other awake. */
const automatic =
  /\b(?:auto(?:mat(?:ic|ed))?[ -]?(?:reply|response)|this is an? auto\w* (?:text|message)|automatically generated|out of (?:the )?office|do not reply|don[’']t reply|unmonitored|not monitored|i[’']m driving|driving right now)\b/i

/** Whether a person may have written it who wants an answer, at a number that can be texted, and nobody else answers it. */
export function isToBeAnswered({ from, body, keyword }: Pick<InboundSms, 'from' | 'body' | 'keyword'>): boolean {
  if (!isPhoneNumber(from) || keyword !== undefined) return false
  if (readConsent(body) === 'stop' || maySayStop(body) || automatic.test(body)) return false
  return !answeredByTwilio.has(body.trim().toUpperCase())
}

/** One for each customer, number and closed period. */
function awayDelivery({ sms, conversationId, at }: Texted, closedSince: number): NewDelivery<'away-text'> {
  const { to: ours, from: replyTo } = sms
  const theirs = canonical(replyTo)
  return {
    kind: 'away-text',
    payload: { ours, replyTo, conversationId, textedAt: at, closedSince },
    dedupeKey: `away:${ours}:${theirs}:${closedSince}`,
    // Beside the lane of replies: a teammate never waits for a machine.
    lane: `away:${ours}:${theirs}`,
    shore: 'twilio',
    priority: 'live',
    number: ours,
    rank: '',
  }
}

export function createAway(parts: AwayParts) {
  const { store, log, holidays, isForCustomer } = parts

  const closedNow = async (ours: string, tools: Tools) => {
    const hours = hoursOf(parts.hours, ours)
    if (hours === undefined) return undefined
    const ofWorkspace = hours.zone === undefined ? await parts.timeZone(tools) : undefined
    const zone = hours.zone ?? (ofWorkspace !== undefined && isZone(ofWorkspace) ? ofWorkspace : 'UTC')
    const period = closedPeriod(hours, holidays, zone, tools.now())
    return period && { ...period, zone }
  }

  /** What is to be taken in for it. Never costs the customer's text its delivery: it is in the inbox by now. */
  async function offer(texted: Texted, tools: Tools): Promise<readonly NewDelivery[]> {
    const { sms, at } = texted
    if (hoursOf(parts.hours, sms.to) === undefined || !isToBeAnswered(sms) || tools.now() - at > usefulMs) return []
    const closed = await closedNow(sms.to, tools).catch((error: unknown) => {
      if (!(error instanceof DeliveryError)) throw error
      log.warn('away-text.time-zone-unknown', { number: redact(sms.to), error: describeError(error) })
      return undefined
    })
    // Texted while somebody was there, or to somebody who is still there, it is theirs to answer.
    if (closed === undefined || at < closed.since || (texted.answeredAt ?? 0) >= closed.since) return []
    // Looked at before the period's one text is spent on it.
    return (await whyNever(sms.to, sms.from)) === undefined ? [awayDelivery(texted, closed.since)] : []
  }

  const whyNever = async (ours: Address, replyTo: Address) => {
    if ((await store.optedOutSince(ours, canonical(replyTo))) !== undefined) return 'the customer opted out'
    const isOurs = (await store.listNumbers()).some(({ number }) => number === replyTo)
    return isOurs ? 'the sender is a number of ours' : undefined
  }

  const sendText = createSendText(parts)
  const writeNote = createNoteWriter(parts)

  /** Why it is better left unsent; undefined when it is not. */
  const whyNot = async (away: AwayText, conversation: Conversation | undefined, tools: Tools) => {
    const { ours, replyTo, closedSince, textedAt } = away
    if (tools.now() - textedAt > usefulMs) return 'too late to be of use'
    if ((await closedNow(ours, tools))?.since !== closedSince) return openAgain
    const never = await whyNever(ours, replyTo)
    if (never !== undefined) return never
    if (conversation === undefined) return 'its conversation is gone'
    const answered = conversation.parts.some((part) => isForCustomer(part) && part.writtenAt >= closedSince)
    return answered ? 'a teammate has answered since closing' : undefined
  }

  /** The words of the attempt that may have sent it; until then they are made anew. Undefined: it is open. */
  const wordsFor = async ({ ours }: AwayText, tools: Tools): Promise<string | undefined> => {
    const [noted] = (tools.effects.step('texts')?.value as readonly string[] | undefined) ?? [] // what this wrote
    if (noted !== undefined && tools.effects.step('sms-0') !== undefined) return noted
    const closed = await closedNow(ours, tools)
    if (closed === undefined) return undefined
    const opens = closed.until === undefined ? 'soon' : opensInWords(closed.until, tools.now(), closed.zone)
    const text = parts.awayText.replaceAll('{opens}', opens)
    await tools.effects.note('texts', [text])
    return text
  }

  /** That teammates do not see it is no reason to have a person look after it. */
  const tell = async (text: string, conversation: Conversation, tools: Tools): Promise<void> => {
    await writeNote(toInboxHtml(text), conversation, tools).catch((error: unknown) => {
      if (!(error instanceof DeliveryError) || error.outcome !== 'permanent') throw error
      log.warn('away-text.not-noted', { conversationId: conversation.id, error: describeError(error) })
    })
  }

  const flow: Flow<'away-text'> = {
    async deliver(delivery, tools) {
      const away = delivery.payload
      const { ours, replyTo, conversationId } = away
      const body = await wordsFor(away, tools)
      if (body === undefined) return { state: 'suppressed', reason: openAgain }
      const conversation = await parts.intercom.getConversation(conversationId, tools.call)
      const beforeSending = async () => {
        const reason = await whyNot(away, conversation, tools)
        if (reason !== undefined) throw new DeliveryError(reason, { outcome: 'permanent' })
      }
      const thread = { ours, theirs: canonical(replyTo), replyTo }
      const text = { delivery, thread, body, index: 0, validityPeriodS: usefulMs / 1000, beforeSending }
      const refusal = await sendText(text, tools).then(() => undefined, refusalOf)
      if (refusal !== undefined) return { state: 'suppressed', reason: refusal }
      if (conversation !== undefined) {
        const words = `Texted automatically, outside our hours (d_${delivery.id}): “${body}”`
        await tell(words, conversation, tools)
      }
      return { state: 'delivered', result: { conversationId } }
    },
  }
  return { offer, flow }
}

/** A dead letter would only ask people to send what nobody waits for. Throws what may still go through. */
function refusalOf(error: unknown): string {
  if (!(error instanceof DeliveryError) || (error.outcome !== 'permanent' && !error.unprovable)) throw error
  return error.shore === undefined ? error.message : `not sent: ${error.code ?? error.message}`
}
