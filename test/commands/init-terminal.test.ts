// The wizard in a real pseudo-terminal, key by key, against both twins. The files in test/transcripts are what a person
// saw in the end.
import { existsSync, readFileSync } from 'node:fs'
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
  const start = (args = '', more: Record<string, string> = {}) =>
    startTerminal(['init', ...args.split(' ').filter((one) => one !== '')], { ...env, ...more })
  const tidy = (terminal: Terminal) =>
    terminal
      .screen()
      .replaceAll(world.accountSid, 'AC…')
      .replaceAll(home, '~')
      .replaceAll(String(world.port), '8080')
      .replace(/127\.0\.0\.1:\d{5}/g, '127.0.0.1:4010')
      .replace(/\b(PN|MG|SC)[0-9a-f]{32}\b/g, '$1…')
      .trimEnd()
  return { home, start, tidy, env }
}

const answers = (world: InitWorld) => ({
  accountSid: { at: 'Account SID', press: `${world.accountSid}${enter}` },
  authToken: { at: 'Auth token', press: `${world.authToken}${enter}` },
  apiKey: { at: 'Use an API key for calls', press: enter },
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

/** A dozen processes one after the other, on a machine that may be busy. */
const patience = { timeout: 180_000 }

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
        await play(again, [numbers, firstTeam, secondTeam, saved])
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
        [accountSid, stop(authToken)],
        [authToken, stop(apiKey)],
        [stop(signIn)],
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
      const terminal = start('', { ...world.env })
      const { numbers, firstTeam, secondTeam, apply } = answers(world)
      await play(terminal, [numbers, firstTeam, secondTeam, apply])
      await reached
      terminal.press(interrupt)
      const code = await terminal.ended
      expect(code).toBe(130)
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
        wrong(all.authToken),
        { at: 'Twilio refuses this auth token', press: '' },
        all.authToken,
        all.apiKey,
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
        const terminal = start('', { ...world.env })
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
