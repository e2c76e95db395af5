// The words by which a customer says stop and go on. Twilio acts on them by itself (whole message, any case); we keep
// them in mind for people and for replays.
import { type InboundSms, startWords, stopWords } from '../message.js'

/** What a text says about further texts; undefined when nothing. */
export function consentOf({ body, keyword }: Pick<InboundSms, 'body' | 'keyword'>): Consent | undefined {
  if (keyword === 'help') return undefined
  return keyword ?? readConsent(body)
}

type Consent = 'stop' | 'start'

/** By its words alone. */
export function readConsent(body: string): Consent | undefined {
  const word = body.trim().toUpperCase()
  if (stopWords.includes(word)) return 'stop'
  return startWords.includes(word) ? 'start' : undefined
}

/** Words by which people who do not know ours ask for no more texts; meant to find too many rather than too few. */
const askingToStop =
  /\b(?:stop|unsubscribe|opt(?:ing|ed)?[ -]?out|remove me|take me off|no more (?:texts?|messages?)|(?:quit|don[’']?t|do not) (?:text|message|contact)(?:ing)?|leave me alone|wrong number|alto|basta|arr[eê]te[rz]?)\b/i

/** Whether somebody may be asking for no more texts, in whatever words: for what had better be left unsent. */
export function maySayStop(body: string): boolean {
  return askingToStop.test(body)
}
