// The wizard in a real pseudo-terminal, key by key, against both twins. The files in test/transcripts are what a person
// saw in the end.
import { existsSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { type InitWorld, mainNumber, otherNumber, sidOf, startInitWorld } from '../support/init-world.js'
import { tempFolder } from '../support/temp.js'
import { keys, startTerminal, type Terminal, terminalFailure } from '../support/terminal.js'

const { enter, space, down, interrupt } = keys
const demo = 'https://demo.twilio.com/welcome/sms/reply'

interface Line {
  /** What has to be on the screen first. */
  readonly at: string
  readonly press: string
  /** What somebody does elsewhere before the key. */
  readonly meanwhile?: () => Promise<unknown>
}

function stage(world: InitWorld) {
  const home = tempFolder()
  const env = { ...world.vendors, SMS_BRIDGE_HOME: home, HOME: home, SMS_BRIDGE_PORT: String(world.port) }
  const start = (args = '', more: Readonly<Record<string, string>> = {}) =>
    startTerminal(['init', ...args.split(' ').filter((one) => one !== '')], { ...env, ...more })
  const tidy = (terminal: Terminal) =>
    terminal
      .screen()
      .replaceAll(world.accountSid, 'AC…')
      .replaceAll(home, '~')
      .replaceAll(String(world.port), '8080')
      .replace(/127\.0\.0\.1:\d{5}/g, '127.0.0.1:4010')
      .replace(/\b(PN|MG|SC|AP)[0-9a-f]{32}\b/g, '$1…')
      .trimEnd()
  return { home, start, tidy, env }
}

const answers = (world: InitWorld) => ({
  accountSid: { at: 'Account SID', press: `${world.accountSid}${enter}` },
  apiKey: { at: 'Use an API key for calls', press: enter },
  authToken: { at: 'Auth token', press: `${world.authToken}${enter}` },
  signIn: { at: 'How does the bridge sign in to Intercom?', press: enter },
  accessToken: { at: 'Access token', press: `fake-access-token${enter}` },
  clientSecret: { at: 'Client secret (webhooks', press: `fake-client-secret${enter}` },
  numbers: { at: 'Which numbers come to Intercom?', press: enter },
  firstTeam: { at: `Which team gets the texts to ${mainNumber}?`, press: enter },
  secondTeam: { at: `Which team gets the texts to ${otherNumber}?`, press: `${down}${enter}` },
  publicUrl: { at: '? Public URL', press: `${world.publicUrl}${enter}` },
  apply: { at: 'Apply?', press: `y${enter}` },
  saved: {
    at: 'Saved there?',
    press: enter,
    meanwhile: () => world.intercom.setWebhook(`${world.publicUrl}/webhooks/intercom`),
  },
})

async function play(terminal: Terminal, lines: readonly Line[]): Promise<void> {
  for (const { at, press, meanwhile } of lines) {
    await terminal.shows(at)
    await meanwhile?.()
    terminal.press(press)
  }
}

interface Rare {
  /** Settings that this run has not. */
  readonly unset?: readonly string[]
  readonly env?: Readonly<Record<string, string>>
  readonly lines: readonly Line[]
  /** What is on the screen when Ctrl-C comes. */
  readonly at: string
}

const refused: Line = { at: 'Twilio refuses this auth token', press: '' }

/** With all settings given. */
function upToApply(world: InitWorld): readonly Line[] {
  const { numbers, firstTeam, secondTeam, apply } = answers(world)
  return [numbers, firstTeam, secondTeam, apply]
}

/** A dozen processes one after the other, on a machine that may be busy. */
const patience = { timeout: 480_000 }

const transcript = (name: string, text: string) => expect(`${text}\n`).toMatchFileSnapshot(`../transcripts/${name}.txt`)

describe.skipIf(terminalFailure !== undefined)(
  `init in a terminal${terminalFailure === undefined ? '' : ` (skipped: ${terminalFailure})`}`,
  () => {
    it(
      'takes a person who has two accounts to a bridge that is proven, then finds nothing to do, then undoes it',
      patience,
      async () => {
        const world = await startInitWorld()
        const { home, start, tidy } = stage(world)
        const first = start()
        await play(first, Object.values(answers(world)))
        expect(await first.ended).toBe(0)
        const shown = first.screen()
        for (const secret of [world.authToken, 'fake-access-token', 'fake-client-secret'])
          expect(shown).not.toContain(secret)
        await transcript('init-first-run', tidy(first))
        expect(JSON.parse(readFileSync(join(home, 'profile.json'), 'utf8'))).toEqual({
          TWILIO_ACCOUNT_SID: world.accountSid,
          TWILIO_AUTH_TOKEN: world.authToken,
          INTERCOM_ACCESS_TOKEN: 'fake-access-token',
          INTERCOM_CLIENT_SECRET: 'fake-client-secret',
          SMS_BRIDGE_TEAMS: `${mainNumber}=814`,
          SMS_BRIDGE_PUBLIC_URL: world.publicUrl,
        })

        const again = start()
        const { numbers, firstTeam, secondTeam, saved } = answers(world)
        // What was chosen before is what Enter chooses.
        await play(again, [numbers, firstTeam, { ...secondTeam, press: enter }, saved])
        expect(await again.ended).toBe(0)
        await transcript('init-again', tidy(again))

        const undo = start('--undo')
        await play(undo, [{ at: 'Restore?', press: `y${enter}` }])
        expect(await undo.ended).toBe(0)
        await transcript('init-undo', tidy(undo))
        expect(world.twilio.numbers().map(({ smsUrl }) => smsUrl)).toEqual([demo, demo])
        expect(existsSync(join(home, 'undo.json'))).toBe(false)
      },
    )

    it('ends at Ctrl-C at every question with nothing changed, and goes on from there', patience, async () => {
      const world = await startInitWorld()
      const { home, start } = stage(world)
      const { accountSid, authToken, apiKey, signIn, accessToken, clientSecret, ...rest } = answers(world)
      const { numbers, firstTeam, secondTeam, publicUrl, apply } = rest
      const stop = (line: Line): Line => ({ at: line.at, press: interrupt })
      const runs: readonly (readonly Line[])[] = [
        [stop(accountSid)],
        [accountSid, stop(apiKey)],
        [apiKey, stop(authToken)],
        [apiKey, authToken, stop(signIn)],
        [signIn, stop(accessToken)],
        [signIn, accessToken, stop(clientSecret)],
        [clientSecret, stop(numbers)],
        [numbers, stop(firstTeam)],
        [numbers, firstTeam, stop(secondTeam)],
        [numbers, firstTeam, secondTeam, stop(publicUrl)],
        [numbers, firstTeam, secondTeam, publicUrl, stop(apply)],
      ]
      for (const lines of runs) {
        const terminal = start()
        await play(terminal, lines)
        expect(await terminal.ended).toBe(130)
        expect(world.twilio.numbers().map(({ smsUrl }) => smsUrl)).toEqual([demo, demo])
        expect(existsSync(join(home, 'undo.json'))).toBe(false)
        expect(existsSync(join(home, 'undo.json.new'))).toBe(false)
      }
      const last = start()
      await play(last, [numbers, firstTeam, secondTeam, apply, rest.saved])
      expect(await last.ended).toBe(0)
      // Even now it can be taken back.
      expect(JSON.parse(readFileSync(join(home, 'undo.json'), 'utf8')).entries).toHaveLength(2)
    })

    const key = { sid: `SK${'5'.repeat(32)}`, secret: 'fake-api-secret' }

    /** What is asked for only in some runs: settings taken away, lines up to the question, and what else is so. */
    const rareQuestions: Readonly<Record<string, (world: InitWorld) => Rare>> = {
      'the SID of an API key': (world) => {
        const { apiKey } = answers(world)
        return { unset: ['TWILIO_AUTH_TOKEN'], lines: [{ ...apiKey, press: `y${enter}` }], at: 'API key SID' }
      },
      'the secret of an API key': (world) => {
        const yes = { ...answers(world).apiKey, press: `y${enter}` }
        const lines = [yes, { at: 'API key SID', press: `${key.sid}${enter}` }]
        return { unset: ['TWILIO_AUTH_TOKEN'], lines, at: 'API key secret' }
      },
      'the account after a refusal': (world) => {
        const { accountSid, apiKey, authToken } = answers(world)
        const lines = [accountSid, apiKey, { ...authToken, press: `wrong${enter}` }, refused]
        return { unset: ['TWILIO_ACCOUNT_SID', 'TWILIO_AUTH_TOKEN'], lines, at: 'Account SID' }
      },
      'the client ID for OAuth': (world) => {
        const { signIn } = answers(world)
        return { unset: ['INTERCOM_ACCESS_TOKEN'], lines: [{ ...signIn, press: `${down}${enter}` }], at: 'Client ID' }
      },
      'the browser’s way back': (world) => {
        const signIn = { ...answers(world).signIn, press: `${down}${enter}` }
        const lines = [signIn, { at: 'Client ID', press: `client-1${enter}` }]
        return { unset: ['INTERCOM_ACCESS_TOKEN'], lines, at: 'Waiting for Intercom to send you back' }
      },
      'whether to choose again': (world) => {
        const none = { ...answers(world).numbers, press: `a${enter}` }
        return { lines: [none], at: 'Choose again?' }
      },
      'what to do about a URL that leads elsewhere': (world) => {
        const { numbers, firstTeam, secondTeam } = answers(world)
        const env = { SMS_BRIDGE_PUBLIC_URL: world.intercom.url }
        return { env, lines: [numbers, firstTeam, secondTeam], at: 'What now?' }
      },
      'whether to take over somebody else’s': (world) => {
        world.twilio.setSmsUrl(otherNumber, 'https://crm.example.com/hook')
        const { numbers, firstTeam, secondTeam } = answers(world)
        const both = { ...numbers, press: `${down}${space}${enter}` }
        return { lines: [both, firstTeam, secondTeam], at: 'Take it over?' }
      },
      'whether Intercom’s webhooks are saved': (world) => ({ lines: upToApply(world), at: 'Saved there?' }),
      'a minute’s patience': (world) => ({
        lines: [...upToApply(world), { at: 'Saved there?', press: enter }],
        at: 'waiting for Intercom’s webhooks',
      }),
      'whether to try again': (world) => ({
        env: { INTERCOM_CLIENT_SECRET: 'of-another-app' },
        lines: [...upToApply(world), answers(world).saved],
        at: 'Try again?',
      }),
    }

    it.each(Object.entries(rareQuestions))(
      'ends at Ctrl-C at %s with nothing half applied',
      patience,
      async (_, of) => {
        const world = await startInitWorld()
        const { home, start, env } = stage(world)
        const { unset = [], env: more = {}, lines, at } = of(world)
        const urls = () => world.twilio.numbers().map(({ smsUrl }) => smsUrl)
        const before = urls()
        const set = Object.entries({ ...world.env, ...more }).filter(([name]) => !unset.includes(name))
        const terminal = start('', { ...Object.fromEntries(set), ...env })
        await play(terminal, [...lines, { at, press: interrupt }])
        expect(await terminal.ended).toBe(130)
        const isApplied = lines.some((line) => line.at === 'Apply?')
        const ours = `${world.publicUrl}/webhooks/twilio/sms#ct=3000&rt=4000&rc=5&rp=all`
        expect(urls()).toEqual(isApplied ? [ours, ours] : before)
        expect(existsSync(join(home, 'undo.json'))).toBe(isApplied)
        expect(world.intercom.conversations()).toEqual([])
        expect(world.intercom.contacts().every(({ archived }) => archived)).toBe(true)
        expect(readdirSync(home).filter((name) => name.includes('.new') || name.includes('tmp'))).toEqual([])
      },
    )

    it('leaves at Ctrl-C at the question of an undo everything as it is', patience, async () => {
      const world = await startInitWorld()
      const { home, start } = stage(world)
      const first = start('--no-topics', world.env)
      await play(first, upToApply(world))
      expect(await first.ended).toBe(0)
      const after = world.twilio.numbers().map(({ smsUrl }) => smsUrl)
      const undo = start('--undo', world.env)
      await play(undo, [{ at: 'Restore?', press: interrupt }])
      expect(await undo.ended).toBe(130)
      expect(world.twilio.numbers().map(({ smsUrl }) => smsUrl)).toEqual(after)
      expect(JSON.parse(readFileSync(join(home, 'undo.json'), 'utf8')).entries).toHaveLength(2)
    })

    it(
      'asks once about a service of somebody else’s, and leaves all of its numbers alone when told so',
      patience,
      async () => {
        const world = await startInitWorld()
        const inboundUrl = 'https://crm.example.com/sms'
        const { sid } = await world.write('/v1/Services', {
          FriendlyName: 'Support',
          InboundRequestUrl: inboundUrl,
          UseInboundWebhookOnNumber: 'false',
        })
        for (const number of [mainNumber, otherNumber]) {
          await world.write(`/v1/Services/${sid}/PhoneNumbers`, { PhoneNumberSid: sidOf(world, number) })
        }
        const { start } = stage(world)
        const terminal = start('--no-topics', world.env)
        const { numbers, firstTeam, secondTeam, apply } = answers(world)
        await play(terminal, [
          { ...numbers, press: `a${enter}` },
          firstTeam,
          secondTeam,
          { at: `${mainNumber}, ${otherNumber}: Messaging Service "Support" decides: its texts go to`, press: '' },
          { at: 'Take it over?', press: enter },
          apply,
        ])
        expect(await terminal.ended).toBe(0)
        expect(terminal.screen()).toContain('Nothing to change at Twilio.')
        expect(await world.read(`/v1/Services/${sid}`)).toMatchObject({ inbound_request_url: inboundUrl })
      },
    )

    it('takes back a team that a number had', patience, async () => {
      const world = await startInitWorld()
      const { home, start, env } = stage(world)
      writeFileSync(join(home, 'profile.json'), JSON.stringify({ SMS_BRIDGE_TEAMS: `${otherNumber}=814` }))
      const terminal = start('', { ...world.env, ...env })
      const { numbers, firstTeam, secondTeam, apply } = answers(world)
      // The first has none, as before; the second loses its own.
      await play(terminal, [numbers, firstTeam, secondTeam, { ...apply, press: interrupt }])
      expect(await terminal.ended).toBe(130)
      expect(terminal.screen()).toContain(`${mainNumber} → nobody`)
      expect(terminal.screen()).toContain(`${otherNumber} → nobody`)
      expect(JSON.parse(readFileSync(join(home, 'profile.json'), 'utf8'))).toEqual({})
    })

    it('takes an API key after a wrong one, and makes its calls with that', patience, async () => {
      const world = await startInitWorld({ twilio: { apiKeys: { [key.sid]: key.secret } } })
      const { home, start, tidy } = stage(world)
      const terminal = start()
      const { accountSid, apiKey, authToken, signIn } = answers(world)
      await play(terminal, [
        accountSid,
        { ...apiKey, press: `y${enter}` },
        { at: 'API key SID', press: `${key.sid}${enter}` },
        { at: 'API key secret', press: `wrong${enter}` },
        authToken,
        { at: 'Twilio refuses the API key', press: '' },
        { at: 'API key SID', press: enter },
        { at: 'API key secret', press: `${key.secret}${enter}` },
        { ...signIn, press: interrupt },
      ])
      expect(await terminal.ended).toBe(130)
      expect(JSON.parse(readFileSync(join(home, 'profile.json'), 'utf8'))).toEqual({
        TWILIO_ACCOUNT_SID: world.accountSid,
        TWILIO_API_KEY: key.sid,
        TWILIO_API_SECRET: key.secret,
        TWILIO_AUTH_TOKEN: world.authToken,
      })
      expect(statSync(join(home, 'profile.json')).mode & 0o777).toBe(0o600)
      await transcript('init-api-key', tidy(terminal))
    })

    it('shows every number with what it is set to now, and names that only send', patience, async () => {
      const numbers = [mainNumber, otherNumber, '+15550100300', '+15550100400'].map((phoneNumber) => ({ phoneNumber }))
      const world = await startInitWorld({
        twilio: { numbers: [...numbers, { phoneNumber: '24273', kind: 'short-code' }] },
      })
      const { sid } = await world.write('/v1/Services', {
        FriendlyName: 'Support',
        InboundRequestUrl: 'https://crm.example.com/sms',
        UseInboundWebhookOnNumber: 'false',
      })
      await world.write(`/v1/Services/${sid}/PhoneNumbers`, { PhoneNumberSid: sidOf(world, otherNumber) })
      await world.write(`/v1/Services/${sid}/AlphaSenders`, { AlphaSender: 'ACME' })
      const app = await world.write('/Applications.json', { SmsUrl: 'https://app.example.com/sms' })
      const third = `/IncomingPhoneNumbers/${sidOf(world, '+15550100300')}.json`
      await world.write(third, { SmsApplicationSid: String(app.sid) })
      world.twilio.setSmsUrl('+15550100400', `${world.publicUrl}/webhooks/twilio/sms`)
      const { start, tidy } = stage(world)
      const terminal = start('', world.env)
      await play(terminal, [{ at: 'ACME', press: interrupt }])
      expect(await terminal.ended).toBe(130)
      await transcript('init-numbers', tidy(terminal))
    })

    it('undoes the half that was applied when Ctrl-C comes between two changes', patience, async () => {
      const world = await startInitWorld()
      const { home, start, tidy } = stage(world)
      const second = new RegExp(sidOf(world, otherNumber))
      world.twilio.faults.arm('slow', { times: 1, method: 'POST', path: second, ms: 5000 })
      const reached = new Promise<void>((resolve) => {
        world.twilio.subscribe((event) => {
          if (event.type === 'request' && event.method === 'POST' && second.test(event.path)) resolve()
        })
      })
      const terminal = start('', world.env)
      const { numbers, firstTeam, secondTeam, apply } = answers(world)
      await play(terminal, [numbers, firstTeam, secondTeam, apply])
      await reached
      terminal.press(interrupt)
      expect(await terminal.ended).toBe(130)
      expect(world.twilio.numbers().map(({ smsUrl }) => smsUrl)).toEqual([demo, demo])
      expect(existsSync(join(home, 'undo.json'))).toBe(false)
      await transcript('init-interrupted', tidy(terminal))
    })

    it('asks again for a token that is refused, and names a region that is another', patience, async () => {
      const world = await startInitWorld({ intercom: { region: 'EU' }, twilio: { accountType: 'Trial' } })
      const { start, tidy } = stage(world)
      const terminal = start()
      const all = answers(world)
      const wrong = (line: Line): Line => ({ at: line.at, press: `wrong${enter}` })
      await play(terminal, [
        all.accountSid,
        all.apiKey,
        wrong(all.authToken),
        refused,
        { at: 'Account SID', press: enter },
        all.authToken,
        all.signIn,
        wrong(all.accessToken),
        { at: 'Intercom refuses this access token', press: '' },
        all.accessToken,
        all.clientSecret,
        { at: 'the region is eu, not us', press: '' },
        { at: all.numbers.at, press: interrupt },
      ])
      expect(await terminal.ended).toBe(130)
      await transcript('init-wrong-tokens', tidy(terminal))
    })

    it('names a client secret of another app', patience, async () => {
      const world = await startInitWorld()
      const { start, tidy } = stage(world)
      const terminal = start('', { ...world.env, INTERCOM_CLIENT_SECRET: 'of-another-app' })
      const { numbers, firstTeam, secondTeam, apply, saved } = answers(world)
      await play(terminal, [numbers, firstTeam, secondTeam, apply, saved, { at: 'Try again?', press: `n${enter}` }])
      expect(await terminal.ended).toBe(3)
      await transcript('init-wrong-secret', tidy(terminal))
    })

    it(
      'names a service that drops texts and a webhook of somebody else’s, and leaves that alone when told so',
      patience,
      async () => {
        const world = await startInitWorld()
        const { sid } = await world.write('/v1/Services', { FriendlyName: 'Support' })
        await world.write(`/v1/Services/${sid}/PhoneNumbers`, { PhoneNumberSid: sidOf(world, mainNumber) })
        await world.write(`/v1/Services/${sid}/AlphaSenders`, { AlphaSender: 'ACME' })
        world.twilio.setSmsUrl(otherNumber, 'https://crm.example.com/hook?token=secret')
        const { start, tidy } = stage(world)
        const terminal = start('', world.env)
        const { numbers, firstTeam, secondTeam, apply, saved } = answers(world)
        await play(terminal, [
          // Somebody else's is not ticked from the start: down and space tick it.
          { at: numbers.at, press: `${down}${space}${enter}` },
          firstTeam,
          secondTeam,
          { at: 'Take it over?', press: enter },
          apply,
          saved,
        ])
        expect(await terminal.ended).toBe(0)
        expect(world.twilio.numbers()[1]?.smsUrl).toBe('https://crm.example.com/hook?token=secret')
        expect(await world.read(`/v1/Services/${sid}`)).toMatchObject({
          inbound_request_url: `${world.publicUrl}/webhooks/twilio/sms#ct=3000&rt=4000&rc=5&rp=all`,
        })
        await transcript('init-service-and-foreign', tidy(terminal))
      },
    )
  },
)
