import { once } from 'node:events'
import { chmodSync, existsSync, mkdtempSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Worker } from 'node:worker_threads'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { UserError } from '../../src/errors.js'
import { schemaVersion } from '../../src/store/migrations.js'
import { openStore } from '../../src/store/open.js'
import { Connection } from '../../src/store/sqlite/connection.js'
import { isSafeVersion } from '../../src/store/sqlite/driver.js'
import { onEachEngine } from '../support/stores.js'
import { aDelivery } from './deliveries.js'

async function failureOf(url: string, thread = true): Promise<UserError> {
  const outcome = await openStore(url, { now: 0, thread }).catch((error: unknown) => error)
  if (!(outcome instanceof UserError)) throw new Error(`expected a UserError, got ${String(outcome)}`)
  return outcome
}

describe('opening a SQLite store', () => {
  let folder = ''
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'sms-bridge-open-'))
  })
  afterEach(() => rmSync(folder, { recursive: true }))

  it('makes the file and its folder, readable by their owner alone', async () => {
    const store = await openStore(`sqlite:${folder}/a/b/store.sqlite`, { now: 0 })
    expect(store.engine).toBe('sqlite')
    await store.ingest(aDelivery(), 0)
    for (const suffix of ['', '-wal']) expect(statSync(`${folder}/a/b/store.sqlite${suffix}`).mode & 0o777).toBe(0o600)
    expect(statSync(`${folder}/a/b`).mode & 0o777).toBe(0o700)
    await store.close()
    expect(existsSync(`${folder}/a/b/store.sqlite-wal`)).toBe(false)
  })

  it('tells once that its thread has died, and answers nothing more', async () => {
    const born = once(process, 'worker') as Promise<[Worker]> // what the event brings
    const store = await openStore(`sqlite:${folder}/store.sqlite`, { now: 0 })
    const [thread] = await born
    const told: string[] = []
    const unheard: string[] = []
    store.onLost(({ message }) => told.push(message))
    store.onLost(({ message }) => unheard.push(message))()
    const lost = new Promise((resolve) => store.onLost(resolve))
    await thread.terminate()
    await lost
    await expect(store.nextDue()).rejects.toThrow("The store's thread has ended")
    expect([told, unheard]).toEqual([["The store's thread has ended"], []])
    await store.close()
  })

  it('sets what durability rests on, and reads it back', async () => {
    const connection = await Connection.open(join(folder, 'store.sqlite'), 0)
    expect(connection.pragma('journal_mode')).toBe('wal')
    expect(connection.pragma('synchronous')).toBe(2)
    expect(connection.pragma('busy_timeout')).toBe(5000)
    connection.close()
  })

  it.each([true, false])('says what is wrong with a file that is no database (thread: %s)', async (thread) => {
    const path = join(folder, 'notes.txt')
    writeFileSync(path, 'Dear diary, '.repeat(100))
    const { message, exitCode } = await failureOf(`sqlite:${path}`, thread)
    expect(message).toBe(
      `Cannot open the store sqlite:${path}: file is not a database. If this is a store, it is damaged: stop every serve, then put the newest backup in its place, which keeps this one beside it: sms-bridge restore FILE`,
    )
    expect(exitCode).toBe(4)
  })

  it('says which path it cannot make', async () => {
    writeFileSync(join(folder, 'file'), '')
    const { message } = await failureOf(`sqlite:${folder}/file/a/store.sqlite`)
    expect(message).toContain(`Cannot open the store sqlite:${folder}/file/a/store.sqlite: ENOTDIR`)
  })

  it.skipIf(process.getuid?.() === 0)('says which file it may not read', async () => {
    const path = join(folder, 'store.sqlite')
    writeFileSync(path, '')
    chmodSync(path, 0)
    expect((await failureOf(`sqlite:${path}`)).message).toContain('EACCES')
  })

  it('works on the calling thread when asked to', async () => {
    const path = join(folder, 'store.sqlite')
    const store = await openStore(`sqlite:${path}`, { now: 0, thread: false })
    const answers = await Promise.all([store.ingest(aDelivery(), 0), store.ingest(aDelivery(), 0), store.nextDue()])
    expect(answers.slice(0, 2)).toMatchObject([{ duplicate: false }, { duplicate: false }])
    await store.close()
    await expect(store.nextDue()).rejects.toThrow('The store is closed')
  })

  it('finishes what was asked before it closes, and refuses what is asked after', async () => {
    const url = `sqlite:${folder}/store.sqlite`
    const store = await openStore(url, { now: 0 })
    const asked = Array.from({ length: 20 }, () => store.ingest(aDelivery(), 0))
    await Promise.all([store.close(), store.close()])
    expect((await Promise.all(asked)).every(({ duplicate }) => !duplicate)).toBe(true)
    await expect(store.ingest(aDelivery(), 0)).rejects.toThrow('The store is closed')
    const again = await openStore(url, { now: 0 })
    expect((await again.summarize(0, 0)).waiting).toBe(20)
    await again.close()
  })
})

describe('a store address', () => {
  it.each([
    ['mysql://root:secret@db/test', 'not mysql:'],
    ['./store.sqlite', 'not nothing before the colon'],
    ['sqlite:', 'not sqlite:'],
  ])('that is neither sqlite nor postgres is refused without repeating it: %s', async (url, part) => {
    const { message, exitCode } = await failureOf(url)
    expect(message).toContain(part)
    expect(message).toContain('SMS_BRIDGE_STORE=sqlite:./sms-bridge.sqlite')
    expect(message).not.toContain('secret')
    expect(exitCode).toBe(2)
  })

  it('of a PostgreSQL that is not there is named without its password', async () => {
    const server = createServer().listen(0, '127.0.0.1')
    await new Promise((resolve) => server.once('listening', resolve))
    const address = server.address()
    const port = typeof address === 'object' && address !== null ? address.port : 0
    await new Promise((resolve) => server.close(resolve))
    const { message, exitCode } = await failureOf(`postgres://bridge:not-a-real-secret@127.0.0.1:${port}/texts`)
    expect(message).toBe(
      `Cannot open the store postgres://127.0.0.1:${port}/texts: connect ECONNREFUSED 127.0.0.1:${port}. Start PostgreSQL, or correct SMS_BRIDGE_STORE.`,
    )
    expect(exitCode).toBe(2)
  })

  it('with a schema that would need quoting is refused', async () => {
    expect((await failureOf('postgres://127.0.0.1/test?schema=a;drop')).message).toContain(
      'The schema "a;drop" must be',
    )
  })
})

it('only SQLite releases without the WAL-reset corruption are taken from Node', () => {
  expect(['3.51.3', '3.51.10', '3.52.0', '4.0.0'].map(isSafeVersion)).toEqual([true, true, true, true])
  expect(['3.51.2', '3.50.4', '3.9.99', '2.99.9', undefined].map(isSafeVersion)).toEqual([
    false,
    false,
    false,
    false,
    false,
  ])
})

onEachEngine('the schema', (subject) => {
  it('is at the newest version after opening, and opening again keeps what is there', async () => {
    const [row] = await subject.place.sql(`select value from meta where name = 'schema_version'`)
    expect(row?.value).toBe(schemaVersion)
    await subject.store.ingest(aDelivery({ dedupeKey: 'k' }), 0)
    const other = await subject.another()
    expect((await other.listDeliveries({ limit: 9 })).map(({ dedupeKey }) => dedupeKey)).toEqual(['k'])
  })

  it('of a newer program is left alone, and the message says what to do', async () => {
    await subject.place.sql(`update meta set value = ${schemaVersion + 1} where name = 'schema_version'`)
    const { message, exitCode } = await failureOf(subject.place.url)
    await subject.place.sql(`update meta set value = ${schemaVersion} where name = 'schema_version'`)
    expect(message).toMatch(
      new RegExp(`has schema version ${schemaVersion + 1}, and this sms-bridge knows ${schemaVersion} at most`),
    )
    expect(message).toContain('npm install -g sms-bridge@latest')
    expect(exitCode).toBe(2)
  })
})
