// What the note about a reply says: what happened to which reply, why, and what to do. Pure.
import type { ReplyEnd } from '../message.js'
import type { Address } from '../phone.js'
import { clockTime } from './late.js'
import { splitText } from './sms-text.js'

/** What the vendor's code means, in a sentence, and whether the same text could go through. */
export type Explain = (code: string) =>
  | {
      readonly advice: string
      readonly remedy: string
      /** now: as it is, later · mended: once somebody has mended the cause · never. */
      readonly again: 'now' | 'mended' | 'never'
    }
  | undefined

export interface NoteFacts {
  readonly end: ReplyEnd
  /** The customer's number, as their texts spell it. */
  readonly to: Address
  /** Of the reply; '' when they are not known. */
  readonly words: string
  /** Epoch ms. */
  readonly writtenAt: number
  readonly now: number
  /** IANA. */
  readonly timeZone?: string
  readonly code: string | undefined
  /** Why it was discarded, in a person's words. */
  readonly because?: string
  /** What is known of its texts: contradicted when the vendor has said both that one arrived and that it failed. */
  readonly known: 'nothing left' | 'part left' | 'unknown' | 'contradicted'
  /** The delivery of the reply. */
  readonly replyId: number
  /** The bridge's own, outside the hours, rather than a reply. */
  readonly automatic: boolean
  readonly explain: Explain
}

const longestQuote = 60

/** The note's HTML, one paragraph each for what, why and what to do. */
export function noteHtml(facts: NoteFacts): string {
  const paragraphs = [[`<b>${escaped(headline(facts))}</b>`, escaped(which(facts))].join(' ').trim()]
  for (const text of [cause(facts), remedy(facts)]) if (text !== '') paragraphs.push(escaped(text))
  return paragraphs.map((text) => `<p>${text}</p>`).join('')
}

function headline({ end, to, known }: NoteFacts): string {
  const texted = { 'nothing left': 'Not texted', 'part left': 'Only texted in part', unknown: 'Perhaps not texted' }
  const heads: Readonly<Record<ReplyEnd, string>> = {
    waiting: `${known === 'unknown' ? texted.unknown : 'Not texted'} to ${to} yet:`,
    refused: `${known === 'contradicted' ? texted.unknown : texted[known]} to ${to}:`,
    undelivered: known === 'contradicted' ? `Perhaps not delivered to ${to}:` : `Not delivered to ${to}:`,
    unanswerable: `${to} cannot be answered by text.`,
    discarded: `Will not be texted to ${to}:`,
    sent: `Texted to ${to} after all:`,
  }
  return heads[end]
}

/** `“Hello, your order …” (14:02, d_17)` */
function which({ end, words, writtenAt, now, timeZone, replyId, automatic }: NoteFacts): string {
  if (end === 'unanswerable') return ''
  const line = words.replace(/\s+/g, ' ').trim()
  const [start = ''] = splitText(line, longestQuote)
  const quote = start === line ? line : `${start}…`
  const time = clockTime(writtenAt, now, timeZone)
  if (automatic) return `the automatic text (${time}, d_${replyId})`
  const at = `written ${time}, d_${replyId}`
  return quote === '' ? `a reply (${at})` : `“${quote}” (${at})`
}

/** For what no code of the vendor's stands. */
const reasons: Readonly<Record<string, string>> = {
  'no-answer': 'No answer came, however often it was tried.',
  'server-error': 'The servers on the way failed, however often it was tried.',
  unprovable: 'The answer to it was lost, and Twilio’s lists show neither that it was sent nor that it was not.',
}

function cause({ end, code, because = 'no reason given', known: reach, explain }: NoteFacts): string {
  if (end === 'sent') return ''
  if (end === 'discarded') return `Whoever looks after sms-bridge took it out: ${because}`
  if (end === 'unanswerable')
    return 'It is the sender of automatic texts, which takes none: what is written here for the customer is not sent.'
  if (reach === 'contradicted') return 'Twilio says both that it arrived and that it failed.'
  if (code === undefined) return 'The carrier did not say why.'
  const known = explain(code)
  if (known !== undefined) return `${known.advice} (Twilio ${code})`
  return reasons[code] ?? `The reason given is ${code}.`
}

const isVendors = (code: string | undefined): code is string => code !== undefined && /^\d+$/.test(code)

function remedy({ end, code, known: reach, replyId, automatic, explain }: NoteFacts): string {
  if (automatic) return 'The customer does not know that you are away. Nothing tries it again.'
  const keeper = 'whoever looks after sms-bridge'
  const known = code === undefined ? undefined : explain(code)
  const words: Readonly<Record<ReplyEnd, () => string>> = {
    waiting: () => 'It is tried again by itself. Do not write it again: the customer would get both.',
    refused: () => {
      if (reach === 'unknown')
        return `Ask the customer before you write it again, or ${keeper}: sms-bridge dlq show d_${replyId}.`
      if (known?.again === 'never') return known.remedy
      const look =
        isVendors(code) && known?.again === 'mended' ? `sms-bridge explain ${code}` : `sms-bridge dlq show d_${replyId}`
      return `It is kept, and ${keeper} can have it sent (${look}). Ask them before you write it again: the customer would get both.`
    },
    undelivered: () => {
      if (reach === 'contradicted') return 'Ask the customer before you write it again.'
      if (known?.again === 'never') return known.remedy
      if (known?.again === 'mended') {
        return `Tell ${keeper}: sms-bridge explain ${code} says what to mend. Write it again once that is done.`
      }
      return 'Nothing tries it again: write it again a little later, or reach the customer another way.'
    },
    unanswerable: () => 'Reach the customer another way.',
    discarded: () => 'Write it again if the customer still needs it.',
    sent: () => '',
  }
  return words[end]()
}

function escaped(text: string): string {
  return text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;')
}
