// Which numbers this bridge answers for: those whose texts really come here.
import { DeliveryError, describeError } from '../errors.js'
import type { Log } from '../log.js'
import type { Address } from '../phone.js'
import type { NumberState, Store } from '../store/store.js'
import type { TwilioClient } from '../twilio/client.js'
import type { AccountNumber } from '../twilio/numbers.js'
import type { SweepTools } from './reconcile-intake.js'

export interface OurNumbersParts {
  readonly store: Pick<Store, 'textedNumbers'>
  readonly twilio: Pick<TwilioClient, 'listNumbers'>
  readonly log: Log
  /** Where texts come to this bridge. */
  readonly inboundUrl: string
}

export interface OurNumbers {
  /** Those to look for texts of. */
  readonly swept: readonly Address[]
  readonly states: readonly Omit<NumberState, 'checkedAt'>[]
}

/** What a fresh number answers with until someone sets its URL. */
const demoHost = 'demo.twilio.com'

export async function readOurNumbers(parts: OurNumbersParts, { call }: SweepTools): Promise<OurNumbers> {
  const { store, twilio, log, inboundUrl } = parts
  let listed: readonly AccountNumber[] = []
  let unlistedWhy = "texts of it came here, and the account's lists do not show it"
  try {
    listed = await twilio.listNumbers(call)
  } catch (error) {
    if (!(error instanceof DeliveryError) || (error.status !== 401 && error.status !== 403)) throw error
    unlistedWhy = 'texts of it came here; where they go now is unknown, because this key may not read the numbers'
    log.warn('reconcile.numbers-not-read', { error: describeError(error) })
  }
  const judged = listed.map((one) => ({ number: one.number, kind: one.kind, ...judge(one, inboundUrl) }))
  const known = new Set<string>(listed.map(({ number }) => number))
  const unlisted = (await store.textedNumbers()).filter((number) => !known.has(number))
  return {
    swept: [...judged.filter(({ comesHere }) => comesHere).map(({ number }) => number), ...unlisted],
    states: [
      ...judged.map(({ comesHere, ...state }) => state),
      ...unlisted.map((number) => ({ number, kind: 'unknown', state: 'unlisted', detail: unlistedWhy })),
    ],
  }
}

interface Judged {
  readonly comesHere: boolean
  readonly state: string
  readonly detail?: string
}

function judge({ via, inbound, drops, service, applicationSid }: AccountNumber, inboundUrl: string): Judged {
  const of = { number: '', service: `Messaging Service ${service?.sid}`, application: `application ${applicationSid}` }[
    via
  ]
  const by = of === '' ? '' : `${of}: `
  if (drops) return { comesHere: false, state: 'drops-inbound', detail: `${by}no inbound URL, so its texts are lost` }
  const address = inbound.url === undefined ? undefined : addressOf(inbound.url)
  if (address === undefined || new URL(address).hostname === demoHost) {
    return { comesHere: false, state: 'no-url', detail: `${by}no URL is set for its texts` }
  }
  if (address !== addressOf(inboundUrl)) {
    return { comesHere: false, state: 'elsewhere', detail: `${by}its texts go to ${address}` }
  }
  // Twilio sends them and the door refuses them: ours, but each is late by a sweep.
  if (inbound.method === 'GET')
    return { comesHere: true, state: 'wrong-method', detail: `${by}its texts come by GET, and only POST is taken` }
  return { comesHere: true, state: 'ours', ...(of === '' ? {} : { detail: of }) }
}

/** Without credentials, query and fragment; undefined when it is no URL. */
function addressOf(url: string): string | undefined {
  if (!URL.canParse(url)) return undefined
  const { origin, pathname } = new URL(url)
  return origin + pathname
}
