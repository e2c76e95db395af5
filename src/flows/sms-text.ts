// Between what a phone shows and what the inbox shows.
import { compile } from 'html-to-text'

/** Twilio refuses longer bodies (21617). Counted in UTF-16 units, as Twilio does for non-GSM text. */
const longestSms = 1600

const longestHtml = 64 * 1024
/** html-to-text recurses: 20,000 nested tags take seconds or overflow the stack. No person nests like that. */
const deepest = 200

const looksLikeHtml = /<\/?(?:p|br|div|span|a|b|i|u|em|strong|code|pre|blockquote|img|ul|ol|li|h[1-6]|table)\b[^<>]*>/i

/** A customer's text as the inbox's HTML: escaped, newlines kept, nothing interpreted. */
export function toInboxHtml(text: string): string {
  const escaped = text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;')
  return `<p>${escaped.replace(/\r\n?|\n/g, '<br>')}</p>`
}

/**
 * A teammate's reply as a text: paragraphs apart by an empty line, line breaks kept, list items as "- ", links as
 * "text (url)" or the bare url when that is the text, pictures as their url. Plain text passes as it is: webhooks
 * of API 2.15 and later carry that.
 */
export function toSmsText(body: string): string {
  const cut = body.slice(0, longestHtml)
  return tidy(looksLikeHtml.test(cut) ? htmlToText(cut) : cut)
}

const line = { leadingLineBreaks: 1, trailingLineBreaks: 1 }

const convertHtml = compile({
  wordwrap: false,
  selectors: [
    { selector: 'p', options: { leadingLineBreaks: 2, trailingLineBreaks: 2 } },
    // The inbox writes one line per such paragraph.
    { selector: 'p.no-margin', format: 'paragraph', options: line },
    { selector: 'ul', options: { itemPrefix: '- ', ...line } },
    { selector: 'ol', format: 'unorderedList', options: { itemPrefix: '- ', ...line } },
    { selector: 'a', format: 'smsLink' },
    { selector: 'img', format: 'smsImage' },
    ...['h1', 'h2', 'h3', 'h4', 'h5', 'h6'].map((selector) => ({ selector, options: { uppercase: false } })),
    { selector: 'blockquote', format: 'block', options: line },
  ],
  formatters: {
    smsLink(elem, walk, builder) {
      const url: string = elem.attribs?.href ?? ''
      const address = url.replace(/^(?:mailto|tel):/, '')
      const label = textOf(elem).trim()
      walk(elem.children, builder)
      if (address === '' || address.startsWith('#') || label === url || label === address) return
      builder.addInline(label === '' ? address : ` (${address})`, { noWordTransform: true })
    },
    smsImage(elem, _walk, builder) {
      const url: string = elem.attribs?.src ?? ''
      if (/^https?:/.test(url)) builder.addInline(url, { noWordTransform: true })
    },
  },
})

function htmlToText(html: string): string {
  // The words still have to arrive.
  return depthOf(html) > deepest ? html.replace(/(?:<[^<>]*>)+/g, ' ') : convertHtml(html)
}

function depthOf(html: string): number {
  let depth = 0
  let most = 0
  for (const [tag] of html.matchAll(/<\/?[a-z][^<>]*>/gi)) {
    if (tag.startsWith('</')) depth -= 1
    else if (!/^<(?:br|img|hr)\b|\/>$/i.test(tag)) depth += 1
    if (depth > most) most = depth
  }
  return most
}

function textOf(node: { data?: string | undefined; children?: { data?: string | undefined }[] | undefined }): string {
  return node.data ?? (node.children ?? []).map(textOf).join('')
}

function tidy(text: string): string {
  // Line by line: a pattern for spaces at line ends takes quadratic time on a long run of spaces.
  const lines = text.replace(/\r\n?/g, '\n').replaceAll('\u00a0', ' ').split('\n')
  return lines
    .map((line) => line.trimEnd())
    .join('\n')
    .replace(/\n{3,}/g, '\n\n')
    .trim()
}

/** Cuts a text into pieces Twilio takes, at a line or word where there is one, never inside a character. */
export function splitText(text: string, longest: number = longestSms): readonly string[] {
  const pieces: string[] = []
  let rest = text
  while (rest.length > longest) {
    const cut = cutAt(rest, longest)
    pieces.push(rest.slice(0, cut).trimEnd())
    rest = rest.slice(cut).trimStart()
  }
  if (rest !== '') pieces.push(rest)
  return pieces
}

/** Where the first piece ends. */
function cutAt(text: string, longest: number): number {
  const head = text.slice(0, longest + 1)
  const space = Math.max(head.lastIndexOf(' '), head.lastIndexOf('\n'))
  // A "word" longer than half a text (a URL, a language without spaces) is cut where a character ends.
  if (space > longest / 2) return space
  let cut = 0
  for (const { index, segment } of new Intl.Segmenter().segment(head)) {
    if (index + segment.length > longest) return cut === 0 ? longest : cut
    cut = index + segment.length
  }
  return cut
}

const entities: Readonly<Record<string, string>> = { amp: '&', lt: '<', gt: '>', quot: '"', apos: "'", nbsp: ' ' }

/** The words alone: whatever the vendor's sanitiser made of links, breaks and entities. */
function wordsOf(html: string): string {
  return html
    .slice(0, longestHtml)
    .replace(/<[^<>]*>/g, '')
    .replace(/&(?:#(\d{1,7})|#x([0-9a-f]{1,6})|(\w{2,6}));/gi, (whole, decimal, hex, name) => {
      if (name !== undefined) return entities[String(name).toLowerCase()] ?? whole
      const code = decimal === undefined ? Number.parseInt(hex, 16) : Number(decimal)
      return code <= 0x10ffff ? String.fromCodePoint(code) : whole
    })
    .replace(/\s+/g, '')
}

/** Whether two HTML bodies say the same: for finding again what a lost answer may have made. */
export function sameWords(a: string, b: string): boolean {
  return wordsOf(a) === wordsOf(b)
}

// What SmartEncoding makes of look-alikes on the way (docs/messaging/services: smart quotes, dashes, spaces, ellipses).
const lookAlikes: readonly (readonly [RegExp, string])[] = [
  [/[\u2018\u2019\u201a\u201b\u2032\u0060\u00b4]/g, "'"],
  [/[\u201c\u201d\u201e\u201f\u2033\u00ab\u00bb]/g, '"'],
  [/[\u2010-\u2015\u2212]/g, '-'],
  [/\u2026/g, '...'],
]

function plain(text: string): string {
  let plainer = text
  for (const [pattern, replacement] of lookAlikes) plainer = plainer.replace(pattern, replacement)
  return plainer.replace(/\s+/g, '')
}

/** Whether a listed text is the one we sent: trial accounts put words of their own in front, services may replace look-alikes. */
export function isSameText(listed: string, sent: string): boolean {
  return listed.endsWith(sent) || plain(listed).endsWith(plain(sent))
}
