// Customers' texts that no webhook brought: Twilio keeps every one, whatever became of its webhook.
import type { Log } from '../log.js'
import type { Address } from '../phone.js'
import type { Store } from '../store/store.js'
import type { TwilioClient } from '../twilio/client.js'
import type { ListedSms } from '../twilio/messages.js'
import { inboundDelivery, inboundKey } from './inbound-delivery.js'
import { type OurNumbers, readOurNumbers } from './our-numbers.js'
import {
  createIntake,
  type Found,
  type IntakeParts,
  type Sweep,
  type SweepOptions,
  type SweepTools,
} from './reconcile-intake.js'
import { closeWindow, openWindow } from './reconcile-window.js'

const textsMark = 'reconcile:twilio'

/** How long the account's settings are believed while nothing is missing, ms. */
const numbersMs = 900_000

export interface TextSweepParts extends IntakeParts {
  readonly store: Pick<Store, 'unseen' | 'ingest' | 'findMark' | 'setMark' | 'textedNumbers' | 'saveNumbers'>
  readonly twilio: Pick<TwilioClient, 'listNumbers' | 'listReceived' | 'listMedia' | 'clockSlackMs'>
  readonly log: Log
  /** Where texts come to this bridge. */
  readonly inboundUrl: string
}

export interface TextSweep extends Sweep {
  /** Texts that Twilio itself turned away: they were never for us. */
  readonly filtered: number
}

export function createTextSweep(parts: TextSweepParts) {
  const { store, twilio } = parts
  let known: { readonly numbers: OurNumbers; readonly readAt: number } | undefined

  const readNumbers = async (tools: SweepTools, { dryRun = false }: SweepOptions): Promise<OurNumbers> => {
    const readAt = tools.now()
    const numbers = await readOurNumbers(parts, tools)
    if (!dryRun) await store.saveNumbers(numbers.states, readAt)
    known = { numbers, readAt }
    return numbers
  }

  return async (tools: SweepTools, options: SweepOptions): Promise<TextSweep> => {
    const begunAt = tools.now()
    const window = await openWindow(parts, textsMark, begunAt, options)
    const believed = known !== undefined && begunAt - known.readAt < numbersMs ? known.numbers : undefined
    let fresh = believed === undefined ? await readNumbers(tools, options) : undefined
    const { swept } = believed ?? fresh ?? { swept: [] }
    const intake = createIntake(parts, tools, { ...options, notBefore: window.notBefore })

    /** Before anything is taken in: a number may have been given to somebody else since we last looked. */
    const isOurs = async (number: Address): Promise<boolean> => {
      fresh ??= await readNumbers(tools, options)
      return fresh.swept.includes(number)
    }

    const found = ({ mediaCount, ...sms }: ListedSms, number: Address): Found => ({
      id: sms.messageSid,
      dedupeKey: inboundKey(sms),
      number,
      direction: 'in',
      at: sms.sentAt,
      toDelivery: async () => {
        if (!(await isOurs(number))) return undefined
        const media = mediaCount > 0 ? await twilio.listMedia(sms.messageSid, tools.call) : []
        return inboundDelivery({ ...sms, media })
      },
    })

    let filtered = 0
    for (const number of swept) {
      const received = await twilio.listReceived(number, window.since - twilio.clockSlackMs(), tools.call)
      filtered += received.filtered
      await intake.offer(received.texts.map((sms) => found(sms, number)))
    }
    const sweep = { since: window.since, numbers: await intake.finish(), filtered }
    await closeWindow(parts, textsMark, window, { begunAt, at: begunAt - twilio.clockSlackMs(), sweep, options })
    return sweep
  }
}
