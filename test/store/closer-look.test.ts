// What a doctor asks of a store, on both engines.
import { expect, it } from 'vitest'
import { type Look, openLook } from '../../src/store/look.js'
import { onEachEngine } from '../support/stores.js'
import { aDelivery, address, contact } from './deliveries.js'

const day = Date.UTC(2026, 10, 30)

onEachEngine('a closer look', (subject) => {
  const look = async <T>(ask: (opened: Look) => Promise<T>): Promise<T> => {
    const opened = await openLook(subject.place.url)
    try {
      return await ask(opened)
    } finally {
      await opened.close()
    }
  }

  it('counts what no webhook brought, by kind and since when', async () => {
    await subject.store.ingest(aDelivery(), day)
    await subject.store.ingest({ ...aDelivery(), recovered: true }, day + 1000)
    await subject.store.ingest({ ...aDelivery(), recovered: true }, day + 2000)
    expect(await look((opened) => opened.recovered('inbound-sms', day))).toEqual({ count: 2, newestAt: day + 2000 })
    expect(await look((opened) => opened.recovered('inbound-sms', day + 1500))).toMatchObject({ count: 1 })
    expect(await look((opened) => opened.recovered('agent-reply', day))).toEqual({ count: 0, newestAt: undefined })
  })

  it('names the contacts that were made last, newest first', async () => {
    const { store } = subject
    for (const [index, id] of ['a', 'b', 'c'].entries()) {
      await store.saveContact(address(`+1555010017${index}`), contact(id), day + index)
    }
    expect(await look((opened) => opened.recentContacts(2))).toEqual(['c', 'b'])
  })

  it('finds a whole store whole, and answers questions that are asked at once', async () => {
    await subject.store.ingest(aDelivery(), day)
    const [damage, found, survey] = await look((opened) =>
      Promise.all([
        opened.findDamage(),
        opened.recovered('inbound-sms', day),
        opened.survey({ since: day, now: day + 1000 }),
      ]),
    )
    expect(damage).toBeUndefined()
    expect(found.count).toBe(0)
    expect(survey.sheets).toHaveLength(1)
  })
})
