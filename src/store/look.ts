// The store for those who only look: it loads no query builder, migrates nothing and needs no permission to write.
import { openAt } from './address.js'
import type { Asker } from './question.js'
import { type Survey, type SurveyRequest, survey } from './survey.js'

export interface Look {
  survey(request: SurveyRequest): Promise<Survey>
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
  return {
    survey: (request) => reader.read((tx) => survey(tx, request)),
    close: () => reader.close(),
  }
}
