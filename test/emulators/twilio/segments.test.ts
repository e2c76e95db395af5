import { SegmentedMessage } from 'sms-segments-calculator'
import { describe, expect, it } from 'vitest'
import { countSegments } from '../../../src/emulators/twilio/segments.js'

describe('counting segments', () => {
  it.each([
    ['an empty text', ''],
    ['160 letters', 'a'.repeat(160)],
    ['161 letters', 'a'.repeat(161)],
    ['80 euro signs', '€'.repeat(80)],
    ['81 euro signs', '€'.repeat(81)],
    ['a euro sign on the border of two segments', `${'a'.repeat(152)}€${'a'.repeat(20)}`],
    ['35 thumbs', '👍'.repeat(35)],
    ['36 thumbs', '👍'.repeat(36)],
    ['a typographic apostrophe', 'it’s'],
    ['a backtick among 160', `\`${'a'.repeat(159)}`],
    ['1600 characters', 'a'.repeat(1600)],
    ['accents of the alphabet and others', `ñ à é ${'õ'.repeat(70)}`],
  ])("agrees with Twilio's calculator on %s", (_, text) => {
    expect(countSegments(text)).toBe(Math.max(1, new SegmentedMessage(text, 'auto').segmentsCount))
  })
})
