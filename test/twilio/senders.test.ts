import { expect, it } from 'vitest'
import { parseAddress } from '../../src/phone.js'
import { segmentsOf, senderKind, senderRule } from '../../src/twilio/senders.js'

it.each([
  ['+15550100177', 'long-code', 0.001, 24],
  ['+447700900123', 'long-code', 0.001, 24],
  ['+18005550100', 'toll-free', 0.003, 24],
  ['+18335550100', 'toll-free', 0.003, 24],
  ['+18775550100', 'toll-free', 0.003, 24],
  ['+18225550100', 'long-code', 0.001, 24],
  ['24273', 'short-code', 0.1, 100],
  ['ACME', 'alphanumeric', 0.01, 24],
] as const)('%s is a %s and sends at its pace', (text, kind, perMs, burst) => {
  const address = parseAddress(text)
  expect(senderKind(address)).toBe(kind)
  expect(senderRule(address)).toEqual({ perMs, burst })
})

it.each([
  ['a'.repeat(160), 1],
  ['a'.repeat(161), 2],
  ['€'.repeat(80), 1],
  ['€'.repeat(81), 2],
  ['👍'.repeat(35), 1],
  ['👍'.repeat(36), 2],
  ['ж'.repeat(1600), 24],
])('segments are counted as they are billed (%#)', (text, segments) => {
  expect(segmentsOf(text)).toBe(segments)
})

it('the longest text fits through the pace of every sender', () => {
  for (const sender of ['+15550100177', '+18005550100', '24273', 'ACME']) {
    expect(senderRule(parseAddress(sender)).burst).toBeGreaterThanOrEqual(segmentsOf('ж'.repeat(1600)))
  }
})
