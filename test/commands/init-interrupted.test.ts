// Ctrl-C at the wizard: nothing stays half applied, and the next run goes on from there.
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import {
  answers,
  type Line,
  patience,
  play,
  refused,
  stage,
  transcript,
  twilioKey,
  upToApply,
} from '../support/init-stage.js'
import { type InitWorld, mainNumber, otherNumber, sidOf, startInitWorld } from '../support/init-world.js'
import { keys, terminalFailure } from '../support/terminal.js'

const { enter, space, down, interrupt } = keys
const demo = 'https://demo.twilio.com/welcome/sms/reply'

interface Rare {
  /** Settings that this run has not. */
  readonly unset?: readonly string[]
  readonly env?: Readonly<Record<string, string>>
  readonly lines: readonly Line[]
  /** What is on the screen when Ctrl-C comes. */
  readonly at: string
}

/** What is asked for only in some runs: settings taken away, lines up to the question, and what else is so. */
const rareQuestions: Readonly<Record<string, (world: InitWorld) => Rare>> = {
  'the SID of an API key': (world) => {
    const { apiKey } = answers(world)
    return { unset: ['TWILIO_AUTH_TOKEN'], lines: [{ ...apiKey, press: `y${enter}` }], at: 'API key SID' }
  },
  'the secret of an API key': (world) => {
    const yes = { ...answers(world).apiKey, press: `y${enter}` }
    const lines = [yes, { at: 'API key SID', press: `${twilioKey.sid}${enter}` }]
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
    const { numbers, firstTeam, secondTeam, reopen, hours } = answers(world)
    const env = { SMS_BRIDGE_PUBLIC_URL: world.intercom.url }
    return { env, lines: [numbers, firstTeam, secondTeam, reopen, hours], at: 'What now?' }
  },
  'whether to take over somebody else’s': (world) => {
    world.twilio.setSmsUrl(otherNumber, 'https://crm.example.com/hook')
    const { numbers, firstTeam, secondTeam, reopen, hours } = answers(world)
    const both = { ...numbers, press: `${down}${space}${enter}` }
    return { lines: [both, firstTeam, secondTeam, reopen, hours], at: 'Take it over?' }
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

describe.skipIf(terminalFailure !== undefined)(
  `Ctrl-C in init${terminalFailure === undefined ? '' : ` (skipped: ${terminalFailure})`}`,
  () => {
    it('ends at Ctrl-C at every question with nothing changed, and goes on from there', patience, async () => {
      const world = await startInitWorld()
      const { home, start } = stage(world)
      const { accountSid, authToken, apiKey, signIn, accessToken, clientSecret, ...rest } = answers(world)
      const { numbers, firstTeam, secondTeam, reopen, hours, publicUrl, apply } = rest
      const oneHasHours = { ...hours, press: `${space}${enter}` }
      const open = { at: `When is ${mainNumber} open?`, press: enter }
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
        [numbers, firstTeam, secondTeam, stop(reopen)],
        [numbers, firstTeam, secondTeam, reopen, stop(hours)],
        [numbers, firstTeam, secondTeam, reopen, oneHasHours, stop(open)],
        [numbers, firstTeam, secondTeam, reopen, hours, stop(publicUrl)],
        [numbers, firstTeam, secondTeam, reopen, hours, publicUrl, stop(apply)],
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
      await play(last, [numbers, firstTeam, secondTeam, reopen, hours, apply, rest.saved])
      expect(await last.ended).toBe(0)
      // Even now it can be taken back.
      expect(JSON.parse(readFileSync(join(home, 'undo.json'), 'utf8')).entries).toHaveLength(2)
    })

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
      const { numbers, firstTeam, secondTeam, reopen, hours, apply } = answers(world)
      await play(terminal, [numbers, firstTeam, secondTeam, reopen, hours, apply])
      await reached
      terminal.press(interrupt)
      const code = await terminal.ended
      expect(code).toBe(130)
      expect(world.twilio.numbers().map(({ smsUrl }) => smsUrl)).toEqual([demo, demo])
      expect(existsSync(join(home, 'undo.json'))).toBe(false)
      await transcript('init-interrupted', tidy(terminal))
    })
  },
)
