// What `test-e2e` says, and how it writes for a CI server, apart from any vendor.
import { describe, expect, it } from 'vitest'
import { toJunit } from '../../src/commands/test-e2e/junit.js'
import type { Report } from '../../src/commands/test-e2e/report.js'
import { chooseWords } from '../../src/commands/test-e2e/story.js'
import { isCheck, newWords, says } from '../../src/commands/test-e2e/words.js'
import { readConsent } from '../../src/flows/consent.js'

/** Goes through all numbers that a seed leads to. */
function randomFrom(seed: number): () => number {
  let state = seed
  return () => {
    state = (state * 48_271) % 2_147_483_647
    return state / 2_147_483_647
  }
}

describe('the words of a test', () => {
  it('are three, without digits, and no STOP or START among them', () => {
    const random = randomFrom(4711)
    for (let count = 0; count < 500; count += 1) {
      const words = newWords(random)
      expect(words).toMatch(/^[a-z]+-[a-z]+-[a-z]+$/)
      expect(words.split('-').map(readConsent)).toEqual([undefined, undefined, undefined])
    }
  })

  it('are others for each thing that is said', () => {
    const chosen = Object.values(chooseWords(randomFrom(1)))
    expect(new Set(chosen).size).toBe(5)
  })

  it.each([
    ['Blue otter canyon.', true],
    ['<p>sms-bridge check blue-otter-canyon</p>', true],
    ['BLUE  OTTER\ncanyon 👍', true],
    ['blue otter', false],
    ['blue-otter-canyons', false],
    ['otter blue canyon', false],
  ])('are heard however a phone writes them: %j', (text, heard) => {
    expect(says(text, 'blue-otter-canyon')).toBe(heard)
  })

  it('tell a test’s text from a customer’s', () => {
    expect(isCheck('<p>sms-bridge check jade-heron-fjord</p>')).toBe(true)
    expect(isCheck('Jade heron fjord')).toBe(true)
    expect(isCheck('<p>Where is my blue otter?</p>')).toBe(false)
    expect(isCheck('')).toBe(false)
  })
})

describe('the JUnit file', () => {
  it('is XML whatever a vendor says', () => {
    const report: Report = {
      verdict: 'broken',
      mode: 'handset',
      number: '+15550100100',
      phone: '…0142',
      startedAt: Date.UTC(2026, 10, 22, 12),
      ms: 1500,
      hops: {},
      texts: { in: 1, out: 0 },
      steps: [
        { name: 'text-in', what: 'text', state: 'ok', ms: 1500, seen: '' },
        {
          name: 'in-intercom',
          what: 'in "Intercom"',
          state: 'failed',
          seen: 'it said <b>\u0000no\u001b[31m & \ud800 never</b>]]>',
          cause: { text: 'line one\nline "two"', check: 'store' },
        },
        { name: 'reply', what: 'reply', state: 'skipped', seen: '' },
      ],
    }
    expect(toJunit(report)).toBe(`<?xml version="1.0" encoding="UTF-8"?>
<testsuites name="sms-bridge test-e2e" tests="3" failures="1" errors="0" skipped="1" time="1.500">
  <testsuite name="sms-bridge test-e2e handset" tests="3" failures="1" errors="0" skipped="1" time="1.500" timestamp="2026-11-22T12:00:00">
    <testcase classname="sms-bridge.+15550100100" name="text" time="1.500"/>
    <testcase classname="sms-bridge.+15550100100" name="in &quot;Intercom&quot;" time="0.000">
      <failure type="in-intercom" message="line one&#10;line &quot;two&quot;">it said &lt;b&gt;no[31m &amp;  never&lt;/b&gt;]]&gt;
line one
line &quot;two&quot;
check: store</failure>
    </testcase>
    <testcase classname="sms-bridge.+15550100100" name="reply" time="0.000">
      <skipped/>
    </testcase>
  </testsuite>
</testsuites>
`)
  })
})
