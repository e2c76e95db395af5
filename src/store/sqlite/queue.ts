import type { Connection } from './connection.js'
import { type Answer, type Request, runTogether } from './writer.js'

// Longer transactions gain nothing more and make the first in line wait.
const mostTogether = 512

/** Runs what has gathered, one transaction after the other. */
export class Queue {
  readonly #connection: Connection
  readonly #reply: (answers: readonly Answer[]) => void
  #waiting: Request[] = []
  #running: Promise<void> | undefined
  constructor(connection: Connection, reply: (answers: readonly Answer[]) => void) {
    this.#connection = connection
    this.#reply = reply
  }

  push(requests: readonly Request[]): void {
    this.#waiting.push(...requests)
    this.#running ??= this.#run()
  }

  async #run(): Promise<void> {
    // Everything that has arrived by now comes first, then the first transaction.
    await new Promise((resolve) => setImmediate(resolve))
    while (this.#waiting.length > 0) {
      await runTogether(this.#connection, this.#waiting.splice(0, mostTogether), this.#reply)
    }
    this.#running = undefined
  }

  /** Resolves when everything pushed so far has been answered. */
  async drained(): Promise<void> {
    await this.#running
  }
}
