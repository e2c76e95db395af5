import { describe, expect, it } from 'vitest'
import { main } from '../../src/cli/main.js'
import { systemClock } from '../../src/clock.js'
import { environmentOf } from '../support/serve-process.js'
import { openTestBridge, tempFolder } from '../support/temp.js'
import { customer, ours, type TestBridge } from '../support/test-bridge.js'
import { testIo } from '../support/test-io.js'

/** Waits for no webhook that may be on its way. */
const hastyClock = { now: systemClock.now, sleep: (_: number, signal?: AbortSignal) => systemClock.sleep(1, signal) }

async function run(world: TestBridge, ...args: readonly string[]) {
  const env = { ...environmentOf(world.config), SMS_BRIDGE_HOME: tempFolder() }
  const io = testIo({ env })
  const code = await main(['node', 'sms-bridge', 'reconcile', ...args], io, env, hastyClock)
  return { code, stdout: io.stdout(), stderr: io.stderr() }
}

/** One text known, one text and one reply that no webhook brought. */
async function withLosses() {
  const world = await openTestBridge({ intercom: { indexLagMs: 0 } })
  world.twilio.text({ from: customer, to: ours, body: 'Hello' })
  await world.settled()
  world.twilio.faults.webhooks.add('drop')
  world.intercom.faults.webhooks.add('drop')
  const { sid } = world.twilio.text({ from: customer, to: ours, body: 'lost' })
  const { id: part } = world.intercom.inbox.reply(world.intercom.conversations()[0]?.id ?? '', '<p>lost too</p>')
  return { world, sid, part }
}

describe('reconcile', () => {
  it('tells what is missing, takes it in when asked, and then finds nothing', async () => {
    const { world, sid, part } = await withLosses()
    const dry = await run(world, '--dry-run')
    expect(dry).toEqual({
      code: 3,
      stdout: [
        'number\twhat\tchecked\tknown\trecovered\tmissing',
        `${ours}\ttexts\t2\t1\t0\t1`,
        `${ours}\treplies\t1\t0\t0\t1`,
        `missing    ${ours}  ${sid}`,
        `missing    ${ours}  ${part}`,
        '0 texts without a final state are due to be asked about',
        '',
      ].join('\n'),
      stderr:
        'Looking through Twilio’s and Intercom’s lists…\nNothing was changed. To take them in: sms-bridge reconcile\n',
    })

    const wet = await run(world, '--since', '1h')
    expect(wet.code).toBe(0)
    expect(wet.stdout.split('\n').slice(1, 5)).toEqual([
      `${ours}\ttexts\t2\t1\t1\t0`,
      `${ours}\treplies\t1\t0\t1\t0`,
      `recovered  ${ours}  ${sid}`,
      `recovered  ${ours}  ${part}`,
    ])
    await world.settled()
    const handset = world.twilio.handset(customer).filter(({ direction }) => direction === 'outbound-api')
    expect(handset.map(({ body }) => body)).toEqual(['lost too'])

    const again = await run(world, '--dry-run')
    expect(again.code).toBe(0)
    expect(again.stderr).toContain('Nothing was changed.\n')
  })

  it('says the same as JSON', async () => {
    const { world, sid, part } = await withLosses()
    const { code, stdout } = await run(world, '--dry-run', '--json')
    expect(code).toBe(3)
    expect(JSON.parse(stdout)).toEqual({
      schema_version: 1,
      dry_run: true,
      texts: {
        since: expect.any(Number),
        numbers: [{ number: ours, checked: 2, known: 1, recovered: [], missing: [sid] }],
      },
      replies: {
        since: expect.any(Number),
        numbers: [{ number: ours, checked: 1, known: 0, recovered: [], missing: [part] }],
      },
      receipts: { due: 0, told: 0 },
    })
  })

  it('of one vendor that refuses us exits 7 and still looks at the other', async () => {
    const { world, part } = await withLosses()
    world.twilio.faults.arm('refuse-credentials')
    const { code, stdout, stderr } = await run(world)
    expect(code).toBe(7)
    expect(stdout).toContain(`recovered  ${ours}  ${part}`)
    expect(stderr).toContain('error: twilio answered GET /2010-04-01/Accounts/{id}/Messages.json with 401, code 20003')
  })

  it('of one vendor that is not there exits 5, of none 4', async () => {
    const { world, sid } = await withLosses()
    world.intercom.faults.arm('outage')
    const half = await run(world)
    expect(half.code).toBe(5)
    expect(half.stdout).toContain(`recovered  ${ours}  ${sid}`)
    world.twilio.faults.arm('outage')
    expect((await run(world, '--json')).code).toBe(4)
  })

  it('does not look back further than the store remembers', async () => {
    const { world } = await withLosses()
    const { code, stderr } = await run(world, '--since', '8d')
    expect(code).toBe(2)
    expect(stderr).toBe('error: --since reaches back seven days at most: type --since 7d\n')
  })
})
