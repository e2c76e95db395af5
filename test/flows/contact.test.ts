import { describe, expect, it } from 'vitest'
import { rankContacts } from '../../src/flows/contact.js'
import type { Contact } from '../../src/intercom/client.js'
import type { ContactId } from '../../src/message.js'

const contact = (id: string, facts: Partial<Contact>): Contact => ({
  id: id as ContactId, // the brand is only made here
  role: 'lead',
  updatedAt: 0,
  createdAt: 0,
  ...facts,
})
const chosen = (...contacts: Contact[]) => rankContacts(contacts).map(({ id }) => id)

describe('of several contacts with one number', () => {
  it('a user comes before a lead, however active the lead', () => {
    expect(chosen(contact('lead', { lastRepliedAt: 9 }), contact('user', { role: 'user' }))).toEqual(['user', 'lead'])
  })

  it('who replied last comes first', () => {
    expect(chosen(contact('a', { lastRepliedAt: 1 }), contact('b', { lastRepliedAt: 2 }), contact('c', {}))).toEqual([
      'b',
      'a',
      'c',
    ])
  })

  it('then who was changed last, then the smaller id, so that the choice is always the same', () => {
    const all = [contact('c', { updatedAt: 1 }), contact('b', { updatedAt: 2 }), contact('a', { updatedAt: 1 })]
    expect(chosen(...all)).toEqual(['b', 'a', 'c'])
    expect(chosen(...all.toReversed())).toEqual(['b', 'a', 'c'])
  })
})
