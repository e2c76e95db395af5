// Settings with a value for each number, as text: `NUMBER=VALUE` pairs separated by commas.
import type { SettingName } from '../../config/schema.js'
import type { AccountNumber } from '../../twilio/numbers.js'
import type { Answers } from './session.js'

export function pairsOf(text = ''): Map<string, string> {
  const pairs = text.split(',').map((pair) => pair.split('=').map((one) => one.trim()))
  return new Map(pairs.flatMap(([number, value]) => (number && value ? [[number, value] as const] : [])))
}

/** Choices of a checkbox: those that have a value are checked, and show it. */
export function choicesOf(numbers: readonly AccountNumber[], textOf: (number: string) => string | undefined) {
  return numbers.map(({ number }) => {
    const value = textOf(number)
    return {
      value: number,
      name: value === undefined ? number : `${number}  (${value})`,
      short: number,
      checked: value !== undefined,
    }
  })
}

export async function keepPairs(
  answers: Answers,
  name: SettingName,
  pairs: ReadonlyMap<string, string>,
): Promise<void> {
  const text = [...pairs].map((pair) => pair.join('=')).join(',')
  if (text === '') await answers.remove(name)
  else if (text !== answers.find(name)?.text) await answers.save(name, text)
}
