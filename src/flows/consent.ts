// The words by which a customer says stop and go on. Twilio acts on them by itself (whole message, any case); we keep
// them in mind for people and for replays.

// docs/messaging/tutorials/advanced-opt-out, and the blog post on the FCC's rule of April 2025 (REVOKE, OPTOUT).
const stopWords: ReadonlySet<string> = new Set([
  'STOP',
  'STOPALL',
  'UNSUBSCRIBE',
  'CANCEL',
  'END',
  'QUIT',
  'REVOKE',
  'OPTOUT',
])
const startWords: ReadonlySet<string> = new Set(['START', 'UNSTOP', 'YES'])

/** What a text says about further texts; undefined when nothing. */
export function readConsent(body: string): 'stop' | 'start' | undefined {
  const word = body.trim().toUpperCase()
  if (stopWords.has(word)) return 'stop'
  return startWords.has(word) ? 'start' : undefined
}
