import { once } from 'node:events'
import { Worker } from 'node:worker_threads'
import { StoreError, UserError } from '../../errors.js'
import type { DeliveryRow } from '../delivery-row.js'
import type { Arguments, Engine, Result } from '../engine.js'
import type { OperationName } from '../operations.js'
import type { Ingested } from '../store.js'
import type { Migrated } from './connection.js'
import type { Answer, Request } from './writer.js'
import type { FromThread, ThreadData, ToThread } from './writer-thread.js'

/** Where requests are run. */
interface Runner {
  post(requests: readonly Request[]): void
  close(): Promise<void>
}

interface Events {
  readonly answered: (answers: readonly Answer[]) => void
  /** It can answer nothing more. */
  readonly lost: (error: Error) => void
  readonly migrated: (migrated: Migrated) => void
}

interface Opening {
  readonly thread: boolean
  readonly onMigrated: (migrated: Migrated) => void
}

export async function openSqlite(data: ThreadData, { thread, onMigrated }: Opening): Promise<Engine> {
  const engine = new SqliteEngine()
  await engine.start((events) => (thread ? startThread : startHere)(data, { ...events, migrated: onMigrated }))
  return engine
}

async function startThread(workerData: ThreadData, { answered, lost, migrated }: Events): Promise<Runner> {
  const worker = new Worker(new URL('./writer-thread.js', import.meta.url), { workerData, name: 'store' })
  const exited = new Promise((resolve) => worker.once('exit', resolve))
  const [first] = (await once(worker, 'message')) as [FromThread] // rejects when the thread throws
  if ('failed' in first) {
    await exited
    const { failed, exitCode } = first
    throw exitCode === undefined ? new Error(failed) : new UserError(failed, { exitCode })
  }
  if ('migrated' in first && first.migrated !== undefined) migrated(first.migrated)
  worker.on('message', (message: FromThread) => {
    if ('answers' in message) answered(message.answers)
  })
  worker.on('error', (cause) => lost(new Error("The store's thread has ended", { cause })))
  worker.on('exit', () => lost(new Error("The store's thread has ended")))
  const send = (message: ToThread) => worker.postMessage(message)
  return {
    post: (requests) => send({ requests }),
    async close() {
      send({ close: true })
      await exited
    },
  }
}

async function startHere(data: ThreadData, { answered, migrated }: Events): Promise<Runner> {
  const [{ Connection }, { Queue }] = await Promise.all([import('./connection.js'), import('./queue.js')])
  const connection = await Connection.open(data.path, data.now, data.keepsOld)
  if (connection.migrated !== undefined) migrated(connection.migrated)
  const queue = new Queue(connection, answered)
  return {
    post: (requests) => queue.push(requests),
    async close() {
      await queue.drained()
      connection.close()
    },
  }
}

const enoughForMessage = 16

interface Waiting {
  resolve(value: unknown): void
  reject(error: Error): void
}

class SqliteEngine implements Engine {
  readonly engine = 'sqlite'
  readonly #waiting = new Map<number, Waiting>()
  #runner: Runner | undefined
  #unsent: Request[] = []
  #lastId = 0
  readonly #lost = new Set<(error: Error) => void>()
  #over: Error | undefined
  #closed: Promise<void> | undefined

  async start(startRunner: (events: Omit<Events, 'migrated'>) => Promise<Runner>): Promise<void> {
    this.#runner = await startRunner({
      answered: (answers) => this.#answered(answers),
      lost: (error) => this.#end(error),
    })
  }

  ingest(row: DeliveryRow): Promise<Ingested> {
    return this.#ask((id) => ({ id, name: 'ingest', row })) as Promise<Ingested> // what ingestBatch answers
  }

  run<Name extends OperationName>(name: Name, ...args: Arguments<Name>): Promise<Result<Name>> {
    return this.#ask((id) => ({ id, name, args })) as Promise<Result<Name>> // what the operation of this name answers
  }

  #ask(make: (id: number) => Request): Promise<unknown> {
    return new Promise((resolve, reject) => {
      if (this.#over !== undefined) return reject(this.#over)
      this.#lastId += 1
      const idle = this.#waiting.size === 0
      this.#waiting.set(this.#lastId, { resolve, reject })
      this.#unsent.push(make(this.#lastId))
      // To an idle thread at once, so that its flush begins; to a busy one what gathers, so that messages are few.
      if (idle) queueMicrotask(() => this.#send())
      else if (this.#unsent.length >= enoughForMessage) this.#send()
      else if (this.#unsent.length === 1) setImmediate(() => this.#send())
    })
  }

  #send(): void {
    const requests = this.#unsent
    this.#unsent = []
    if (requests.length > 0) this.#runner?.post(requests)
  }

  #answered(answers: readonly Answer[]): void {
    for (const answer of answers) {
      const waiting = this.#waiting.get(answer.id)
      this.#waiting.delete(answer.id)
      if (!('error' in answer)) {
        waiting?.resolve(answer.value)
        continue
      }
      const { error, fault } = answer
      const reason = fault === undefined ? new Error(error) : new StoreError(error)
      waiting?.reject(reason)
      // Every further write might make it worse.
      if (fault === 'damage') this.#end(reason)
    }
  }

  #end(error: Error): void {
    const wasOpen = this.#over === undefined
    this.#over ??= error
    if (wasOpen) for (const listener of this.#lost) listener(error)
    for (const waiting of this.#waiting.values()) waiting.reject(this.#over)
    this.#waiting.clear()
  }

  /** One file, one machine: nothing tells us of other processes; the worker looks again by itself. */
  onWork(): () => void {
    return () => {}
  }

  onLost(listener: (error: Error) => void): () => void {
    this.#lost.add(listener)
    return () => void this.#lost.delete(listener)
  }

  close(): Promise<void> {
    this.#over ??= new Error('The store is closed')
    this.#send()
    this.#closed ??= this.#runner?.close() ?? Promise.resolve()
    return this.#closed
  }
}
