// The store's methods over whatever runs operations: a writer thread on one file, or a pool of connections.
import { type DeliveryRow, toRow } from './delivery-row.js'
import type { OperationName } from './operations.js'
import type { Ingested, Store } from './store.js'

export type Arguments<Name extends OperationName> = Parameters<Store[Name]>
export type Result<Name extends OperationName> = Awaited<ReturnType<Store[Name]>>

export interface Engine extends Pick<Store, 'engine' | 'onWork' | 'onLost' | 'close'> {
  ingest(row: DeliveryRow): Promise<Ingested>
  run<Name extends OperationName>(name: Name, ...args: Arguments<Name>): Promise<Result<Name>>
}

export function storeOver(engine: Engine): Store {
  const via =
    <Name extends OperationName>(name: Name) =>
    (...args: Arguments<Name>): Promise<Result<Name>> =>
      engine.run(name, ...args)
  return {
    engine: engine.engine,
    ingest: (delivery, now) => engine.ingest(toRow(delivery, now)),
    unsettled: via('unsettled'),
    unseen: via('unseen'),
    unsettledBefore: via('unsettledBefore'),
    register: via('register'),
    heartbeat: via('heartbeat'),
    unregister: via('unregister'),
    claim: via('claim'),
    release: via('release'),
    requeue: via('requeue'),
    nextDue: via('nextDue'),
    beginStep: via('beginStep'),
    finishStep: via('finishStep'),
    dropStep: via('dropStep'),
    settle: via('settle'),
    takeLimit: via('takeLimit'),
    setLimitRule: via('setLimitRule'),
    holdLimit: via('holdLimit'),
    limitHeadroom: via('limitHeadroom'),
    pauseShore: via('pauseShore'),
    resumeShore: via('resumeShore'),
    pauses: via('pauses'),
    findThread: via('findThread'),
    findThreadOfConversation: via('findThreadOfConversation'),
    saveThread: via('saveThread'),
    findContact: via('findContact'),
    saveContact: via('saveContact'),
    forgetContact: via('forgetContact'),
    isKnownContact: via('isKnownContact'),
    lockContact: via('lockContact'),
    saveReceipt: via('saveReceipt'),
    findReceiptByRef: via('findReceiptByRef'),
    findReceipt: via('findReceipt'),
    textsToPoll: via('textsToPoll'),
    pollAgain: via('pollAgain'),
    optOut: via('optOut'),
    optIn: via('optIn'),
    optedOutSince: via('optedOutSince'),
    saveNumbers: via('saveNumbers'),
    listNumbers: via('listNumbers'),
    textedNumbers: via('textedNumbers'),
    takeDuty: via('takeDuty'),
    giveUpDuty: via('giveUpDuty'),
    findMark: via('findMark'),
    setMark: via('setMark'),
    takeUpRestored: via('takeUpRestored'),
    latestTime: via('latestTime'),
    summarize: via('summarize'),
    listDeliveries: via('listDeliveries'),
    deadLetterGroups: via('deadLetterGroups'),
    listDeadLetters: via('listDeadLetters'),
    findDelivery: via('findDelivery'),
    scheduleReplay: via('scheduleReplay'),
    cancelReplay: via('cancelReplay'),
    replayProgress: via('replayProgress'),
    discardDeadLetters: via('discardDeadLetters'),
    purgeDiscarded: via('purgeDiscarded'),
    writeAudit: via('writeAudit'),
    completeAudit: via('completeAudit'),
    listAudit: via('listAudit'),
    trace: via('trace'),
    isServed: via('isServed'),
    onWork: (listener) => engine.onWork(listener),
    onLost: (listener) => engine.onLost(listener),
    close: () => engine.close(),
  }
}
