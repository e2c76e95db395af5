// What is delivered late says so: "[delayed, sent 14:02]".

/** The mark before a message that was sent at `sentAt` (epoch ms); '' when it is not late. */
export function lateMark(times: { sentAt: number; now: number; lateAfterMs: number; timeZone?: string }): string {
  const { sentAt, now, lateAfterMs, timeZone } = times
  if (now - sentAt <= lateAfterMs) return ''
  return `[delayed, sent ${clockTime(sentAt, now, timeZone)}]`
}

/** `14:02`, with the day in front when it was another one; epoch ms. Without a time zone: `14:02 UTC`. */
export function clockTime(time: number, now: number, timeZone?: string): string {
  const zone = timeZone !== undefined && isTimeZone(timeZone) ? timeZone : undefined
  const at = partsOf(time, zone)
  const day = at.date === partsOf(now, zone).date ? '' : `${at.date} `
  return `${day}${at.time}${zone === undefined ? ' UTC' : ''}`
}

/**
 * When a message was sent, epoch ms: what the vendor told, unless it is only our clock that makes it look late; then,
 * and where the vendor told nothing, when it reached us.
 */
export function whenSent(times: {
  told: number | undefined
  receivedAt: number
  now: number
  lateAfterMs: number
  /** How far the two clocks may be apart. */
  slackMs: number
}): number {
  const { told, receivedAt, now, lateAfterMs, slackMs } = times
  return told !== undefined && now - told > lateAfterMs + slackMs ? told : receivedAt
}

function isTimeZone(name: string): boolean {
  try {
    new Intl.DateTimeFormat('en', { timeZone: name })
    return true
  } catch {
    return false
  }
}

function partsOf(time: number, timeZone = 'UTC'): { date: string; time: string } {
  const format = new Intl.DateTimeFormat('en-GB', {
    timeZone,
    day: 'numeric',
    month: 'short',
    hour: '2-digit',
    minute: '2-digit',
    hourCycle: 'h23',
  })
  const part = Object.fromEntries(format.formatToParts(time).map(({ type, value }) => [type, value]))
  return { date: `${part.day} ${part.month}`, time: `${part.hour}:${part.minute}` }
}
