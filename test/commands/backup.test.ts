import { existsSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it, onTestFinished } from 'vitest'
import { migrationFrom, schemaVersion } from '../../src/store/migrations.js'
import { openStore } from '../../src/store/open.js'
import { loadSqlite } from '../../src/store/sqlite/driver.js'
import type { Store } from '../../src/store/store.js'
import { aDelivery, claimOne } from '../store/deliveries.js'
import { type CommandLine, commandLine } from '../support/command-line.js'
import { ManualClock } from '../support/manual-clock.js'
import { environmentOf } from '../support/serve-process.js'
import { openTestBridge, tempFolder } from '../support/temp.js'
import { customer, otherCustomer, ours } from '../support/test-bridge.js'

const clock = new ManualClock(Date.UTC(2026, 10, 30, 12))
const taken = clock.now()
const minuteMs = 60_000

async function openIn(home: string): Promise<Store> {
  const store = await openStore(`sqlite:${join(home, 'sms-bridge.sqlite')}`, { now: taken })
  onTestFinished(() => store.close())
  return store
}

async function execute(path: string, sql: string): Promise<void> {
  const { DatabaseSync } = await loadSqlite()
  const database = new DatabaseSync(path)
  database.exec(sql)
  database.close()
}

/** Two deliveries, one of them delivered. */
async function fill(line: CommandLine): Promise<void> {
  const store = await openIn(line.home)
  await store.register('a', minuteMs, taken)
  await store.ingest(aDelivery({ dedupeKey: 'done' }), taken)
  await store.settle(await claimOne(store, 'a', taken), { state: 'delivered', result: {} }, taken)
  await store.ingest(aDelivery({ dedupeKey: 'under way' }), taken)
  await store.unregister('a', taken)
  await store.close()
}

/** Sizes of SQLite files differ by a page from release to release; columns with the length of the folder’s name. */
const tidy = (text: string) =>
  text
    .replace(/\d+\.\d KiB/g, 'N KiB')
    .replace(/"bytes": \d+/g, '"bytes": N')
    .replace(/\\e\[\d+G/g, '\\e[NG')

describe('backup and restore', () => {
  it('look as in backup.txt', async () => {
    const line = commandLine({ clock })
    await line.run('backup copy.sqlite')
    await fill(line)
    const copy = join(line.home, 'copy.sqlite')
    await line.run(`backup ${copy}`)
    expect(statSync(copy).mode & 0o777).toBe(0o600)
    await line.run(`backup ${copy}`)
    await line.run(`backup ${copy} --force --json`)
    await line.run(`backup ${line.home}/sms-bridge.sqlite --force`)
    await line.run(`backup ${line.home}/no/such/folder`)
    await line.run(`restore ${copy}`)
    await line.run(`restore ${copy}`, {
      tty: true,
      async meanwhile(io) {
        await io.shows('Put it in the place')
        io.type('n\n')
      },
    })
    await line.run(`restore ${copy} --yes`)
    await line.run(`restore ${copy} --yes --moved --json`)
    expect(
      readdirSync(line.home)
        .filter((name) => !name.startsWith('.'))
        .sort(),
    ).toEqual([
      'copy.sqlite',
      'sms-bridge.sqlite',
      'sms-bridge.sqlite.2026-11-30T120000Z',
      'sms-bridge.sqlite.2026-11-30T120000Z-2',
    ])
    await expect(tidy(line.transcript())).toMatchFileSnapshot('../transcripts/backup.txt')
  })

  it('refuse as in restore-refused.txt, and change nothing', async () => {
    const line = commandLine({ clock })
    await fill(line)
    const path = join(line.home, 'sms-bridge.sqlite')
    const file = (name: string) => join(line.home, name)
    await line.run(`backup ${file('good')}`)
    await line.run(`backup ${file('newer')}`)
    const before = readFileSync(path)
    await execute(file('newer'), `update meta set value = ${schemaVersion + 1} where name = 'schema_version'`)
    await execute(file('other'), 'create table notes (text)')
    writeFileSync(file('text'), 'Dear diary, '.repeat(100))
    const whole = readFileSync(file('good'))
    writeFileSync(file('cut'), whole.subarray(0, whole.length / 2))
    writeFileSync(file('torn'), Buffer.concat([whole.subarray(0, 8192), Buffer.alloc(8192, 7), whole.subarray(16_384)]))
    for (const name of ['none', 'text', 'other', 'cut', 'torn', 'newer']) await line.run(`restore ${file(name)} --yes`)
    await line.run('restore')
    await line.run(`restore --tables-restored ${file('good')}`)
    expect(readFileSync(path)).toEqual(before)
    expect(readdirSync(line.home).filter((name) => /^sms-bridge.*(restoring|Z)/.test(name))).toEqual([])
    const text = line.transcript().replace(/(is damaged|cannot be restored): .*/g, '$1: …')
    await expect(tidy(text)).toMatchFileSnapshot('../transcripts/restore-refused.txt')
  })

  it('leave PostgreSQL to its own tools, with the lines to type', async () => {
    const line = commandLine({ clock })
    const env = { SMS_BRIDGE_STORE: 'postgres://bridge:PLANTED@db.example.com/bridge?schema=sms' }
    await line.run('backup today.dump', { env })
    await line.run('restore today.dump', { env })
    const text = line.transcript().replace(/SMS_BRIDGE_STORE=\S+/g, 'SMS_BRIDGE_STORE=postgres://…')
    expect(text).not.toContain('PLANTED')
    await expect(text).toMatchFileSnapshot('../transcripts/backup-postgres.txt')
  })

  it('refuse while a serve has the store, whatever it does just then', async () => {
    const line = commandLine({ clock })
    await fill(line)
    await line.run(`backup ${line.home}/copy`)
    const serve = await openIn(line.home)
    const withoutLease = await line.run(`restore ${line.home}/copy --yes`)
    expect(withoutLease).toMatchObject({ code: 2 })
    expect(withoutLease.text).toContain('Another program has the store ~/sms-bridge.sqlite open')
    await serve.register('b', 15_000, taken)
    const { code, text } = await line.run(`restore ${line.home}/copy --yes`)
    expect(code).toBe(2)
    expect(text).toContain('A serve is running on this store: stop it first')
    expect((await serve.summarize(0, taken)).waiting).toBe(1)
    await serve.close()
    expect((await line.run(`restore ${line.home}/copy --yes`, { clock: new ManualClock(taken + 15_000) })).code).toBe(0)
  })

  it('copy one state of a store that is written to all the while', async () => {
    const line = commandLine({ clock })
    const store = await openIn(line.home)
    let writing = true
    let written = 0
    const writes = (async () => {
      while (writing) {
        // A pair is one commit: a copy holds both or neither.
        await Promise.all([store.ingest(aDelivery(), taken), store.ingest(aDelivery(), taken)])
        written += 2
      }
    })()
    for (let count = 0; count < 5; count += 1) {
      const before = written
      const { stdout } = await line.run(`backup ${line.home}/copy-${count} --json`)
      const { deliveries } = JSON.parse(stdout)
      expect(deliveries).toBeGreaterThanOrEqual(before)
      expect(deliveries).toBeLessThanOrEqual(written + 2)
      expect(deliveries % 2).toBe(0)
    }
    writing = false
    await writes
    await store.close()
  })

  it('mend a store that is damaged, and keep that as it is', async () => {
    const line = commandLine({ clock })
    await fill(line)
    await line.run(`backup ${line.home}/copy`)
    const path = join(line.home, 'sms-bridge.sqlite')
    writeFileSync(path, 'no database at all '.repeat(100))
    writeFileSync(`${path}-wal`, 'its log')
    const { code, text } = await line.run(`restore ${line.home}/copy --yes`)
    expect(code).toBe(0)
    expect(text).toContain('cannot be read, so nobody can tell whether a serve still uses it')
    const kept = `${path}.2026-11-30T120000Z`
    expect(readFileSync(kept, 'utf8')).toMatch(/^no database at all/)
    expect(readFileSync(`${kept}-wal`, 'utf8')).toBe('its log')
    expect(existsSync(`${path}-wal`)).toBe(false)
    expect((await (await openIn(line.home)).listDeliveries({ limit: 9 })).length).toBe(2)
  })

  it('note in the store when it was last copied, and after a restoration when that copy was', async () => {
    const line = commandLine({ clock })
    await fill(line)
    const mark = async () => {
      const store = await openIn(line.home)
      const { at } = (await store.findMark('backup')) ?? {}
      await store.close()
      return at
    }
    const at = (ms: number) => ({ clock: new ManualClock(taken + ms) })
    await line.run(`backup ${line.home}/first`)
    expect(await mark()).toBe(taken)
    expect((await line.run(`backup ${line.home}/second`, at(minuteMs))).code).toBe(0)
    expect(await mark()).toBe(taken + minuteMs)
    expect((await line.run(`restore ${line.home}/first --yes`, at(9 * minuteMs))).code).toBe(0)
    expect(await mark()).toBe(taken)
    // What `second` itself notes is when `first` was taken.
    expect((await line.run(`restore ${line.home}/second --yes --moved`, at(9 * minuteMs))).code).toBe(0)
    expect(await mark()).toBe(taken + minuteMs)
  })

  it('are good though the store takes no note of it, which is said', async () => {
    const line = commandLine({ clock })
    await fill(line)
    const path = join(line.home, 'sms-bridge.sqlite')
    await execute(path, `create trigger full before insert on marks begin select raise(abort, 'it is full'); end`)
    const { code, text } = await line.run(`backup ${line.home}/copy`)
    expect(code).toBe(0)
    expect(text).toMatch(/^! ! The copy is good, but doctor will not know of it: .*it is full/m)
    expect(existsSync(join(line.home, 'copy'))).toBe(true)
  })

  it('leave a store of an older version as it is when it is copied', async () => {
    const line = commandLine({ clock })
    const path = join(line.home, 'sms-bridge.sqlite')
    await execute(path, migrationFrom(0, 'sqlite', 0, 1))
    const before = readFileSync(path)
    expect((await line.run(`backup ${line.home}/copy`)).code).toBe(0)
    expect(readFileSync(path)).toEqual(before)
  })

  it('bring a backup of an older version to this one', async () => {
    const line = commandLine({ clock })
    const old = join(line.home, 'old.sqlite')
    const { DatabaseSync } = await loadSqlite()
    const database = new DatabaseSync(old)
    database.exec(migrationFrom(0, 'sqlite', 0, 1))
    database.exec(`insert into deliveries (kind, dedupe_key, lane, shore, priority, number, rank, payload, state, received_at)
      values ('inbound-sms', 'old', 'lane', 'intercom', 'live', '', '', '{}', 'delivered', ${taken})`)
    database.close()
    expect((await line.run(`restore ${old} --yes`)).code).toBe(0)
    expect((await (await openIn(line.home)).listDeliveries({ limit: 9 })).map(({ dedupeKey }) => dedupeKey)).toEqual([
      'old',
    ])
  })
})

describe('a store that was restored while the vendors moved on', () => {
  it('delivers nothing a second time, by webhook, look-up or reconciliation', async () => {
    const world = await openTestBridge()
    const env = { ...environmentOf(world.config), SMS_BRIDGE_HOME: tempFolder() }
    const copy = join(tempFolder(), 'copy')
    const line = commandLine({ env })
    const phone = (whose: string) =>
      world.twilio
        .handset(whose)
        .filter(({ direction }) => direction === 'outbound-api')
        .map(({ body }) => body)
    const inbox = (index: number) => world.intercom.conversations()[index]
    const reply = (index: number, body: string) => world.intercom.inbox.reply(inbox(index)?.id ?? '', `<p>${body}</p>`)

    world.twilio.text({ from: customer, to: ours, body: 'before' })
    await world.eventually('a conversation', () => inbox(0) !== undefined)
    await world.settled()
    reply(0, 'known')
    await world.settled()
    // One reply is under way when the backup is taken, and arrives right after.
    world.twilio.faults.arm('slow', { times: 1, method: 'POST', path: /Messages\.json$/, ms: 700 })
    reply(0, 'under way')
    await world.eventually('the slow call has begun', () => world.twilio.faults.armed().length === 0)
    expect((await line.run(`backup ${copy}`)).code).toBe(0)
    await world.settled()
    reply(0, 'after')
    world.twilio.text({ from: otherCustomer, to: ours, body: 'after' })
    await world.settled()
    expect(phone(customer)).toEqual(['known', 'under way', 'after'])

    await world.stopBridge()
    const restored = await line.run(`restore ${copy} --yes --json`)
    expect(restored.code).toBe(0)
    expect(JSON.parse(restored.stdout)).toMatchObject({ parked: 1 })
    await world.startBridge()
    const swept = await line.run('reconcile --json', { clock: { now: Date.now, sleep: async () => {} } })
    expect(swept.code).toBe(0)
    reply(0, 'new')
    world.twilio.text({ from: customer, to: ours, body: 'new' })
    await world.settled()
    expect(phone(customer)).toEqual(['known', 'under way', 'after', 'new'])
    expect(world.intercom.conversations()).toHaveLength(2)
    expect(await world.store().listDeliveries({ state: 'parked', limit: 9 })).toMatchObject([{ reason: 'restored' }])
    // New ids are far from those that status callbacks of the lost time may still carry.
    const [newest] = await world.store().listDeliveries({ limit: 1 })
    expect(newest?.id).toBeGreaterThan(1_000_000)
  })

  it('carries on where it stopped when it was only moved', async () => {
    const line = commandLine({ clock })
    await fill(line)
    await line.run(`backup ${line.home}/copy`)
    await line.run(`restore ${line.home}/copy --yes --moved`)
    const store = await openIn(line.home)
    expect((await store.summarize(0, taken)).waiting).toBe(1)
    await store.register('b', minuteMs, taken)
    expect((await claimOne(store, 'b', taken)).delivery.dedupeKey).toBe('under way')
  })
})
