// The page over both twins, with a web server in the bridge's place that takes every webhook: what the bridge would
// do at the vendors, a test does by their APIs.
import { once } from 'node:events'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import type { TwinClock } from '../../src/emulators/clock.js'
import { startIntercomTwin } from '../../src/emulators/intercom/server.js'
import type { IntercomTwin } from '../../src/emulators/intercom/types.js'
import { startSandboxPage } from '../../src/emulators/page/server.js'
import type { LedgerFeed, LedgerRow } from '../../src/emulators/page/types.js'
import { startTwilioTwin } from '../../src/emulators/twilio/server.js'
import type { TwilioTwin } from '../../src/emulators/twilio/types.js'

const accountSid = `AC${'0'.repeat(32)}`
const authToken = 'obviously-fake-auth-token'
const accessToken = 'obviously-fake-access-token'

export const company = '+15550100100'
export const secondNumber = '+15550100200'
export const customer = '+15550100142'
export const otherCustomer = '+15550100177'

export interface TestPage {
  url(): string
  readonly bridgeUrl: string
  readonly twilio: TwilioTwin
  readonly intercom: IntercomTwin
  readonly bridge: { status: number }
  addRow(row: Partial<LedgerRow> & { id: string }): void
  /** Posts a text into the inbox as the bridge would; resolves with the conversation's id. */
  postToInbox(phone: string, html: string): Promise<string>
  /** Sends a text to a handset as the bridge would. */
  sendToHandset(to: string, body: string, from?: string): Promise<void>
  /** Stops the page alone, and starts it again at the same port. */
  stopPage(): Promise<void>
  startPage(): Promise<void>
  stop(): Promise<void>
}

export async function startTestPage({ clock }: { clock?: TwinClock } = {}): Promise<TestPage> {
  const bridge = { status: 200 }
  const door = createServer((request, response) => {
    response.writeHead(request.method === 'GET' ? bridge.status : 200, { 'content-type': 'text/xml' })
    response.end('<Response/>')
  }).listen(0, '127.0.0.1')
  await once(door, 'listening')
  // Listening on a port, so its address is no path.
  const bridgeUrl = `http://127.0.0.1:${(door.address() as AddressInfo).port}`
  const twilio = await startTwilioTwin({
    accountSid,
    authToken,
    numbers: [company, secondNumber].map((phoneNumber) => ({ phoneNumber, smsUrl: `${bridgeUrl}/sms` })),
    carrierMs: 0,
  })
  const intercom = await startIntercomTwin({
    accessToken,
    clientSecret: 'obviously-fake-client-secret',
    admins: [
      { id: '401', name: 'Dana', email: 'dana@example.com' },
      { id: '402', name: 'Sam', email: 'sam@example.com' },
    ],
    teams: [
      { id: '814', name: 'Support', adminIds: ['401'] },
      { id: '815', name: 'Sales', adminIds: ['402'] },
    ],
  })
  const rows: LedgerRow[] = []
  const listeners = new Set<() => void>()
  const ledger: LedgerFeed = {
    list: async () => rows.toReversed(),
    subscribe(listener) {
      listeners.add(listener)
      return () => void listeners.delete(listener)
    },
  }
  const start = (port: number) =>
    startSandboxPage({ twilio, intercom, ledger, bridgeUrl, port, ...(clock !== undefined && { clock }) })
  let page = await start(0)
  const contacts = new Map<string, string>()

  async function callIntercom(path: string, body: unknown): Promise<Record<string, unknown>> {
    const response = await fetch(`${intercom.url}${path}`, {
      method: 'POST',
      headers: {
        authorization: `Bearer ${accessToken}`,
        accept: 'application/json',
        'content-type': 'application/json',
      },
      body: JSON.stringify(body),
    })
    if (!response.ok) throw new Error(`${path} answered ${response.status}`)
    // JSON objects are what these two calls answer.
    return (await response.json()) as Record<string, unknown>
  }

  return {
    url: () => page.url,
    bridgeUrl,
    twilio,
    intercom,
    bridge,
    addRow(row) {
      const kind = row.direction === 'out' ? 'agent-reply' : 'inbound-sms'
      const usual = { at: Date.now(), direction: 'in' as const, number: customer, attempts: 1, note: '', hopMs: 420 }
      rows.push({ ...usual, kind, state: 'delivered', ...row })
      for (const listener of listeners) listener()
    },
    async postToInbox(phone, html) {
      const known = contacts.get(phone)
      const id = known ?? String((await callIntercom('/contacts', { role: 'lead', phone, name: null })).id)
      contacts.set(phone, id)
      const open = intercom.conversations().find((one) => one.contactId === id && one.state === 'open')
      if (open === undefined) {
        const made = await callIntercom('/conversations', { from: { type: 'lead', id }, body: html })
        return String(made.conversation_id)
      }
      const reply = { message_type: 'comment', type: 'user', intercom_user_id: id, body: html }
      await callIntercom(`/conversations/${open.id}/reply`, reply)
      return open.id
    },
    async sendToHandset(to, body, from = company) {
      const response = await fetch(`${twilio.url}/2010-04-01/Accounts/${accountSid}/Messages.json`, {
        method: 'POST',
        headers: { authorization: `Basic ${Buffer.from(`${accountSid}:${authToken}`).toString('base64')}` },
        body: new URLSearchParams({ To: to, From: from, Body: body }),
      })
      if (response.status !== 201) throw new Error(`Twilio answered ${response.status}: ${await response.text()}`)
    },
    stopPage: () => page.stop(),
    async startPage() {
      page = await start(Number(new URL(page.url).port))
    },
    async stop() {
      await page.stop()
      await Promise.all([twilio.stop(), intercom.stop()])
      door.closeAllConnections()
      await new Promise((resolve) => door.close(resolve))
    },
  }
}
