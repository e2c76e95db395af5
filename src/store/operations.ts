// Every operation of the store, written once for both engines.
import { completeAudit, listAudit, writeAudit } from './audit.js'
import { findContact, forgetContact, isKnownContact, lockContact, saveContact } from './contacts.js'
import {
  cancelReplay,
  discardDeadLetters,
  purgeDiscarded,
  replayProgress,
  scheduleReplay,
} from './dead-letter-changes.js'
import { deadLetterGroups, listDeadLetters } from './dead-letters.js'
import { findDelivery } from './delivery-facts.js'
import { findMark, giveUpDuty, setMark, takeDuty } from './duties.js'
import { latestTime } from './latest-time.js'
import { heartbeat, isServed, register, release, unregister } from './leases.js'
import { claim, nextDue } from './ledger-claim.js'
import { unseen, unsettled, unsettledBefore } from './ledger-ingest.js'
import { requeue } from './ledger-requeue.js'
import { beginStep, dropStep, finishStep, settle } from './ledger-settle.js'
import { holdLimit, limitHeadroom, setLimitRule, takeLimit } from './limits.js'
import { listNumbers, saveNumbers } from './numbers.js'
import { optedOutSince, optIn, optOut } from './opt-outs.js'
import { findReceipt, findReceiptByRef, pollAgain, saveReceipt, textsToPoll } from './receipts.js'
import { takeUpRestored } from './restored.js'
import { pauseShore, pauses, resumeShore } from './shores.js'
import type { Tx } from './statement.js'
import type { Store } from './store.js'
import { listDeliveries, summarize } from './summary.js'
import { findThread, findThreadOfConversation, saveThread } from './threads.js'
import { textedNumbers } from './totals.js'
import { trace } from './trace.js'

/** `ingest` is not among them: engines gather concurrent calls of it and run `ingestBatch`. */
export type OperationName = Exclude<keyof Store, 'engine' | 'ingest' | 'onWork' | 'onLost' | 'close'>

interface Operation<Run> {
  readonly run: Run
  readonly writes: boolean
  /** False: each of its statements may stand alone, PostgreSQL needs no transaction round it. */
  readonly together: boolean
}

/**
 * What may be lost with the power (never with the process), because what comes after it on disk is lost too: claims,
 * leases and limits mean nothing without the processes they were for, and a delivery whose end is lost is run again
 * over its durable steps, repeating none. Only a commit made of these alone skips the flush.
 */
export const expendable: ReadonlySet<OperationName> = new Set([
  'register',
  'heartbeat',
  'unregister',
  'claim',
  'release',
  'requeue',
  'dropStep',
  'settle',
  'takeLimit',
  'setLimitRule',
  'holdLimit',
  'pauseShore',
  'resumeShore',
  'saveThread',
  'saveContact',
  'forgetContact',
  'lockContact',
  'pollAgain',
  'takeDuty',
  'giveUpDuty',
] as const)

export type Operations = {
  readonly [Name in OperationName]: Operation<
    (tx: Tx, ...args: Parameters<Store[Name]>) => Promise<Awaited<ReturnType<Store[Name]>>>
  >
}

const look = <Run>(run: Run): Operation<Run> => ({ run, writes: false, together: false })
const survey = <Run>(run: Run): Operation<Run> => ({ run, writes: false, together: true })
const put = <Run>(run: Run): Operation<Run> => ({ run, writes: true, together: false })
const change = <Run>(run: Run): Operation<Run> => ({ run, writes: true, together: true })

export const operations: Operations = {
  unsettled: look(unsettled),
  unseen: look(unseen),
  unsettledBefore: look(unsettledBefore),
  register: put(register),
  heartbeat: change(heartbeat),
  unregister: change(unregister),
  claim: change(claim),
  release: change(release),
  requeue: change(requeue),
  nextDue: look(nextDue),
  beginStep: put(beginStep),
  finishStep: put(finishStep),
  dropStep: change(dropStep),
  settle: change(settle),
  takeLimit: put(takeLimit),
  setLimitRule: put(setLimitRule),
  holdLimit: put(holdLimit),
  limitHeadroom: look(limitHeadroom),
  pauseShore: put(pauseShore),
  resumeShore: change(resumeShore),
  pauses: look(pauses),
  findThread: look(findThread),
  findThreadOfConversation: look(findThreadOfConversation),
  saveThread: change(saveThread),
  findContact: look(findContact),
  saveContact: put(saveContact),
  forgetContact: put(forgetContact),
  isKnownContact: look(isKnownContact),
  lockContact: put(lockContact),
  saveReceipt: change(saveReceipt),
  findReceiptByRef: look(findReceiptByRef),
  findReceipt: look(findReceipt),
  textsToPoll: look(textsToPoll),
  pollAgain: put(pollAgain),
  optOut: put(optOut),
  optIn: put(optIn),
  optedOutSince: look(optedOutSince),
  saveNumbers: change(saveNumbers),
  listNumbers: look(listNumbers),
  textedNumbers: look(textedNumbers),
  takeDuty: put(takeDuty),
  giveUpDuty: put(giveUpDuty),
  findMark: look(findMark),
  setMark: put(setMark),
  takeUpRestored: change(takeUpRestored),
  latestTime: look(latestTime),
  summarize: survey(summarize),
  listDeliveries: look(listDeliveries),
  deadLetterGroups: look(deadLetterGroups),
  listDeadLetters: survey(listDeadLetters),
  findDelivery: survey(findDelivery),
  scheduleReplay: change(scheduleReplay),
  cancelReplay: change(cancelReplay),
  replayProgress: look(replayProgress),
  discardDeadLetters: change(discardDeadLetters),
  purgeDiscarded: change(purgeDiscarded),
  writeAudit: put(writeAudit),
  completeAudit: change(completeAudit),
  listAudit: look(listAudit),
  trace: survey(trace),
  isServed: look(isServed),
}
