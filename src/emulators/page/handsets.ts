// The customers' phones the page knows of: those it was asked to add, and those that texts name.
import type { PageState } from './types.js'

export interface Handsets {
  /** Those added, then those `seen`, each once. */
  list(seen: readonly string[]): PageState['handsets']
  add(phoneNumber: string): void
  /** A Twilio error code, or null for texts that arrive. */
  decideFate(phoneNumber: string, errorCode: number | null): void
}

export function createHandsets(first: readonly string[]): Handsets {
  const added = new Set(first)
  const fates = new Map<string, number | null>()
  return {
    add: (phoneNumber) => void added.add(phoneNumber),
    decideFate: (phoneNumber, errorCode) => void fates.set(phoneNumber, errorCode),
    list: (seen) => [...new Set([...added, ...seen])].map((number) => ({ number, fate: fates.get(number) ?? null })),
  }
}
