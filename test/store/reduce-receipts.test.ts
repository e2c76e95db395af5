import { expect, it } from 'vitest'
import type { SmsStatus } from '../../src/message.js'
import { type KnownReceipt, reduceReceipts } from '../../src/store/reduce-receipts.js'

const receipt = (status: SmsStatus, errorCode?: number, ref?: string): KnownReceipt => ({ status, errorCode, ref })

function permutations<T>(list: readonly T[]): T[][] {
  if (list.length === 0) return [[]]
  return list.flatMap((first, index) => permutations(list.toSpliced(index, 1)).map((rest) => [first, ...rest]))
}

const histories: readonly {
  name: string
  receipts: readonly KnownReceipt[]
  end: ReturnType<typeof reduceReceipts>
}[] = [
  {
    name: 'an ordinary text is delivered',
    receipts: ['accepted', 'queued', 'sending', 'sent', 'delivered'].map((status) => receipt(status as SmsStatus)), // listed here
    end: { status: 'delivered', errorCode: undefined, ref: undefined, conflict: false },
  },
  {
    name: 'a text that is undelivered keeps its code and our reference',
    receipts: [receipt('queued'), receipt('sent', undefined, '7.0'), receipt('undelivered', 30003)],
    end: { status: 'undelivered', errorCode: 30003, ref: '7.0', conflict: false },
  },
  {
    name: 'a delivered text that is also called failed is in conflict',
    receipts: [receipt('sent'), receipt('delivered'), receipt('failed', 30008), receipt('undelivered', 30005)],
    end: { status: 'failed', errorCode: 30008, ref: undefined, conflict: true },
  },
  {
    name: 'a read text has arrived, whatever was said before',
    receipts: [receipt('delivered'), receipt('read'), receipt('undelivered', 30003)],
    end: { status: 'read', errorCode: 30003, ref: undefined, conflict: true },
  },
  {
    name: 'a scheduled text that is cancelled stays cancelled',
    receipts: [receipt('scheduled'), receipt('canceled'), receipt('accepted')],
    end: { status: 'canceled', errorCode: undefined, ref: undefined, conflict: false },
  },
  {
    name: 'of two codes for one status the lower one is kept',
    receipts: [receipt('failed', 30008), receipt('failed', 30003), receipt('failed')],
    end: { status: 'failed', errorCode: 30003, ref: undefined, conflict: false },
  },
]

for (const { name, receipts, end } of histories) {
  it(`${name}, in every order of arrival`, () => {
    for (const order of permutations(receipts)) expect(reduceReceipts(order)).toEqual(end)
  })
}

it('no pair of states depends on its order, and a terminal one always outlasts one that is not', () => {
  const early: SmsStatus[] = ['accepted', 'scheduled', 'queued', 'sending', 'sent']
  const terminal: SmsStatus[] = ['delivered', 'undelivered', 'failed', 'canceled', 'read']
  for (const last of terminal) {
    for (const status of early) {
      expect(reduceReceipts([receipt(last), receipt(status)])?.status).toBe(last)
      expect(reduceReceipts([receipt(status), receipt(last)])?.status).toBe(last)
    }
  }
})

it('nothing adds up to nothing', () => {
  expect(reduceReceipts([])).toBe(undefined)
})
