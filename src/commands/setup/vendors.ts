// Both vendors for commands that set up and look: few calls, so no rows in a store to share a limit by.
import type { Clock } from '../../clock.js'
import { DeliveryError, UserError } from '../../errors.js'
import type { IntercomClient } from '../../intercom/client.js'
import type { IntercomInbox } from '../../intercom/inbox.js'
import type { IntercomWorkspace } from '../../intercom/workspace.js'
import type { Call, Limiter, Transport } from '../../transport.js'
import type { TwilioClient } from '../../twilio/client.js'

const openLimiter: Limiter = { pass: async () => {}, learn: () => {}, hold: () => {} }

/** A call of a command's: nothing to lose a lease of. */
export function callUnder(signal: AbortSignal): Call {
  return { signal, guard: () => {}, priority: 'live' }
}

async function transportFor(clock: Clock): Promise<Transport> {
  const { createTransport } = await import('../../transport.js')
  return createTransport({ clock, limiter: openLimiter })
}

export interface TwilioAccess {
  readonly accountSid: string
  readonly authTokens: readonly string[]
  readonly apiKey?: { readonly sid: string; readonly secret: string }
  readonly baseUrl?: string
}

export async function connectTwilio(access: TwilioAccess, clock: Clock): Promise<TwilioClient> {
  const { createTwilioClient } = await import('../../twilio/client.js')
  return createTwilioClient({ ...access, transport: await transportFor(clock) })
}

export interface IntercomAccess {
  readonly accessToken: string
  readonly baseUrl: string
}

export interface Intercom {
  readonly client: IntercomClient
  readonly workspace: IntercomWorkspace
  /** In the name of this admin; nobody is notified. */
  inbox(adminId: string): IntercomInbox
}

export async function connectIntercom(access: IntercomAccess, clock: Clock): Promise<Intercom> {
  const [{ createIntercomClient }, { createIntercomWorkspace }, { createIntercomInbox }, transport] = await Promise.all(
    [
      import('../../intercom/client.js'),
      import('../../intercom/workspace.js'),
      import('../../intercom/inbox.js'),
      transportFor(clock),
    ],
  )
  const parts = { ...access, transport, clock }
  return {
    client: createIntercomClient(parts),
    workspace: createIntercomWorkspace(parts),
    inbox: (adminId) => createIntercomInbox({ ...parts, adminId, skipNotifications: true }),
  }
}

/** The token that OAuth's code is worth. */
export async function tokenOfCode(
  baseUrl: string,
  fields: { readonly code: string; readonly clientId: string; readonly clientSecret: string },
  { clock, call }: { readonly clock: Clock; readonly call: Call },
): Promise<string> {
  const { exchangeOAuthCode } = await import('../../intercom/workspace.js')
  return exchangeOAuthCode({ baseUrl, transport: await transportFor(clock) }, fields, call)
}

/** Refused, whatever else was asked: 401 and 403. */
export function isRefused(error: unknown): boolean {
  return error instanceof DeliveryError && (error.status === 401 || error.status === 403)
}

const origins = {
  us: 'https://api.intercom.io',
  eu: 'https://api.eu.intercom.io',
  au: 'https://api.au.intercom.io',
} as const

export type Region = keyof typeof origins

export interface Workspace {
  readonly region: Region
  readonly baseUrl: string
  readonly name: string
  readonly appId: string
  readonly adminId: string
  /** As the workspace tells it, which is mostly IANA. */
  readonly timeZone?: string
}

/**
 * Whose token it is and where the workspace lives. A region other than its own refuses a token (401), so all are asked,
 * the likely one first; `GET /me` then tells the truth.
 */
export async function findWorkspace(
  {
    accessToken,
    region,
    baseUrl,
    hosts = origins,
  }: {
    readonly accessToken: string
    /** As set so far. */
    readonly region: Region
    /** A proxy or a twin: the only one to ask. */
    readonly baseUrl?: string
    readonly hosts?: Readonly<Record<Region, string>>
  },
  { clock, call }: { readonly clock: Clock; readonly call: Call },
): Promise<Workspace | undefined> {
  const all: readonly Region[] = ['us', 'eu', 'au']
  const tried = baseUrl === undefined ? [region, ...all.filter((one) => one !== region)] : [region]
  for (const one of tried) {
    const { client } = await connectIntercom({ accessToken, baseUrl: baseUrl ?? hosts[one] }, clock)
    try {
      const me = await client.me(call)
      const told = all.find((name) => name === me.region.toLowerCase())
      if (told === undefined)
        throw new UserError(`Intercom says the workspace is in ${me.region}: that is no region we know`)
      return {
        region: told,
        baseUrl: baseUrl ?? hosts[told],
        name: me.workspace,
        appId: me.appId,
        adminId: me.adminId,
        ...(me.timeZone !== undefined && { timeZone: me.timeZone }),
      }
    } catch (error) {
      if (!isRefused(error)) throw error
    }
  }
  return undefined
}
