/** Ids of the shapes Intercom uses: decimal for conversations and parts, 24 hex digits for contacts. */
export interface Ids {
  /** For conversations, parts, tags and messages. */
  decimal(): string
  contact(nowMs: number): string
  uuid(): string
}

/** Decimal ids begin where the clock stands: another run of the twin never repeats those of this one. */
export function createIds(random: () => number, nowMs: number): Ids {
  const hex = (digits: number) => Array.from({ length: digits }, () => Math.floor(random() * 16).toString(16)).join('')
  const process = hex(10)
  let decimal = nowMs * 100
  let contact = 0
  return {
    decimal() {
      decimal += 1
      return String(decimal)
    },
    contact(nowMs) {
      contact += 1
      const seconds = Math.floor(nowMs / 1000).toString(16)
      return `${seconds.padStart(8, '0').slice(-8)}${process}${contact.toString(16).padStart(6, '0')}`
    },
    uuid: () => `${hex(8)}-${hex(4)}-4${hex(3)}-a${hex(3)}-${hex(12)}`,
  }
}
