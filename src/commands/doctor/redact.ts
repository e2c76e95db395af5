// A report that may be sent to somebody: no secret, no password, and of phone numbers the last four digits.

export type Redact = (text: string) => string

const phones = /\+\d{7,15}/g
const credentials = /(\/\/[^/\s]*?):[^\s]*@/g

/** `secrets` and `numbers` wherever they stand; and whatever looks like a number or a password in a URL. */
export function createRedact(secrets: readonly string[], numbers: readonly string[]): Redact {
  // A secret that is part of another goes last; one or two characters would tear words apart.
  const known = [...new Set(secrets)].filter((text) => text.length > 2).sort((a, b) => b.length - a.length)
  // Short codes have no plus that tells them from other digits.
  const codes = numbers.filter((number) => /^\d{3,8}$/.test(number))
  return (text) => {
    let told = text
    for (const secret of known) told = told.replaceAll(secret, '••••')
    told = told.replace(credentials, '$1:…@').replace(phones, (number) => `…${number.slice(-4)}`)
    for (const code of codes) told = told.replaceAll(new RegExp(`(?<!\\d)${code}(?!\\d)`, 'g'), `…${code.slice(-2)}`)
    return told
  }
}

/** Every text in it, names of fields too. */
export function redactAll(value: unknown, redact: Redact): unknown {
  if (typeof value === 'string') return redact(value)
  if (Array.isArray(value)) return value.map((inner) => redactAll(inner, redact))
  if (typeof value !== 'object' || value === null) return value
  return Object.fromEntries(Object.entries(value).map(([name, inner]) => [redact(name), redactAll(inner, redact)]))
}
