import { describe, expect, it } from 'vitest'
import { createLog, type LogOptions } from '../src/log.js'

/** What is written at 2026-11-22T14:02:11.500Z. */
function linesOf(options: Partial<LogOptions>, act: (log: ReturnType<typeof createLog>) => void): string {
  const lines: string[] = []
  const clock = { now: () => Date.UTC(2026, 10, 22, 14, 2, 11, 500), sleep: async () => {} }
  act(createLog({ format: 'json', write: (line) => lines.push(line), clock, ...options }))
  return lines.join('')
}

describe('log lines', () => {
  it('are one JSON object each for machines', () => {
    expect(linesOf({}, (log) => log.info('delivery.attempted', { id: 12, outcome: 'delivered' }))).toBe(
      '{"level":"info","time":"2026-11-22T14:02:11.500Z","id":12,"outcome":"delivered","event":"delivery.attempted"}\n',
    )
  })

  it('are words for people', () => {
    const lines = linesOf({ format: 'pretty' }, (log) => {
      log.info('delivery.attempted', { id: 12, to: '…0177', outcome: 'delivered' })
      log.warn('shore.paused', { shore: 'intercom', reason: 'HTTP 503, "try later"' })
      log.error('line\u001b[2Jbreak', { reason: 'a\nb' })
    })
    expect(lines).toBe(
      [
        '14:02:11 delivery.attempted id=12 to=…0177 outcome=delivered',
        '14:02:11 warn: shore.paused shore=intercom reason="HTTP 503, \\"try later\\""',
        '14:02:11 error: "line\\u001b[2Jbreak" reason="a\\nb"',
        '',
      ].join('\n'),
    )
  })

  it('below the level are not written', () => {
    const lines = linesOf({ format: 'pretty', level: 'warn' }, (log) => {
      log.info('quiet')
      log.warn('loud')
    })
    expect(lines).toBe('14:02:11 warn: loud\n')
  })

  it.each(['json', 'pretty'] as const)('never hold what is named like a body or a secret (%s)', (format) => {
    const lines = linesOf({ format }, (log) =>
      log.error('planted', {
        body: 'PLANTED',
        Body: 'PLANTED',
        token: 'PLANTED',
        authToken: 'PLANTED',
        clientSecret: 'PLANTED',
        request: { headers: { Authorization: 'PLANTED', accept: 'text/xml' }, parts: [{ body: 'PLANTED', id: 7 }] },
        cause: Object.assign(new Error('refused'), { token: 'PLANTED' }),
      }),
    )
    expect(lines).not.toContain('PLANTED')
    expect(lines).toContain('text/xml')
    expect(lines).toContain('refused')
  })
})
