import { readFileSync } from 'node:fs'
import type { IncomingMessage } from 'node:http'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { authorizeUrl, expectCallback } from '../../src/commands/init/oauth.js'
import { commandLine } from '../support/command-line.js'
import { startInitWorld } from '../support/init-world.js'

const at = (url: string) => ({ url }) as IncomingMessage // the handler reads nothing else

describe('OAuth', () => {
  it('sends the person to Intercom with client, state and redirect, and nothing else', () => {
    expect(authorizeUrl({ clientId: 'abc', state: 's1', redirectUri: 'https://sms.example.com/oauth/intercom' })).toBe(
      'https://app.intercom.com/oauth?client_id=abc&state=s1&redirect_uri=https%3A%2F%2Fsms.example.com%2Foauth%2Fintercom',
    )
  })

  it('takes no code with another state, none without a code, and keeps the sign at its end', async () => {
    const { handle, code } = expectCallback('right')
    expect((await handle(at('/oauth/intercom?code=x&state=wrong'))).status).toBe(400)
    expect((await handle(at('/oauth/intercom?code=x'))).status).toBe(400)
    expect((await handle(at('/oauth/intercom?state=right'))).status).toBe(400)
    expect((await handle(at('/oauth/intercom?code=abc%3D&state=right'))).status).toBe(200)
    expect(await code).toBe('abc=')
  })

  it('brings the access token, which is kept in the profile and shown nowhere', async () => {
    const world = await startInitWorld({ intercom: { oauth: { clientId: 'client-1', codes: ['code-1='] } } })
    const { run, home } = commandLine({ env: { ...world.env, INTERCOM_ACCESS_TOKEN: '' } })
    const { code, text } = await run('init --numbers all --yes --no-topics --oauth client-1', {
      async meanwhile(io) {
        await io.shows('Waiting for Intercom to send you back')
        const state = /state=([\w-]+)/.exec(io.stderr())?.[1]
        expect((await fetch(`${world.publicUrl}/oauth/intercom?code=code-1%3D&state=${state}`)).status).toBe(200)
      },
    })
    expect(code).toBe(0)
    expect(text).not.toContain('fake-access-token')
    expect(JSON.parse(readFileSync(join(home, 'profile.json'), 'utf8'))).toEqual({
      INTERCOM_ACCESS_TOKEN: 'fake-access-token',
    })
  })
})
