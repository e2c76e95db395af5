// The wizard in a real pseudo-terminal, key by key, against both twins.
import { existsSync, readFileSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { answers, type Line, patience, play, refused, stage, transcript, twilioKey } from '../support/init-stage.js'
import { mainNumber, otherNumber, sidOf, startInitWorld } from '../support/init-world.js'
import { keys, terminalFailure } from '../support/terminal.js'

const { backspace, enter, space, down, interrupt } = keys
const demo = 'https://demo.twilio.com/welcome/sms/reply'

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
        const { numbers, firstTeam, secondTeam, reopen, hours, saved } = answers(world)
        // What was chosen before is what Enter chooses.
        await play(again, [numbers, firstTeam, { ...secondTeam, press: enter }, reopen, hours, saved])
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
        const { numbers, firstTeam, secondTeam, reopen, hours, apply } = answers(world)
        await play(terminal, [
          { ...numbers, press: `a${enter}` },
          firstTeam,
          secondTeam,
          reopen,
          hours,
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
      const { numbers, firstTeam, secondTeam, reopen, hours, apply } = answers(world)
      // The first has none, as before; the second loses its own.
      await play(terminal, [numbers, firstTeam, secondTeam, reopen, hours, { ...apply, press: interrupt }])
      expect(await terminal.ended).toBe(130)
      expect(terminal.screen()).toContain(`${mainNumber} → nobody`)
      expect(terminal.screen()).toContain(`${otherNumber} → nobody`)
      expect(JSON.parse(readFileSync(join(home, 'profile.json'), 'utf8'))).toEqual({})
    })

    it('asks which numbers open a closed conversation again, and keeps what was set for others', patience, async () => {
      const world = await startInitWorld()
      const { home, start, env } = stage(world)
      const profile = join(home, 'profile.json')
      const { numbers, firstTeam, secondTeam, reopen, hours, apply } = answers(world)
      const choose = async (press: string) => {
        const terminal = start('', { ...world.env, ...env })
        const stop = { ...apply, press: interrupt }
        await play(terminal, [numbers, firstTeam, secondTeam, { ...reopen, press }, hours, stop])
        expect(await terminal.ended).toBe(130)
        return JSON.parse(readFileSync(profile, 'utf8')).SMS_BRIDGE_REOPEN
      }
      expect(await choose(`${down}${space}${enter}`)).toBe(`${otherNumber}=5d`)
      expect(await choose(enter)).toBe(`${otherNumber}=5d`)
      expect(await choose(`${down}${space}${enter}`)).toBeUndefined()
      writeFileSync(profile, JSON.stringify({ SMS_BRIDGE_REOPEN: '*=12h' }))
      expect(await choose(`${space}${enter}`)).toBe(`*=12h,${mainNumber}=0h`)
      expect(await choose(`${space}${enter}`)).toBe(`*=12h,${mainNumber}=5d`)
    })

    it('asks which numbers have opening hours and which, and keeps what was set for others', patience, async () => {
      const world = await startInitWorld()
      const { home, start, env, tidy } = stage(world)
      const profile = join(home, 'profile.json')
      const { numbers, firstTeam, secondTeam, reopen, hours, apply } = answers(world)
      const first = { at: `When is ${mainNumber} open?`, press: enter }
      const second = { at: `When is ${otherNumber} open?`, press: enter }
      const choose = async (press: string, ...typed: readonly Line[]) => {
        const terminal = start('', { ...world.env, ...env })
        const stop = { ...apply, press: interrupt }
        await play(terminal, [numbers, firstTeam, secondTeam, reopen, { ...hours, press }, ...typed, stop])
        expect(await terminal.ended).toBe(130)
        return { terminal, saved: JSON.parse(readFileSync(profile, 'utf8')).SMS_BRIDGE_HOURS }
      }
      const { terminal, saved } = await choose(
        `a${enter}`,
        first,
        { ...second, press: `Sat 9-25${enter}` },
        {
          at: 'It must give hours',
          press: `${backspace.repeat(2)}14${enter}`,
        },
      )
      expect(saved).toBe(`${mainNumber}=Mon-Fri 9-18 Etc/UTC,${otherNumber}=Sat 9-14`)
      await transcript('init-hours', tidy(terminal))
      expect((await choose(enter, first, second)).saved).toBe(saved)
      expect((await choose(`${down}${space}${enter}`, first)).saved).toBe(`${mainNumber}=Mon-Fri 9-18 Etc/UTC`)
      writeFileSync(profile, JSON.stringify({ SMS_BRIDGE_HOURS: '24273=Mon 9-10,*=Mon 8-22' }))
      expect((await choose(enter, first, second)).saved).toBe('24273=Mon 9-10,*=Mon 8-22')
      expect((await choose(`${space}${enter}`, second)).saved).toBe(`24273=Mon 9-10,*=Mon 8-22,${mainNumber}=none`)
      expect((await choose(`${space}${enter}`, { ...first, press: `Tue 9-10${enter}` }, second)).saved).toBe(
        `24273=Mon 9-10,*=Mon 8-22,${mainNumber}=Tue 9-10`,
      )
    })

    it('takes an API key after a wrong one, and makes its calls with that', patience, async () => {
      const world = await startInitWorld({ twilio: { apiKeys: { [twilioKey.sid]: twilioKey.secret } } })
      const { home, start, tidy } = stage(world)
      const terminal = start()
      const { accountSid, apiKey, authToken, signIn } = answers(world)
      await play(terminal, [
        accountSid,
        { ...apiKey, press: `y${enter}` },
        { at: 'API key SID', press: `${twilioKey.sid}${enter}` },
        { at: 'API key secret', press: `wrong${enter}` },
        authToken,
        { at: 'Twilio refuses the API key', press: '' },
        { at: 'API key SID', press: enter },
        { at: 'API key secret', press: `${twilioKey.secret}${enter}` },
        { ...signIn, press: interrupt },
      ])
      expect(await terminal.ended).toBe(130)
      expect(JSON.parse(readFileSync(join(home, 'profile.json'), 'utf8'))).toEqual({
        TWILIO_ACCOUNT_SID: world.accountSid,
        TWILIO_API_KEY: twilioKey.sid,
        TWILIO_API_SECRET: twilioKey.secret,
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
      const { numbers, firstTeam, secondTeam, reopen, hours, apply, saved } = answers(world)
      await play(terminal, [
        numbers,
        firstTeam,
        secondTeam,
        reopen,
        hours,
        apply,
        saved,
        { at: 'Try again?', press: `n${enter}` },
      ])
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
        const { numbers, firstTeam, secondTeam, reopen, hours, apply, saved } = answers(world)
        await play(terminal, [
          // Somebody else's is not ticked from the start: down and space tick it.
          { at: numbers.at, press: `${down}${space}${enter}` },
          firstTeam,
          secondTeam,
          reopen,
          hours,
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
