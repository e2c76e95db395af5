// Texts of ours whose end no status callback told: Twilio is asked, at growing distances, and after half a day no more.
import { DeliveryError, describeError } from '../errors.js'
import type { Log } from '../log.js'
import type { ReceiptState, Store } from '../store/store.js'
import type { TwilioClient } from '../twilio/client.js'
import { keepReceipt } from './keep-receipt.js'
import type { SweepOptions, SweepTools } from './reconcile-intake.js'

/** A quarter of an hour after it was sent the first question is due, in the store's own time; these are the next, ms. */
const laterMs = [3_600_000, 6 * 3_600_000, 12 * 3_600_000]
const afterFailureMs = 900_000
/** Asked about in one turn. */
const most = 100

export interface PollParts {
  readonly store: Pick<Store, 'textsToPoll' | 'pollAgain' | 'saveReceipt' | 'findDelivery' | 'ingest'>
  readonly twilio: Pick<TwilioClient, 'findSent'>
  readonly log: Log
}

export interface Polled {
  /** Texts asked about, or due on a dry run. */
  readonly due: number
  /** Of which so many turned out to have a state we had not been told. */
  readonly told: number
}

/** When to ask again about a text created then (epoch ms); undefined: never. */
export function nextPoll(createdAt: number, now: number): number | undefined {
  const wait = laterMs.find((ms) => createdAt + ms > now)
  return wait === undefined ? undefined : createdAt + wait
}

export function createReceiptPoll({ store, twilio, log }: PollParts) {
  /** Whether Twilio had news. */
  const ask = async ({ messageSid, ref, status: known }: ReceiptState, tools: SweepTools): Promise<boolean> => {
    const sent = await twilio.findSent(messageSid, tools.call)
    await store.pollAgain(messageSid, sent && nextPoll(sent.createdAt, tools.now()))
    if (sent?.status === undefined) return false
    const { status, errorCode } = sent
    const code = errorCode === undefined ? {} : { errorCode }
    await keepReceipt(store, { messageSid, status, ...code, ...(ref !== undefined && { ref }) }, tools.now())
    return status !== known
  }

  return async (tools: SweepTools, { dryRun = false }: Pick<SweepOptions, 'dryRun'>): Promise<Polled> => {
    const due = await store.textsToPoll(tools.now(), most)
    let told = 0
    for (const text of dryRun ? [] : due) {
      try {
        if (await ask(text, tools)) told += 1
      } catch (error) {
        if (!(error instanceof DeliveryError) || error.deferred || error.pausesShore) throw error
        // Others first next time, whether it is this text that cannot be asked about or Twilio that gives no answer.
        await store.pollAgain(text.messageSid, tools.now() + afterFailureMs)
        if (error.outcome !== 'permanent') throw error
        log.warn('reconcile.not-polled', { id: text.messageSid, error: describeError(error) })
      }
    }
    return { due: due.length, told }
  }
}
