// The customer's side: their phones, and one chat with one of the company's numbers.
import {
  arrowKeys,
  byId,
  el,
  enterSends,
  keepAtEnd,
  keyed,
  setAttribute,
  setOptions,
  setStop,
  setText,
  watchEnd,
} from './dom.js'
import { phone, setTime } from './words.js'

/** What the carrier does with texts to this phone: a Twilio error code, or none. */
const fates = [
  ['', 'delivers texts'],
  ['30003', 'phone off (30003)'],
  ['30005', 'unknown (30005)'],
  ['30006', 'landline (30006)'],
  ['30007', 'filters (30007)'],
]
const codeWords = {
  30003: 'the phone cannot be reached',
  30005: 'the number is unknown',
  30006: 'landline, or a carrier that cannot be reached',
  30007: 'filtered by the carrier',
  30008: 'for a reason the carrier does not give',
}

export function createHandset({ act, announce, onUnread }) {
  const list = byId('handset-list')
  const log = byId('handset-texts')
  const to = byId('handset-to')
  const fate = byId('handset-fate')
  const input = byId('handset-input')
  const form = byId('handset-form')
  const drafts = new Map()
  /** The texts someone has seen, and those that reached a phone and were announced. */
  const seen = new Set()
  const told = new Set()
  let state
  let chosen
  let wished
  let first = true

  const key = () => `${chosen} ${to.value}`
  const reached = (text) => text.direction === 'to-customer' && (text.state === 'sent' || text.state === 'delivered')
  const unreadOf = (number) =>
    state.texts.filter((one) => one.customer === number && reached(one) && !seen.has(one.sid))

  /** What another of the company's numbers has sent to this customer meanwhile. */
  function freshWords(number) {
    const fresh = unreadOf(chosen).filter((one) => one.number === number && number !== to.value).length
    return fresh === 0 ? '' : ` (${fresh} new)`
  }

  function choose(number) {
    drafts.set(key(), input.value)
    chosen = number
    switched()
  }

  function switched() {
    input.value = drafts.get(key()) ?? ''
    render(state)
    log.scrollTop = log.scrollHeight
  }

  function render(latest) {
    state = latest
    const numbers = state.handsets.map((one) => one.number)
    if (wished !== undefined && numbers.includes(wished)) {
      chosen = wished
      wished = undefined
    }
    chosen ??= numbers[0]
    if (to.length === 0) setOptions(to, [['', state.numbers.map((one) => [one, phone(one)])]])
    if (first) for (const text of state.texts.filter(reached)) told.add(text.sid)
    first = false

    const texts = state.texts.filter(
      (one) => one.customer === chosen && (one.number === null || one.number === to.value),
    )
    if (log.checkVisibility()) for (const one of texts) if (reached(one)) seen.add(one.sid)
    setOptions(to, [['', state.numbers.map((one) => [one, `${phone(one)}${freshWords(one)}`])]])
    keyed(list, state.handsets, { key: (one) => one.number, create: chip, update: updateChip })
    setStop(list, 'button', list.querySelector('[aria-current]'))
    fate.value = String(state.handsets.find((one) => one.number === chosen)?.fate ?? '')
    setAttribute(log, 'aria-label', `Texts between ${phone(chosen)} and ${phone(to.value)}`)
    keepAtEnd(log, () => {
      keyed(log, texts.length === 0 ? [{ sid: 'empty' }] : texts, {
        key: (one) => one.sid,
        create: (one) => (one.sid === 'empty' ? emptyChat() : bubble(one)),
        update: (node, one) => one.sid === 'empty' || updateBubble(node, one),
      })
    })
    for (const text of state.texts) {
      if (!reached(text) || told.has(text.sid)) continue
      told.add(text.sid)
      announce(`New text on ${phone(text.customer)}: ${text.body}`)
    }
    onUnread(numbers.reduce((sum, number) => sum + unreadOf(number).length, 0))
  }

  function chip({ number }) {
    const button = el('button', { type: 'button', 'data-testid': 'handset-item', 'data-number': number })
    button.append(el('span', {}, phone(number)), el('span', { class: 'count', hidden: '' }))
    button.addEventListener('click', () => choose(number))
    return el('li', {}, button)
  }

  function updateChip(node, { number }) {
    const button = node.firstElementChild
    const unread = unreadOf(number).length
    setAttribute(button, 'aria-current', number === chosen ? 'true' : undefined)
    button.lastElementChild.hidden = unread === 0
    setText(button.lastElementChild, unread === 0 ? '' : `${unread} new`)
  }

  function updateBubble(node, text) {
    const [body, foot] = node.children
    setText(body, bodyOf(text))
    setAttribute(node, 'data-state', text.state)
    setAttribute(node, 'data-code', text.errorCode ?? undefined)
    setTime(foot.firstElementChild, text.at, state.now)
    setText(foot.lastElementChild, stateWords(text))
  }

  form.addEventListener('submit', async (event) => {
    event.preventDefault()
    const body = input.value
    if (body.trim() === '') return input.focus()
    if (!(await act('text', { from: chosen, to: to.value, body }))) return
    if (input.value === body) input.value = ''
    log.scrollTop = log.scrollHeight
    input.focus()
  })
  byId('handset-add-form').addEventListener('submit', async (event) => {
    event.preventDefault()
    const field = byId('handset-add-input')
    if (field.value.trim() === '') return field.focus()
    const number = field.value
    if (!(await act('add-handset', { number }))) return
    field.value = ''
    wished = number.replaceAll(/[\s().-]/g, '')
    if (state.handsets.some((one) => one.number === wished)) choose(wished)
    input.focus()
  })
  to.addEventListener('change', switched)
  fate.addEventListener('change', () =>
    act('set-fate', { number: chosen, code: fate.value === '' ? null : Number(fate.value) }),
  )
  setOptions(fate, [['', fates]])
  arrowKeys(list, 'button')
  enterSends(input, form)
  watchEnd(log)
  return { render }
}

function emptyChat() {
  return el(
    'p',
    { class: 'empty' },
    'Type a text below and press Enter. It reaches the bridge as a signed Twilio webhook and opens a conversation in the inbox.',
  )
}

function bubble({ sid, direction }) {
  return el(
    'div',
    { class: 'bubble', 'data-testid': 'text-bubble', 'data-sid': sid, 'data-direction': direction },
    el('p', { class: 'words', 'data-testid': 'text-body', dir: 'auto' }),
    el('p', { class: 'foot' }, el('time'), el('span', { 'data-testid': 'text-state' })),
  )
}

function bodyOf({ body, numMedia }) {
  if (numMedia === 0) return body
  const media = numMedia === 1 ? '[1 picture]' : `[${numMedia} pictures]`
  return body === '' ? media : `${body}\n${media}`
}

function stateWords({ state, direction, errorCode, refused }) {
  if (state === 'failed') {
    const why = codeWords[errorCode]
    return `Not delivered${why === undefined ? '' : `: ${why}`}${errorCode === null ? '' : ` (${errorCode})`}`
  }
  if (refused > 0) return `Sent, bridge did not take it (${refused === 1 ? '1 try' : `${refused} tries`})`
  if (state === 'sending') return direction === 'to-customer' ? 'On its way' : 'Sending'
  return state === 'sent' ? 'Sent' : 'Delivered'
}
