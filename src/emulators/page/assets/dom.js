// The little that drawing the page needs: elements from text only, lists that keep their elements, arrow keys.

/** The element with this id, which index.html has. */
export function byId(id) {
  const found = document.getElementById(id)
  if (found === null) throw new Error(`index.html has no #${id}`)
  return found
}

/** An element with attributes and children; strings become text, never markup. `undefined` leaves an attribute out. */
export function el(tag, attributes = {}, ...children) {
  const node = document.createElement(tag)
  for (const [name, value] of Object.entries(attributes)) setAttribute(node, name, value)
  node.append(...children)
  return node
}

/** Sets, or with undefined removes, and touches nothing that is already so: a screen reader hears each change. */
export function setAttribute(node, name, value) {
  if (value === undefined) node.removeAttribute(name)
  else if (node.getAttribute(name) !== String(value)) node.setAttribute(name, value)
}

export function setText(node, text) {
  if (node.textContent !== text) node.textContent = text
}

const nodesOf = new WeakMap()

/**
 * Makes `parent` hold one element per item in order, keeping the elements (and with them focus and scroll) of items
 * that stay.
 */
export function keyed(parent, items, { key, create, update }) {
  const old = nodesOf.get(parent) ?? new Map()
  const now = new Map()
  const focused = parent.contains(document.activeElement) ? document.activeElement : null
  let next = parent.firstElementChild
  for (const item of items) {
    const id = key(item)
    const node = old.get(id) ?? create(item)
    update(node, item)
    now.set(id, node)
    if (node === next) next = next.nextElementSibling
    else parent.insertBefore(node, next)
  }
  for (const [id, node] of old) if (!now.has(id)) node.remove()
  nodesOf.set(parent, now)
  // Moving an element blurs it.
  if (focused?.isConnected && document.activeElement !== focused) focused.focus({ preventScroll: true })
}

/** Replaces a select's options when they have changed; `groups` are [label or '', [[value, words], …]]. */
export function setOptions(select, groups) {
  const wanted = JSON.stringify(groups)
  if (select.dataset.options === wanted) return
  const chosen = select.value
  select.replaceChildren(
    ...groups.flatMap(([label, options]) => {
      const nodes = options.map(([value, words]) => el('option', { value }, words))
      return label === '' ? nodes : [el('optgroup', { label }, ...nodes)]
    }),
  )
  select.dataset.options = wanted
  if ([...select.options].some((option) => option.value === chosen)) select.value = chosen
}

const steps = { ArrowDown: 1, ArrowRight: 1, ArrowUp: -1, ArrowLeft: -1 }

/** One stop for Tab, arrow keys, Home and End inside: the buttons of a list or of a bar of tabs. */
export function arrowKeys(container, selector, onMove = () => {}) {
  container.addEventListener('keydown', (event) => {
    const stops = [...container.querySelectorAll(selector)]
    const at = stops.indexOf(event.target)
    if (at === -1 || event.altKey || event.ctrlKey || event.metaKey) return
    const to =
      event.key === 'Home'
        ? 0
        : event.key === 'End'
          ? stops.length - 1
          : event.key in steps
            ? at + steps[event.key]
            : -1
    const stop = stops[to]
    if (stop === undefined) return
    event.preventDefault()
    stop.focus()
    onMove(stop)
  })
  container.addEventListener('focusin', (event) => {
    if (event.target.matches(selector)) setStop(container, selector, event.target)
  })
}

/** Which of them Tab reaches; without one, the first. */
export function setStop(container, selector, stop) {
  const stops = [...container.querySelectorAll(selector)]
  const chosen = stops.includes(stop) ? stop : stops[0]
  for (const one of stops) setAttribute(one, 'tabindex', one === chosen ? '0' : '-1')
}

/** Enter sends the form, Shift+Enter breaks the line; while a word is being composed, Enter only ends the word. */
export function enterSends(textarea, form) {
  textarea.addEventListener('keydown', (event) => {
    if (event.key !== 'Enter' || event.shiftKey || event.isComposing) return
    event.preventDefault()
    form.requestSubmit()
  })
}

const away = new WeakSet()

/** Remembers whether a person has scrolled back in this chat; while it is out of sight nothing can be measured. */
export function watchEnd(scroller) {
  scroller.addEventListener('scroll', () => {
    if (!scroller.checkVisibility()) return
    const atEnd = scroller.scrollHeight - scroller.scrollTop - scroller.clientHeight < 40
    if (atEnd) away.delete(scroller)
    else away.add(scroller)
  })
}

/** Draws, and keeps the end in sight for who has not scrolled back. */
export function keepAtEnd(scroller, draw) {
  draw()
  if (!away.has(scroller)) scroller.scrollTop = scroller.scrollHeight
}
