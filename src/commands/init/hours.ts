// Step 4 as well: which numbers have opening hours, and which.
import type { Ask } from '../../cli/ask.js'
import { settings } from '../../config/schema.js'
import { UserError } from '../../errors.js'
import { describeHours, parseHours } from '../../hours.js'
import type { AccountNumber } from '../../twilio/numbers.js'
import { isZone } from '../../wall-time.js'
import type { Workspace } from '../setup/vendors.js'
import { choicesOf, keepPairs, pairsOf } from './pairs.js'
import { type Session, settle } from './session.js'

const usual = 'Mon-Fri 9-18'
const none = 'none'
const question = 'Which have opening hours? Others send no automatic text'

export async function hoursStep(
  session: Session,
  numbers: readonly AccountNumber[],
  { timeZone }: Pick<Workspace, 'timeZone'>,
): Promise<void> {
  const { screen, answers, ask } = session
  const zone = timeZone !== undefined && isZone(timeZone) ? timeZone : undefined
  const given = answers.find('hours')
  if (given !== undefined && (given.origin !== 'profile' || ask === undefined)) {
    await settle(session, 'hours', '')
  } else if (ask !== undefined) {
    await askHours(session, numbers, { ask, preset: zone === undefined ? usual : `${usual} ${zone}` })
  }
  const pairs = pairsOf(answers.find('hours')?.text)
  const open = numbers.flatMap(({ number }) => {
    const text = hoursIn(pairs, number)
    return text === undefined ? [] : [{ number, hours: parseHours(text) }]
  })
  for (const { number, hours } of open) {
    const from =
      zone === undefined ? 'UTC, since the workspace tells no time zone' : `${zone}, the workspace’s time zone`
    screen.say(`${number} is open ${describeHours(hours)}${hours.zone === undefined ? ` (${from})` : ''}`)
  }
  if (open.length === 0) return
  const { env, fallback } = settings.awayText
  screen.say(`Outside its hours a customer gets, once until it opens: ${answers.find('awayText')?.text ?? fallback}`)
  screen.say(`${env} changes that text, ${settings.holidays.env} names days that are closed`)
}

/** Kept after each answer: hours take a while to type. Of others, what was set before stays. */
async function askHours(
  { answers }: Session,
  numbers: readonly AccountNumber[],
  { ask, preset }: { readonly ask: Ask; readonly preset: string },
): Promise<void> {
  const pairs = pairsOf(answers.find('hours')?.text)
  const choices = choicesOf(numbers, (number) => hoursIn(pairs, number))
  const chosen = new Set(await ask.checkbox(question, choices))
  for (const { number } of numbers) {
    if (chosen.has(number) || hoursIn(pairs, number) === undefined) continue
    if (pairs.has('*')) pairs.set(number, none)
    else pairs.delete(number)
  }
  await keepPairs(answers, 'hours', pairs)
  for (const { number } of numbers.filter((one) => chosen.has(one.number))) {
    const before = hoursIn(pairs, number)
    const typed = await ask.text(`When is ${number} open?`, { preset: before ?? preset, validate })
    const hours = typed.trim().replace(/\s+/g, ' ')
    if (hours === before) continue
    pairs.set(number, hours)
    await keepPairs(answers, 'hours', pairs)
  }
}

async function validate(typed: string): Promise<true | string> {
  try {
    parseHours(typed)
    return true
  } catch (error) {
    if (error instanceof UserError) return `It ${error.message}`
    throw error
  }
}

/** As text; undefined when the number has none. */
function hoursIn(pairs: ReadonlyMap<string, string>, number: string): string | undefined {
  const hours = pairs.get(number) ?? pairs.get('*') ?? none
  return hours.toLowerCase() === none ? undefined : hours
}
