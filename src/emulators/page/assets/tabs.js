// On a narrow page one panel is in sight at a time, chosen by a bar of tabs.
import { arrowKeys, byId, setAttribute, setStop, setText } from './dom.js'

const names = ['handset', 'inbox', 'ledger', 'faults']

export function createTabs({ onShow }) {
  const narrow = matchMedia('(max-width: 1099px)')
  const bar = byId('tabs')
  let chosen = 'handset'

  function show(name) {
    chosen = name
    document.body.dataset.panel = name
    for (const one of names) {
      const tab = byId(`tab-${one}`)
      setAttribute(tab, 'aria-selected', one === chosen)
      // Only while there are tabs is a panel a tab's panel.
      setAttribute(byId(one), 'role', narrow.matches ? 'tabpanel' : undefined)
    }
    setStop(bar, '[role=tab]', byId(`tab-${chosen}`))
    onShow()
  }

  for (const name of names) byId(`tab-${name}`).addEventListener('click', () => show(name))
  arrowKeys(bar, '[role=tab]', (tab) => show(tab.id.replace('tab-', '')))
  narrow.addEventListener('change', () => show(chosen))
  show(chosen)
  return {
    setCount(name, count) {
      const badge = byId(`tab-${name}`).querySelector('.count')
      badge.hidden = count === 0
      setText(badge, count === 0 ? '' : String(count))
    },
  }
}
