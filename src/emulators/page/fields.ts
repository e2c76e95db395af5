/** Thrown for what a person asked that cannot be done; the message is shown to them as it is. */
export class RefusedAction extends Error {
  override readonly name = 'RefusedAction'
}

/** The fields of a posted action, each checked as it is read. */
export interface Fields {
  /** Trimmed and not empty. */
  text(name: string, longest: number): string
  flag(name: string): boolean
  /** A Twilio error code, or null. */
  code(name: string): number | null
  phoneNumber(name: string): string
  choice<T extends string>(name: string, among: readonly T[]): T
}

export function parseFields(body: string): Fields {
  const values = parseObject(body)
  const text = (name: string, longest: number): string => {
    const value = values.get(name)
    if (typeof value !== 'string' || value.trim() === '') throw new RefusedAction(`Nothing was given for "${name}".`)
    if (value.length > longest)
      throw new RefusedAction(`"${name}" may have ${longest} characters; this has ${value.length}.`)
    return value.trim()
  }
  return {
    text,
    flag(name) {
      const value = values.get(name)
      if (typeof value !== 'boolean') throw new RefusedAction(`"${name}" has to be true or false.`)
      return value
    },
    code(name) {
      const value = values.get(name)
      if (value === null) return null
      if (typeof value !== 'number' || !Number.isInteger(value))
        throw new RefusedAction(`"${name}" has to be an error code.`)
      return value
    },
    phoneNumber(name) {
      const given = text(name, 40)
      const number = given.replaceAll(/[\s().-]/g, '')
      if (!/^\+[1-9]\d{6,14}$/.test(number)) {
        throw new RefusedAction(`"${given}" is not an international phone number. Write it like +15550100142.`)
      }
      return number
    },
    choice(name, among) {
      const value = text(name, 100)
      const found = among.find((one) => one === value)
      if (found === undefined) throw new RefusedAction(`"${value}" is not a known ${name}.`)
      return found
    },
  }
}

function parseObject(body: string): ReadonlyMap<string, unknown> {
  let value: unknown
  try {
    value = JSON.parse(body)
  } catch (cause) {
    throw new RefusedAction('The request is not JSON.', { cause })
  }
  if (typeof value !== 'object' || value === null) throw new RefusedAction('The request is not a JSON object.')
  return new Map(Object.entries(value))
}
