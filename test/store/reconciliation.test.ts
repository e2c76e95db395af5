// What reconciliation and the duties of one process keep in the store.
import { describe, expect, it } from 'vitest'
import { onEachEngine } from '../support/stores.js'
import { aDelivery, sid } from './deliveries.js'

const minute = 60_000

onEachEngine('what reconciliation keeps', (subject) => {
  describe('a duty', () => {
    it('is one holder’s until its time is up, and may be extended by them alone', async () => {
      const { store } = subject
      expect(await store.takeDuty('sweep', 'a', 100, 0)).toBe(true)
      expect(await store.takeDuty('sweep', 'b', 150, 50)).toBe(false)
      expect(await store.takeDuty('sweep', 'a', 200, 90)).toBe(true)
      expect(await store.takeDuty('sweep', 'b', 250, 199)).toBe(false)
      expect(await store.takeDuty('sweep', 'b', 300, 200)).toBe(true)
      expect(await store.takeDuty('sweep', 'a', 300, 201)).toBe(false)
    })

    it('that is given up is anybody’s at once, but not by those who do not hold it', async () => {
      const { store } = subject
      await store.takeDuty('sweep', 'a', 100, 0)
      await store.giveUpDuty('sweep', 'b')
      expect(await store.takeDuty('sweep', 'b', 100, 1)).toBe(false)
      await store.giveUpDuty('sweep', 'a')
      expect(await store.takeDuty('sweep', 'b', 100, 1)).toBe(true)
      expect(await store.takeDuty('purge', 'a', 100, 1)).toBe(true)
    })

    it('that ten want at once is given to one', async () => {
      const { store } = subject
      const holders = Array.from({ length: 10 }, (_, index) => `h${index}`)
      const taken = await Promise.all(holders.map((holder) => store.takeDuty('sweep', holder, 100, 0)))
      expect(taken.filter(Boolean)).toHaveLength(1)
    })
  })

  it('a mark is found as it was last set', async () => {
    const { store } = subject
    expect(await store.findMark('sweep')).toBe(undefined)
    await store.setMark('sweep', 5)
    expect(await store.findMark('sweep')).toEqual({ at: 5, value: undefined })
    await store.setMark('sweep', 4, { missing: ['SM1'] })
    expect(await store.findMark('sweep')).toEqual({ at: 4, value: { missing: ['SM1'] } })
  })

  it('numbers are replaced as a whole', async () => {
    const { store } = subject
    const one = { number: '+15550100001', kind: 'long-code', state: 'ours' }
    const two = { number: '+15550100002', kind: 'toll-free', state: 'elsewhere', detail: 'https://other.example/sms' }
    await store.saveNumbers([one, two], 10)
    expect(await store.listNumbers()).toEqual([
      { ...one, checkedAt: 10 },
      { ...two, checkedAt: 10 },
    ])
    await store.saveNumbers([{ ...two, state: 'ours' }], 20)
    expect(await store.listNumbers()).toEqual([{ ...two, state: 'ours', checkedAt: 20 }])
  })

  it('numbers that were ever texted are known, each once', async () => {
    const { store } = subject
    const day = 86_400_000
    for (const [number, at] of [
      ['+15550100002', 0],
      ['+15550100001', day],
      ['+15550100002', 2 * day],
    ] as const) {
      await store.ingest(aDelivery({ number, lane: `${number} ${at}` }), at)
    }
    const { payload: _, ...reply } = aDelivery({ number: '+15550100003', lane: 'out' })
    const lookup = { ...reply, kind: 'reply-lookup', payload: { conversationId: '1' } } as const
    await store.ingest(lookup as unknown as ReturnType<typeof aDelivery>, day) // another kind, whose number was never texted
    expect(await store.textedNumbers()).toEqual(['+15550100001', '+15550100002'])
  })

  it('keys that were never ingested are told from all others, in the order given', async () => {
    const { store } = subject
    await store.ingest(aDelivery({ dedupeKey: 'twilio:SM2' }), 1)
    expect(await store.unseen(['twilio:SM3', 'twilio:SM2', 'twilio:SM1'])).toEqual(['twilio:SM3', 'twilio:SM1'])
    expect(await store.unseen([])).toEqual([])
  })

  it('a text is asked about a quarter of an hour after it became known, until its state is final', async () => {
    const { store } = subject
    await store.saveReceipt({ messageSid: sid('SM1'), status: 'queued', ref: '7.0' }, 0)
    await store.saveReceipt({ messageSid: sid('SM2'), status: 'sent' }, 1)
    await store.saveReceipt({ messageSid: sid('SM3'), status: 'delivered' }, 0)
    const due = async (now: number, limit = 10) =>
      (await store.textsToPoll(now, limit)).map(({ messageSid }) => messageSid)
    expect(await due(15 * minute - 1)).toEqual([])
    expect(await due(15 * minute + 1)).toEqual(['SM1', 'SM2'])
    expect(await due(15 * minute + 1, 1)).toEqual(['SM1'])
    await store.pollAgain(sid('SM1'), 60 * minute)
    await store.pollAgain(sid('SM2'), undefined)
    expect(await due(60 * minute - 1)).toEqual([])
    expect(await due(60 * minute)).toEqual(['SM1'])
    await store.saveReceipt({ messageSid: sid('SM1'), status: 'undelivered', errorCode: 30003 }, 61 * minute)
    expect(await due(62 * minute)).toEqual([])
  })
})
