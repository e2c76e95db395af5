// The store for those who only look: it loads no query builder, migrates nothing and needs no permission to write.
import type { DeliveryKind } from '../delivery.js'
import type { ContactId } from '../message.js'
import { openAt } from './address.js'
import { findDamage, findRecovered, type Recovered, recentContacts } from './closer-look.js'
import type { Asker } from './question.js'
import { type Survey, type SurveyRequest, survey } from './survey.js'

export interface Look {
  survey(request: SurveyRequest): Promise<Survey>
  /** What no webhook brought since then, epoch ms. */
  recovered(kind: DeliveryKind, since: number): Promise<Recovered>
  /** Intercom's ids of the contacts that were made or found last. */
  recentContacts(limit: number): Promise<readonly ContactId[]>
  /** Reads the whole store; undefined when it is whole. */
  findDamage(): Promise<string | undefined>
  close(): Promise<void>
}

/** Runs questions over one state of the store. */
export interface Reader {
  read<Value>(ask: (tx: Asker) => Promise<Value>): Promise<Value>
  close(): Promise<void>
}

/** Throws a UserError when there is no store, or one of another version. */
export async function openLook(url: string): Promise<Look> {
  const reader = await openAt<Reader>(url, false, {
    postgres: async () => (await import('./postgres/reader.js')).openReader(url),
    sqlite: async (file) => (await import('./sqlite/reader.js')).openReader(file),
  })
  let before: Promise<unknown> = Promise.resolve()
  /** One after the other: a connection has one transaction. */
  const read: Reader['read'] = (ask) => {
    const next = before.then(() => reader.read(ask))
    before = next.catch(() => {}) // whoever asked is told
    return next
  }
  return {
    survey: (request) => read((tx) => survey(tx, request)),
    recovered: (kind, since) => read((tx) => findRecovered(tx, kind, since)),
    recentContacts: (limit) => read((tx) => recentContacts(tx, limit)),
    findDamage: () => read(findDamage),
    close: () => reader.close(),
  }
}
