// The words by which a customer says stop and go on. Twilio acts on them by itself (whole message, any case); we keep
// them in mind for people and for replays.
import { startWords, stopWords } from '../message.js'

/** What a text says about further texts; undefined when nothing. */
export function readConsent(body: string): 'stop' | 'start' | undefined {
  const word = body.trim().toUpperCase()
  if (stopWords.includes(word)) return 'stop'
  return startWords.includes(word) ? 'start' : undefined
}
