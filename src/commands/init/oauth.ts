// An access token by OAuth, for those who would rather click than copy (intercom.md §7). The redirect must be HTTPS, so
// it comes through the public URL to a door of our own.
import { randomBytes, timingSafeEqual } from 'node:crypto'
import type { IncomingMessage } from 'node:http'
import { loadConfig } from '../../config/load.js'
import { UserError } from '../../errors.js'
import type { Answer } from '../../server/door.js'
import { tokenOfCode } from '../setup/vendors.js'
import { openInitDoor } from './door.js'
import { openPage } from './open-page.js'
import { type Session, settle } from './session.js'

const path = '/oauth/intercom'
/** Where tokens are given out, whatever the region. */
const tokenOrigin = 'https://api.intercom.io'
const patienceMs = 600_000

export function authorizeUrl(fields: { clientId: string; state: string; redirectUri: string }): string {
  const url = new URL('https://app.intercom.com/oauth')
  url.searchParams.set('client_id', fields.clientId)
  url.searchParams.set('state', fields.state)
  url.searchParams.set('redirect_uri', fields.redirectUri)
  return url.href
}

export interface Callback {
  /** Resolves with the code that came with the right state. */
  readonly code: Promise<string>
  handle(request: IncomingMessage): Promise<Answer>
}

/** Only who was sent there knows the state. */
export function expectCallback(state: string): Callback {
  let take = (_code: string) => {}
  const code = new Promise<string>((resolve) => {
    take = resolve
  })
  return {
    code,
    async handle({ url = '' }) {
      const query = new URLSearchParams(url.split('?')[1])
      const [given, expected] = [Buffer.from(query.get('state') ?? ''), Buffer.from(state)]
      const isOurs = given.length === expected.length && timingSafeEqual(given, expected)
      const got = query.get('code') ?? ''
      if (!isOurs || got === '') return page(400, 'This is not the answer that sms-bridge init waits for.')
      take(got)
      return page(200, 'Done: back to the terminal. This page can be closed.')
    },
  }
}

const page = (status: number, body: string): Answer => ({ status, body, contentType: 'text/plain; charset=utf-8' })

/** Needs the public URL and the client secret first; keeps the token. */
export async function oauthStep(session: Session, clientId: string): Promise<void> {
  const { screen, answers, context, options, call, stopping } = session
  const publicUrl = await settle(session, 'publicUrl', 'Public URL')
  if (!publicUrl.startsWith('https:') && answers.find('intercomApiBaseUrl') === undefined) {
    throw new UserError(
      `Intercom sends people back to an HTTPS address alone, and the public URL is ${publicUrl}: set one with https, or paste an access token`,
    )
  }
  const clientSecret = await settle(session, 'intercomClientSecret', 'Client secret (Basic Information)')
  const sources = answers.sources()
  // The token is what this is about: the door can do without.
  const pending = { ...sources, profile: { ...sources.profile, intercomAccessToken: 'pending' } }
  const config = await loadConfig(pending)
  const state = randomBytes(24).toString('base64url')
  const callback = expectCallback(state)
  const door = await openInitDoor(session, config, [{ method: 'GET', path, handle: callback.handle }])
  try {
    if (door.whose !== 'ours') {
      throw new UserError('OAuth comes back to a door of init’s own: stop serve meanwhile, or paste an access token')
    }
    const redirectUri = `${config.publicUrl}${path}`
    const url = authorizeUrl({ clientId, state, redirectUri })
    screen.say(`Redirect URL, to be registered in the Developer Hub › Authentication: ${redirectUri}`)
    screen.say(`Open: ${url}`)
    if (options.open) openPage(url, context.env)
    const spinner = await screen.spin('Waiting for Intercom to send you back…')
    const over = new AbortController()
    const waiting = context.clock.sleep(patienceMs, AbortSignal.any([stopping, over.signal]))
    const code = await Promise.race([callback.code, waiting])
    over.abort()
    spinner.stop()
    stopping.throwIfAborted()
    if (code === undefined)
      throw new UserError('Nobody came back from Intercom within ten minutes: run sms-bridge init again')
    const baseUrl = answers.find('intercomApiBaseUrl')?.text ?? tokenOrigin
    await answers.save(
      'intercomAccessToken',
      await tokenOfCode(baseUrl, { code, clientId, clientSecret }, { clock: context.clock, call }),
    )
    screen.ok('Intercom gave an access token; it does not expire')
  } finally {
    await door.close()
  }
}
