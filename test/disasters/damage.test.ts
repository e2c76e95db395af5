// A damaged store, and one of a newer version: nothing is answered 200 without a row, and the way out is told.
import { closeSync, copyFileSync, openSync, readFileSync, writeSync } from 'node:fs'
import { describe, expect, it, onTestFinished, vi } from 'vitest'
import { schemaVersion } from '../../src/store/migrations.js'
import { openStore } from '../../src/store/open.js'
import { Connection } from '../../src/store/sqlite/connection.js'
import { aDelivery } from '../store/deliveries.js'
import { inboxOf } from '../support/books.js'
import { environmentOf, runCommand, startServe } from '../support/serve-process.js'
import { newPlace, postgresFailure } from '../support/stores.js'
import { openTestBridge, tempFolder } from '../support/temp.js'
import { customer, ours } from '../support/test-bridge.js'

// Whole processes start and end here: on a busy machine that takes its time.
vi.setConfig({ testTimeout: 120_000 })

async function twins() {
  const path = `${tempFolder()}/store.sqlite`
  const world = await openTestBridge({ ownProcess: true, storeUrl: `sqlite:${path}` })
  return { path, world, env: { ...environmentOf(world.config), SMS_BRIDGE_HOME: tempFolder() } }
}

function overwrite(path: string, at: number, bytes: number): void {
  const file = openSync(path, 'r+')
  writeSync(file, Buffer.alloc(bytes, 0xa5), 0, bytes, at)
  closeSync(file)
}

/** Overwrites the page on which a table or an index begins. */
async function overwriteRoot(path: string, name: string): Promise<void> {
  const connection = await Connection.open(path, 0)
  const [row] = (await connection.query('select rootpage from sqlite_schema where name = ?', [name])) as {
    rootpage: number
  }[] // the one column asked for
  const size = Number(connection.pragma('page_size'))
  connection.close()
  overwrite(path, ((row?.rootpage ?? 0) - 1) * size, size)
}

const remedy =
  'If this is a store, it is damaged: stop every serve, then put the newest backup in its place, which keeps this one ' +
  'beside it: sms-bridge restore FILE\n'

describe('a damaged SQLite store', () => {
  it('whose header is gone is named by serve and by status, and left as it is; a backup takes its place', async () => {
    const { path, env } = await twins()
    await (await openStore(`sqlite:${path}`, { now: 0 })).close()
    expect((await runCommand(['backup', `${path}.backup`], env)).code).toBe(0)
    overwrite(path, 0, 100)
    const damaged = readFileSync(path)
    const words = `error: Cannot open the store sqlite:${path}: file is not a database. ${remedy}`
    const serve = startServe(env)
    expect(await serve.ended).toBe(4)
    expect(serve.stderr()).toBe(words)
    expect(await runCommand(['status'], env)).toEqual({ code: 4, stdout: '', stderr: words })
    expect(readFileSync(path).equals(damaged)).toBe(true)

    expect((await runCommand(['restore', '--yes', `${path}.backup`], env)).code).toBe(0)
    await startServe(env).logged('serve.started')
  })

  it('ends serve at the first webhook that cannot be kept, which is not answered 200; a backup goes on', async () => {
    const { path, world, env } = await twins()
    await (await openStore(`sqlite:${path}`, { now: 0 })).close()
    copyFileSync(path, `${path}.backup`)
    await overwriteRoot(path, 'sqlite_autoindex_deliveries_1')
    const serve = startServe(env)
    await serve.logged('serve.started')
    const answers: (number | string)[] = []
    world.twilio.subscribe((event) => event.type === 'webhook' && answers.push(event.status))
    world.twilio.text({ from: customer, to: ours, body: 'lost on us, not on Twilio' })
    expect(await serve.ended).toBe(4)
    expect(serve.stderr()).toBe(
      `error: Trouble with the store sqlite:${path}: database disk image is malformed. ${remedy}`,
    )
    await world.twilio.idle()
    expect(answers).toContain(503)
    expect(answers).not.toContain(200)

    copyFileSync(`${path}.backup`, path)
    const again = startServe(env)
    await again.logged('serve.started')
    world.twilio.text({ from: customer, to: ours, body: 'Hello' })
    await world.eventually('it arrives', () => inboxOf(world.intercom)[customer] !== undefined)
  })

  it('ends serve when the relay comes upon it', async () => {
    const { path, env } = await twins()
    const store = await openStore(`sqlite:${path}`, { now: 0 })
    await store.ingest(aDelivery(), Date.now())
    await store.close()
    await overwriteRoot(path, 'lanes')
    const serve = startServe(env)
    expect(await serve.ended).toBe(4)
    expect(serve.stderr()).toContain(`Trouble with the store sqlite:${path}: database disk image is malformed. If this`)
  })
})

describe.each(['sqlite', 'postgres'] as const)('a store on %s', (engine) => {
  it.skipIf(engine === 'postgres' && postgresFailure !== undefined)(
    'of a newer version is left alone by serve and by status, which say what to do',
    async () => {
      const place = newPlace(engine)
      onTestFinished(() => place.remove())
      const world = await openTestBridge({ ownProcess: true, storeUrl: place.url })
      const env = { ...environmentOf(world.config), SMS_BRIDGE_HOME: tempFolder() }
      await (await openStore(place.url, { now: 0 })).close()
      await place.sql(`update meta set value = ${schemaVersion + 1} where name = 'schema_version'`)
      const { host, pathname } = new URL(place.url)
      const name = engine === 'sqlite' ? place.url : `postgres://${host}${pathname}`
      const words =
        `error: The store ${name} has schema version ${schemaVersion + 1}, and this sms-bridge knows ${schemaVersion} ` +
        'at most. An older program must not write into it. Upgrade with `npm install -g sms-bridge@latest`; or go back ' +
        'to what the store was: restore the copy that the newer one kept beside it, or set SMS_BRIDGE_STORE to another ' +
        'store.\n'
      const serve = startServe(env)
      expect(await serve.ended).toBe(2)
      expect(serve.stderr()).toBe(words)
      expect(await runCommand(['status'], env)).toEqual({ code: 2, stdout: '', stderr: words })
    },
  )
})
