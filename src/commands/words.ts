// How times and counts are written for people.

const minuteMs = 60_000
const hourMs = 60 * minuteMs
const dayMs = 24 * hourMs

/** In one unit: `42s`, `11m`, `3h`, `6d`. */
export function span(ms: number): string {
  const seconds = Math.max(0, Math.round(ms / 1000))
  if (seconds < 60) return `${seconds}s`
  if (ms < hourMs) return `${Math.floor(seconds / 60)}m`
  return ms < dayMs ? `${Math.floor(ms / hourMs)}h` : `${Math.floor(ms / dayMs)}d`
}

export const ago = (ms: number) => `${span(ms)} ago`

/** `0.9s`, `12s`, then as a span. */
export function took(ms: number): string {
  return ms < 10_000 ? `${(ms / 1000).toFixed(1)}s` : span(ms)
}

/** `1 dead letter`, `3 dead letters`, `1,200 texts`. */
export function plural(count: number, one: string, many = `${one}s`): string {
  return `${number(count)} ${count === 1 ? one : many}`
}

/** Whatever the machine's language: `1,200`. */
export function number(count: number): string {
  return String(count).replace(/\B(?=(\d{3})+$)/g, ',')
}

export const list = (parts: readonly string[]) => parts.join(', ')
