import type { TwinClock } from '../clock.js'

export type Document = Readonly<Record<string, unknown>>

/**
 * What search knows, which is what was true `lagMs` ago: a new document, and a changed field, is found only then.
 * Removal shows at once, because hits that are gone are left out of the answer.
 */
export interface SearchIndex {
  put(id: string, document: Document): void
  remove(id: string): void
  entries(): readonly (readonly [id: string, document: Document])[]
}

export function createSearchIndex(clock: TwinClock, lagMs: number): SearchIndex {
  const versions = new Map<string, { readonly document: Document; readonly visibleAt: number }[]>()
  return {
    put(id, document) {
      const known = versions.get(id) ?? []
      known.push({ document, visibleAt: clock.now() + lagMs })
      versions.set(id, known)
    },
    remove(id) {
      versions.delete(id)
    },
    entries() {
      const now = clock.now()
      const visible: [string, Document][] = []
      for (const [id, known] of versions) {
        while ((known[1]?.visibleAt ?? Number.POSITIVE_INFINITY) <= now) known.shift()
        const first = known[0]
        if (first !== undefined && first.visibleAt <= now) visible.push([id, first.document])
      }
      return visible
    },
  }
}
