const unitMs = { s: 1000, m: 60_000, h: 3_600_000, d: 86_400_000 } as const

/** Reads `90s`, `15m`, `24h` or `7d` as milliseconds; undefined when it is none of these or nothing at all. */
export function parseDuration(text: string): number | undefined {
  const [, count, unit] = /^(\d{1,6})([smhd])$/.exec(text.trim()) ?? []
  const ms = Number(count) * unitMs[unit as keyof typeof unitMs] // the pattern lets only these units through
  return ms > 0 ? ms : undefined
}
