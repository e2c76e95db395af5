import { describe, expect, it } from 'vitest'
import { sanitize, toPlainText } from '../../../src/emulators/intercom/html.js'

describe('a body', () => {
  it.each([
    ['plain text', 'Hello', '<p>Hello</p>'],
    ['a paragraph', '<p>Hello</p>', '<p>Hello</p>'],
    ['text beside a block', 'One<p>Two</p>Three', '<p>One</p><p>Two</p><p>Three</p>'],
    ['line breaks', 'One<br>Two<br/>Three', '<p>One<br>Two<br>Three</p>'],
    ['an unknown tag', 'Hi <foo bar="1">there</foo>', '<p>Hi there</p>'],
    ['a whole page', '<html><body><h2>Hi</h2></body></html>', '<h2>Hi</h2>'],
    ['a script', 'Hi<script>alert("1 < 2")</script>', '<p>Hi</p>'],
    ['handlers and addresses of scripts', '<a href="javascript:x()" onclick="y()">z</a>', '<p><a>z</a></p>'],
    ['a less-than sign', 'I <3 you & 2 < 3', '<p>I &lt;3 you &amp; 2 &lt; 3</p>'],
    ['escaped text', '&lt;b&gt; &amp; &#39;', '<p>&lt;b&gt; &amp; &#39;</p>'],
    ['tags nobody closed', '<p><b>Hi', '<p><b>Hi</b></p>'],
    ['tags nobody opened', 'Hi</b></p>', '<p>Hi</p>'],
    ['lists', '<ul><li>Tea</li></ul>', '<ul><li>Tea</li></ul>'],
    ['nothing', ' <foo></foo> ', ''],
  ])('of %s is kept as HTML would have it', (_, given, kept) => {
    expect(sanitize(given)).toBe(kept)
  })

  it('loses what looks like a tag and is none: text must be escaped first', () => {
    expect(sanitize('meet at <Main Street> now')).toBe('<p>meet at  now</p>')
  })

  it('reads as text with a line for each block and break', () => {
    const html = '<p>Hi &amp; <b>hello</b><br>you</p><ul><li>Tea</li><li>Milk</li></ul>'
    expect(toPlainText(html, { links: true })).toBe('Hi & hello\nyou\nTea\nMilk')
  })

  it('reads as text with addresses beside their labels, or without them', () => {
    const html = '<p>See <a href="https://example.com/a?b=1&amp;c=2">here</a></p>'
    expect(toPlainText(html, { links: true })).toBe('See here (https://example.com/a?b=1&c=2)')
    expect(toPlainText(html, { links: false })).toBe('See here')
  })
})
