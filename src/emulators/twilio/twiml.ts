import type { CallAnswer } from './call.js'

/**
 * The texts a webhook's answer sends to the customer. TwiML: one for each <Message>. A text/plain body is itself sent
 * as an SMS, which is how a handler that answers "OK" texts "OK" to people (docs/messaging/twiml).
 */
export function readReply({ contentType, body }: CallAnswer): string[] {
  const type = contentType.split(';')[0]?.trim().toLowerCase()
  const text = body.toString('utf8')
  if (type === 'text/plain') return text.trim() === '' ? [] : [text]
  if (type !== 'text/xml' && type !== 'application/xml') return []
  const messages = text.matchAll(/<Message(?:\s[^>]*)?(?<!\/)>([\s\S]*?)<\/Message>/g)
  return [...messages].map(([, inner = '']) => messageText(inner)).filter((reply) => reply !== '')
}

function messageText(inner: string): string {
  const body = /<Body(?:\s[^>]*)?>([\s\S]*?)<\/Body>/.exec(inner)?.[1] ?? inner
  return body
    .replace(/<!\[CDATA\[([\s\S]*?)\]\]>|<[^>]*>/g, (_, cdata: string | undefined) => escapeEntities(cdata ?? ''))
    .replace(/&(?:#(\d+)|#x([0-9a-f]+)|(lt|gt|amp|quot|apos));/gi, (_, decimal, hex, name) => {
      if (decimal !== undefined) return String.fromCodePoint(Number(decimal))
      if (hex !== undefined) return String.fromCodePoint(Number.parseInt(hex, 16))
      return entities[name.toLowerCase()] ?? ''
    })
    .trim()
}

const entities: Readonly<Record<string, string>> = { lt: '<', gt: '>', amp: '&', quot: '"', apos: "'" }

function escapeEntities(cdata: string): string {
  return cdata.replaceAll('&', '&amp;')
}
