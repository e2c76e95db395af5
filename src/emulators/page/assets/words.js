// Numbers, times and strangers' HTML in words.

const inline = new Set([
  'A',
  'B',
  'I',
  'EM',
  'STRONG',
  'CODE',
  'SPAN',
  'U',
  'S',
  'FONT',
  'SMALL',
  'SUB',
  'SUP',
  'LABEL',
])

/** The text of a stranger's HTML, its lines kept. The parsed document is inert: nothing loads and nothing runs. */
export function textOf(html) {
  const { body } = new DOMParser().parseFromString(html, 'text/html')
  return linesOf(body)
    .replace(/[ \t]*\n[ \t]*/g, '\n')
    .replace(/\n{3,}/g, '\n\n')
    .trim()
}

function linesOf(node) {
  if (node.nodeType === Node.TEXT_NODE) return node.data.replace(/\s+/g, ' ')
  if (node.nodeType !== Node.ELEMENT_NODE || node.matches('script, style, template')) return ''
  if (node.matches('br')) return '\n'
  if (node.matches('img')) return `[image${node.alt ? `: ${node.alt}` : ''}]`
  const inner = [...node.childNodes].map(linesOf).join('')
  if (node.matches('a')) {
    const href = node.getAttribute('href') ?? ''
    return href === '' || href === inner ? inner : `${inner} (${href})`
  }
  if (node.matches('li')) return `\n• ${inner}`
  return inline.has(node.tagName) ? inner : `\n${inner}\n`
}

/** A phone number as people write it; other addresses as they are. */
export function phone(number) {
  return number.replace(/^\+1(\d{3})(\d{3})(\d{4})$/, '+1\u00a0$1\u00a0$2\u00a0$3')
}

const absolute = new Intl.DateTimeFormat(undefined, { dateStyle: 'medium', timeStyle: 'medium' })
const day = new Intl.DateTimeFormat(undefined, { month: 'short', day: 'numeric' })

/** How long ago, briefly: now, 12 s, 5 min, 3 h, then the day. */
export function ago(at, now) {
  const seconds = Math.max(0, Math.round((now - at) / 1000))
  if (seconds < 5) return 'now'
  if (seconds < 60) return `${Math.floor(seconds / 5) * 5} s`
  if (seconds < 3600) return `${Math.floor(seconds / 60)} min`
  if (seconds < 86_400) return `${Math.floor(seconds / 3600)} h`
  return day.format(at)
}

/** Makes a <time> tell `at`; `tickTimes` keeps it true. */
export function setTime(node, at, now) {
  if (node.dataset.at !== String(at)) {
    node.dataset.at = at
    node.dateTime = new Date(at).toISOString()
    node.title = absolute.format(at)
  }
  const words = ago(at, now)
  if (node.textContent !== words) node.textContent = words
}

export function tickTimes(now) {
  for (const node of document.querySelectorAll('time[data-at]')) setTime(node, Number(node.dataset.at), now)
}

export function duration(ms) {
  if (ms < 1000) return `${Math.round(ms)} ms`
  if (ms < 60_000) return `${(ms / 1000).toFixed(1)} s`
  return `${Math.round(ms / 60_000)} min`
}

export function capitalised(words) {
  return words.charAt(0).toUpperCase() + words.slice(1).replaceAll('-', ' ')
}
