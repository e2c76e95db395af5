import { describe, expect, it } from 'vitest'
import { parseDuration } from '../../src/cli/duration.js'
import { columnWidths } from '../../src/cli/io.js'
import { testIo } from '../support/test-io.js'

const head = ['number', 'delivered']
const rows = [['+15550100100', '12']]

describe('the columns of a table', () => {
  it('are as wide as what is in them where that fits', () => {
    expect(
      columnWidths(
        [
          ['a', 'number'],
          ['+15550100100', 'b'],
        ],
        80,
      ),
    ).toEqual([14, 8])
  })

  it('give way in a narrow terminal, the widest first, down to a limit', () => {
    const rows = [['x'.repeat(10), 'y'.repeat(60), 'z'.repeat(30)]]
    expect(columnWidths(rows, 200)).toEqual([12, 62, 32])
    expect(columnWidths(rows, 80)).toEqual([12, 32, 32])
    expect(columnWidths(rows, 60).reduce((sum, width) => sum + width, 4)).toBe(60)
    expect(columnWidths(rows, 20)).toEqual([12, 12, 12])
  })
})

describe('tables', () => {
  it('are tab-separated lines on a pipe', async () => {
    expect(await testIo().table(head, rows)).toBe('number\tdelivered\n+15550100100\t12')
  })

  it('are drawn on a terminal, without colour under NO_COLOR', async () => {
    expect(await testIo({ tty: true, env: { NO_COLOR: '1' } }).table(head, rows)).toBe(
      [
        '┌──────────────┬───────────┐',
        '│ number       │ delivered │',
        '├──────────────┼───────────┤',
        '│ +15550100100 │ 12        │',
        '└──────────────┴───────────┘',
      ].join('\n'),
    )
  })
})

describe('colours', () => {
  it('appear on a terminal only, and never under NO_COLOR or on a dumb one', async () => {
    const red = async (options: Parameters<typeof testIo>[0]) => (await testIo(options).colour()).red('down')
    expect(await red({ tty: true })).toBe('\u001b[31mdown\u001b[39m')
    expect(await red({ tty: true, env: { NO_COLOR: '' } })).toBe('\u001b[31mdown\u001b[39m')
    expect(await red({ tty: true, env: { NO_COLOR: '1' } })).toBe('down')
    expect(await red({ tty: true, env: { TERM: 'dumb' } })).toBe('down')
    expect(await red({})).toBe('down')
  })
})

describe('spinners', () => {
  it('are plain lines on a pipe', async () => {
    const io = testIo()
    const spinner = await io.spin('Starting')
    spinner.stop('Started')
    expect(io.stderr()).toBe('Starting\nStarted\n')
    expect(io.stdout()).toBe('')
  })

  it('end with their last words on a terminal', async () => {
    const io = testIo({ tty: true })
    const spinner = await io.spin('Starting')
    spinner.stop('Started')
    expect(io.stderr()).toMatch(/✔\S* Started\n/)
    expect(io.stdout()).toBe('')
  })
})

describe('questions', () => {
  it('are refused, naming the flag, where nobody can answer', async () => {
    await expect(testIo().confirm('Send 12 texts again?', '--yes')).rejects.toThrow(
      'Send 12 texts again? Nobody can answer here: type --yes',
    )
  })

  it('are asked on stderr and answered at the keyboard', async () => {
    const io = testIo({ tty: true })
    const answer = io.confirm('Send 12 texts again?', '--yes')
    await io.shows('Send 12 texts again?')
    io.type('y\n')
    expect(await answer).toBe(true)
    expect(io.stdout()).toBe('')
  })
})

describe('durations', () => {
  it.each([
    ['90s', 90_000],
    ['15m', 900_000],
    ['24h', 86_400_000],
    ['7d', 604_800_000],
    [' 1d ', 86_400_000],
  ])('%s', (text, ms) => {
    expect(parseDuration(text)).toBe(ms)
  })

  it.each(['', '0m', '15', 'm', '1.5h', '-1d', '1w', '15M', '1h30m', '9999999d'])('%j is none', (text) => {
    expect(parseDuration(text)).toBe(undefined)
  })
})
