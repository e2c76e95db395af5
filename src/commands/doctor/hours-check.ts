// The opening hours: which numbers have any, whether they are open now, and what in the settings goes nowhere.
import { find } from '../../config/load.js'
import { settings } from '../../config/schema.js'
import {
  closedPeriod,
  describeHours,
  type Holiday,
  hoursOf,
  opensInWords,
  openUntil,
  type WeeklyHours,
} from '../../hours.js'
import { isZone } from '../../wall-time.js'
import { list, plural } from '../words.js'
import { type Finding, ok, warning } from './finding.js'
import { dayMs, type Stage } from './stage.js'
import { expectedNumbers } from './webhook-checks.js'

const whenUnknown = 'UTC'

export async function checkHours(stage: Stage): Promise<readonly Finding[]> {
  const id = 'hours'
  if (find(await stage.sources(), 'hours') === undefined) {
    return [ok(id, 'none are set: no number sends an automatic text')]
  }
  const hours = await stage.need('hours')
  const { holidays = [] } = (await stage.settings()).values
  const numbers = await stage.numbers()
  const expected = await expectedNumbers(stage, numbers, await stage.need('publicUrl'))
  const here = numbers.map(({ number }) => number).filter((number) => expected.has(number))
  const strangers = [...hours.keys()].filter((number) => number !== '*' && !here.some((one) => one === number))
  const open = here.flatMap((number) => {
    const found = hoursOf(hours, number)
    return found === undefined ? [] : [{ number, hours: found }]
  })
  const timeZone = open.every(({ hours: { zone } }) => zone !== undefined) ? undefined : await workspaceZone(stage)
  const states = open.map(({ number, hours: found }) => {
    const zone = found.zone ?? timeZone ?? whenUnknown
    return `${number} (${describeHours({ ...found, zone })}) is ${nowAt(found, { holidays, zone, now: stage.now })}`
  })
  const shut = open.flatMap(({ number, hours: found }) => {
    const zone = found.zone ?? timeZone ?? whenUnknown
    const closed = closedPeriod(found, holidays, zone, stage.now)
    return closed !== undefined && closed.until === undefined ? [neverOpen(number)] : []
  })
  const lost = open.filter(({ hours: { zone } }) => zone === undefined && timeZone === undefined)
  const state = states.length > 0 ? states.join('; ') : 'no number that comes here has any'
  return [
    lost.length === 0 ? ok(id, state) : zoneless(id, { state, numbers: lost.map(({ number }) => number) }),
    ...shut,
    ...strangers.map(stranger),
    ...outdated(holidays, stage.now),
  ]
}

async function workspaceZone(stage: Stage): Promise<string | undefined> {
  await stage.intercom()
  const timeZone = (await stage.workspace())?.timeZone
  return timeZone !== undefined && isZone(timeZone) ? timeZone : undefined
}

function nowAt(
  hours: WeeklyHours,
  { holidays, zone, now }: { readonly holidays: readonly Holiday[]; readonly zone: string; readonly now: number },
): string {
  const closed = closedPeriod(hours, holidays, zone, now)
  const until = closed === undefined ? openUntil(hours, holidays, zone, now) : closed.until
  const what = closed === undefined ? 'open' : 'closed'
  return until === undefined ? `${what} for the next 30 days` : `${what} until ${opensInWords(until, now, zone)}`
}

function zoneless(id: string, { state, numbers }: { readonly state: string; readonly numbers: readonly string[] }) {
  return warning(id, {
    what: `${state}; the hours of ${list(numbers)} have no time zone, and the workspace tells none`,
    why: `they are taken for ${whenUnknown}: automatic texts go out while you are open, and none while you are closed`,
    fix: `write the zone after the hours, such as ${settings.hours.example}: sms-bridge config set ${settings.hours.env}`,
    who: 'machine',
  })
}

function neverOpen(number: string): Finding {
  return warning(`hours:${number}`, {
    what: `${number} does not open within the next 30 days`,
    why: 'whoever texts it is told that nobody is there, and not when anybody will be',
    fix: `look at ${settings.holidays.env} (a year may be wrong) and ${settings.hours.env}: sms-bridge config list`,
    who: 'machine',
  })
}

function stranger(number: string): Finding {
  return warning(`hours:${number}`, {
    what: `${number} is in ${settings.hours.env} and is no number of the account whose texts come here`,
    why: 'its hours go for nobody, and perhaps the number they were meant for has none',
    fix: `correct it or take it out: sms-bridge config set ${settings.hours.env}`,
    who: 'machine',
  })
}

function outdated(holidays: readonly Holiday[], now: number): readonly Finding[] {
  const dated = holidays.flatMap((holiday) => ('to' in holiday ? [holiday.to] : []))
  // Half a day more: then the day is over everywhere.
  if (dated.length === 0 || dated.some((day) => (day + 1.5) * dayMs > now)) return []
  return [
    warning('holidays', {
      what: `${plural(dated.length, 'holiday')} with a year in ${settings.holidays.env}, and every one is past`,
      why: 'on the next holiday customers are told nothing while nobody answers',
      fix: `name the next ones: sms-bridge config set ${settings.holidays.env}`,
      who: 'machine',
    }),
  ]
}
