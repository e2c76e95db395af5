interface LimitInUse {
  readonly key: string
  readonly tat: number
  readonly per_ms: number
  readonly burst: number
  readonly held_until: number | null
}

/** How far from full each limit is: 1 idle, 0 used up or held. */
export function headroomOf(
  limits: readonly LimitInUse[],
  now: number,
): { readonly key: string; readonly free: number }[] {
  return limits.map(({ key, tat, per_ms, burst, held_until }) => {
    const held = held_until !== null && held_until > now
    const free = 1 - Math.max(0, tat - now) / (burst / per_ms)
    return { key, free: held ? 0 : Math.min(1, Math.max(0, free)) }
  })
}
