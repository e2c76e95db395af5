// What Intercom does to bodies: everything written through the API is parsed as HTML, whatever the page says.

const blocks = new Set(['p', 'div', 'ul', 'ol', 'h1', 'h2', 'h3', 'h4', 'h5', 'h6', 'pre', 'blockquote'])
const inline = new Set(['a', 'b', 'strong', 'i', 'em', 'u', 's', 'code', 'li', 'span'])
const voids = new Set(['br', 'img'])
const keptAttributes: Readonly<Record<string, readonly string[]>> = {
  a: ['href'],
  img: ['src', 'alt'],
  p: ['class'],
  li: ['class'],
}
const token =
  /<!--[\s\S]*?-->|<(script|style)\b[\s\S]*?(?:<\/\1\s*>|$)|<(\/?)([a-zA-Z][a-zA-Z0-9]*)((?:"[^"]*"|'[^']*'|[^'">])*)>|[^<]+|</gi

/**
 * The body as Intercom keeps it: unknown tags and scripts dropped (the text inside unknown tags stays), text outside
 * any block wrapped in `<p>`. A `<` that opens no tag is text.
 */
export function sanitize(html: string): string {
  let out = ''
  let run = ''
  const open: string[] = []
  const insideBlock = () => open.some((tag) => blocks.has(tag))
  const add = (piece: string) => {
    if (insideBlock()) out += piece
    else run += piece
  }
  const closeRun = () => {
    if (run.trim() !== '') out += `<p>${run.trim()}</p>`
    run = ''
  }
  for (const match of html.matchAll(token)) {
    const [text, , slash, rawName, attributes = ''] = match
    if (rawName === undefined) {
      if (!text.startsWith('<!--') && match[1] === undefined) add(escapeText(text))
      continue
    }
    const name = rawName.toLowerCase()
    if (voids.has(name)) {
      if (slash === '') add(`<${name}${keep(name, attributes)}>`)
    } else if (!blocks.has(name) && !inline.has(name)) {
      // an unknown tag: dropped
    } else if (slash === '') {
      if (blocks.has(name) && !insideBlock()) closeRun()
      open.push(name)
      add(`<${name}${keep(name, attributes)}>`)
    } else if (open.includes(name)) {
      for (let tag = open.at(-1); tag !== undefined; tag = open.at(-1)) {
        add(`</${tag}>`)
        open.pop()
        if (tag === name) break
      }
    }
  }
  for (let tag = open.at(-1); tag !== undefined; tag = open.at(-1)) {
    add(`</${tag}>`)
    open.pop()
  }
  closeRun()
  return out
}

/** Text of a body: one line per block or `<br>`. With `links`, `<a>` becomes `label (url)`, else the address is lost. */
export function toPlainText(html: string, options: { readonly links: boolean }): string {
  let out = ''
  let href: string | undefined
  for (const [text, , slash, rawName, attributes = ''] of html.matchAll(token)) {
    const name = rawName?.toLowerCase()
    if (name === undefined) out += decode(text.replace(/\s+/g, ' '))
    else if (name === 'br' || (slash === '/' && (blocks.has(name) || name === 'li'))) out += '\n'
    else if (name === 'a' && slash === '') href = /href="([^"]*)"/.exec(attributes)?.[1]
    else if (name === 'a' && options.links && href !== undefined) out += ` (${decode(href)})`
  }
  return out.replace(/ *\n */g, '\n').trim()
}

function keep(name: string, attributes: string): string {
  const pairs = [...attributes.matchAll(/([a-zA-Z-]+)\s*=\s*(?:"([^"]*)"|'([^']*)'|([^\s"']+))/g)]
  return (keptAttributes[name] ?? [])
    .map((kept) => {
      const pair = pairs.find(([, key]) => key?.toLowerCase() === kept)
      const value = pair?.[2] ?? pair?.[3] ?? pair?.[4]
      // A script in an address is a script.
      if (value === undefined || /^\s*javascript:/i.test(value)) return ''
      return ` ${kept}="${value.replaceAll('"', '&quot;')}"`
    })
    .join('')
}

function escapeText(text: string): string {
  return text
    .replace(/&(?!(?:#\d+|#x[\da-f]+|[a-z][a-z\d]*);)/gi, '&amp;')
    .replaceAll('<', '&lt;')
    .replaceAll('>', '&gt;')
}

const entities: Readonly<Record<string, string>> = { amp: '&', lt: '<', gt: '>', quot: '"', apos: "'", nbsp: ' ' }

function decode(text: string): string {
  return text.replace(/&(?:#(\d+)|#x([\da-f]+)|([a-z]+));/gi, (whole, decimal, hex, name) => {
    if (decimal !== undefined) return String.fromCodePoint(Number(decimal))
    if (hex !== undefined) return String.fromCodePoint(Number.parseInt(hex, 16))
    return entities[String(name).toLowerCase()] ?? whole
  })
}
