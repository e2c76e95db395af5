import pg from 'pg'

const firstRetryMs = 100
const longestRetryMs = 10_000

/** Calls back on every notification of a channel, from the first listener on, over connections that may come and go. */
export class Listener {
  readonly #config: pg.ClientConfig
  readonly #channel: string
  readonly #listeners = new Set<() => void>()
  #client: pg.Client | undefined
  #connecting: Promise<void> | undefined
  #retry: NodeJS.Timeout | undefined
  #retryMs = firstRetryMs
  #stopped = false

  constructor(config: pg.ClientConfig, channel: string) {
    this.#config = config
    this.#channel = channel
  }

  add(listener: () => void): () => void {
    // Each registration its own, though two may share a function.
    const entry = () => listener()
    this.#listeners.add(entry)
    if (this.#client === undefined && this.#connecting === undefined && this.#retry === undefined) this.#connect()
    return () => {
      this.#listeners.delete(entry)
    }
  }

  #connect(): void {
    this.#retry = undefined
    this.#connecting = this.#open().finally(() => {
      this.#connecting = undefined
    })
  }

  async #open(): Promise<void> {
    const client = new pg.Client({ ...this.#config, query_timeout: 0 })
    client.on('error', () => {}) // 'end' follows
    client.on('notification', () => this.#tell())
    try {
      await client.connect()
      await client.query(`listen ${pg.escapeIdentifier(this.#channel)}`)
    } catch {
      // The store's own operations report what is wrong; this only has to come back.
      await client.end().catch(() => {})
      this.#again()
      return
    }
    client.on('end', () => {
      this.#client = undefined
      this.#again()
    })
    this.#client = client
    this.#retryMs = firstRetryMs
    // Something may have been said before we listened.
    this.#tell()
  }

  #again(): void {
    if (this.#stopped || this.#retry !== undefined) return
    this.#retry = setTimeout(() => this.#connect(), this.#retryMs)
    this.#retryMs = Math.min(this.#retryMs * 2, longestRetryMs)
  }

  #tell(): void {
    for (const listener of this.#listeners) listener()
  }

  async stop(): Promise<void> {
    this.#stopped = true
    clearTimeout(this.#retry)
    await this.#connecting
    await this.#client?.end()
  }
}
