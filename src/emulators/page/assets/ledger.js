// The bridge's books: one line per delivery, newest first.
import { byId, el, keyed, setAttribute, setText } from './dom.js'
import { capitalised, duration, phone, setTime } from './words.js'

const kinds = {
  'inbound-sms': 'Text to inbox',
  'agent-reply': 'Reply to phone',
  'reply-note': 'Note to inbox',
  'away-text': 'Automatic text',
  'reply-lookup': 'Look for replies',
}

export function createLedger() {
  return {
    render({ ledger, now }) {
      byId('ledger-table').hidden = ledger.length === 0
      byId('ledger-empty').hidden = ledger.length > 0
      setText(byId('ledger-sum'), sumOf(ledger))
      keyed(byId('ledger-rows'), ledger, {
        key: (row) => row.id,
        create: rowNode,
        update: (node, row) => updateRow(node, row, now),
      })
    },
  }
}

function rowNode({ id, direction, kind }) {
  const cell = (name, ...children) => el('td', { class: name }, ...children)
  return el(
    'tr',
    { 'data-testid': 'ledger-row', 'data-id': id, 'data-direction': direction },
    cell('when', el('time')),
    cell(
      'what',
      el('span', { class: 'arrow' }, el('span', { class: 'unseen' }, `${direction}: `)),
      kinds[kind] ?? capitalised(kind),
    ),
    cell('customer'),
    cell('state', el('span', { class: 'pill' })),
    cell('number tries', el('span'), el('span', { class: 'unit' })),
    cell('number hop'),
    el('td', { class: 'note', dir: 'auto' }),
  )
}

function updateRow(node, row, now) {
  const [when, , customer, state, tries, hop, note] = node.children
  setAttribute(node, 'data-state', row.state)
  setTime(when.firstElementChild, row.at, now)
  setText(customer, phone(row.number))
  setAttribute(state.firstElementChild, 'data-state', stateOf(row))
  setText(state.firstElementChild, capitalised(stateOf(row)))
  setText(note, row.note)
  setText(tries.firstElementChild, String(row.attempts))
  setText(tries.lastElementChild, row.attempts === 1 ? ' try' : ' tries')
  setText(hop, row.hopMs === null ? '–' : duration(row.hopMs))
}

/** A delivery that is ready has not been tried yet, or waits to be tried again. */
function stateOf({ state, attempts }) {
  if (state !== 'ready') return state
  return attempts > 0 ? 'retrying' : 'waiting'
}

function sumOf(rows) {
  if (rows.length === 0) return 'Every delivery of the bridge'
  const count = (test) => rows.filter(test).length
  const facts = [
    `${count((row) => row.direction === 'in')} in`,
    `${count((row) => row.direction === 'out')} out`,
    `${count((row) => row.state === 'delivered')} delivered`,
  ]
  for (const state of ['ready', 'suppressed', 'parked']) {
    const many = count((row) => row.state === state)
    if (many > 0) facts.push(`${many} ${state === 'ready' ? 'under way' : state}`)
  }
  return facts.join(', ')
}
