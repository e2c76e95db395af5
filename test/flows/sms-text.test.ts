import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { sameWords, splitText, toInboxHtml, toSmsText } from '../../src/flows/sms-text.js'

describe('a reply becomes a text', () => {
  it.each([
    ['paragraphs stand apart', '<p>Hello</p><p>Bye</p>', 'Hello\n\nBye'],
    [
      'the inbox writes lines as paragraphs without margin',
      '<p class="no-margin">a</p><p class="no-margin">b</p>',
      'a\nb',
    ],
    [
      'an empty line between them is kept',
      '<p class="no-margin">a</p><p class="no-margin"></p><p class="no-margin">c</p>',
      'a\n\nc',
    ],
    ['line breaks are kept', '<p>a<br>b<br/>c</p>', 'a\nb\nc'],
    [
      'bold and italics lose their marks, not their words',
      '<p>It is <b>really</b> <i>fine</i></p>',
      'It is really fine',
    ],
    ['list items become dashes', '<p>Bring:</p><ul><li>ID</li><li>the box</li></ul>', 'Bring:\n\n- ID\n- the box'],
    ['numbered lists too', '<ol><li>x</li><li>y</li></ol>', '- x\n- y'],
    [
      'a link shows its text and its address',
      '<p>See <a href="https://example.com/x">our page</a>.</p>',
      'See our page (https://example.com/x).',
    ],
    [
      'a link that is its own text shows once',
      '<p><a href="https://example.com/y">https://example.com/y</a></p>',
      'https://example.com/y',
    ],
    ['a mail link shows the address once', '<p><a href="mailto:a@example.com">a@example.com</a></p>', 'a@example.com'],
    [
      'a picture becomes its address',
      '<p>Look:</p><img src="https://example.com/a.png">',
      'Look:\n\nhttps://example.com/a.png',
    ],
    ['emoji and right-to-left text stay', '<p>👍🏽 مرحبا</p>', '👍🏽 مرحبا'],
    ['entities are read', '<p>1 &lt; 2 &amp;&nbsp;3</p>', '1 < 2 & 3'],
    ['headings keep their case', '<h2>Opening hours</h2><p>9–17</p>', 'Opening hours\n\n9–17'],
    ['plain text of newer webhooks passes as it is', 'a < b & "c"\nd', 'a < b & "c"\nd'],
    ['nothing stays nothing', '<p></p>', ''],
  ])('%s', (_name, html, text) => {
    expect(toSmsText(html)).toBe(text)
  })

  it('survives 20,000 nested tags', () => {
    expect(toSmsText(`<p>${'<b>'.repeat(20_000)}deep`)).toBe('deep')
  })

  it.each(['<', '<a '])('is made in no time of a body of nothing but "%s"', (opening) => {
    // A pattern that looks on from each to the end takes longer than a test may.
    const body = opening.repeat(300_000)
    expect(toSmsText(body)).toBe(body.slice(0, 65_536).trimEnd())
    expect(toSmsText(`<p>Hi</p>${body}`)).toMatch(/^Hi/)
    expect(sameWords(body, `<p>${body}</p>`)).toBe(false)
  })
})

describe('a text becomes inbox HTML', () => {
  it('is escaped, and keeps its lines', () => {
    expect(toInboxHtml('<b>1 & 2</b>\r\n3\n4')).toBe('<p>&lt;b&gt;1 &amp; 2&lt;/b&gt;<br>3<br>4</p>')
  })

  it('comes back as it was, whatever a customer types', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'grapheme', maxLength: 300 }), (text) => {
        const shown = (body: string) => body.replace(/\s+/g, ' ').trim()
        expect(shown(toSmsText(toInboxHtml(text)))).toBe(shown(text))
      }),
    )
  })
})

describe('a long text is split', () => {
  it('at a word, with nothing but the space between them lost', () => {
    const text = 'word '.repeat(700).trim()
    const pieces = splitText(text)
    expect(pieces.map((piece) => piece.length)).toEqual([1599, 1599, 299])
    expect(pieces.join(' ')).toBe(text)
  })

  it('between characters where there are no words', () => {
    const pieces = splitText('👍🏽'.repeat(500))
    expect(pieces.join('')).toBe('👍🏽'.repeat(500))
    expect(pieces.map((piece) => piece.length)).toEqual([1600, 400])
  })

  it('keeps 1,600 characters in one piece', () => {
    expect(splitText('a'.repeat(1600))).toEqual(['a'.repeat(1600)])
  })

  it('into pieces that fit and lose no visible character', () => {
    fc.assert(
      fc.property(
        fc.string({ unit: 'grapheme', maxLength: 400 }),
        fc.integer({ min: 40, max: 120 }),
        (text, longest) => {
          const pieces = splitText(text, longest)
          expect(pieces.every((piece) => piece.length <= longest && piece !== '')).toBe(true)
          expect(pieces.join('').replace(/\s/g, '')).toBe(text.replace(/\s/g, ''))
        },
      ),
    )
  })
})

describe('the same words are recognised', () => {
  it('whatever the inbox made of their HTML', () => {
    expect(sameWords(toInboxHtml('a <b> & \n x'), '<p>a &lt;b&gt; &amp; <br />x</p>')).toBe(true)
    expect(sameWords(toInboxHtml('ok'), toInboxHtml('ok!'))).toBe(false)
  })
})
