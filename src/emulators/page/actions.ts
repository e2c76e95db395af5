// What a person can do on the page, each a small POST of JSON to /api/<name>.
import { apiFaults, type Faults, webhookFaults } from '../faults.js'
import type { IntercomTwin, TwinConversation } from '../intercom/types.js'
import type { TwilioTwin } from '../twilio/types.js'
import { type Fields, RefusedAction } from './fields.js'
import type { Handsets } from './handsets.js'
import type { Vendor } from './types.js'

export interface ActionParts {
  readonly twilio: TwilioTwin
  readonly intercom: IntercomTwin
  readonly handsets: Handsets
}

export type Action = (fields: Fields) => void

const vendors: readonly Vendor[] = ['twilio', 'intercom']
/** Twilio joins up to ten segments; beyond 1600 characters it takes none. */
const longestText = 1600
const longestReply = 8000

export function createActions({ twilio, intercom, handsets }: ActionParts): ReadonlyMap<string, Action> {
  const faultsOf = (fields: Fields): Faults =>
    ({ twilio: twilio.faults, intercom: intercom.faults })[fields.choice('vendor', vendors)]
  const conversationOf = (fields: Fields): TwinConversation => {
    const id = fields.text('conversationId', 100)
    const found = intercom.conversations().find((one) => one.id === id)
    if (found === undefined) throw new RefusedAction('That conversation is no longer there.')
    return found
  }
  const customer = (fields: Fields, name: string): string => {
    const number = fields.phoneNumber(name)
    const ours = twilio.numbers().some((one) => one.phoneNumber === number)
    if (ours) throw new RefusedAction(`${number} belongs to the company. Choose another number for a customer.`)
    return number
  }
  const actions: Record<string, Action> = {
    text(fields) {
      const to = fields.choice(
        'to',
        twilio.numbers().map((one) => one.phoneNumber),
      )
      const from = customer(fields, 'from')
      twilio.text({ from, to, body: fields.text('body', longestText) })
      handsets.add(from)
    },
    'add-handset': (fields) => handsets.add(customer(fields, 'number')),
    'set-fate'(fields) {
      const number = customer(fields, 'number')
      const code = fields.code('code')
      twilio.setFate(number, code)
      handsets.decideFate(number, code)
    },
    reply(fields) {
      const close = fields.flag('close')
      const { id } = conversationOf(fields)
      intercom.inbox.reply(id, toHtml(fields.text('body', longestReply)), close ? { and: 'close' } : {})
    },
    note: (fields) => void intercom.inbox.note(conversationOf(fields).id, toHtml(fields.text('body', longestReply))),
    close: (fields) => void intercom.inbox.close(conversationOf(fields).id),
    open: (fields) => void intercom.inbox.open(conversationOf(fields).id),
    assign(fields) {
      const type = fields.choice('type', ['admin', 'team'])
      const known = type === 'admin' ? intercom.admins() : intercom.teams()
      const id = fields.choice(
        'id',
        known.map((one) => one.id),
      )
      intercom.inbox.assign(conversationOf(fields).id, { type, id })
    },
    tag: (fields) => intercom.inbox.tag(conversationOf(fields).id, fields.text('name', 100)),
    'set-fault'(fields) {
      const faults = faultsOf(fields)
      const kind = fields.choice('kind', apiFaults)
      faults.disarm(kind)
      if (fields.flag('on')) faults.arm(kind, fields.flag('once') ? { times: 1 } : {})
    },
    'set-webhook-fault'(fields) {
      const kind = fields.choice('kind', webhookFaults)
      const { webhooks } = faultsOf(fields)
      if (fields.flag('on')) webhooks.add(kind)
      else webhooks.delete(kind)
    },
    'clear-faults'() {
      twilio.faults.clear()
      intercom.faults.clear()
    },
  }
  return new Map(Object.entries(actions))
}

/** As the inbox's editor would: a paragraph, its lines broken, nothing of it markup. */
function toHtml(text: string): string {
  const escaped = text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;')
  return `<p>${escaped.replaceAll('\n', '<br>')}</p>`
}
