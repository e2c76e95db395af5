// A person at the wizard in a real pseudo-terminal, against both twins. The files in test/transcripts are what they saw.
import { expect } from 'vitest'
import { type InitWorld, mainNumber, otherNumber } from './init-world.js'
import { tempFolder } from './temp.js'
import { keys, startTerminal, type Terminal } from './terminal.js'

const { enter, down } = keys

export interface Line {
  /** What has to be on the screen first. */
  readonly at: string
  readonly press: string
  /** What somebody does elsewhere before the key. */
  readonly meanwhile?: () => Promise<unknown>
}

export function stage(world: InitWorld) {
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

export const answers = (world: InitWorld) => ({
  accountSid: { at: 'Account SID', press: `${world.accountSid}${enter}` },
  apiKey: { at: 'Use an API key for calls', press: enter },
  authToken: { at: 'Auth token', press: `${world.authToken}${enter}` },
  signIn: { at: 'How does the bridge sign in to Intercom?', press: enter },
  accessToken: { at: 'Access token', press: `fake-access-token${enter}` },
  clientSecret: { at: 'Client secret (webhooks', press: `fake-client-secret${enter}` },
  numbers: { at: 'Which numbers come to Intercom?', press: enter },
  firstTeam: { at: `Which team gets the texts to ${mainNumber}?`, press: enter },
  secondTeam: { at: `Which team gets the texts to ${otherNumber}?`, press: `${down}${enter}` },
  reopen: { at: 'Which open a closed conversation again', press: enter },
  hours: { at: 'Which have opening hours?', press: enter },
  publicUrl: { at: '? Public URL', press: `${world.publicUrl}${enter}` },
  apply: { at: 'Apply?', press: `y${enter}` },
  saved: {
    at: 'Saved there?',
    press: enter,
    meanwhile: () => world.intercom.setWebhook(`${world.publicUrl}/webhooks/intercom`),
  },
})

export async function play(terminal: Terminal, lines: readonly Line[]): Promise<void> {
  for (const { at, press, meanwhile } of lines) {
    await terminal.shows(at)
    await meanwhile?.()
    terminal.press(press)
  }
}

/** With all settings given. */
export function upToApply(world: InitWorld): readonly Line[] {
  const { numbers, firstTeam, secondTeam, reopen, hours, apply } = answers(world)
  return [numbers, firstTeam, secondTeam, reopen, hours, apply]
}

/** A dozen processes one after the other, on a machine that may be busy. */
export const patience = { timeout: 480_000 }

export const twilioKey = { sid: `SK${'5'.repeat(32)}`, secret: 'fake-api-secret' }

/** What stands on the screen in the end, as a file that a person can read. */
export const transcript = (name: string, text: string) =>
  expect(`${inOrder(text)}\n`).toMatchFileSnapshot(`../transcripts/${name}.txt`)

/** Topics are ticked off as their webhooks come, in whatever order that is. */
const inOrder = (text: string) =>
  text.replace(/(?:^ {2}✓ conversation\S+\n)+/gm, (ticks) => `${ticks.trimEnd().split('\n').sort().join('\n')}\n`)

export const refused: Line = { at: 'Twilio refuses this auth token', press: '' }
