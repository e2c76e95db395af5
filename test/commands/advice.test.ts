import { describe, expect, it } from 'vitest'
import { codesNear, explainCode, explainFault } from '../../src/commands/advice.js'
import type { Fault } from '../../src/delivery.js'
import { intercomCodes } from '../../src/intercom/advice.js'
import { knownTwilioCodes } from '../../src/twilio/errors.js'

const fault: Fault = { message: 'twilio answered with 400, code 21999', outcome: 'permanent', code: '21999' }

describe('advice about a dead letter', () => {
  it('comes from its reason first', () => {
    expect(explainFault('no-answer', { ...fault, code: '21211' })).toEqual({
      title: 'No answer',
      advice: 'Time-outs or broken connections used up the attempts. It is tried again by itself; look at the network.',
      fixer: 'nobody',
      nextStep: 'sms-bridge dlq replay --reason no-answer',
    })
  })

  it('comes from its fault’s code when nobody knows the reason, and the next step still names the reason', () => {
    expect(explainFault('attempts used up', { ...fault, code: 'unauthorized' })).toMatchObject({
      title: 'Access token refused',
      fixer: 'admin',
      nextStep: "sms-bridge dlq replay --reason 'attempts used up'",
    })
  })

  it('is the fault’s own words when nobody knows anything', () => {
    expect(explainFault('21999', fault)).toEqual({
      title: '21999',
      advice: 'twilio answered with 400, code 21999',
      fixer: 'admin',
      nextStep: 'sms-bridge dlq list --reason 21999 --each',
    })
    expect(explainFault('odd').advice).toBe('Nothing more is known.')
  })

  it('says whether replaying helps: never for a wrong number, at once for congestion, once an admin has mended it', () => {
    const next = (reason: string) => explainFault(reason).nextStep
    expect(next('21211')).toBe('sms-bridge dlq discard --reason 21211 --because WHY')
    expect(next('30017')).toBe('sms-bridge dlq replay --reason 30017')
    expect(next('30034')).toBe('sms-bridge dlq replay --reason 30034')
    expect(next('stale')).toBe('sms-bridge dlq replay --reason stale --allow-stale')
    expect(next('unprovable')).toBe('sms-bridge dlq list --reason unprovable --each')
  })
})

it('every code of both vendors is explained under whose it is', () => {
  const origins = (codes: readonly string[]) => new Set(codes.map((code) => explainCode(code)?.origin))
  expect(origins(knownTwilioCodes.map(String))).toEqual(new Set(['twilio']))
  expect(origins(intercomCodes)).toEqual(new Set(['intercom']))
})

describe('codes near an unknown one', () => {
  it('are of the same thousand, the nearest first', () => {
    expect(codesNear('30099')).toEqual(['30125', '30044', '30042'])
    expect(codesNear('99999')).toEqual([])
  })

  it('are those that a typing error leads to', () => {
    expect(codesNear('no-anwser')).toEqual(['no-answer'])
    expect(codesNear('not-found')[0]).toBe('not_found')
    expect(codesNear('token')).toContain('token_expired')
    expect(codesNear('zzzzzzzzzzzzz')).toEqual([])
  })
})
