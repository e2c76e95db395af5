// Switches for what can go wrong at either vendor.
import { byId, el, setAttribute, setText } from './dom.js'

const vendors = [
  ['twilio', 'Twilio'],
  ['intercom', 'Intercom'],
]
const api = [
  ['rate-limit', 'Rate limit', '429, nothing done'],
  ['error-before', 'Error', '500, nothing done'],
  ['error-after', 'Done, then error', '500 after the work'],
  ['timeout-after', 'Done, then silence', 'no answer after the work'],
  ['reset-after', 'Done, then reset', 'connection lost after the work'],
  ['reset-before', 'Reset', 'connection lost, nothing done'],
  ['truncated', 'Half an answer', 'done, the answer breaks off'],
  ['html', 'Gateway page', '502 with HTML'],
  ['slow', 'Slow', 'answers after 3 s'],
  ['outage', 'Outage', 'every connection lost'],
  ['refuse-credentials', 'Credentials refused', '401 whatever was sent'],
]
const webhooks = [
  ['duplicate', 'Twice', 'every webhook is sent twice'],
  ['reorder', 'Out of order', 'held back until the next has gone'],
  ['drop', 'Lost', 'never sent'],
]

export function createFaults({ act, onArmed }) {
  const rows = byId('fault-rows')
  const switches = []

  function row(kind, [name, about], isWebhook) {
    const cells = vendors.map(([vendor, vendorName]) => {
      const label = `${vendorName}: ${isWebhook ? 'webhooks ' : ''}${name.toLowerCase()}, ${about}`
      const button = el(
        'button',
        {
          type: 'button',
          role: 'switch',
          class: 'switch',
          'aria-label': label,
          'data-testid': `fault-${vendor}-${kind}`,
        },
        el('span', { class: 'knob', 'aria-hidden': 'true' }),
      )
      button.addEventListener('click', () => toggle(button, { vendor, kind, isWebhook }))
      switches.push({ button, vendor, kind, isWebhook })
      return el('td', {}, button)
    })
    const head = el('th', { scope: 'row' }, el('span', {}, name), el('small', {}, about))
    return el('tr', {}, head, ...cells)
  }

  function toggle(button, { vendor, kind, isWebhook }) {
    const on = button.getAttribute('aria-checked') !== 'true'
    const once = document.querySelector('input[name="times"]:checked').value === 'once'
    void act(isWebhook ? 'set-webhook-fault' : 'set-fault', { vendor, kind, on, ...(isWebhook ? {} : { once }) })
  }

  const group = (words) => el('tr', { class: 'group' }, el('th', { scope: 'rowgroup', colspan: '3' }, words))
  rows.append(group('When the bridge calls the vendor'))
  for (const [kind, ...words] of api) rows.append(row(kind, words, false))
  rows.append(group('When the vendor sends a webhook'))
  for (const [kind, ...words] of webhooks) rows.append(row(kind, words, true))
  byId('faults-clear').addEventListener('click', () => act('clear-faults', {}))

  return {
    render({ faults }) {
      let armed = 0
      for (const { button, vendor, kind, isWebhook } of switches) {
        const left = isWebhook ? undefined : faults[vendor].api[kind]
        const on = isWebhook ? faults[vendor].webhooks.includes(kind) : left !== undefined
        if (on) armed += 1
        setAttribute(button, 'aria-checked', on)
        // How many calls it still applies to, when that is a number.
        setText(button.firstElementChild, typeof left === 'number' ? String(left) : '')
      }
      byId('faults-clear').disabled = armed === 0
      onArmed(armed)
    },
  }
}
