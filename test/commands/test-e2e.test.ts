// `test-e2e` against both twins with a bridge between them: what holds, what is slow, and each thing that can break.
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { systemClock } from '../../src/clock.js'
import { commandLine } from '../support/command-line.js'
import { environmentOf } from '../support/serve-process.js'
import { openTestBridge } from '../support/temp.js'
import { customer, ours, oursToo, type TestBridge, type TestBridgeOptions } from '../support/test-bridge.js'
import type { TestIo } from '../support/test-io.js'

/** Another number of the account, whose texts no bridge gets. */
const spare = '+15550100300'
const fromSpare = `test-e2e --from ${spare} --number ${ours} --yes`
/** The same, but what takes two seconds is broken. */
const impatient = `${fromSpare} --timeout 2s --json`

async function openBridge(options: Partial<TestBridgeOptions> = {}) {
  const numbers = [ours, oursToo, spare].map((phoneNumber) => ({ phoneNumber }))
  const world = await openTestBridge({ twilio: { numbers }, ...options })
  const { SMS_BRIDGE_HOME: _, ...env } = environmentOf(world.config)
  const line = commandLine({ env })
  return { world, ...line, env }
}

/** What differs from run to run: times, ids, words, ports. */
function still(text: string): string {
  return text
    .replaceAll(/^\$ .* sms-bridge (?=test-e2e)/gm, '$ sms-bridge ')
    .replaceAll(/127\.0\.0\.1:\d+/g, '127.0.0.1:8080')
    .replaceAll(/\b\d{15}\b/g, '123456789012345')
    .replaceAll(/[a-z]+-[a-z]+-[a-z]+(?=”)/g, 'blue-otter-canyon')
    .replaceAll(/\d+\.\d s/g, '0.5 s')
    .replaceAll(/^( ?\d+ \S) +0\.5 s/gm, '$1   0.5 s')
    .replaceAll(/"(ms|started_at|\w+_ms)": \d+/g, '"$1": 500')
    .replaceAll('"goal_ms": 500', '"goal_ms": 5000')
}

const reportOf = (stdout: string) => JSON.parse(stdout) as Report // what the command prints; the tests look at its fields

interface Report {
  readonly verdict: string
  readonly failed_step: string | null
  readonly cause: string | null
  readonly check: string | null
  readonly hops: Readonly<Record<string, number | null>>
  readonly steps: readonly { readonly name: string; readonly state: string; readonly seen: string }[]
}

const stateOf = ({ steps }: Report, name: string) => steps.find((step) => step.name === name)?.state
const seenIn = ({ steps }: Report, name: string) => steps.find((step) => step.name === name)?.seen ?? ''

/** Nothing of the test is left in Intercom's books. */
function expectClean({ intercom }: TestBridge): void {
  expect(intercom.conversations()).toEqual([])
  expect(intercom.contacts().filter(({ archived }) => !archived)).toEqual([])
}

const textsTo = (world: TestBridge, phone: string) => world.twilio.messages().filter(({ to }) => to === phone)

/** Calls back once for each part of a conversation. */
function onPart(world: TestBridge, partType: string, act: (conversationId: string, body: string) => void): void {
  const seen = new Set<string>()
  world.intercom.subscribe((event) => {
    if (event.type !== 'conversation') return
    const part = event.conversation.parts.findLast((one) => one.partType === partType)
    if (part === undefined || seen.has(part.id)) return
    seen.add(part.id)
    queueMicrotask(() => act(event.conversation.id, part.body ?? ''))
  })
}

describe('a bridge that holds', () => {
  it('passes, is timed both ways, and nothing of the test is left', async () => {
    const { world, run, transcript } = await openBridge()
    const { code, stdout } = await run(`${fromSpare} --json`)
    await expect(still(transcript())).toMatchFileSnapshot('../transcripts/test-e2e-json.txt')
    const report = reportOf(stdout)
    expect(report).toMatchObject({
      verdict: 'pass',
      texts: { in: 3, out: 1 },
      failed_step: null,
      cause: null,
      number: ours,
      phone: '…0300',
    })
    expect(report.steps.map(({ name, state }) => `${name} ${state}`)).toEqual(
      ['text-in', 'in-intercom', 'reply', 'on-phone', 'follow-up', 'note', 'close', 'new-conversation', 'note-private']
        .concat('clean-up')
        .map((name) => `${name} ok`),
    )
    expect(report.hops.sms_to_inbox_ms).toBeLessThan(5_000)
    expect(report.hops.reply_to_phone_ms).toBeGreaterThanOrEqual(report.hops.reply_accepted_ms ?? Number.NaN)
    expect(code).toBe(0)
    expectClean(world)
    expect(textsTo(world, spare).filter(({ direction }) => direction === 'outbound-api')).toHaveLength(1)
  })

  it('passes where a text opens a closed conversation again', async () => {
    const { world, run } = await openBridge({ config: { reopen: new Map([[ours, 86_400_000]]) } })
    const { code, stdout } = await run(`${fromSpare} --json`)
    const report = reportOf(stdout)
    expect(report).toMatchObject({ verdict: 'pass', failed_step: null })
    expect(stateOf(report, 'reopened')).toBe('ok')
    expect(stateOf(report, 'new-conversation')).toBeUndefined()
    expect(code).toBe(0)
    expectClean(world)
  })

  it('looks as in test-e2e.txt, on a pipe and on a terminal', async () => {
    const { run, transcript } = await openBridge()
    await run(fromSpare)
    await run(fromSpare, { tty: true })
    await run('test-e2e --sandbox --keep')
    await expect(still(transcript())).toMatchFileSnapshot('../transcripts/test-e2e.txt')
  })

  it('is asked before texts are sent that cost, and sends none when told no', async () => {
    const { world, run } = await openBridge()
    const said = await run(`test-e2e --from ${spare} --number ${ours}`, {
      tty: true,
      async meanwhile(io) {
        await io.shows('Send them?')
        io.type('n\n')
      },
    })
    expect(said.code).toBe(130)
    expect(said.text).toContain('This sends 4 texts, 3 from +15550100300 to +15550100100 and 1 back. Twilio bills each')
    expect(world.twilio.messages()).toEqual([])
    const piped = await run(`test-e2e --from ${spare} --number ${ours}`)
    expect(piped.code).toBe(2)
    expect(piped.text).toContain('Send them? Nobody can answer here: type --yes')
  })

  it('is tested from a handset by a person who is told what to text', async () => {
    const { world, run } = await openBridge()
    let asked = 0
    const typeWords = async (io: TestIo) => {
      for (asked = 1; asked <= 3; asked += 1) {
        await world.eventually('words to text', () => wordsIn(io).length === asked)
        const words = wordsIn(io).at(-1) ?? ''
        if (asked === 1) {
          world.twilio.text({ from: customer, to: ours, body: 'What words?' })
          await io.shows('A text came that says something else')
        }
        world.twilio.text({ from: customer, to: ours, body: `${words[0]?.toUpperCase()}${words.slice(1)}.` })
      }
    }
    const { code, text } = await run(`test-e2e --handset ${customer} --number ${ours} --yes --timeout 10s`, {
      meanwhile: typeWords,
    })
    expect(text).toContain('3 incoming and 1 outgoing segment')
    expect(code).toBe(0)
    expect(asked).toBe(4)
    expectClean(world)
  })
})

describe('a bridge that is slow', () => {
  it('is told apart from one that is broken', async () => {
    const { world, run, home } = await openBridge()
    world.intercom.faults.arm('slow', { method: 'POST', path: /^\/conversations$/, times: 1, ms: 5_200 })
    const junit = join(home, 'slow.xml')
    const { code, text } = await run(`${fromSpare} --junit ${junit}`)
    expect(code).toBe(3)
    expect(text).toMatch(/SLOW in \d+\.\d s: in Intercom, with the right contact and team/)
    expect(text).toContain('likely cause: Intercom has the conversation from earlier on')
    const xml = readFileSync(junit, 'utf8')
    expect(xml).toContain('tests="10" failures="1" errors="0" skipped="0"')
    expect(xml).toContain('<failure type="slow" message="Intercom has the conversation from earlier on')
    expectClean(world)
  })
})

describe('what is broken is named', () => {
  const broken = async (world: TestBridge, run: (line: string) => Promise<{ code: number; stdout: string }>) => {
    const { code, stdout } = await run(impatient)
    expect(code).toBe(4)
    const report = reportOf(stdout)
    expect(report.verdict).toBe('broken')
    expectClean(world)
    return report
  }

  it('when no serve runs', async () => {
    const { world, run } = await openBridge()
    await world.stopBridge()
    const report = await broken(world, run)
    expect(report).toMatchObject({ failed_step: 'in-intercom', check: 'public-url' })
    expect(report.cause).toBe(`the bridge does not answer at ${world.config.publicUrl}: type sms-bridge serve`)
    expect(stateOf(report, 'reply')).toBe('skipped')
  })

  it('when Twilio’s webhook does not come', async () => {
    const { world, run } = await openBridge()
    world.twilio.faults.webhooks.add('drop')
    const report = await broken(world, run)
    expect(report).toMatchObject({ failed_step: 'in-intercom', check: 'signature' })
    expect(report.cause).toContain(`the text reached ${ours} and the bridge is up`)
  })

  it('when the number sends its texts elsewhere', async () => {
    const { world, run } = await openBridge()
    world.twilio.setSmsUrl(ours, 'https://sms.example.com/other')
    const report = await broken(world, run)
    expect(report).toMatchObject({ failed_step: 'in-intercom', check: `webhook:${ours}` })
    expect(report.cause).toContain(`${ours} sends its texts to https://sms.example.com/other, and this bridge is`)
  })

  it('when Twilio takes the text for a loop', async () => {
    const { world, run } = await openBridge()
    world.twilio.setFate(spare, 30039)
    const report = await broken(world, run)
    expect(report).toMatchObject({ failed_step: 'in-intercom', check: null })
    expect(report.cause).toContain('kept back 1 of the latest texts')
  })

  it('when the conversation is for another team', async () => {
    const { world, run, env } = await openBridge()
    const { code, stdout } = await run(impatient, { env: { ...env, SMS_BRIDGE_TEAMS: `${ours}=815` } })
    expect(code).toBe(4)
    expect(reportOf(stdout)).toMatchObject({ failed_step: 'in-intercom', check: 'teams' })
    expect(seenIn(reportOf(stdout), 'in-intercom')).toContain('is assigned to team 814, not to team 815')
    expectClean(world)
  })

  it('when Intercom’s webhook does not come', async () => {
    const { world, run } = await openBridge()
    world.intercom.faults.webhooks.add('drop')
    const report = await broken(world, run)
    expect(report).toMatchObject({ failed_step: 'on-phone', check: 'intercom-subscription' })
    expect(stateOf(report, 'in-intercom')).toBe('ok')
  })

  it('when the number is not registered', async () => {
    const { world, run } = await openBridge()
    world.twilio.setFate(spare, 30034)
    const report = await broken(world, run)
    expect(report).toMatchObject({ failed_step: 'on-phone', check: `registration:${ours}` })
    expect(seenIn(report, 'on-phone')).toBe('Twilio accepted it, and then it was undelivered (30034)')
    expect(report.cause).toContain(`${ours} is not registered for an approved 10DLC campaign`)
  })

  it('when the follow-up goes elsewhere', async () => {
    const { world, run } = await openBridge()
    onPart(world, 'comment', (id) => world.intercom.inbox.close(id))
    const report = await broken(world, run)
    expect(report).toMatchObject({ failed_step: 'follow-up', check: 'store' })
    expect(seenIn(report, 'follow-up')).toMatch(/^it went to conversation \d+, though \d+ is open$/)
  })

  it('when the new text reopens the old conversation', async () => {
    const { world, run } = await openBridge()
    onPart(world, 'close', (id) => void world.intercom.inbox.open(id))
    const report = await broken(world, run)
    expect(report).toMatchObject({ failed_step: 'new-conversation', check: 'store' })
    expect(seenIn(report, 'new-conversation')).toMatch(/^it reopened conversation \d+$/)
  })

  it('when a private note is texted', async () => {
    const { world, run } = await openBridge()
    onPart(world, 'note', (_, html) => void sendAsOurs(world, html.replace(/<[^>]*>/g, '')))
    const report = await broken(world, run)
    expect(report).toMatchObject({ failed_step: 'note-private', check: 'notes' })
    expect(report.cause).toContain('stop the bridge and report it')
  })

  it('when another program answers as well', async () => {
    const { world, run } = await openBridge()
    onPart(world, 'comment', (_, html) => {
      if (html.includes('reply')) void sendAsOurs(world, html.replace(/<[^>]*>/g, ''))
    })
    const report = await broken(world, run)
    expect(report).toMatchObject({ failed_step: 'note-private', check: 'intercom-subscription' })
    expect(seenIn(report, 'note-private')).toBe('the reply was texted 2 times')
  })

  it('when an account lets nobody in', async () => {
    const { world, run } = await openBridge()
    world.intercom.faults.arm('refuse-credentials')
    const { code, stdout } = await run(impatient)
    expect([code, reportOf(stdout)]).toMatchObject([4, { failed_step: 'ready', check: 'intercom-credentials' }])
    world.intercom.faults.clear()
    world.twilio.faults.arm('refuse-credentials')
    const twilio = reportOf((await run(impatient)).stdout)
    expect(twilio).toMatchObject({ failed_step: 'ready', check: 'twilio-credentials' })
    expect(world.twilio.messages()).toEqual([])
  })

  it('looks as in test-e2e-broken.txt, and in test-e2e-broken.xml for a CI server', async () => {
    const { world, run, home, transcript } = await openBridge()
    world.twilio.setFate(spare, 30034)
    await run(`${fromSpare} --timeout 5s --junit ${join(home, 'broken.xml')}`, { tty: true })
    await expect(still(transcript())).toMatchFileSnapshot('../transcripts/test-e2e-broken.txt')
    const xml = readFileSync(join(home, 'broken.xml'), 'utf8')
    const times = xml
      .replaceAll(/time="[\d.]+"/g, 'time="0.500"')
      .replaceAll(/timestamp="[^"]+"/g, 'timestamp="2026-11-22T12:00:00"')
    await expect(times).toMatchFileSnapshot('../transcripts/test-e2e-broken.xml')
  })
})

describe('what the test made', () => {
  it('is taken away when Ctrl-C comes in between', async () => {
    const { world, run } = await openBridge()
    const { code, stdout } = await run(`${fromSpare} --json`, {
      async meanwhile(io) {
        await world.eventually('the reply is written', () =>
          partsIn(world).some(({ partType }) => partType === 'comment'),
        )
        io.interrupt()
      },
    })
    expect(code).toBe(130)
    expect(reportOf(stdout).verdict).toBe('interrupted')
    expect(stateOf(reportOf(stdout), 'clean-up')).toBe('ok')
    expectClean(world)
  })

  it('is taken away when Ctrl-C comes before its conversation is seen', async () => {
    const { world, run } = await openBridge()
    const { code } = await run(`${fromSpare} --json`, {
      async meanwhile(io) {
        await world.eventually('the text is in', () =>
          textsTo(world, ours).some(({ direction }) => direction === 'inbound'),
        )
        io.interrupt()
      },
    })
    expect(code).toBe(130)
    expectClean(world)
  })

  it('is closed where the app may not delete', async () => {
    const { world, run } = await openBridge()
    world.intercom.faults.arm('refuse-credentials', { method: 'DELETE' })
    const { code, stdout } = await run(`${fromSpare} --json`)
    expect(code).toBe(0)
    expect(seenIn(reportOf(stdout), 'clean-up')).toBe(
      '2 conversations closed, because the Intercom app may not delete conversations · contact archived',
    )
    expect(world.intercom.conversations().map(({ state }) => state)).toEqual(['closed', 'closed'])
  })

  it('is left when told so, and taken away by the next test', async () => {
    const { world, run } = await openBridge()
    expect((await run(`${fromSpare} --keep`)).code).toBe(0)
    const [first, second] = world.intercom.conversations()
    expect([first?.state, second?.state]).toEqual(['closed', 'open'])
    await world.eventually('search knows it', () => indexed())
    expect((await run(fromSpare)).code).toBe(0)
    expect(world.intercom.conversations().map(({ id }) => id)).toEqual([first?.id])
    // It was there before this test, so it is not this test's to archive.
    expect(world.intercom.contacts().map(({ archived }) => archived)).toEqual([false])
  })

  it('is never somebody else’s: an open conversation stops the test', async () => {
    const { world, run } = await openBridge()
    world.twilio.text({ from: customer, to: ours, body: 'Where is my order?' })
    const { id } = await world.eventually('it is there', () => world.intercom.conversations()[0])
    await world.eventually('it has its team', () => world.intercom.conversations()[0]?.teamAssigneeId !== null)
    await world.eventually('search knows it', () => indexed())
    const { code, text } = await run(`test-e2e --handset ${customer} --number ${ours} --yes`)
    expect(code).toBe(2)
    expect(text).toContain(
      `Conversation ${id} of …0142 is open, and the test would write into it: close it in Intercom first`,
    )
    expect(world.intercom.conversations()[0]?.state).toBe('open')
  })
})

describe('repeated', () => {
  it('it is a canary: its latest result is kept for status, and Ctrl-C ends it', async () => {
    const { world, run } = await openBridge()
    // Fifteen minutes pass in a tenth of a second.
    const sleep = (ms: number, signal?: AbortSignal) => systemClock.sleep(ms > 120_000 ? 100 : ms, signal)
    const { code, stdout } = await run(`${fromSpare} --every 15m --json`, {
      clock: { ...systemClock, sleep },
      async meanwhile(io) {
        await world.eventually('a second test', () => io.stdout().split('\n').length > 2)
        io.interrupt()
      },
    })
    expect(code).toBe(0)
    expect(reportOf(stdout.split('\n')[1] ?? '').verdict).toBe('pass')
    const mark = await world.store().findMark('canary')
    expect(mark?.value).toMatchObject({
      verdict: 'pass',
      failedStep: null,
      cause: null,
      number: ours,
      everyMs: 900_000,
      stopped: true,
    })
    expect(Math.abs((mark?.at ?? 0) - Date.now())).toBeLessThan(60_000)
    expectClean(world)
  })
})

describe('a phone or a number that cannot be tested with', () => {
  it('is refused before any text is sent', async () => {
    const { world, run } = await openBridge()
    for (const [line, words] of refused) {
      const { code, text } = await run(line)
      expect(text).toContain(words)
      expect(code).toBe(2)
    }
    expect(world.twilio.messages()).toEqual([])
  })
})

const refused = [
  [`test-e2e --from ${ours} --number ${ours}`, `${ours} cannot text itself`],
  [`test-e2e --from ${oursToo} --number ${ours}`, `${oursToo} is a number of this bridge too`],
  [`test-e2e --from ${spare}`, `Name the number to test with --number: ${ours}, ${oursToo}`],
  [`test-e2e --from ${customer} --number ${ours}`, `For a phone of your own: --handset ${customer}`],
  [`test-e2e --from ${spare} --number +15550109999`, '--number +15550109999 is not in this Twilio account'],
  [`test-e2e --handset ${spare} --number ${ours}`, `not a handset: type --from ${spare}`],
  [`test-e2e --from nonsense --number ${ours}`, '--from nonsense is no phone number'],
  [`test-e2e --sandbox --junit /nowhere/at/all.xml`, '--junit /nowhere/at/all.xml cannot be written'],
  ['test-e2e', 'name one phone that texts: --from NUMBER, --handset NUMBER or --sandbox'],
  [`test-e2e --sandbox --from ${spare}`, 'name one phone that texts'],
  [`test-e2e --sandbox --number ${ours}`, '--sandbox brings its own number'],
  [`test-e2e --handset ${customer} --every 15m`, '--every needs a phone that texts by itself'],
  ['test-e2e --sandbox --timeout soon', '--timeout takes seconds or minutes'],
  [`test-e2e --from ${spare} --every 30s`, '--every takes a minute or more'],
] as const

const partsIn = (world: TestBridge) => world.intercom.conversations().flatMap(({ parts }) => parts)

/** Search is 50 ms behind. */
const indexed = () => systemClock.sleep(100).then(() => true)

/** A text to the spare number that the bridge has nothing to do with. */
async function sendAsOurs({ config }: TestBridge, body: string): Promise<void> {
  const { accountSid, authTokens, baseUrl } = config.twilio
  const credentials = Buffer.from(`${accountSid}:${authTokens[0]}`).toString('base64')
  await fetch(`${baseUrl}/2010-04-01/Accounts/${accountSid}/Messages.json`, {
    method: 'POST',
    headers: { Authorization: `Basic ${credentials}` },
    body: new URLSearchParams({ From: ours, To: spare, Body: body }),
  })
}

const wordsIn = (io: TestIo) => [...io.stderr().matchAll(/Text these words .*: {2}(.*)$/gm)].map(([, words]) => words)
