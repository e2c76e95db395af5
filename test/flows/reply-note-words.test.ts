// The sentences of a note, whatever brought it about.
import { describe, expect, it } from 'vitest'
import { type NoteFacts, noteHtml } from '../../src/flows/reply-note-words.js'
import { parseAddress } from '../../src/phone.js'
import { explainTwilioCode } from '../../src/twilio/errors.js'

const noon = Date.UTC(2026, 10, 22, 12)
const facts: NoteFacts = {
  end: 'refused',
  to: parseAddress('+15550100142'),
  words: 'Hi <Jane>',
  writtenAt: noon,
  now: noon + 60_000,
  timeZone: 'America/Denver',
  code: '21408',
  known: 'nothing left',
  replyId: 17,
  automatic: false,
  explain: (code) => explainTwilioCode(Number(code)),
}

const paragraphs = (changes: Partial<NoteFacts>) =>
  noteHtml({ ...facts, ...changes })
    .split('</p>')
    .filter((html) => html !== '')
    .map((html) => html.replaceAll(/<\/?(?:p|b)>/g, ''))

describe('the note about a reply', () => {
  it('says what, why and what to do, in three paragraphs of HTML', () => {
    expect(noteHtml(facts)).toBe(
      '<p><b>Not texted to +15550100142:</b> “Hi &lt;Jane&gt;” (written 05:00, d_17)</p>' +
        '<p>Texting this country is switched off. Admin: Console &gt; Messaging &gt; Geo permissions. (Twilio 21408)</p>' +
        '<p>It is kept, and whoever looks after sms-bridge can have it sent (sms-bridge explain 21408). Ask them before you write it again: the customer would get both.</p>',
    )
  })

  it.each([
    ['nothing left', 'Not texted to +15550100142:'],
    ['part left', 'Only texted in part to +15550100142:'],
    ['unknown', 'Perhaps not texted to +15550100142:'],
  ] as const)('does not say more than is known: %s', (known, head) => {
    expect(paragraphs({ known })[0]).toBe(`${head} “Hi &lt;Jane&gt;” (written 05:00, d_17)`)
  })

  it('sends to the customer where nobody can tell', () => {
    expect(paragraphs({ known: 'unknown', code: 'no-answer' }).slice(1)).toEqual([
      'No answer came, however often it was tried.',
      'Ask the customer before you write it again, or whoever looks after sms-bridge: sms-bridge dlq show d_17.',
    ])
    expect(paragraphs({ end: 'undelivered', known: 'contradicted', code: '30003' })).toEqual([
      'Perhaps not delivered to +15550100142: “Hi &lt;Jane&gt;” (written 05:00, d_17)',
      'Twilio says both that it arrived and that it failed.',
      'Ask the customer before you write it again.',
    ])
  })

  it('says so where the carrier gave no reason, and where a code is not known', () => {
    const { code: _, ...without } = facts
    expect(noteHtml({ ...without, code: undefined, end: 'undelivered' })).toContain('The carrier did not say why.')
    expect(paragraphs({ code: '99999' })[1]).toBe('The reason given is 99999.')
  })

  it('cuts a long reply at a word, and shows lines as one', () => {
    const words = `Dear customer,\n\n${'your order is on its way '.repeat(5)}`
    expect(paragraphs({ words })[0]).toBe(
      'Not texted to +15550100142: “Dear customer, your order is on its way your order is on its…” (written 05:00, d_17)',
    )
  })

  it('names the day of a reply that was written on another, in UTC where no zone is known', () => {
    const { timeZone: _, ...unzoned } = facts
    expect(noteHtml({ ...unzoned, now: noon + 86_400_000 })).toContain('(written 22 Nov 12:00 UTC, d_17)')
  })
})
