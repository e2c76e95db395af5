// What `doctor` reads in the store: whether webhooks come, whether the books balance, whether the store is whole.
import { closeSync, openSync, writeSync } from 'node:fs'
import { describe, expect, it, onTestFinished } from 'vitest'
import { judgeSpace } from '../../src/commands/doctor/store-checks.js'
import { Connection } from '../../src/store/sqlite/connection.js'
import { type DoctorWorld, openDoctorWorld } from '../support/doctor-world.js'
import { postgresFailure, postgresPlace } from '../support/stores.js'
import { customer, ours } from '../support/test-bridge.js'

const fileOf = ({ world }: DoctorWorld) => world.config.store.replace(/^sqlite:/, '')

async function sql<Row>(stage: DoctorWorld, text: string): Promise<Row[]> {
  const connection = await Connection.open(fileOf(stage), 0)
  try {
    return (await connection.query(text, [])) as Row[] // the columns that the text names
  } finally {
    connection.close()
  }
}

/** As if serve had been started an hour ago: what was missed before is long caught up with. */
const hasRunAnHour = (stage: DoctorWorld) =>
  sql(stage, 'update instances set started_at = started_at - 3600000 returning id')

const what = async (stage: DoctorWorld, id: string) =>
  (await stage.examine()).report.checks.find((one) => one.id === id)?.what

describe('doctor on webhooks that do not come', () => {
  it('names an Intercom that is silent while reconciliation finds replies', async () => {
    const stage = await openDoctorWorld()
    const { world } = stage
    world.twilio.text({ from: customer, to: ours, body: 'Where is it?' })
    await world.settled()
    await hasRunAnHour(stage)
    world.intercom.faults.webhooks.add('drop')
    const conversation = world.intercom.conversations()[0]
    world.intercom.inbox.reply(conversation?.id ?? '', '<p>On its way.</p>')
    await world.eventually('found', async () => {
      await world.reconcile({ atOnce: true })
      return world.twilio.messages().some(({ direction }) => direction === 'outbound-api')
    })
    await world.settled()
    expect(await stage.wrong()).toEqual(['failed intercom-subscription'])
    expect(await what(stage, 'intercom-subscription')).toMatch(
      /^1 reply came by reconciliation alone, and no webhook brought one since \d+s ago$/,
    )

    world.intercom.faults.webhooks.delete('drop')
    await stage.noted('topic:conversation.admin.replied', { appId: 'acme1234' })
    expect(await stage.wrong()).toEqual(['warning intercom-subscription'])
    expect(await what(stage, 'intercom-subscription')).toBe('1 reply of 1 came by reconciliation alone')
  })

  it('does not blame what came while no serve was running', async () => {
    const stage = await openDoctorWorld()
    const { world } = stage
    world.twilio.faults.webhooks.add('drop')
    world.twilio.text({ from: customer, to: ours, body: 'hello' })
    await world.eventually('found', async () => {
      await world.reconcile({ atOnce: true })
      return world.intercom.conversations().length > 0
    })
    expect(await stage.wrong()).toEqual([])
    await hasRunAnHour(stage)
    expect(await stage.wrong()).toEqual(['failed twilio-webhooks'])
    world.twilio.faults.webhooks.delete('drop')
    world.twilio.text({ from: customer, to: ours, body: 'hello again' })
    await world.settled()
    expect(await stage.wrong()).toEqual(['warning twilio-webhooks'])
    expect(await what(stage, 'twilio-webhooks')).toBe('1 text of 2 came by reconciliation alone')
  })

  it('says that nothing shows whether replies are told of, as long as none was', async () => {
    const stage = await openDoctorWorld()
    await sql(stage, `delete from marks where name like 'topic:%' returning name`)
    expect(await stage.wrong()).toEqual(['warning intercom-subscription'])
  })
})

describe('doctor on the store', () => {
  it('names books that do not balance', async () => {
    const stage = await openDoctorWorld()
    stage.world.twilio.text({ from: customer, to: ours, body: 'hello' })
    await stage.world.settled()
    expect(await stage.wrong()).toEqual([])
    await sql(stage, `update totals set delivered = delivered + 1 where kind = 'inbound-sms' returning day`)
    expect(await stage.wrong()).toEqual(['failed ledger'])
    await sql(stage, `update totals set delivered = delivered - 1 where kind = 'inbound-sms' returning day`)
    expect(await stage.wrong()).toEqual([])
  })

  it('names a vendor that is paused', async () => {
    const stage = await openDoctorWorld()
    const now = Date.now()
    await stage.world.store().pauseShore('intercom', 'HTTP 503', now + 3_600_000, now)
    expect(await stage.wrong()).toEqual(['warning queue'])
    await stage.world.store().resumeShore('intercom')
    expect(await stage.wrong()).toEqual([])
  })

  it('names a store that is damaged', async () => {
    const stage = await openDoctorWorld()
    const [found] = await sql<{ rootpage: number }>(stage, `select rootpage from sqlite_schema where name = 'receipts'`)
    const [page] = await sql<{ page_size: number }>(stage, 'pragma page_size')
    await stage.world.stopBridge()
    // What is only in the log would hide what is in the file.
    await sql(stage, 'pragma wal_checkpoint(truncate)')
    const size = page?.page_size ?? 0
    const file = openSync(fileOf(stage), 'r+')
    writeSync(file, Buffer.alloc(size, 0xa5), 0, size, ((found?.rootpage ?? 0) - 1) * size)
    closeSync(file)
    expect(await stage.wrong()).toEqual(['failed serve', 'failed store'])
    expect(await what(stage, 'store')).toMatch(/^the store is damaged: /)
  })

  it('names a store of a newer version', async () => {
    const stage = await openDoctorWorld()
    await sql(stage, `update meta set value = '9999' where name = 'schema_version' returning name`)
    expect(await stage.wrong()).toEqual(['failed store'])
    expect(await what(stage, 'store')).toMatch(/has schema version 9999, and this sms-bridge knows \d+ at most$/)
  })

  it('tells how old the newest backup is, and warns of one older than 7 days', async () => {
    const stage = await openDoctorWorld()
    const noted = (msAgo: number) => stage.world.store().setMark('backup', Date.now() - msAgo)
    const dayMs = 86_400_000
    await noted(5.5 * 60_000)
    expect(await what(stage, 'backup')).toBe('the newest is of 5m ago')
    await noted(7 * dayMs - 60_000)
    expect(await stage.wrong()).toEqual([])
    await noted(8.5 * dayMs)
    expect(await stage.wrong()).toEqual(['warning backup'])
    expect(await what(stage, 'backup')).toBe('the newest backup is older than 7 days: 8d ago')
    expect((await stage.run(`backup ${stage.home}/copy`)).code).toBe(0)
    expect(await stage.wrong()).toEqual([])
  })

  it('warns of a store that was never backed up, once there is something to lose', async () => {
    const stage = await openDoctorWorld()
    await sql(stage, `delete from marks where name = 'backup' returning name`)
    expect(await stage.wrong()).toEqual([])
    expect(await what(stage, 'backup')).toBe('never backed up, and nothing has come lately that could be lost')
    stage.world.twilio.text({ from: customer, to: ours, body: 'hello' })
    await stage.world.settled()
    expect(await stage.wrong()).toEqual(['warning backup'])
    expect(await what(stage, 'backup')).toBe('never backed up')
  })

  it.skipIf(postgresFailure !== undefined)('says of PostgreSQL that its own tools copy it, unseen', async () => {
    const place = postgresPlace()
    onTestFinished(() => place.remove())
    const stage = await openDoctorWorld({ storeUrl: place.url })
    await place.sql(`delete from marks where name = 'backup'`)
    stage.world.twilio.text({ from: customer, to: ours, body: 'hello' })
    await stage.world.settled()
    expect(await stage.wrong()).toEqual([])
    expect(await what(stage, 'backup')).toBe(
      'PostgreSQL is copied by its own tools, which note nothing here: sms-bridge backup FILE prints how',
    )
  })

  it('names a disk that is nearly full', () => {
    expect([2e9, 4e8, 4e7].map((free) => judgeSpace('store', free).state)).toEqual(['ok', 'warning', 'failed'])
  })
})
