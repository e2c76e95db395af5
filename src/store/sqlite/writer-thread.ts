// The thread that owns the write connection: an fsync on the main thread would keep the sockets waiting.
import { parentPort, workerData } from 'node:worker_threads'
import { describeError, UserError } from '../../errors.js'
import { Connection, type Migrated } from './connection.js'
import { Queue } from './queue.js'
import type { Answer, Request } from './writer.js'

export interface ThreadData {
  readonly path: string
  readonly now: number
  /** Whether a store that is migrated is copied first. */
  readonly keepsOld: boolean
}

export type ToThread = { readonly requests: readonly Request[] } | { readonly close: true }

export type FromThread =
  | { readonly migrated: Migrated | undefined }
  | { readonly failed: string; readonly exitCode: number | undefined }
  | { readonly answers: readonly Answer[] }

if (parentPort === null) throw new Error('writer-thread.js must be started as a worker thread')
const port = parentPort
const post = (message: FromThread) => port.postMessage(message)
const { path, now, keepsOld } = workerData as ThreadData // given by openSqlite

try {
  const connection = await Connection.open(path, now, keepsOld)
  const queue = new Queue(connection, (answers) => post({ answers }))
  port.on('message', async (message: ToThread) => {
    if ('requests' in message) return queue.push(message.requests)
    await queue.drained()
    connection.close()
    port.close()
  })
  post({ migrated: connection.migrated })
} catch (error) {
  post({ failed: describeError(error), exitCode: error instanceof UserError ? error.exitCode : undefined })
}
