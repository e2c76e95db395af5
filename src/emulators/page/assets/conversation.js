// One conversation as a teammate sees it: its parts, and what they can do with it.
import { byId, el, enterSends, keepAtEnd, keyed, setAttribute, setOptions, setText, watchEnd } from './dom.js'
import { phone, setTime, textOf } from './words.js'

/** What a part without words says. */
const happenings = {
  close: 'closed the conversation',
  open: 'reopened the conversation',
  assignment: 'assigned the conversation',
  assign_and_reopen: 'assigned and reopened the conversation',
  snoozed: 'snoozed the conversation',
}
const modes = {
  reply: { label: 'Reply to the customer', send: 'Reply', hint: 'goes to the handset as a text' },
  note: { label: 'Note for the team', send: 'Add note', hint: 'stays in the team' },
}

export function createConversation({ act, onBack }) {
  const parts = byId('parts')
  const form = byId('answer-form')
  const input = byId('inbox-input')
  const assign = byId('assign')
  const drafts = new Map()
  let state
  let shown

  const mode = () => form.elements.mode.value

  function setMode() {
    const { label, send, hint } = modes[mode()]
    form.dataset.mode = mode()
    setText(byId('inbox-input-label'), label)
    setText(byId('inbox-send'), send)
    setText(byId('mode-hint'), hint)
    input.placeholder = label
    byId('inbox-send-close').hidden = mode() === 'note'
  }

  function render(latest, conversation) {
    state = latest
    byId('conversation-body').hidden = conversation === undefined
    byId('conversation-empty').hidden = conversation !== undefined
    if (conversation === undefined) return
    const switched = shown?.id !== conversation.id
    if (switched) {
      if (shown !== undefined) drafts.set(shown.id, { text: input.value, mode: mode() })
      const draft = drafts.get(conversation.id) ?? { text: '', mode: 'reply' }
      input.value = draft.text
      form.elements.mode.value = draft.mode
      setMode()
    }
    shown = conversation
    setAttribute(byId('conversation'), 'data-id', conversation.id)
    setAttribute(byId('conversation'), 'data-state', conversation.state)
    const { name, phone: number } = conversation.contact
    setText(byId('conversation-who'), who(conversation))
    setAttribute(
      byId('conversation-who'),
      'title',
      name !== null && number !== null && name !== number ? phone(number) : undefined,
    )
    setText(byId('conversation-state'), stateWord(conversation))
    setAttribute(byId('conversation-state'), 'data-state', conversation.state)
    setText(byId('conversation-toggle'), conversation.state === 'closed' ? 'Reopen' : 'Close')
    renderTools(conversation)
    keepAtEnd(parts, () =>
      keyed(parts, conversation.parts, { key: (part) => part.id, create: partNode, update: updatePart }),
    )
    if (switched) parts.scrollTop = parts.scrollHeight
  }

  function renderTools({ assignee, tags }) {
    setOptions(assign, [
      ['', [['', 'Unassigned']]],
      ['Teams', state.teams.map((one) => [`team:${one.id}`, one.name])],
      ['Teammates', state.admins.map((one) => [`admin:${one.id}`, one.name])],
    ])
    if (document.activeElement !== assign) assign.value = assignee ?? ''
    keyed(byId('tags'), tags, {
      key: (tag) => tag,
      create: (tag) => el('li', { class: 'tag', 'data-testid': 'conversation-tag', dir: 'auto' }, tag),
      update: () => {},
    })
  }

  function updatePart(node, part) {
    const words = node.querySelector('.words')
    const text = [textOf(part.html), ...part.attachments.map((name) => `[${name}]`)].filter(Boolean).join('\n')
    if (words !== null) setText(words, text)
    setTime(node.querySelector('time'), part.at, state.now)
  }

  async function send(close) {
    const body = input.value
    if (body.trim() === '') return input.focus()
    const conversationId = shown.id
    const done =
      mode() === 'note'
        ? await act('note', { conversationId, body })
        : await act('reply', { conversationId, body, close })
    if (!done) return
    if (input.value === body) input.value = ''
    parts.scrollTop = parts.scrollHeight
    input.focus()
  }

  form.addEventListener('submit', (event) => {
    event.preventDefault()
    void send(false)
  })
  byId('inbox-send-close').addEventListener('click', () => send(true))
  for (const radio of form.elements.mode) radio.addEventListener('change', setMode)
  byId('conversation-toggle').addEventListener('click', () =>
    act(shown.state === 'closed' ? 'open' : 'close', { conversationId: shown.id }),
  )
  assign.addEventListener('change', () => {
    const [type, id] = assign.value.split(':')
    if (id !== undefined) void act('assign', { conversationId: shown.id, type, id })
  })
  byId('tag-form').addEventListener('submit', async (event) => {
    event.preventDefault()
    const field = byId('tag-input')
    if (field.value.trim() === '') return field.focus()
    if (await act('tag', { conversationId: shown.id, name: field.value })) field.value = ''
  })
  byId('inbox-back').addEventListener('click', onBack)
  enterSends(input, form)
  watchEnd(parts)
  setMode()
  return { render, focus: () => input.focus() }
}

export function who({ contact }) {
  return phone(contact.name ?? contact.phone ?? 'Unknown contact')
}

export function stateWord({ state }) {
  return { open: 'Open', closed: 'Closed', snoozed: 'Snoozed' }[state]
}

function partNode(part) {
  const happening = happenings[part.kind]
  const customer = part.author.type === 'user' || part.author.type === 'lead'
  const side = customer ? 'customer' : part.kind === 'note' ? 'note' : 'team'
  const facts = {
    'data-testid': 'conversation-part',
    'data-id': part.id,
    'data-kind': part.kind,
    'data-author': part.author.type,
  }
  const silent = part.html === '' && part.attachments.length === 0
  const line = el('p', { class: 'foot' }, el('span', { class: 'author', dir: 'auto' }, phone(part.author.name)))
  if (silent) {
    line.append(el('span', {}, happening ?? part.kind), el('time'))
    return el('div', { class: 'happening', ...facts }, line)
  }
  line.append(...(part.kind === 'note' ? [el('span', {}, 'internal note')] : []), el('time'))
  const node = el('div', { class: 'bubble', 'data-side': side, ...facts }, line)
  node.append(el('p', { class: 'words', 'data-testid': 'part-body', dir: 'auto' }))
  if (happening !== undefined) node.append(el('p', { class: 'foot after' }, `and ${happening}`))
  return node
}
