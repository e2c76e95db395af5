// Why a step failed, as far as both vendors and the bridge's own door tell from outside.
import type { Clock } from '../../clock.js'
import type { DeliveryError } from '../../errors.js'
import { explainTwilioCode } from '../../twilio/errors.js'
import type { Cause } from './report.js'
import type { Sent, Stage } from './stage.js'

/** A step did not hold. */
export class Broken extends Error {
  override readonly name = 'Broken'
  readonly reason: Cause | undefined
  constructor(seen: string, reason?: Cause) {
    super(seen)
    this.reason = reason
  }
}

/** A person's or a gateway's patience with a health check, ms. */
const doorPatienceMs = 5_000

const registration = (sender: string, to: string): Cause => ({
  text: `${sender} is not registered for ${to}, and US carriers block that, tests too: register it in Twilio's console`,
  check: `registration:${sender}`,
})

const trial: Cause = {
  text: 'this is a trial account: it texts verified numbers only, from the number assigned to them. Verify the number in Twilio’s console, or upgrade the account',
  check: 'twilio-credentials',
}

/** What a code of Twilio's means for a text from `sender`. */
export function causeOfCode(code: number, sender: string): Cause {
  switch (code) {
    case 30034:
      return registration(sender, 'an approved 10DLC campaign')
    case 30032:
      return registration(sender, 'toll-free messaging')
    case 21608:
    case 572002:
    case 10002:
      return trial
    case 30038:
      return { text: 'Twilio took the text for a one-time code and kept it back: run the test again, with other words' }
    case 30039:
      return { text: 'Twilio took the text for two machines talking in circles: wait some minutes and test less often' }
    case 21610:
      return { text: `the phone has texted STOP to ${sender}: text START to it from the phone` }
    default:
      return { text: `Twilio code ${code}: ${explainTwilioCode(code)?.advice ?? 'see its page on the code'}` }
  }
}

/** What a refused or failed call of ours means. */
export function causeOfError(error: DeliveryError, sender: string): Cause {
  if (error.shore === 'intercom') {
    if (error.status === 401) return { text: 'Intercom refuses the access token', check: 'intercom-credentials' }
    if (error.status === 403)
      return { text: 'the Intercom app lacks a permission for this', check: 'intercom-permissions' }
    return { text: 'Intercom refused or did not answer', check: 'intercom-credentials' }
  }
  const code = Number(error.code)
  if (error.status === 401 || code === 20003) {
    return { text: 'Twilio refuses the credentials', check: 'twilio-credentials' }
  }
  if (Number.isInteger(code)) return causeOfCode(code, sender)
  return { text: 'Twilio refused or did not answer', check: 'twilio-credentials' }
}

/** The customer's text left, and Intercom does not show it. */
export async function whyNotInIntercom(stage: Stage, sent: Sent, signal: AbortSignal): Promise<Cause> {
  const { ours, outside, phone, publicUrl } = stage
  const call = { signal, guard: () => {}, priority: 'live' } as const
  const since = sent.at - outside.twilio.clockSlackMs()
  const leg = sent.messageSid && (await outside.twilio.findSent(sent.messageSid, call))
  if (leg?.errorCode !== undefined) return causeOfCode(leg.errorCode, phone.number)
  const { texts, filtered } = await outside.twilio.listReceived(ours.number, since, call)
  const arrived = texts.some(({ from, body }) => from === phone.number && body === sent.body)
  if (!arrived && phone.kind !== 'handset') {
    if (filtered > 0) {
      return {
        text: `Twilio kept back ${filtered} of the latest texts to ${ours.number} as codes or loops (30038, 30039): wait some minutes and test less often`,
      }
    }
    if (ours.drops) return dropped(stage)
    return {
      text: `the text has not reached ${ours.number} yet: Twilio says it is ${leg?.status ?? 'gone'}`,
      check: `webhook:${ours.number}`,
    }
  }
  if (!ours.inbound.url?.startsWith(`${publicUrl}/`)) {
    return {
      text: `${ours.number} sends its texts to ${ours.inbound.url ?? 'nowhere'}, and this bridge is ${publicUrl}`,
      check: `webhook:${ours.number}`,
    }
  }
  return (
    (await whyBridgeIsSilent(publicUrl, stage.clock)) ?? {
      text: `the text reached ${ours.number} and the bridge is up: it may refuse Twilio’s signature, or park the text (sms-bridge dlq list)`,
      check: 'signature',
    }
  )
}

function dropped({ ours }: Pick<Stage, 'ours'>): Cause {
  return {
    text: `${ours.number} is in the Messaging Service “${ours.service?.name ?? ''}”, which throws incoming texts away`,
    check: `webhook:${ours.number}`,
  }
}

/** The agent's reply is in Intercom, and Twilio knows nothing of it. */
export async function whyNotSent({ publicUrl, clock }: Stage): Promise<Cause> {
  return (
    (await whyBridgeIsSilent(publicUrl, clock)) ?? {
      text: 'the bridge is up and was not told: Intercom’s webhook subscription lacks conversation.admin.replied, points elsewhere or is suspended, or its client secret is another',
      check: 'intercom-subscription',
    }
  )
}

/** Asks the bridge's own door; undefined when it says that all is well. */
async function whyBridgeIsSilent(publicUrl: string, clock: Clock): Promise<Cause | undefined> {
  const over = new AbortController()
  const patience = new AbortController()
  void clock.sleep(doorPatienceMs, patience.signal).then(() => over.abort())
  try {
    const answer = await fetch(`${publicUrl}/readyz`, { redirect: 'manual', signal: over.signal })
    if (answer.ok) return undefined
    const said = await answer.text()
    if (said.includes('"store does not answer"')) {
      return { text: 'the bridge is up, but its store does not answer', check: 'store' }
    }
    if (said.includes('"paused"')) {
      return { text: 'the bridge has paused a vendor that does not answer or let it in: type sms-bridge status' }
    }
    return { text: `${publicUrl} answers ${answer.status}, so it is not this bridge`, check: 'public-url' }
  } catch {
    return { text: `the bridge does not answer at ${publicUrl}: type sms-bridge serve`, check: 'public-url' }
  } finally {
    patience.abort()
  }
}
