import { describe, expect, it } from 'vitest'
import { aliasesOf, canonical, countryOf, isPhoneNumber, parseAddress, parsePhoneNumber, redact } from '../src/phone.js'

describe('phone numbers', () => {
  it.each([
    ['+1 (555) 010-0142', '+15550100142'],
    ['555 010 0142', '+15550100142'],
    ['0044 20 7946 0958', '+442079460958'],
    ['+15550100142', '+15550100142'],
    ['hello', undefined],
    ['', undefined],
    ['12', undefined],
  ])('%j is read as %j', (text, number) => {
    expect(parsePhoneNumber(text, 'US')).toBe(number)
  })

  it.each([
    ['+12125550142', 'US'],
    ['+14165550142', 'CA'],
    ['+442079460958', 'GB'],
    ['+15550100142', undefined],
  ])('%s belongs to %s', (text, country) => {
    if (!isPhoneNumber(text)) throw new Error(`${text} is no number`)
    expect(countryOf(text)).toBe(country)
  })

  it('are completed by the default region', () => {
    expect(parsePhoneNumber('020 7946 0958', 'GB')).toBe('+442079460958')
  })

  it.each([
    ['Brazil', '+5511987654321', ['+5511987654321', '+551187654321']],
    ['Brazil without the ninth digit', '+551187654321', ['+551187654321', '+5511987654321']],
    ['Mexico', '+5215512345678', ['+5215512345678', '+525512345678']],
    ['Mexico without the 1', '+525512345678', ['+525512345678', '+5215512345678']],
    ['Argentina', '+5491123456789', ['+5491123456789', '+541123456789']],
    ['Argentina without the 9', '+541123456789', ['+541123456789', '+5491123456789']],
    ['anywhere else', '+15550100142', ['+15550100142']],
  ])('%s: every spelling of one handset', (_country, text, spellings) => {
    if (!isPhoneNumber(text)) throw new Error(`${text} is no number`)
    expect(aliasesOf(text)).toEqual(spellings)
    expect(new Set(aliasesOf(text).map(canonical)).size).toBe(1)
  })

  it('a landline in Brazil has one spelling', () => {
    expect(aliasesOf(parsePhoneNumber('+551133334444', 'BR') ?? fail())).toEqual(['+551133334444'])
  })

  it('short codes and names are addresses, not numbers', () => {
    expect(parseAddress('24273')).toBe('24273')
    expect(isPhoneNumber(parseAddress('24273'))).toBe(false)
    expect(isPhoneNumber(parseAddress('ACME'))).toBe(false)
  })

  it('show their last four digits in logs', () => {
    expect(redact('+15550100142')).toBe('…0142')
  })
})

function fail(): never {
  throw new Error('not a number')
}
