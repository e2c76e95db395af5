import { connect, post } from './connection.js'
import { byId, setText } from './dom.js'
import { createFaults } from './faults.js'
import { createHandset } from './handset.js'
import { createInbox } from './inbox.js'
import { createLedger } from './ledger.js'
import { createTabs } from './tabs.js'
import { tickTimes } from './words.js'

let state
/** The sandbox's clock less ours: its times are told against its own. */
let skewMs = 0
let hiding

/** Does an action and says whether it was done; what was refused is shown to the person. */
async function act(action, fields) {
  try {
    await post(action, fields)
    byId('alert').hidden = true
    return true
  } catch (error) {
    complain(error.message)
    return false
  }
}

function complain(words) {
  const alert = byId('alert')
  alert.hidden = false
  setText(alert, words)
  clearTimeout(hiding)
  hiding = setTimeout(() => {
    alert.hidden = true
  }, 8000)
}

function announce(words) {
  setText(byId('announcer'), words)
}

function showBridge({ bridge }) {
  const words = {
    checking: 'Looking for the bridge',
    ready: 'Bridge is ready',
    'not-ready': `Bridge is not ready (${bridge.status})`,
    down: 'Bridge does not answer',
  }
  byId('bridge').dataset.state = bridge.health
  setText(byId('bridge-words'), words[bridge.health])
  setText(byId('bridge-url'), bridge.url)
}

function showLink(up) {
  const link = byId('link')
  link.hidden = up
  setText(link, up ? '' : 'The sandbox does not answer. Trying again.')
}

function render() {
  if (state === undefined) return
  showBridge(state)
  for (const panel of panels) panel.render(state)
  document.body.dataset.loaded = ''
}

// What scrolls has to be reachable without a mouse, and not every browser sees to that itself.
for (const scroller of document.querySelectorAll('.chat, .scroll')) scroller.tabIndex = 0

const tabs = createTabs({ onShow: () => queueMicrotask(render) })
const panels = [
  createHandset({ act, announce, onUnread: (count) => tabs.setCount('handset', count) }),
  createInbox({ act, announce, onUnread: (count) => tabs.setCount('inbox', count) }),
  createLedger(),
  createFaults({ act, onArmed: (count) => tabs.setCount('faults', count) }),
]

connect({
  onState(latest) {
    state = latest
    skewMs = state.now - Date.now()
    render()
  },
  onLink: showLink,
})
setInterval(() => tickTimes(Date.now() + skewMs), 5000)
