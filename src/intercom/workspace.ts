// What a workspace and its app allow and have: for setting a bridge up and for finding out what is wrong with it.
import { DeliveryError } from '../errors.js'
import type { Call, Transport } from '../transport.js'
import { readIntercomError } from './errors.js'
import * as shapes from './shapes.js'
import { createWire, type Operation, type WireParts } from './wire.js'

/** A tick box of the Developer Hub (intercom.md §7), and what is lost without it. */
export interface Permission {
  readonly box: string
  readonly why: string
  /** The bridge relays nothing without it. */
  readonly needed: boolean
}

export interface Team {
  readonly id: string
  readonly name: string
}

export interface IntercomWorkspace {
  /** Those of `permissions` that the app lacks: one call for each, none of which changes anything. */
  missingPermissions(call: Call): Promise<readonly Permission[]>
  listTeams(call: Call): Promise<readonly Team[]>
  /** Teammates. */
  listAdmins(call: Call): Promise<readonly Team[]>
  /** False: there is one of that name already. */
  createContactAttribute(name: string, description: string, call: Call): Promise<boolean>
}

/** Ids that nobody has: with the permission the answer is that nothing is there, without it that it is forbidden. */
const nobody = '000000000000000000000000'
const nothing = '0'

const page = { pagination: { per_page: 1 } }
const since = (value: number) => ({ query: { field: 'updated_at', operator: '>', value }, ...page })

/** A date far ahead: nothing is found, however big the workspace. */
const never = 4_102_444_800

const probes: readonly (Permission & { readonly ask: Operation })[] = [
  {
    box: 'Read and list users and companies',
    why: 'to find the customer by the phone number',
    needed: true,
    ask: { method: 'POST', path: '/contacts/search', body: since(never) },
  },
  {
    box: 'Read one user and one company',
    why: 'to see whether a customer is still there',
    needed: true,
    ask: { method: 'GET', path: `/contacts/${nobody}` },
  },
  {
    box: 'Write users and companies',
    why: 'to create a contact for a new customer',
    needed: true,
    ask: { method: 'PUT', path: `/contacts/${nobody}`, body: {} },
  },
  {
    box: 'Read conversations',
    why: 'to read what an agent wrote',
    needed: true,
    ask: { method: 'POST', path: '/conversations/search', body: since(never) },
  },
  {
    box: 'Write conversations',
    why: 'to show a text in the inbox',
    needed: true,
    ask: { method: 'PUT', path: `/conversations/${nothing}`, body: { read: true } },
  },
  {
    box: 'Read admins',
    why: 'to list the teams that conversations can go to',
    needed: false,
    ask: { method: 'GET', path: '/teams' },
  },
  {
    box: 'Write data attributes',
    why: 'to create the attributes city, state and country',
    needed: false,
    ask: { method: 'POST', path: '/data_attributes', body: { name: '!', model: 'contact', data_type: 'string' } },
  },
  {
    box: 'Write tags',
    why: 'to prove that tags are told of',
    needed: false,
    ask: { method: 'POST', path: '/tags', body: { name: '' } },
  },
  {
    box: 'Delete conversations and metrics',
    why: 'to clean up the conversation that proves the webhooks',
    needed: false,
    ask: { method: 'DELETE', path: `/conversations/${nothing}` },
  },
]

export function createIntercomWorkspace(parts: WireParts): IntercomWorkspace {
  const { run } = createWire(parts)

  const isMissing = async (ask: Operation, call: Call): Promise<boolean> => {
    try {
      await run(ask, shapes.anything, call)
    } catch (error) {
      if (!(error instanceof DeliveryError)) throw error
      if (error.status === 403) return true
      // It was understood and refused for what it asked of: allowed.
      if (error.outcome !== 'permanent') throw error
    }
    return false
  }

  return {
    async missingPermissions(call) {
      const missing: Permission[] = []
      for (const { ask, ...permission } of probes) if (await isMissing(ask, call)) missing.push(permission)
      return missing
    },

    listTeams: async (call) => (await run({ method: 'GET', path: '/teams' }, shapes.teams, call)).teams,

    listAdmins: async (call) => (await run({ method: 'GET', path: '/admins' }, shapes.admins, call)).admins,

    async createContactAttribute(name, description, call) {
      const body = { name, model: 'contact', data_type: 'string', description }
      try {
        await run({ method: 'POST', path: '/data_attributes', body, creates: true }, shapes.anything, call)
        return true
      } catch (error) {
        if (error instanceof DeliveryError && error.status === 400 && /already have/.test(error.message)) return false
        throw error
      }
    },
  }
}

/** A code from the browser for a token that does not expire (intercom.md §7). */
export async function exchangeOAuthCode(
  parts: { readonly baseUrl: string; readonly transport: Transport },
  fields: { readonly code: string; readonly clientId: string; readonly clientSecret: string },
  call: Call,
): Promise<string> {
  const { code, clientId, clientSecret } = fields
  const { json } = await parts.transport.request(
    {
      shore: 'intercom',
      method: 'POST',
      url: `${parts.baseUrl.replace(/\/$/, '')}/auth/eagle/token`,
      headers: { Accept: 'application/json', 'Content-Type': 'application/json' },
      body: JSON.stringify({ code, client_id: clientId, client_secret: clientSecret }),
      creates: true,
      readError: readIntercomError,
    },
    call,
  )
  const read = shapes.oauthToken.safeParse(json)
  if (read.success) return read.data.access_token
  throw new DeliveryError('intercom answered the OAuth exchange without a token', {
    outcome: 'permanent',
    shore: 'intercom',
    code: 'unexpected_shape',
  })
}
