// What the checks share: each fact is asked for once, whoever asks first, and a fact that is not to be had says why.
import type { Context } from '../../cli/context.js'
import { findPlaces, type Places } from '../../config/folders.js'
import { loadWhatIsThere, type Sources } from '../../config/load.js'
import { lookAtProfile, type ProfileLook } from '../../config/profile.js'
import { type SettingName, settings, type Values } from '../../config/schema.js'
import { describeError } from '../../errors.js'
import type { Survey } from '../../store/survey.js'
import type { Call } from '../../transport.js'
import type { TwilioClient } from '../../twilio/client.js'
import type { AccountNumber } from '../../twilio/numbers.js'
import type { Account } from '../../twilio/webhook-settings.js'
import {
  callUnder,
  connectIntercom,
  connectTwilio,
  findWorkspace,
  type Intercom,
  isRefused,
  type Workspace,
} from '../setup/vendors.js'
import { Unmet } from './finding.js'

export interface Stage {
  readonly context: Context
  readonly places: Places
  /** Aborted by Ctrl-C, and when every check has ended. */
  readonly call: Call
  /** Epoch ms. */
  readonly now: number
  profile(): Promise<ProfileLook>
  sources(): Promise<Sources>
  settings(): Promise<{ readonly values: Partial<Values>; readonly faults: readonly string[] }>
  /** Throws Unmet when it is missing or malformed. */
  need<Name extends SettingName>(name: Name): Promise<NonNullable<Values[Name]>>
  twilio(): Promise<TwilioClient>
  /** The account, once Twilio has let us in; undefined for a key that may not read it. Throws what Twilio said. */
  account(): Promise<Account | undefined>
  /** As Twilio lists them, or refuses to. */
  listedNumbers(): Promise<readonly AccountNumber[]>
  numbers(): Promise<readonly AccountNumber[]>
  /** Undefined when the token is refused everywhere. */
  workspace(): Promise<Workspace | undefined>
  intercom(): Promise<Intercom>
  look(): ReturnType<Context['look']>
  /** The last day. */
  survey(): Promise<Survey>
  close(): Promise<void>
}

export const dayMs = 86_400_000

export function openStage(context: Context, stopping: AbortSignal): Stage {
  const ended = new AbortController()
  const call = callUnder(AbortSignal.any([stopping, ended.signal]))
  const places = findPlaces(context.given)
  const now = context.clock.now()

  const profile = once(() => lookAtProfile(context.given))
  const sources = once(async (): Promise<Sources> => {
    const { profile: held } = await unless(profile(), 'the profile cannot be read: see profile')
    return { ...context.given, profile: held }
  })
  const allSettings = once(async () => loadWhatIsThere(await sources()))
  const need: Stage['need'] = async (name) => {
    const value = (await allSettings()).values[name]
    if (value === undefined) throw new Unmet(`${settings[name].env} is missing or malformed: see settings`)
    return value
  }

  const twilio = once(async () => {
    const [accountSid, authTokens] = [await need('twilioAccountSid'), await need('twilioAuthToken')]
    const { twilioApiKey: sid, twilioApiSecret: secret, twilioApiBaseUrl: baseUrl } = (await allSettings()).values
    const key = sid !== undefined && secret !== undefined && { apiKey: { sid, secret } }
    return connectTwilio({ accountSid, authTokens, ...key, ...(baseUrl !== undefined && { baseUrl }) }, context.clock)
  })
  const account = once(async () => {
    const client = await twilio()
    await client.ping(call)
    return client.readAccount(call)
  })
  const listedNumbers = once(async () => (await twilio()).listNumbers(call))
  const numbers = once(async () => {
    await unless(account(), 'Twilio lets nobody in: see twilio-credentials')
    return listedNumbers().catch((error: unknown) => {
      if (isRefused(error)) throw new Unmet('the numbers may not be read: see twilio-permissions')
      throw error
    })
  })

  const workspace = once(async () => {
    const accessToken = await need('intercomAccessToken')
    const { intercomRegion: region = 'us', intercomApiBaseUrl: baseUrl } = (await allSettings()).values
    const asked = { accessToken, region, ...(baseUrl !== undefined && { baseUrl }) }
    return findWorkspace(asked, { clock: context.clock, call })
  })
  const intercom = once(async () => {
    const found = await unless(workspace(), 'Intercom does not answer: see intercom-credentials')
    if (found === undefined) throw new Unmet('Intercom lets nobody in: see intercom-credentials')
    return connectIntercom({ accessToken: await need('intercomAccessToken'), baseUrl: found.baseUrl }, context.clock)
  })

  const look = once(async () => {
    await sources()
    const { mode, faults } = await profile()
    if (faults.length > 0 || (mode === undefined && places.from !== 'default'))
      throw new Unmet('no command takes such a profile: see profile')
    return context.look()
  })
  const survey = once(async () => {
    const store = await unless(look(), 'the store cannot be looked into: see store')
    return store.survey({ since: now - dayMs, now })
  })

  return {
    context,
    places,
    call,
    now,
    profile,
    sources,
    settings: allSettings,
    need,
    twilio,
    account,
    listedNumbers,
    numbers,
    workspace,
    intercom,
    look,
    survey,
    async close() {
      ended.abort()
      await look.asked()?.then(
        (store) => store.close(),
        () => {}, // it never opened
      )
    },
  }
}

interface Once<Value> {
  (): Promise<Value>
  /** The promise, if anybody has asked for it. */
  asked(): Promise<Value> | undefined
}

function once<Value>(make: () => Promise<Value>): Once<Value> {
  let made: Promise<Value> | undefined
  const ask = () => {
    if (made === undefined) {
      made = make()
      made.catch(() => {}) // whoever asked may have given up meanwhile
    }
    return made
  }
  return Object.assign(ask, { asked: () => made })
}

/** The fact; or Unmet, with its own reason where it has one. */
async function unless<Value>(fact: Promise<Value>, reason: string): Promise<Value> {
  try {
    return await fact
  } catch (error) {
    if (error instanceof Unmet) throw error
    throw new Unmet(reason, { cause: describeError(error) })
  }
}
