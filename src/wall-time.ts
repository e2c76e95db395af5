// Between moments (epoch ms) and what a zone's clocks on the wall show then. Wall time is counted in ms as if the
// wall were in UTC; days are counted from 1970-01-01. Intl alone: a clock that is put forward past a time reaches it
// at that moment, which no library's rule for times that do not exist says.

export const dayMs = 86_400_000

export interface Zone {
  wallAt(at: number): number
  /** The first moment at which the wall shows this time or a later one: it never runs backwards. */
  firstReach(wall: number): number
}

/** An IANA zone, in any case. */
export function isZone(name: string): boolean {
  if (!/^[A-Za-z][\w+/-]*$/.test(name)) return false
  try {
    new Intl.DateTimeFormat('en-US', { timeZone: name })
    return true
  } catch {
    return false
  }
}

/** Throws RangeError when there is no such zone. */
export function openZone(name: string): Zone {
  const format = new Intl.DateTimeFormat('en-US', {
    timeZone: name,
    hourCycle: 'h23',
    year: 'numeric',
    month: 'numeric',
    day: 'numeric',
    hour: 'numeric',
    minute: 'numeric',
    second: 'numeric',
  })
  const offsetAt = (at: number): number => {
    const [month = 0, day = 0, year = 0, ...time] = format.format(at).match(/\d+/g)?.map(Number) ?? []
    const second = Math.floor(at / 1000) * 1000
    return Date.UTC(year, month - 1, day, ...(time as [number, number, number])) - second // the format's last three
  }
  return {
    wallAt: (at) => at + offsetAt(at),
    firstReach: (wall) => {
      // No zone is a day from UTC: these are the offsets before and after whatever change is near.
      const [before, after] = [offsetAt(wall - dayMs), offsetAt(wall + dayMs)]
      const early = wall - before
      if (before === after || offsetAt(early) === before) return early
      const late = wall - after
      if (offsetAt(late) === after) return late
      let [low, high] = [late, early]
      while (high - low > 1) {
        const middle = Math.floor((low + high) / 2)
        if (offsetAt(middle) === before) low = middle
        else high = middle
      }
      return high
    },
  }
}
