// Settings with a value for each number, as text: `NUMBER=VALUE` pairs separated by commas.
import type { SettingName } from '../../config/schema.js'
import type { Answers } from './session.js'

export function pairsOf(text = ''): Map<string, string> {
  const pairs = text.split(',').map((pair) => pair.split('=').map((one) => one.trim()))
  return new Map(pairs.flatMap(([number, value]) => (number && value ? [[number, value] as const] : [])))
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
