// The team's side: the list of conversations. The open one is drawn by conversation.js.
import { createConversation, stateWord, who } from './conversation.js'
import { arrowKeys, byId, el, keyed, setAttribute, setStop, setText } from './dom.js'
import { setTime, textOf } from './words.js'

const fromCustomer = (part) => part.author.type === 'user' || part.author.type === 'lead'

export function createInbox({ act, announce, onUnread }) {
  const panel = byId('inbox')
  const list = byId('conversation-list')
  const seen = new Set()
  const told = new Set()
  let state
  let chosen
  let first = true
  const conversation = createConversation({ act, onBack: () => show('list') })

  /** On a narrow page either the list or the conversation is in sight. */
  function show(view) {
    panel.dataset.view = view
    if (view === 'list') list.querySelector('[aria-current], button')?.focus()
  }

  function choose(id) {
    chosen = id
    show('conversation')
    render(state)
    conversation.focus()
  }

  const unread = (one) => one.parts.filter((part) => fromCustomer(part) && !seen.has(part.id)).length

  function render(latest) {
    state = latest
    const open = state.conversations.filter((one) => one.state === 'open').length
    // The first one opens by itself where it can be seen: whoever just texted wants to see where it went.
    if (byId('conversation').checkVisibility()) chosen ??= state.conversations[0]?.id
    const current = state.conversations.find((one) => one.id === chosen)
    conversation.render(state, current)
    if (current !== undefined && byId('conversation-body').checkVisibility()) {
      for (const part of current.parts) seen.add(part.id)
    }
    keyed(list, state.conversations, { key: (one) => one.id, create: item, update: updateItem })
    setStop(list, 'button', list.querySelector('[aria-current]'))
    setText(
      byId('conversation-empty'),
      state.conversations.length === 0
        ? 'It can be read and answered here.'
        : 'Choose a conversation to read it and to answer.',
    )
    byId('inbox-empty').hidden = state.conversations.length > 0
    setText(
      byId('inbox-sum'),
      state.conversations.length === 0
        ? 'What your team sees'
        : `${open} open, ${state.conversations.length - open} closed`,
    )
    for (const one of state.conversations) {
      for (const part of one.parts) {
        if (told.has(part.id)) continue
        told.add(part.id)
        if (!first && fromCustomer(part)) announce(`${who(one)} wrote: ${textOf(part.html)}`)
      }
    }
    first = false
    onUnread(state.conversations.filter((one) => unread(one) > 0).length)
  }

  function item({ id }) {
    const button = el(
      'button',
      { type: 'button', 'data-testid': 'conversation-item', 'data-id': id },
      el('span', { class: 'who', dir: 'auto' }),
      el('time'),
      el('span', { class: 'preview', dir: 'auto' }),
      el('span', { class: 'pill' }),
    )
    button.addEventListener('click', () => choose(id))
    return el('li', {}, button)
  }

  function updateItem(node, one) {
    const button = node.firstElementChild
    const [name, time, preview, pill] = button.children
    const fresh = unread(one)
    setAttribute(button, 'aria-current', one.id === chosen ? 'true' : undefined)
    setAttribute(button, 'data-state', one.state)
    setAttribute(button, 'data-unread', fresh > 0 ? fresh : undefined)
    setText(name, who(one))
    setTime(time, one.updatedAt, state.now)
    setText(preview, previewOf(one))
    const waiting = one.state === 'open' && one.waitingSince !== null
    setAttribute(pill, 'data-state', waiting ? 'waiting' : one.state)
    setText(pill, fresh > 0 ? `${fresh} new` : waiting ? 'Waiting' : one.state === 'open' ? 'Answered' : stateWord(one))
  }

  arrowKeys(list, 'button')
  panel.dataset.view = 'list'
  return { render }
}

function previewOf(conversation) {
  const last = conversation.parts.findLast((part) => part.html !== '' || part.attachments.length > 0)
  if (last === undefined) return ''
  const words = textOf(last.html).replaceAll('\n', ' ') || '[attachment]'
  return last.kind === 'note' ? `Note: ${words}` : fromCustomer(last) ? words : `${last.author.name}: ${words}`
}
