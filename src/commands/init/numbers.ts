// Step 3: which numbers, and where their texts go now.
import { UserError } from '../../errors.js'
import type { TwilioClient } from '../../twilio/client.js'
import type { AccountNumber } from '../../twilio/numbers.js'
import { type Comparison, comesHere, compareNumber, nameOf, shownUrl } from '../setup/webhooks.js'
import type { Session } from './session.js'

export interface ChosenNumber {
  readonly number: AccountNumber
  readonly comparison: Comparison
}

/** The URL is not known yet: what a number is set to now does not depend on it, but for whether that is ours. */
const noUrl = 'https://sms-bridge.invalid'

export async function numbersStep(session: Session, twilio: TwilioClient): Promise<readonly AccountNumber[]> {
  const { screen, call, answers, options } = session
  screen.step(3, 'Numbers')
  const numbers = await twilio.listNumbers(call)
  const names = await twilio.listAlphaSenders(call)
  if (numbers.length === 0) {
    throw new UserError('The Twilio account has no number that can be texted: buy one on console.twilio.com first')
  }
  const publicUrl = answers.find('publicUrl')?.text.replace(/\/+$/, '') ?? noUrl
  const compared = numbers.map((number) => ({ number, comparison: compareNumber(number, publicUrl) }))
  const chosen = options.numbers === undefined ? await choose(session, compared, names) : pick(numbers, options.numbers)
  for (const one of compared.filter(({ number }) => chosen.includes(number))) {
    screen.say(`${one.number.number}  ${now(one)}`)
  }
  return chosen
}

function pick(numbers: readonly AccountNumber[], wanted: string): readonly AccountNumber[] {
  if (wanted.trim() === 'all') return numbers
  const typed = wanted
    .split(',')
    .map((one) => one.trim())
    .filter((one) => one !== '')
  const unknown = typed.filter((one) => numbers.every(({ number }) => number !== one))
  if (unknown.length > 0 || typed.length === 0) {
    const known = numbers.map(({ number }) => number).join(', ')
    throw new UserError(
      `${unknown.join(', ') || 'Nothing'} is no number of this account, which has ${known}: type --numbers all`,
    )
  }
  return numbers.filter(({ number }) => typed.includes(number))
}

async function choose(
  { ask }: Session,
  compared: readonly ChosenNumber[],
  names: Awaited<ReturnType<TwilioClient['listAlphaSenders']>>,
): Promise<readonly AccountNumber[]> {
  if (ask === undefined) throw new UserError('Which numbers? Nobody can answer here: type --numbers all')
  const wasChosen = ({ comparison }: ChosenNumber) => comesHere(comparison)
  const isFirstTime = !compared.some(wasChosen)
  const choices = compared.map((one) => ({
    value: one.number.sid,
    name: `${one.number.number}  ${one.number.kind}${inService(one.number)}, ${now(one)}`,
    short: one.number.number,
    checked: isFirstTime ? one.comparison.state !== 'foreign' : wasChosen(one),
  }))
  const sendOnly = names.map(({ sender, serviceSid }) => ({
    value: `${serviceSid}/${sender}`,
    name: sender,
    disabled: '(a name: texts cannot be sent to it)',
  }))
  for (;;) {
    const sids = await ask.checkbox('Which numbers come to Intercom?', [...choices, ...sendOnly])
    if (sids.length > 0) return compared.filter(({ number }) => sids.includes(number.sid)).map(({ number }) => number)
    if (!(await ask.confirm('None is chosen. Choose again?', true))) throw new UserError('No number was chosen.')
  }
}

function inService({ service, via }: AccountNumber): string {
  // Where it decides it is named anyway.
  return service === undefined || via === 'service' ? '' : ` in ${nameOf(service)}`
}

function now({ number: { service }, comparison: { state, via, url, detail } }: ChosenNumber): string {
  if (state === 'ours') return `already comes here${via === 'service' && service ? ` by ${nameOf(service)}` : ''}`
  if (state === 'foreign' && via === 'number') return `now → ${shownUrl(url ?? '')}`
  return detail
}
