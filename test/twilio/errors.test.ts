import { existsSync, readFileSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import { twilioCodes } from '../../src/twilio/error-codes.js'
import { explainTwilioCode, knownTwilioCodes, readTwilioError, twilioOutcome } from '../../src/twilio/errors.js'

const curated = new URL('../../../shared/contracts/twilio-errors-curated.json', import.meta.url)
const present = existsSync(curated)

describe.skipIf(!present)(`the table of codes${present ? '' : ' (skipped: ../shared/contracts is not there)'}`, () => {
  it('holds every curated code with its title, class and advice, and no other', () => {
    const rows: { code: number; title: string; cls: string; advice: string }[] = JSON.parse(
      readFileSync(curated, 'utf8'),
    )
    expect(rows).toHaveLength(98)
    expect(Object.fromEntries(twilioCodes)).toEqual(
      Object.fromEntries(
        rows.map(({ code, title, cls, advice }) => [code, { title, class: cls.replace('?', ''), advice }]),
      ),
    )
  })
})

describe('what a refusal to send means', () => {
  it.each([
    [21610, 400, { outcome: 'permanent' }],
    [21211, 400, { outcome: 'permanent' }],
    [21606, 400, { outcome: 'permanent' }],
    [20404, 404, { outcome: 'permanent' }],
    [20003, 401, { outcome: 'transient', pausesShore: true, deferred: true }],
    [20005, 403, { outcome: 'transient', pausesShore: true, deferred: true }],
    [20008, 403, { outcome: 'transient', pausesShore: true, deferred: true }],
    [20403, 403, { outcome: 'transient', pausesShore: true, deferred: true }],
    [20429, 429, { outcome: 'transient', deferred: true, retryAfterMs: 1000 }],
    [20500, 500, { outcome: 'ambiguous' }],
    [20503, 503, { outcome: 'ambiguous' }],
    [21611, 400, { outcome: 'transient', retryAfterMs: 600_000 }],
    [30001, 400, { outcome: 'transient', retryAfterMs: 60_000 }],
    [30022, 400, { outcome: 'transient', retryAfterMs: 30_000 }],
  ])('code %i with %i', (code, status, verdict) => {
    expect(twilioOutcome(code, status)).toEqual(verdict)
  })

  it('of a code nobody has seen follows its family', () => {
    expect(twilioOutcome(21999, 400)).toEqual({ outcome: 'permanent' })
    expect(twilioOutcome(30999, 400)).toEqual({ outcome: 'transient' })
    expect(twilioOutcome(63999, 400)).toEqual({ outcome: 'transient' })
    expect(twilioOutcome(70051, 403)).toEqual({ outcome: 'transient', pausesShore: true, deferred: true })
  })
})

describe("Twilio's error bodies", () => {
  const none = new Headers()

  it('are read from the 2010 API', () => {
    const json = {
      code: 21211,
      message: "The 'To' number +15550100177 is not valid",
      more_info: 'https://…',
      status: 400,
    }
    expect(readTwilioError(400, none, json)).toEqual({
      code: '21211',
      message: 'The phone number is not valid. Ask the customer for the right number (with +country code).',
      outcome: 'permanent',
    })
  })

  it('are read in the RFC 9457 form of newer APIs', () => {
    const json = { type: 'https://…', title: 'Something new', status: 400, code: 21998, detail: '…' }
    expect(readTwilioError(400, none, json)).toEqual({ code: '21998', message: 'Something new', outcome: 'permanent' })
  })

  it('are not found where a gateway speaks', () => {
    expect(readTwilioError(502, none, undefined)).toBeUndefined()
    expect(readTwilioError(400, none, { message: 'nope', status: 400 })).toBeUndefined()
    expect(readTwilioError(400, none, null)).toBeUndefined()
  })
})

it('a code is explained in plain words, with who can mend it', () => {
  expect(explainTwilioCode(30003)).toEqual({
    title: 'Unreachable destination handset',
    advice: 'Phone off, no signal or temporarily unreachable. Try again later (once).',
    remedy:
      'Wait, then send it once more: a dead letter by sms-bridge dlq replay, one that had left by writing it again. Ask the agent first if it may be out of date.',
    fixer: 'agent',
    again: 'now',
  })
  expect(explainTwilioCode(21211)?.again).toBe('never')
  expect(explainTwilioCode(30034)?.again).toBe('mended')
  expect(explainTwilioCode(30034)?.fixer).toBe('admin')
  expect(explainTwilioCode(30009)?.fixer).toBe('customer')
  expect(explainTwilioCode(20429)?.fixer).toBe('nobody')
  expect(explainTwilioCode(1)).toBeUndefined()
})

it('a code says what to do about it: nothing only where it passes by itself', () => {
  const byItself = knownTwilioCodes.filter((code) => explainTwilioCode(code)?.remedy.startsWith('Nothing: it is'))
  expect(byItself.map((code) => explainTwilioCode(code)?.fixer)).toEqual(byItself.map(() => 'nobody'))
  expect(byItself).toEqual([20429, 20500, 20503, 30017, 30022])
})
