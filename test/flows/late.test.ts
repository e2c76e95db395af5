import { describe, expect, it } from 'vitest'
import { lateMark, whenSent } from '../../src/flows/late.js'

const minute = 60_000
const sentAt = Date.UTC(2026, 10, 24, 22, 2)
const mark = (lateMs: number, timeZone?: string) =>
  lateMark({ sentAt, now: sentAt + lateMs, lateAfterMs: 10 * minute, ...(timeZone !== undefined && { timeZone }) })

describe('the mark of what is delivered late', () => {
  it('is missing up to ten minutes', () => {
    expect([mark(0), mark(10 * minute)]).toEqual(['', ''])
  })

  it('tells when it was sent, in the zone of the workspace', () => {
    expect(mark(10 * minute + 1, 'America/New_York')).toBe('[delayed, sent 17:02]')
    expect(mark(11 * minute, 'Asia/Kolkata')).toBe('[delayed, sent 03:32]')
  })

  it('tells the day when that is another', () => {
    expect(mark(3 * 60 * minute, 'Europe/Berlin')).toBe('[delayed, sent 24 Nov 23:02]')
    expect(mark(26 * 60 * minute, 'America/New_York')).toBe('[delayed, sent 24 Nov 17:02]')
  })

  it('says UTC where no zone is known', () => {
    expect(mark(11 * minute)).toBe('[delayed, sent 22:02 UTC]')
    expect(mark(11 * minute, 'Mars/Olympus')).toBe('[delayed, sent 22:02 UTC]')
  })
})

describe('when a message was sent', () => {
  const now = sentAt
  const when = (told: number | undefined, slackMs = 5_000) =>
    whenSent({ told, receivedAt: now - minute, now, lateAfterMs: 10 * minute, slackMs })

  it('is what the vendor told of one that is late, else when it came', () => {
    expect([when(now - 60 * minute), when(now - 10 * minute), when(undefined)]).toEqual([
      now - 60 * minute,
      now - minute,
      now - minute,
    ])
  })

  it('is when it came, where only a wrong clock of ours makes it late', () => {
    expect(when(now - 60 * minute, 120 * minute)).toBe(now - minute)
  })
})
