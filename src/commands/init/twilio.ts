// Step 1: the Twilio account, and the keys to it.
import { UserError } from '../../errors.js'
import type { TwilioClient } from '../../twilio/client.js'
import type { Account } from '../../twilio/webhook-settings.js'
import { connectTwilio, isRefused, type TwilioAccess } from '../setup/vendors.js'
import { enter, type Session, settle } from './session.js'

export interface TwilioStep {
  readonly accountSid: string
  readonly authTokens: readonly string[]
  /** Signs in with the API key, where there is one. */
  readonly twilio: TwilioClient
  readonly account: Account | undefined
}

const mostTries = 3

export async function twilioStep(session: Session): Promise<TwilioStep> {
  const { screen, options } = session
  if (!options.undo) screen.step(1, 'Twilio')
  await settle(session, 'twilioAccountSid', 'Account SID (console.twilio.com, Account Info)')
  // Before the auth token: what is answered and interrupted then is not asked for in vain.
  if (await wantsKey(session)) await settleKey(session)
  const { client, accountSid, authTokens } = await authTokenStep(session)
  const account = await client.readAccount(session.call)
  screen.ok(`account ${accountSid}${account === undefined ? '' : ` "${account.name}"`}: the auth token is right`)
  if (account?.trial) {
    screen.warn(
      'a trial account: it texts verified numbers only, from the number assigned to them (21608, 572002). Upgrade it before customers text',
    )
  }
  if (account !== undefined && account.status !== 'active') {
    screen.warn(`the account is ${account.status}: Twilio delivers nothing until it is active again`)
  }
  const twilio = (await apiKeyStep(session, { accountSid, authTokens, ...baseUrl(session) })) ?? client
  return { accountSid, authTokens, twilio, account }
}

async function wantsKey({ answers, ask, options }: Session): Promise<boolean> {
  if (answers.find('twilioApiKey') !== undefined) return true
  if (ask === undefined || options.undo || answers.find('twilioAuthToken') !== undefined) return false
  return ask.confirm('Use an API key for calls, rather than the auth token?', false)
}

async function settleKey(session: Session) {
  const sid = await settle(session, 'twilioApiKey', 'API key SID')
  return { sid, secret: await settle(session, 'twilioApiSecret', 'API key secret') }
}

function baseUrl({ answers }: Session): { readonly baseUrl?: string } {
  const found = answers.find('twilioApiBaseUrl')
  return found === undefined ? {} : { baseUrl: found.text }
}

/** Webhooks are signed with it, so it is needed even where an API key makes the calls. */
async function authTokenStep(session: Session) {
  const { ask, answers, screen, context, call } = session
  for (let tries = 1; ; tries += 1) {
    const accountSid = await settle(session, 'twilioAccountSid', 'Account SID')
    const text = await settle(session, 'twilioAuthToken', 'Auth token (webhooks are signed with it)')
    const authTokens = text.split(',').map((token) => token.trim())
    const client = await connectTwilio({ accountSid, authTokens, ...baseUrl(session) }, context.clock)
    try {
      await client.ping(call)
      return { client, accountSid, authTokens }
    } catch (error) {
      if (!isRefused(error)) throw error
      const from = answers.find('twilioAuthToken')?.origin
      if (ask === undefined || from !== 'profile' || tries === mostTries) throw refusedToken(accountSid)
      screen.bad(`Twilio refuses this auth token for ${accountSid}`)
      if (answers.find('twilioAccountSid')?.origin === 'profile') {
        const sid = await enter({ ask }, 'twilioAccountSid', 'Account SID', { preset: accountSid })
        await answers.save('twilioAccountSid', sid)
      }
      await answers.save('twilioAuthToken', await enter({ ask }, 'twilioAuthToken', 'Auth token'))
    }
  }
}

function refusedToken(accountSid: string): UserError {
  return new UserError(
    `Twilio refuses the auth token for ${accountSid}: look at Account Info on console.twilio.com, and set TWILIO_AUTH_TOKEN. ` +
      'A token of another account or region, or the secret of an API key, is refused the same way',
    { exitCode: 7 },
  )
}

/** Undefined: the auth token makes the calls. */
async function apiKeyStep(session: Session, access: TwilioAccess): Promise<TwilioClient | undefined> {
  const { ask, answers, screen, context, call } = session
  if (answers.find('twilioApiKey') === undefined) return undefined
  for (let tries = 1; ; tries += 1) {
    const apiKey = await settleKey(session)
    const client = await connectTwilio({ ...access, apiKey }, context.clock)
    try {
      await client.ping(call)
      screen.ok(`API key ${apiKey.sid}`)
      return client
    } catch (error) {
      if (!isRefused(error)) throw error
      const from = answers.find('twilioApiSecret')?.origin
      if (ask === undefined || from !== 'profile' || tries === mostTries) throw refusedKey(apiKey.sid)
      screen.bad(`Twilio refuses the API key ${apiKey.sid}`)
      const sid = await enter({ ask }, 'twilioApiKey', 'API key SID', { preset: apiKey.sid })
      const secret = await enter({ ask }, 'twilioApiSecret', 'API key secret')
      await answers.save('twilioApiKey', sid)
      await answers.save('twilioApiSecret', secret)
    }
  }
}

function refusedKey(sid: string): UserError {
  return new UserError(
    `Twilio refuses the API key ${sid}: correct TWILIO_API_KEY and TWILIO_API_SECRET, or remove both to use the auth token`,
    { exitCode: 7 },
  )
}
