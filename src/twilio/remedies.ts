// What to do about a code of Twilio's: one sentence for whoever can.
import type { TwilioCodeClass } from './error-codes.js'

const credentials =
  'In Twilio’s Console, open Account > API keys & tokens, set TWILIO_ACCOUNT_SID and TWILIO_AUTH_TOKEN (or the API key) anew, and restart serve.'
const account = 'Look at the account’s billing and status in Twilio’s Console; if both are well, ask Twilio’s support.'
const sender =
  'In the Console, open the number (or its Messaging Service) and look at its capabilities and the countries it can text; use a sender that can reach this one.'
const service =
  'In the Console, open Messaging > Services and add a sender to the service that can reach this country, or correct the service’s SID.'
const registration =
  'Register the sender in the Console for the country it texts (Messaging > Regulatory Compliance); what was refused can be replayed once it is approved.'
const tenDlc =
  'In the Console, open Messaging > Regulatory Compliance > A2P 10DLC and put the number into the Messaging Service of an approved campaign; then replay.'
const trial = 'Upgrade the Twilio account, or verify the customer’s number in the Console while it is a trial.'
const program = 'The bridge should never send this: report it with the lines of the log around it.'
const door =
  'See that serve runs (sms-bridge status) and that the proxy in front of it passes /webhooks/ on; what was missed is found by reconciliation.'
const certificate =
  'Serve the whole certificate chain from the proxy (Caddy and certbot’s fullchain.pem do), then try again.'
const anotherWay = 'Reach the customer another way: by phone, e-mail or the Messenger. The same text would fail again.'
const rightNumber =
  'Reach the customer another way, or ask them to text us from a mobile phone: replies go to the number that texted.'
const consent = 'Reach the customer another way; texting works again once they text START themselves.'
const shorter = 'Write it again in less, or in two messages.'
const media = 'Send a link instead of the file, or a smaller one.'
const waitThenReplay =
  'Wait, then send it once more: a dead letter by sms-bridge dlq replay, one that had left by writing it again. Ask the agent first if it may be out of date.'

// biome-ignore format: one row a remedy reads as a table
const rows: readonly (readonly [remedy: string, ...codes: number[]])[] = [
  [credentials, 20003, 20008],
  [account, 20005, 20403, 30002, 30037],
  ['Correct TWILIO_ACCOUNT_SID, or move the number into this account.', 20404, 21660],
  [program, 20410, 21602, 21603, 21604, 21609, 21619, 21624, 21656, 30010, 30012, 30409, 11750, 12300],
  [rightNumber, 21211, 21614, 21635, 30005, 30006],
  [anotherWay, 21265, 21268, 30004],
  [sender, 21212, 21266, 21601, 21606, 21612, 21621, 21657, 21659, 21661, 30024, 30042],
  ['In the Console, open Messaging > Settings > Geo permissions, allow the customer’s country, then replay.', 21408],
  [trial, 21267, 21608, 30044, 30454, 572002],
  [consent, 21610, 30630],
  ['Nothing at once: the number’s queue drains. If it happens often, send from more numbers.', 21611, 30001],
  [shorter, 21617, 21658],
  [media, 21620, 21623, 30011, 30019, 11751, 63019],
  [service, 21701, 21703, 21704, 21705],
  ['Write it in other words and without shortened links; an admin looks at the campaign’s registration and its samples.', 30007],
  [waitThenReplay, 30003, 30008, 30020, 30021, 30035, 30036, 30410, 30450, 30453, 30500, 20504],
  ['Ask the customer to send their message again.', 30009],
  [registration, 30018, 30040, 30041],
  [tenDlc, 30033, 30034, 30125],
  ['In the Console, open Messaging > Regulatory Compliance > Toll-Free Verification and submit the number; then replay.', 30032],
  ['Wait for midnight Pacific time, then replay; a campaign with a higher trust score has a higher cap.', 30023],
  ['Wait a day for the cap to pass, then replay; Twilio’s support can raise it.', 63038],
  ['Send it again in the daytime of the customer: sms-bridge dlq replay.', 30610],
  ['Nothing: Twilio keeps one-time passcodes out. Ask the customer to write in other words.', 30038],
  ['If a person wrote it, ask them to write in other words; if a machine did, stop the one that answers the other.', 30039, 14107],
  [door, 11200, 11205, 11217],
  [certificate, 11237],
  ['Set the webhook anew: sms-bridge init.', 11321],
]

const byCode: ReadonlyMap<number, string> = new Map(
  rows.flatMap(([remedy, ...codes]) => codes.map((code): [number, string] => [code, remedy])),
)

const byClass: Readonly<Record<TwilioCodeClass, string>> = {
  P: anotherWay,
  C: 'Correct the setting or the account in Twilio’s Console, then replay.',
  R: 'Nothing: it is tried again by itself.',
  L: waitThenReplay,
  I: 'Ask the customer to send their message again.',
  W: door,
}

/** What to do, in a sentence. */
export function twilioRemedy(code: number, codeClass: TwilioCodeClass): string {
  return byCode.get(code) ?? byClass[codeClass]
}
