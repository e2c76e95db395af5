// Step 4 as well: which numbers open a closed conversation again, and which open a new one.
import type { AccountNumber } from '../../twilio/numbers.js'
import { choicesOf, keepPairs, pairsOf } from './pairs.js'
import { type Session, settle } from './session.js'

/** As long as Intercom's own SMS does. */
const usual = '5d'
const never = '0h'
const question = `Which open a closed conversation again, when a text comes within ${usual}? Others open a new one`

export async function threadingStep(session: Session, numbers: readonly AccountNumber[]): Promise<void> {
  const { screen, answers, ask } = session
  const given = answers.find('reopen')
  if (given !== undefined && (given.origin !== 'profile' || ask === undefined)) {
    await settle(session, 'reopen', '')
  } else if (ask !== undefined) {
    const before = pairsOf(given?.text)
    const choices = choicesOf(numbers, (number) => windowOf(number, before))
    const chosen = new Set(await ask.checkbox(question, choices))
    await keepPairs(answers, 'reopen', changed(numbers, { before, chosen }))
  }
  const windows = pairsOf(answers.find('reopen')?.text)
  for (const { number } of numbers) {
    const window = windowOf(number, windows)
    if (window !== undefined) screen.say(`${number}: a text within ${window} opens a closed conversation again`)
  }
}

/** Of others and of those that stay as they were, what was set before stays too. */
function changed(
  numbers: readonly AccountNumber[],
  { before, chosen }: { readonly before: ReadonlyMap<string, string>; readonly chosen: ReadonlySet<string> },
): ReadonlyMap<string, string> {
  const pairs = new Map(before)
  for (const { number } of numbers) {
    const isOpen = windowOf(number, before) !== undefined
    if (chosen.has(number) && !isOpen) pairs.set(number, usual)
    else if (!chosen.has(number) && isOpen && before.has('*')) pairs.set(number, never)
    else if (!chosen.has(number) && isOpen) pairs.delete(number)
  }
  return pairs
}

/** Undefined: a new conversation, always. */
function windowOf(number: string, pairs: ReadonlyMap<string, string>): string | undefined {
  const window = pairs.get(number) ?? pairs.get('*') ?? never
  return /^0+[hd]$/.test(window) ? undefined : window
}
