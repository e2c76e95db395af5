import { createHash } from 'node:crypto'
import pg from 'pg'
import type { DeliveryRow } from '../delivery-row.js'
import type { Arguments, Engine, Result } from '../engine.js'
import { ingestBatch } from '../ledger-ingest.js'
import { type OperationName, operations } from '../operations.js'
import type { Tx } from '../statement.js'
import type { Ingested } from '../store.js'
import { type Address, addressOf, prepareSchema } from './connect.js'
import { Listener } from './listener.js'
import { codeOf, explainFault, isLost } from './server-fault.js'

export async function openPostgres(url: string, now: number): Promise<Engine> {
  const address = addressOf(url)
  const schema = await prepareSchema(address, now)
  return new PostgresEngine(address, `sms_bridge ${schema}`.slice(0, 63))
}

// Deadlock and serialization failure: nothing was done, and doing it again is all it takes.
const retried: ReadonlySet<unknown> = new Set(['40P01', '40001'])
const mostTries = 8
const mostTogether = 256

/** The fault of a value somebody sent (data exception, integrity constraint), not of the connection or the server. */
const isDataFault = (error: unknown) => error instanceof TypeError || /^2[23]/.test(String(codeOf(error)))

interface Job<Value> {
  /** How its transaction begins; undefined for statements that may stand alone. */
  readonly begin: string | undefined
  readonly writes: boolean
  run(tx: Tx): Promise<Value>
}

interface WaitingIngest {
  readonly row: DeliveryRow
  resolve(ingested: Ingested): void
  reject(error: unknown): void
}

class PostgresEngine implements Engine {
  readonly engine = 'postgres'
  readonly #pool: pg.Pool
  readonly #listener: Listener
  readonly #channel: string
  readonly #name: string
  readonly #names = new Map<string, string>()
  #ingests: WaitingIngest[] = []
  #ingesting = false
  #closed: Promise<void> | undefined

  constructor({ config, name }: Address, channel: string) {
    this.#name = name
    this.#pool = new pg.Pool({ ...config, max: 10, idleTimeoutMillis: 30_000 })
    this.#channel = channel
    this.#listener = new Listener(config, channel)
    // A lost connection is told to whoever was using it; unheard 'error' events would end the process.
    this.#pool.on('error', () => {})
    this.#pool.on('connect', (client) => client.on('error', () => {}))
  }

  run<Name extends OperationName>(name: Name, ...args: Arguments<Name>): Promise<Result<Name>> {
    const { run, writes, together } = operations[name]
    const begin = together
      ? `begin isolation level ${writes ? 'read committed' : 'repeatable read, read only'}`
      : undefined
    return this.#retrying({ begin, writes, run: (tx) => run(tx, ...args) })
  }

  /** While one transaction of these is under way, the next gathers. */
  ingest(row: DeliveryRow): Promise<Ingested> {
    return new Promise((resolve, reject) => {
      this.#ingests.push({ row, resolve, reject })
      if (!this.#ingesting) void this.#ingestAll()
    })
  }

  async #ingestAll(): Promise<void> {
    this.#ingesting = true
    // Whoever else asks in this turn of the loop goes along.
    await Promise.resolve()
    while (this.#ingests.length > 0) await this.#ingestTogether(this.#ingests.splice(0, mostTogether))
    this.#ingesting = false
  }

  async #ingestTogether(waiting: readonly WaitingIngest[]): Promise<void> {
    try {
      const rows = waiting.map(({ row }) => row)
      const begin = 'begin isolation level read committed'
      const answers = await this.#retrying({ begin, writes: true, run: (tx) => ingestBatch(tx, rows) })
      for (const [index, answer] of answers.entries()) waiting[index]?.resolve(answer)
    } catch (error) {
      // One that PostgreSQL cannot store must not take the others along.
      if (waiting.length > 1 && isDataFault(error)) for (const one of waiting) await this.#ingestTogether([one])
      else for (const one of waiting) one.reject(error)
    }
  }

  async #retrying<Value>(job: Job<Value>): Promise<Value> {
    for (let tries = 1; ; tries++) {
      const attempt = { repeatable: false }
      try {
        return await this.#once(job, attempt)
      } catch (error) {
        const again = retried.has(codeOf(error)) || (attempt.repeatable && isLost(error))
        if (tries === mostTries || !again) throw explainFault(this.#name, error)
      }
    }
  }

  async #once<Value>({ begin, writes, run }: Job<Value>, attempt: { repeatable: boolean }): Promise<Value> {
    const client = await this.#pool.connect()
    // A session that was ended before its commit has done nothing; the pool may hold several of those after a restart.
    attempt.repeatable = begin !== undefined || !writes
    let broken: Error | undefined
    try {
      if (begin !== undefined) await client.query(begin)
      const value = await run(this.#transaction(client))
      attempt.repeatable = !writes
      if (begin !== undefined) await client.query('commit')
      return value
    } catch (error) {
      // Without a code it was not PostgreSQL that answered: the connection is of no more use.
      if (!(error instanceof pg.DatabaseError)) broken = error instanceof Error ? error : new Error(String(error))
      else if (begin !== undefined) await client.query('rollback').catch((cause: Error) => (broken = cause))
      throw error
    } finally {
      client.release(broken)
    }
  }

  #transaction(client: pg.PoolClient): Tx {
    return {
      dialect: 'postgres',
      query: async (text, values) => (await client.query({ name: this.#nameOf(text), text, values: [...values] })).rows,
      announce: async () => {
        await client.query({ name: 'announce', text: `select pg_notify($1, '')`, values: [this.#channel] })
      },
    }
  }

  /** Named statements are parsed and planned once per connection. */
  #nameOf(text: string): string {
    let name = this.#names.get(text)
    if (name === undefined) {
      name = createHash('sha256').update(text).digest('base64url').slice(0, 20)
      this.#names.set(text, name)
    }
    return name
  }

  onWork(listener: () => void): () => void {
    return this.#listener.add(listener)
  }

  /** The pool connects again by itself. */
  onLost(): () => void {
    return () => {}
  }

  close(): Promise<void> {
    this.#closed ??= Promise.all([this.#pool.end(), this.#listener.stop()]).then(() => {})
    return this.#closed
  }
}
