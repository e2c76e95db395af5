import type { Route } from './call.js'

export interface Match {
  readonly route: Route
  readonly params: Readonly<Record<string, string>>
}

export type Router = (method: string, path: string) => Match | undefined

/** Finds the first route a request fits. Unsupported methods fit none: Intercom answers those 404 too. */
export function createRouter(routes: readonly Route[]): Router {
  const table = routes.map((route) => ({ route, segments: route.pattern.split('/') }))
  return (method, path) => {
    const given = path.split('/')
    for (const { route, segments } of table) {
      if (route.method !== method || segments.length !== given.length) continue
      const params: Record<string, string> = {}
      const fits = segments.every((segment, index) => {
        const value = given[index] ?? ''
        if (!segment.startsWith('{')) return segment === value
        params[segment.slice(1, -1)] = decode(value)
        return value !== ''
      })
      if (fits) return { route, params }
    }
    return undefined
  }
}

function decode(segment: string): string {
  try {
    return decodeURIComponent(segment)
  } catch {
    return segment
  }
}
