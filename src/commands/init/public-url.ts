// Step 5: the public URL, proven to lead to this bridge with these secrets.
import { type Config, loadConfig } from '../../config/load.js'
import { settings } from '../../config/schema.js'
import { UserError } from '../../errors.js'
import type { Route } from '../../server/server.js'
import { proxyLines } from '../service/proxy.js'
import { type Check, proveUrl } from '../setup/self-test.js'
import { type OpenDoor, openInitDoor } from './door.js'
import { enter, type Session, settle } from './session.js'

export interface UrlStep {
  readonly config: Config
  readonly door: OpenDoor
  readonly checks: readonly Check[]
}

export interface UrlStepParts {
  readonly routes?: readonly Route[]
  /** Told of a door at once: it must be closed whatever fails afterwards. */
  readonly opened: (door: OpenDoor) => void
}

const said: Readonly<Record<Check['id'], string>> = {
  reachable: 'reached through its public address (from this machine)',
  ours: 'it is this bridge, with this client secret',
  signature: 'a form signed with the auth token arrives unchanged',
}

export async function urlStep(session: Session, { routes = [], opened }: UrlStepParts): Promise<UrlStep> {
  const { screen, ask, answers } = session
  screen.step(5, 'Public URL')
  if (answers.find('publicUrl') === undefined && ask !== undefined) {
    screen.say(
      'Twilio and Intercom send their webhooks to an HTTPS address of yours. A proxy there passes them on to this',
    )
    screen.say('machine, path, query and body unchanged. With Caddy these lines do it, certificate included:')
    const { publicUrl } = settings
    const address = `${answers.find('host')?.text ?? settings.host.fallback}:${answers.find('port')?.text ?? settings.port.fallback}`
    for (const line of proxyLines('caddy', { publicUrl: publicUrl.example, address }).split('\n')) {
      screen.say(`  ${line.replaceAll('\t', '  ')}`)
    }
  }
  await settle(session, 'publicUrl', 'Public URL')
  let config = await loadConfig(answers.sources())
  const door = await openInitDoor(session, config, routes)
  opened(door)
  if (door.whose === 'none') {
    screen.warn('not proven: nothing listens, and a dry run opens no door')
    return { config, door, checks: [] }
  }
  for (;;) {
    const checks = await prove(session, config)
    const failed = checks.find(({ ok }) => !ok)
    if (failed === undefined || session.options.skipUrlProof) return { config, door, checks }
    if (ask === undefined) {
      throw new UserError(`${failed.detail}.\nNothing was changed. To go on without the proof: --skip-url-proof`, {
        exitCode: 8,
      })
    }
    const next = await ask.select('What now?', [
      { value: 'again', name: 'Try again' },
      { value: 'other', name: 'Another URL' },
      { value: 'on', name: 'Go on without the proof' },
    ])
    if (next === 'on') return { config, door, checks }
    if (next === 'other') {
      const url = await enter({ ask }, 'publicUrl', 'Public URL', { preset: config.publicUrl })
      await answers.save('publicUrl', url)
      const before = config
      config = await loadConfig(answers.sources())
      // The door checks signatures against its own URL.
      if (before.publicUrl !== config.publicUrl) throw new Restart()
    }
  }
}

/** The door has to be opened anew. */
export class Restart extends Error {
  override readonly name = 'Restart'
}

async function prove({ screen, call }: Session, config: Config): Promise<readonly Check[]> {
  const spinner = await screen.spin(`Asking ${config.publicUrl}…`)
  const { accountSid, authTokens } = config.twilio
  const door = { publicUrl: config.publicUrl, accountSid, authTokens, clientSecret: config.intercom.clientSecret }
  const checks = await proveUrl(door, { signal: call.signal })
  spinner.stop()
  for (const { id, ok, detail } of checks) screen[ok ? 'ok' : 'bad'](ok ? said[id] : detail)
  return checks
}
