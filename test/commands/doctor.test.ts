// `doctor` against both twins: one thing is broken at a time, exactly that is named, and mended it is fine.
import { chmodSync, readFileSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { checks } from '../../src/commands/doctor/checks.js'
import { fingerprintsMark, fingerprintsOf } from '../../src/config/fingerprints.js'
import { type DoctorWorld, openDoctorWorld, sidOf } from '../support/doctor-world.js'
import { customer, ours, oursToo } from '../support/test-bridge.js'

const smsOf = ({ world }: DoctorWorld) => `${world.config.publicUrl}/webhooks/twilio/sms`
const desired = (stage: DoctorWorld) => `${smsOf(stage)}#ct=3000&rt=4000&rc=5&rp=all`
const numberPath = ({ world }: DoctorWorld, number: string) => `/IncomingPhoneNumbers/${sidOf(world, number)}.json`

async function check(stage: DoctorWorld, id: string, env: Readonly<Record<string, string>> = {}) {
  const { report } = await stage.examine('', { env })
  const found = report.checks.find((one) => one.id === id)
  if (found === undefined) throw new Error(`no check ${id} among ${report.checks.map((one) => one.id).join(', ')}`)
  return found
}

describe('doctor', () => {
  it('finds nothing wrong with a bridge that is right, and exits with 0', async () => {
    const stage = await openDoctorWorld()
    const { code, report } = await stage.examine()
    expect(report.checks.filter(({ state }) => state === 'failed' || state === 'warning')).toEqual([])
    expect(code).toBe(0)
    expect(report.verdict).toBe('ok')
    expect(report.checks.map(({ id }) => id)).toEqual([
      'settings',
      'profile',
      'twilio-credentials',
      'twilio-permissions',
      'token-rotation',
      'intercom-credentials',
      'intercom-region',
      'intercom-permissions',
      'intercom-attributes',
      'teams',
      'hours',
      'public-url',
      'tls',
      'signature',
      `webhook:${ours}`,
      `fallback:${ours}`,
      `webhook:${oursToo}`,
      `fallback:${oursToo}`,
      'twilio-webhooks',
      'intercom-subscription',
      `registration:${ours}`,
      `registration:${oursToo}`,
      'brand',
      'double-replies',
      'clock',
      'serve',
      'serve-settings',
      'ledger',
      'queue',
      'backup',
      'store',
    ])
    const skipped = report.checks.filter(({ state }) => state === 'skipped').map(({ id }) => id)
    expect(skipped).toEqual(['tls', 'twilio-webhooks', 'double-replies'])
    // Nothing was written, nowhere.
    const counts = stage.world.intercom.requestCounts()
    expect(counts['POST /contacts'] ?? 0).toBe(0)
    expect(stage.world.twilio.messages()).toEqual([])
  })
})

describe('the checks that test-e2e names', () => {
  it('are checks of doctor', () => {
    const causes = readFileSync(new URL('../../src/commands/test-e2e/causes.ts', import.meta.url), 'utf8')
    const named = [...causes.matchAll(/check: ['`]([a-z0-9-]+)/g)].map(([, id]) => id)
    expect(named.length).toBeGreaterThan(8)
    const known = [...checks.map(({ id }) => id), 'webhook']
    expect(named.filter((id) => !known.includes(id ?? ''))).toEqual([])
  })
})

describe('doctor on Twilio’s side', () => {
  const causes: readonly (readonly [string, string, (stage: DoctorWorld) => Promise<unknown>, RegExp])[] = [
    [
      'not set',
      'failed',
      (stage) => stage.twilio(numberPath(stage, ours), { SmsUrl: '', SmsFallbackUrl: '' }),
      /^no URL is set/,
    ],
    ['fetched by GET', 'failed', (stage) => stage.twilio(numberPath(stage, ours), { SmsMethod: 'GET' }), /come by GET/],
    [
      'without retries',
      'warning',
      (stage) => stage.twilio(numberPath(stage, ours), { SmsUrl: smsOf(stage) }),
      /try only once/,
    ],
    [
      'overridden by an application',
      'failed',
      async (stage) => {
        const app = await stage.twilio('/Applications.json', {
          FriendlyName: 'IVR',
          SmsUrl: 'https://ivr.example.com/sms',
        })
        await stage.twilio(numberPath(stage, ours), { SmsApplicationSid: String(app.sid) })
      },
      /^the TwiML application AP[0-9a-f]{32} decides: its texts go to https:\/\/ivr.example.com\/sms$/,
    ],
    [
      'sent to another URL',
      'failed',
      (stage) => stage.twilio(numberPath(stage, ours), { SmsUrl: 'https://other.example.com/sms?key=9' }),
      /^its texts go to https:\/\/other.example.com\/sms\?…$/,
    ],
  ]
  it.each(causes)('names and mends a number whose webhook is %s', async (_, state, breakIt, words) => {
    const stage = await openDoctorWorld()
    const before = await stage.twilio(numberPath(stage, oursToo))
    await breakIt(stage)
    const id = `webhook:${ours}`
    expect(await stage.wrong()).toEqual([`${state} ${id}`])
    expect((await check(stage, id)).what).toMatch(words)
    const { code, report } = await stage.examine(`--fix ${id} --yes`)
    expect(code).toBe(0)
    expect(report.fixed.map(({ ids }) => ids)).toEqual([[id]])
    expect(await stage.twilio(numberPath(stage, ours))).toMatchObject({
      sms_url: desired(stage),
      sms_method: 'POST',
      sms_application_sid: '',
    })
    expect(await stage.twilio(numberPath(stage, oursToo))).toEqual(before)
    expect(statSync(join(stage.home, 'undo.json')).mode & 0o777).toBe(0o600)
  })

  it('names a Messaging Service that throws texts away, once for each number, and mends it once', async () => {
    const stage = await openDoctorWorld({
      config: {
        teams: new Map([
          [ours, '814'],
          [oursToo, '814'],
        ]),
      },
    })
    await stage.twilio(`/v1/Services/${stage.serviceSid}`, { UseInboundWebhookOnNumber: 'false' })
    expect(await stage.wrong()).toEqual([`failed webhook:${ours}`, `failed webhook:${oursToo}`])
    expect((await check(stage, `webhook:${ours}`)).what).toBe(
      'Messaging Service "Support" has no inbound URL, so its texts are thrown away and in no list',
    )
    const { code, report } = await stage.examine('--fix --yes')
    expect(code).toBe(0)
    expect(report.fixed).toHaveLength(1)
    const at = `Messaging Service "Support", for all of its numbers (${ours}, ${oursToo})`
    expect(report.fixed[0]?.changes).toEqual([
      { at, name: 'InboundRequestUrl', from: '(none)', to: desired(stage) },
      { at, name: 'FallbackUrl', from: '(none)', to: smsOf(stage) },
    ])
    expect(await stage.twilio(`/v1/Services/${stage.serviceSid}`)).toMatchObject({
      inbound_request_url: desired(stage),
      fallback_url: smsOf(stage),
    })
  })

  it('names a fallback that is missing, and init --undo restores what was before it was mended', async () => {
    const stage = await openDoctorWorld()
    await stage.twilio(numberPath(stage, ours), { SmsFallbackUrl: '' })
    const { date_updated: _, ...before } = await stage.twilio(numberPath(stage, ours))
    expect(await stage.wrong()).toEqual([`warning fallback:${ours}`])
    expect((await stage.examine()).code).toBe(3)
    expect((await stage.examine(`--fix fallback:${ours} --yes`)).code).toBe(0)
    expect((await stage.run('init --undo --yes')).code).toBe(0)
    const { date_updated: __, ...after } = await stage.twilio(numberPath(stage, ours))
    expect(after).toEqual(before)
  })

  it('takes over what somebody else has set only when that is asked for by name', async () => {
    const stage = await openDoctorWorld()
    await stage.twilio(numberPath(stage, ours), { SmsUrl: 'https://other.example.com/sms' })
    const shown = await stage.run('doctor --fix --yes')
    expect(shown.code).toBe(4)
    expect(shown.text).toContain(`To take it over: sms-bridge doctor --fix webhook:${ours}`)
    expect(await stage.twilio(numberPath(stage, ours))).toMatchObject({ sms_url: 'https://other.example.com/sms' })
  })

  it('leaves alone a number that is none of its business, and takes it up when told to', async () => {
    const stage = await openDoctorWorld()
    await stage.twilio(numberPath(stage, oursToo), { SmsUrl: '', SmsFallbackUrl: '' })
    const { code, report } = await stage.examine()
    expect(code).toBe(0)
    expect(report.checks.find(({ id }) => id === `webhook:${oursToo}`)?.state).toBe('skipped')
    expect((await stage.examine(`--fix webhook:${oursToo} --yes`)).code).toBe(0)
    expect(await check(stage, `webhook:${oursToo}`)).toMatchObject({ state: 'ok' })
  })

  it('names credentials that are refused, and skips what needs them', async () => {
    const stage = await openDoctorWorld()
    const env = { TWILIO_AUTH_TOKEN: 'wrong' }
    const { report, code } = await stage.examine('', { env })
    expect(code).toBe(4)
    const failed = report.checks.filter(({ state }) => state === 'failed').map(({ id }) => id)
    // The bridge that runs has the right token.
    expect(failed).toEqual(['twilio-credentials', 'signature'])
    expect(report.checks.find(({ id }) => id === 'webhooks')?.what).toBe(
      'Twilio lets nobody in: see twilio-credentials',
    )
    expect(await stage.wrong()).toEqual([])
  })

  it('names a trial account', async () => {
    const stage = await openDoctorWorld({ twilio: { accountType: 'Trial' } })
    expect(await stage.wrong()).toEqual(['warning twilio-credentials'])
  })

  it('is content with an API key, which may not read the account, and names one that may not read texts', async () => {
    const sid = `SK${'1'.repeat(32)}`
    const stage = await openDoctorWorld({ twilio: { apiKeys: { [sid]: 'key-secret' } } })
    const env = { TWILIO_API_KEY: sid, TWILIO_API_SECRET: 'key-secret' }
    expect(await stage.wrong('', { env })).toEqual([])
    stage.world.twilio.faults.arm('refuse-credentials', { method: 'GET', path: /\/Messages\.json/ })
    expect(await stage.wrong('', { env })).toEqual(['failed twilio-permissions'])
    expect((await check(stage, 'twilio-permissions', env)).what).toBe('this key may not read texts')
  })

  it('names a campaign that is not verified, none at all, and no service', async () => {
    const stage = await openDoctorWorld()
    const only = [`failed registration:${ours}`, `failed registration:${oursToo}`]
    stage.world.twilio.setCampaign(stage.serviceSid, 'IN_PROGRESS')
    expect(await stage.wrong()).toEqual(only)
    expect((await check(stage, `registration:${ours}`)).what).toBe(
      'the 10DLC campaign of Messaging Service "Support" is IN_PROGRESS',
    )
    stage.world.twilio.setCampaign(stage.serviceSid, 'VERIFIED')
    expect(await stage.wrong()).toEqual([])
    const sales = await stage.twilio('/v1/Services', { FriendlyName: 'Sales', UseInboundWebhookOnNumber: 'true' })
    await stage.twilio(`/v1/Services/${sales.sid}/PhoneNumbers`, { PhoneNumberSid: sidOf(stage.world, oursToo) })
    expect(await stage.wrong()).toEqual([`failed registration:${oursToo}`])
    expect((await check(stage, `registration:${oursToo}`)).what).toBe('Messaging Service "Sales" has no 10DLC campaign')
    const numbers = [ours, oursToo, '+15550100300'].map((phoneNumber) => ({ phoneNumber }))
    const other = await openDoctorWorld({ twilio: { numbers } })
    other.world.twilio.setSmsUrl('+15550100300', desired(other), smsOf(other))
    expect(await other.wrong()).toEqual(['failed registration:+15550100300'])
    expect((await check(other, 'registration:+15550100300')).what).toContain('in no Messaging Service')
  })

  it('names a number that a team is set for and the account no longer has', async () => {
    const stage = await openDoctorWorld()
    const env = { SMS_BRIDGE_TEAMS: '+15550100999=814' }
    expect(await stage.wrong('', { env })).toEqual(['failed webhook:+15550100999'])
  })

  it('names an account of which no number comes here', async () => {
    const stage = await openDoctorWorld()
    for (const number of [ours, oursToo]) stage.world.twilio.setSmsUrl(number, '')
    expect(await stage.wrong('', { env: { SMS_BRIDGE_TEAMS: '*=814' } })).toEqual(['failed webhooks'])
  })

  it('names a toll-free number that is not verified, and sees when it is', async () => {
    const tollFree = '+18005550100'
    const numbers = [
      { phoneNumber: ours },
      { phoneNumber: oursToo },
      { phoneNumber: tollFree, kind: 'toll-free' as const },
    ]
    const stage = await openDoctorWorld({ twilio: { numbers } })
    stage.world.twilio.setSmsUrl(tollFree, desired(stage), smsOf(stage))
    expect(await stage.wrong()).toEqual([`failed registration:${tollFree}`])
    stage.world.twilio.setTollFree(tollFree, 'TWILIO_REJECTED')
    expect((await check(stage, `registration:${tollFree}`)).what).toBe(
      'the verification of the toll-free number is TWILIO_REJECTED: The website could not be validated.',
    )
    stage.world.twilio.setTollFree(tollFree, 'TWILIO_APPROVED')
    expect(await stage.wrong()).toEqual([])
  })

  it('tells how far the rotation of the auth token is', async () => {
    const stage = await openDoctorWorld()
    const [token] = stage.world.config.twilio.authTokens
    const env = { TWILIO_AUTH_TOKEN: `${token},the-old-one` }
    expect((await check(stage, 'token-rotation', env)).what).toContain('nothing has been signed since')
    await stage.noted('twilio-signed', { token: 1, of: 2 })
    expect((await check(stage, 'token-rotation', env)).what).toContain('Twilio still signs with token 2 of 2')
    await stage.noted('twilio-signed', { token: 0, of: 2 })
    expect((await check(stage, 'token-rotation', env)).what).toContain('the rotation is done')
    expect(await stage.wrong()).toEqual([])
  })

  it('names forms at the door that no token of ours signed, until one comes that is right', async () => {
    const stage = await openDoctorWorld()
    const headers = { 'content-type': 'application/x-www-form-urlencoded', 'x-twilio-signature': 'forged' }
    await fetch(smsOf(stage), { method: 'POST', headers, body: 'Body=x' })
    await stage.world.eventually('noted', () => stage.world.store().findMark('twilio-unsigned'))
    expect(await stage.wrong()).toEqual(['warning token-rotation'])
    stage.world.twilio.text({ from: customer, to: ours, body: 'hello' })
    await stage.world.settled()
    await stage.world.eventually('noted', () => stage.world.store().findMark('twilio-signed'))
    expect(await check(stage, 'token-rotation')).toMatchObject({ state: 'ok' })
  })
})

describe('doctor on Intercom’s side', () => {
  it('names a token that is refused', async () => {
    const stage = await openDoctorWorld()
    expect(await stage.wrong('', { env: { INTERCOM_ACCESS_TOKEN: 'wrong' } })).toEqual(['failed intercom-credentials'])
  })

  it('names a wrong region, and mends it in the profile', async () => {
    const stage = await openDoctorWorld({ intercom: { region: 'EU' } })
    expect(await stage.wrong()).toEqual(['failed intercom-region'])
    expect((await stage.examine('--fix intercom-region --yes')).code).toBe(0)
    expect((await stage.run('config get intercom-region')).stdout).toBe('eu\n')
    // What the environment says goes first.
    const inEnv = { env: { INTERCOM_REGION: 'us' } }
    expect((await stage.run('doctor --fix intercom-region --yes', inEnv)).code).toBe(2)
  })

  it('names permissions that the app lacks', async () => {
    const stage = await openDoctorWorld({ intercom: { unticked: ['Write tags'] } })
    expect(await stage.wrong()).toEqual(['warning intercom-permissions'])
    const without = await openDoctorWorld({ intercom: { unticked: ['Write conversations'] } })
    expect(await without.wrong()).toEqual(['failed intercom-permissions'])
    expect((await check(without, 'intercom-permissions')).what).toBe('the app lacks "Write conversations"')
  })

  it('names attributes that contacts lack, and creates them', async () => {
    const stage = await openDoctorWorld({ intercom: { contactAttributes: ['city'] } })
    expect(await stage.wrong()).toEqual(['warning intercom-attributes'])
    const { code, report } = await stage.examine('--fix --yes')
    expect(code).toBe(0)
    expect(report.fixed[0]?.changes).toEqual(
      ['state', 'country'].map((name) => ({
        at: 'Intercom',
        name: `contact attribute ${name}`,
        from: '(none)',
        to: 'text',
      })),
    )
  })

  it('names a team and a teammate that are gone', async () => {
    const stage = await openDoctorWorld()
    const env = { SMS_BRIDGE_TEAMS: `${ours}=999,*=814`, INTERCOM_ADMIN_ID: '402' }
    expect(await stage.wrong('', { env })).toEqual(['failed teams'])
    expect((await check(stage, 'teams', env)).what).toBe(
      'there is no team 999, which SMS_BRIDGE_TEAMS names; there is no teammate 402, whom INTERCOM_ADMIN_ID names',
    )
  })

  it('says which numbers have hours, whether they are open now, and until when', async () => {
    const stage = await openDoctorWorld()
    // Tuesday, 11:30 in Denver
    const clock = { now: () => Date.parse('2026-11-24T18:30Z'), sleep: () => Promise.resolve() }
    const hoursNow = async (SMS_BRIDGE_HOURS: string, more: Readonly<Record<string, string>> = {}) => {
      const { report } = await stage.examine('', { env: { SMS_BRIDGE_HOURS, ...more }, clock })
      return report.checks.find(({ id }) => id === 'hours')
    }
    expect(await hoursNow(`${ours}=Mon-Fri 9-18 America/Denver,*=Mon-Sun 8-12`)).toMatchObject({
      state: 'ok',
      what: `${ours} (Mon–Fri 9–18 America/Denver) is open until today at 6:00 PM; ${oursToo} (Mon–Sun 8–12 Etc/UTC) is closed until tomorrow at 8:00 AM`,
    })
    expect(await hoursNow(`${oursToo}=none,*=Mon-Sun 0-24 UTC`)).toMatchObject({
      state: 'ok',
      what: `${ours} (Mon–Sun 0–24 UTC) is open for the next 30 days`,
    })
    const holidays = { SMS_BRIDGE_HOLIDAYS: '2026-11-01/2027-01-31' }
    expect(await hoursNow(`${ours}=Mon 9-18 UTC`, holidays)).toMatchObject({
      state: 'ok',
      what: `${ours} (Mon 9–18 UTC) is closed for the next 30 days`,
    })
    expect(await hoursNow('*=none')).toMatchObject({ state: 'ok', what: 'no number that comes here has any' })
    expect(await hoursNow('*=Mon 9')).toMatchObject({ state: 'skipped' })
  })

  it('warns of settings that the serve that runs was not started with', async () => {
    const stage = await openDoctorWorld()
    const env = { SMS_BRIDGE_HOURS: '*=Mon-Sun 0-24 UTC', SMS_BRIDGE_HOLD: '5m' }
    await stage.noted(fingerprintsMark, fingerprintsOf({ env: stage.env, flags: {}, profile: {} }))
    expect(await stage.wrong('', { env })).toEqual(['warning serve-settings'])
    expect((await check(stage, 'serve-settings', env)).what).toBe(
      'the serve that runs was started with other SMS_BRIDGE_HOURS, SMS_BRIDGE_HOLD',
    )
    await stage.noted('serve-settings')
    expect(await check(stage, 'serve-settings')).toMatchObject({ state: 'skipped' })
  })

  it('warns of a number that a wrong year keeps closed', async () => {
    const stage = await openDoctorWorld()
    const env = { SMS_BRIDGE_HOURS: `${ours}=Mon-Fri 9-18 UTC`, SMS_BRIDGE_HOLIDAYS: '2026-11-20/2027-12-01' }
    expect(await stage.wrong('', { env })).toEqual([`warning hours:${ours}`])
  })

  it('names hours of a number that is not ours, and holidays that are all past', async () => {
    const stage = await openDoctorWorld()
    const SMS_BRIDGE_HOURS = '+15550100999=Mon-Fri 9-18 UTC'
    const past = { SMS_BRIDGE_HOURS, SMS_BRIDGE_HOLIDAYS: '12-25,2020-12-24/2021-01-01,2020-07-03' }
    expect(await stage.wrong('', { env: past })).toEqual(['warning hours:+15550100999', 'warning holidays'])
    expect((await check(stage, 'hours:+15550100999', past)).what).toBe(
      '+15550100999 is in SMS_BRIDGE_HOURS and is no number of the account whose texts come here',
    )
    expect((await check(stage, 'holidays', past)).what).toBe(
      '2 holidays with a year in SMS_BRIDGE_HOLIDAYS, and every one is past',
    )
    const some = { SMS_BRIDGE_HOURS: `${ours}=Mon-Fri 9-18 UTC`, SMS_BRIDGE_HOLIDAYS: '2020-12-24,2999-12-24' }
    expect(await stage.wrong('', { env: some })).toEqual([])
    expect(await stage.wrong('', { env: { ...some, SMS_BRIDGE_HOLIDAYS: '12-25' } })).toEqual([])
  })

  it.each([null, 'Mountain Time'])('names hours without a zone when the workspace tells %j', async (timeZone) => {
    const stage = await openDoctorWorld({ intercom: { timeZone } })
    const env = { SMS_BRIDGE_HOURS: `${ours}=Mon-Sun 0-24,*=Mon-Sun 0-24 UTC` }
    expect(await stage.wrong('', { env })).toEqual(['warning hours'])
    expect((await check(stage, 'hours', env)).what).toBe(
      `${ours} (Mon–Sun 0–24 UTC) is open for the next 30 days; ${oursToo} (Mon–Sun 0–24 UTC) is open for the next 30 days; the hours of ${ours} have no time zone, and the workspace tells none`,
    )
    expect(await stage.wrong('', { env: { SMS_BRIDGE_HOURS: '*=Mon-Sun 0-24 UTC' } })).toEqual([])
  })

  it('names notifications signed with another secret, until one comes that is right', async () => {
    const stage = await openDoctorWorld()
    const headers = { 'content-type': 'application/json', 'x-hub-signature': 'sha1=00' }
    await fetch(`${stage.world.config.publicUrl}/webhooks/intercom`, { method: 'POST', headers, body: '{}' })
    await stage.world.eventually('noted', () => stage.world.store().findMark('hub-unsigned'))
    expect(await stage.wrong()).toEqual(['failed intercom-subscription'])
    await stage.noted('topic:conversation.admin.replied', { appId: 'acme1234' })
    expect(await stage.wrong()).toEqual([])
  })

  it('names contacts that could get a reply by e-mail as well', async () => {
    const stage = await openDoctorWorld()
    stage.world.twilio.text({ from: customer, to: ours, body: 'hello' })
    await stage.world.settled()
    expect(await check(stage, 'double-replies')).toMatchObject({ state: 'ok' })
    const [contact] = stage.world.intercom.contacts()
    await stage.intercom(`/contacts/${contact?.id}`, { email: 'jo@example.com' }, 'PUT')
    await stage.world.eventually('found', async () => (await check(stage, 'double-replies')).state === 'warning')
    expect(await stage.wrong()).toEqual(['warning double-replies'])
    await stage.intercom(`/contacts/${contact?.id}`, { email: null }, 'PUT')
    await stage.world.eventually('gone', async () => (await check(stage, 'double-replies')).state === 'ok')
  })
})

describe('doctor on this machine', () => {
  it('closes a profile that others can read', async () => {
    const stage = await openDoctorWorld()
    const profile = join(stage.home, 'profile.json')
    writeFileSync(profile, JSON.stringify({ INTERCOM_CLIENT_SECRET: 'fake-client-secret' }))
    chmodSync(profile, 0o644)
    expect(await stage.wrong()).toEqual(['failed profile'])
    expect((await stage.run('doctor --fix profile --yes')).code).toBe(0)
    expect(statSync(profile).mode & 0o777).toBe(0o600)
    expect(await check(stage, 'profile')).toMatchObject({ state: 'ok' })
  })

  it('names a serve that does not run, and works without it', async () => {
    const stage = await openDoctorWorld()
    await stage.world.stopBridge()
    expect(await stage.wrong()).toEqual(['failed serve'])
    expect((await check(stage, 'public-url')).what).toBe('no serve is running that could answer: see serve')
    await stage.world.startBridge()
    expect(await stage.wrong()).toEqual([])
  })

  it('names a public URL that something else answers', async () => {
    const stage = await openDoctorWorld()
    const env = { SMS_BRIDGE_PUBLIC_URL: stage.world.intercom.url }
    const found = await check(stage, 'public-url', env)
    expect(found).toMatchObject({ state: 'failed', who: 'web' })
    expect(await check(stage, 'signature', env)).toMatchObject({ state: 'skipped' })
  })

  it('names forms that the door takes for unsigned', async () => {
    const stage = await openDoctorWorld()
    // As after a change of the token that serve has not been started anew for.
    const sid = `SK${'1'.repeat(32)}`
    const other = await openDoctorWorld({ twilio: { apiKeys: { [sid]: 'key-secret' } } })
    const env = { TWILIO_API_KEY: sid, TWILIO_API_SECRET: 'key-secret', TWILIO_AUTH_TOKEN: 'the-new-one' }
    expect(await other.wrong('', { env })).toEqual(['failed signature'])
    expect(await other.wrong()).toEqual([])
    expect(await stage.wrong()).toEqual([])
  })

  it('names a clock that is wrong', async () => {
    const stage = await openDoctorWorld()
    const clock = (aheadMs: number) => ({
      now: () => Date.now() + aheadMs,
      sleep: () => Promise.reject(new Error('nobody sleeps here')),
    })
    const { report } = await stage.examine('', { clock: clock(20_000) })
    expect(report.checks.filter(({ id }) => id === 'clock')).toMatchObject([
      { state: 'warning', what: '20s ahead of Twilio’s, 20s ahead of Intercom’s' },
    ])
    const far = await stage.examine('', { clock: clock(-600_000) })
    expect(far.report.checks.find(({ id }) => id === 'clock')?.state).toBe('failed')
    expect(await stage.wrong()).toEqual([])
  })

  it('says what is missing where there is no profile, no store and no setting at all', async () => {
    const stage = await openDoctorWorld()
    const none = Object.fromEntries(Object.keys(stage.env).map((name) => [name, '']))
    const { code, report } = await stage.examine('', { env: none })
    expect(code).toBe(4)
    expect(report.checks.filter(({ state }) => state === 'failed').map(({ id }) => id)).toEqual(['settings', 'store'])
    expect(report.checks[0]?.what).toContain('TWILIO_ACCOUNT_SID is missing')
  })

  it('looks at everything else while one vendor is away or does not answer', async () => {
    const stage = await openDoctorWorld()
    stage.world.twilio.faults.arm('outage')
    const { report } = await stage.examine()
    const failed = report.checks.filter(({ state }) => state === 'failed').map(({ id }) => id)
    expect(failed).toEqual(['twilio-credentials'])
    stage.world.twilio.faults.clear()
    stage.world.intercom.faults.arm('slow', { ms: 10_000 })
    const slow = await stage.examine('--timeout 1s')
    const late = slow.report.checks.filter(({ what }) => what === 'no answer within 1s').map(({ id }) => id)
    expect(late).toContain('intercom-credentials')
    expect(slow.report.checks.find(({ id }) => id === `webhook:${ours}`)?.state).toBe('ok')
  })
})
