// STOP, START and HELP: what Twilio and, for toll-free numbers, the network do about them before any webhook.
import type { Outbound } from './carrier.js'
import { type Entry, findNumber, type NumberRow, type ServiceRow, type State } from './state.js'

/** The values of OptOutType. */
export type Keyword = 'STOP' | 'START' | 'HELP'

/**
 * Who a STOP to this sender silences, and whose sends it refuses: the sender's whole Messaging Service, or the number
 * alone (help.twilio.com, "How opt-outs work"). The network's block of a toll-free number knows of no service.
 */
export function optOutKey(state: State, sender: string, service: ServiceRow | undefined, recipient: string): string {
  const alone = service === undefined || findNumber(state, sender)?.kind === 'toll-free'
  return `${alone ? sender : service.sid}|${recipient}`
}

/** Blocks, unblocks and answers; the webhook is called all the same. Says which keyword the text was, if any. */
export function honourOptOut(
  state: State,
  outbound: Outbound,
  entry: Entry,
  number: NumberRow,
  service: ServiceRow | undefined,
): Keyword | undefined {
  const word = entry.message.body.trim().toUpperCase()
  const keyword = keywordOf(word, number, service)
  const key = optOutKey(state, number.phoneNumber, service, entry.message.from ?? '')
  const blocked = state.optOuts.has(key)
  const tollFree = number.kind === 'toll-free'
  if (keyword === 'STOP' && !blocked) {
    state.optOuts.add(key)
    outbound.confirm(entry, tollFree ? networkStop : unsubscribed)
  } else if (keyword === 'START' && blocked) {
    state.optOuts.delete(key)
    outbound.confirm(entry, tollFree ? networkStart(word) : resubscribed)
  } else if (keyword === 'HELP' && !(tollFree && blocked)) {
    outbound.confirm(entry, help)
  }
  return keyword
}

const stops = new Set(['STOP', 'STOPALL', 'UNSUBSCRIBE', 'CANCEL', 'END', 'QUIT', 'REVOKE', 'OPTOUT'])
const starts = new Set(['START', 'UNSTOP', 'YES'])
const helps = new Set(['HELP', 'INFO'])

/**
 * Whole messages only. Long codes have the full set; toll-free numbers STOP, START and UNSTOP by the network; short
 * codes none, unless their service has Advanced Opt-Out (help.twilio.com 223134027, 360058144374).
 */
function keywordOf(word: string, { kind }: NumberRow, service: ServiceRow | undefined): Keyword | undefined {
  if (kind === 'short-code' && service?.advancedOptOut !== true) return undefined
  if (helps.has(word)) return 'HELP'
  if (kind === 'toll-free')
    return word === 'STOP' ? 'STOP' : word === 'START' || word === 'UNSTOP' ? 'START' : undefined
  return stops.has(word) ? 'STOP' : starts.has(word) ? 'START' : undefined
}

const unsubscribed =
  'You have successfully been unsubscribed. You will not receive any more messages from this number. Reply START to resubscribe.'
const resubscribed = 'You have successfully been re-subscribed.'
/** The exact default words for HELP are on no page; what matters is that the customer gets a text we did not send. */
const help = 'Reply STOP to unsubscribe. Msg&Data Rates May Apply.'

const networkStop =
  'NETWORK MSG: You replied with the word "stop" which blocks all texts sent from this number. Text back "unstop" to receive messages again.'

/** It repeats the word that was sent, as "Start" or "Unstop". */
function networkStart(word: string): string {
  const repeated = word.slice(0, 1) + word.slice(1).toLowerCase()
  return `NETWORK MSG: You have replied "${repeated}" and will begin receiving messages again from this number.`
}
