// The customer's side: a second number that texts by API, or a person with a handset.

import type { AttemptCall } from '../../delivery.js'
import type { MessageSid } from '../../message.js'
import { redact } from '../../phone.js'
import { Broken } from './causes.js'
import type { Sent, Stage } from './stage.js'
import { watch } from './watch.js'
import { says } from './words.js'

export interface Customer {
  /** Resolves once the text is on its way. */
  text(words: string, call: AttemptCall): Promise<Sent>
}

/** A text that is not there by then is of no use to the test, s. */
const validityPeriodS = 300
/** How long a person may take to type three words, ms. */
const personPatienceMs = 300_000

export function createCustomer(stage: Stage, tell: (line: string) => void): Customer {
  return stage.phone.kind === 'handset' ? person(stage, tell) : secondNumber(stage)
}

function secondNumber({ outside, phone, ours, clock }: Stage): Customer {
  return {
    async text(words, call) {
      const body = `sms-bridge check ${words}`
      const messageSid = await outside.twilio.sendSms(
        { from: phone.number, to: ours.number, body, validityPeriodS },
        call,
      )
      return { body, at: clock.now(), messageSid }
    },
  }
}

function person({ outside, phone, ours, clock }: Stage, tell: (line: string) => void): Customer {
  const { twilio } = outside
  const seen = new Set<MessageSid>()
  return {
    async text(words, call) {
      const asked = words.replaceAll('-', ' ')
      tell(`Text these words from ${redact(phone.number)} to ${ours.number}:  ${asked}`)
      const since = clock.now() - twilio.clockSlackMs()
      const look = async () => {
        const { texts } = await twilio.listReceived(ours.number, since, call)
        const theirs = texts.filter(({ from, messageSid }) => from === phone.number && !seen.has(messageSid))
        for (const { messageSid, body } of theirs) {
          seen.add(messageSid)
          if (says(body, words)) return body
          tell(`A text came that says something else: the words are  ${asked}`)
        }
        return undefined
      }
      const { signal } = call
      const sighting = await watch(look, { clock, signal, patienceMs: personPatienceMs, everyMs: 300 })
      if (sighting === undefined) {
        const check = `webhook:${ours.number}`
        throw new Broken(`no text with these words reached ${ours.number} within 5 minutes`, {
          text: `it was not sent, or to another number, or ${ours.number} throws texts away`,
          check,
        })
      }
      return { body: sighting.found, at: sighting.at }
    },
  }
}
