// A twin, the vendor's own client pointed at it, a clock turned by hand, and the contract that judges every answer.
import { IntercomClient } from 'intercom-client'
import { afterAll, afterEach, beforeAll, expect } from 'vitest'
import { startIntercomTwin } from '../../../src/emulators/intercom/server.js'
import type { IntercomTwin, IntercomTwinOptions } from '../../../src/emulators/intercom/types.js'
import { type Contract, contractPresent, loadContract } from './contract.js'
import { type Hub, startHub } from './hub.js'
import { text } from './json.js'
import { createManualClock, type ManualClock } from './manual-clock.js'

export const token = 'fake-token'
export const clientSecret = 'fake-client-secret'
export const start = Date.UTC(2026, 10, 2, 12, 0, 0)
export const startSeconds = start / 1000
export const ada = { id: '101', name: 'Ada Agent', email: 'ada@example.com' }
export const bob = { id: '102', name: 'Bob Backup', email: 'bob@example.com' }
const support = { id: '201', name: 'Support', adminIds: ['101', '102'] }
export const phone = '+15550100177'

export interface Answer {
  readonly status: number
  readonly headers: Headers
  readonly body: unknown
}

export interface Stage {
  readonly twin: IntercomTwin
  readonly clock: ManualClock
  readonly client: IntercomClient
  /** A plain call with the right credentials; `headers` overrule them, null leaves one out. */
  call(method: string, path: string, body?: unknown, headers?: Record<string, string | null>): Promise<Answer>
  /** A lead with a phone, and a conversation of theirs. */
  lead(body?: string): Promise<{ contactId: string; conversationId: string }>
}

let contract: Contract | undefined
const cleanups: (() => Promise<void>)[] = []

/**
 * To be called at the top of a test file: stops what a test started, and has every answer judged by the contract
 * unless told otherwise.
 */
export function useStages({ judged = true } = {}): void {
  beforeAll(async () => {
    if (contractPresent && judged) contract = await loadContract()
  })
  afterEach(async () => {
    for (const cleanup of cleanups.splice(0)) await cleanup()
  })
  afterAll(() => {
    if (contract !== undefined) expect(contract.judged()).toBeGreaterThan(0)
  })
}

export async function startStage(options: Partial<IntercomTwinOptions> = {}): Promise<Stage> {
  const clock = createManualClock(start)
  const twin = await startIntercomTwin({
    accessToken: token,
    clientSecret,
    appId: 'abc123de',
    admins: [ada, bob],
    teams: [support],
    contactAttributes: ['sms_opted_out'],
    clock,
    ...options,
  })
  cleanups.push(() => twin.stop())
  const client = new IntercomClient({ token, baseUrl: twin.url, maxRetries: 0, fetch: judgedFetch })
  const call: Stage['call'] = async (method, path, body, headers = {}) => {
    const sent: Record<string, string | null> = {
      authorization: `Bearer ${token}`,
      accept: 'application/json',
      'content-type': 'application/json',
      'intercom-version': '2.15',
      ...headers,
    }
    const response = await judgedFetch(`${twin.url}${path}`, {
      method,
      headers: Object.entries(sent).filter((entry): entry is [string, string] => entry[1] !== null),
      ...(body === undefined ? {} : { body: typeof body === 'string' ? body : JSON.stringify(body) }),
    })
    const text = await response.text()
    return { status: response.status, headers: response.headers, body: text === '' ? undefined : JSON.parse(text) }
  }
  return {
    twin,
    clock,
    client,
    call,
    async lead(body = 'Hello') {
      const contact = await call('POST', '/contacts', { role: 'lead', phone })
      const contactId = text(contact.body, 'id')
      const message = await call('POST', '/conversations', { from: { type: 'lead', id: contactId }, body })
      return { contactId, conversationId: text(message.body, 'conversation_id') }
    },
  }
}

/** A stage whose webhooks arrive at a hub. */
export async function startHubStage(
  options: Partial<IntercomTwinOptions> = {},
  topics?: readonly string[],
): Promise<Stage & { readonly hub: Hub }> {
  const stage = await startStage(options)
  const hub = await startHub()
  cleanups.push(() => hub.stop())
  await stage.twin.setWebhook(hub.url, topics)
  await stage.twin.idle()
  return { ...stage, hub }
}

const judgedFetch: typeof fetch = async (input, init) => {
  const response = await fetch(input, init)
  const url = new URL(input instanceof Request ? input.url : input)
  const type = response.headers.get('content-type') ?? ''
  if (contract !== undefined && type.includes('application/json')) {
    const method = (init?.method ?? 'GET').toUpperCase()
    const body: unknown = await response.clone().json()
    const faults = contract.faultsOf({ method, path: url.pathname, status: response.status, body })
    expect(faults, `${method} ${url.pathname} answered against the contract`).toBeUndefined()
  }
  return response
}
