// Group commit: everything that waits goes into one transaction, and nobody is answered before it is on disk.
import type { DeliveryRow } from '../delivery-row.js'
import { ingestBatch } from '../ledger-ingest.js'
import { expendable, type OperationName, operations } from '../operations.js'
import type { Tx } from '../statement.js'
import type { Connection } from './connection.js'
import { isBusy } from './driver.js'
import { explainFault, type FileFault, faultOf } from './file-fault.js'

export type Request = { readonly id: number } & (
  | { readonly name: 'ingest'; readonly row: DeliveryRow }
  | { readonly name: OperationName; readonly args: readonly unknown[] }
)

export interface Refusal {
  readonly error: string
  /** Set when the file is at fault rather than the request. */
  readonly fault: FileFault | undefined
}

export type Answer = { readonly id: number } & ({ readonly value: unknown } | Refusal)

type Reply = (answers: readonly Answer[]) => void

/** What must happen wholly or not at all, and whom it answers. */
interface Unit {
  readonly ids: readonly number[]
  run(tx: Tx): Promise<readonly unknown[]>
  /** What to try instead when it failed: the same, one by one. */
  readonly apart: readonly Unit[]
}

type AnyOperation = (tx: Tx, ...args: readonly unknown[]) => Promise<unknown>

function operationUnit(id: number, name: OperationName, args: readonly unknown[]): Unit {
  const run = operations[name].run as AnyOperation // name and arguments were posted together by the typed engine
  return { ids: [id], run: async (tx) => [await run(tx, ...args)], apart: [] }
}

function ingestUnit(requests: readonly { id: number; row: DeliveryRow }[]): Unit {
  return {
    ids: requests.map(({ id }) => id),
    run: (tx) =>
      ingestBatch(
        tx,
        requests.map(({ row }) => row),
      ),
    apart: requests.length > 1 ? requests.map((one) => ingestUnit([one])) : [],
  }
}

const answered = ({ ids }: Unit, values: readonly unknown[]): Answer[] =>
  ids.map((id, index) => ({ id, value: values[index] }))

function refused({ ids }: Unit, error: unknown, { path }: Connection): Answer[] {
  const refusal: Refusal = { error: explainFault('Trouble with the store', path, error), fault: faultOf(error) }
  return ids.map((id) => ({ id, ...refusal }))
}

const mostTries = 4

export async function runTogether(connection: Connection, requests: readonly Request[], reply: Reply): Promise<void> {
  const ingests: { id: number; row: DeliveryRow }[] = []
  const reads: Unit[] = []
  const changes: Unit[] = []
  for (const request of requests) {
    if (request.name === 'ingest') ingests.push(request)
    else (operations[request.name].writes ? changes : reads).push(operationUnit(request.id, request.name, request.args))
  }
  // Reads see what is committed and need not wait for the disk.
  if (reads.length > 0) reply(await transact(connection, 'begin', reads))
  const writes = ingests.length > 0 ? [ingestUnit(ingests), ...changes] : changes
  connection.flushAtCommit(
    requests.some(({ name }) => name === 'ingest' || (operations[name].writes && !expendable.has(name))),
  )
  if (writes.length > 0) reply(await transact(connection, 'begin immediate', writes))
}

async function transact(connection: Connection, begin: string, units: readonly Unit[]): Promise<Answer[]> {
  for (let tries = 1; ; tries++) {
    try {
      connection.exec(begin)
      const answers = await runUnits(connection, units)
      connection.exec('commit')
      return answers
    } catch (error) {
      connection.rollback()
      if (tries < mostTries && isBusy(error)) continue
      // A unit that stands alone has no savepoint: here is where its failure ends.
      const [only] = units
      if (units.length === 1 && only !== undefined && only.apart.length > 0 && !isBusy(error)) {
        return transact(connection, begin, only.apart)
      }
      return units.flatMap((unit) => refused(unit, error, connection))
    }
  }
}

async function runUnits(connection: Connection, units: readonly Unit[]): Promise<Answer[]> {
  const [only] = units
  if (units.length === 1 && only !== undefined) return answered(only, await only.run(connection))
  const answers: Answer[] = []
  for (const unit of units) answers.push(...(await runGuarded(connection, unit)))
  return answers
}

/** One that fails must not take the others along. */
async function runGuarded(connection: Connection, unit: Unit): Promise<Answer[]> {
  await connection.query('savepoint unit', [])
  try {
    const values = await unit.run(connection)
    await connection.query('release unit', [])
    return answered(unit, values)
  } catch (error) {
    if (!connection.inTransaction) throw error
    connection.exec('rollback to unit')
    connection.exec('release unit')
    const answers: Answer[] = []
    for (const part of unit.apart) answers.push(...(await runGuarded(connection, part)))
    return unit.apart.length > 0 ? answers : refused(unit, error, connection)
  }
}
