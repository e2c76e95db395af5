// What the page for agents tells of this company.
import type { Context } from '../../cli/context.js'
import { type InboxConfig, loadInboxConfig } from '../../config/load.js'
import { readProfile } from '../../config/profile.js'
import { describeError } from '../../errors.js'
import { describeHours, hoursOf, type WeeklyHours } from '../../hours.js'
import type { Survey } from '../../store/survey.js'
import { callUnder, connectIntercom } from '../setup/vendors.js'

export interface GuideFacts {
  readonly numbers: readonly {
    readonly number: string
    /** Its name, or `team 814`; undefined when conversations stay unassigned. */
    readonly team: string | undefined
  }[]
  /** The team for any number that is not named. */
  readonly otherTeam: string | undefined
  readonly relayBots: boolean
  /** Some numbers open a conversation again that was closed not long ago. */
  readonly reopens: boolean
  /** Undefined when no number has hours. */
  readonly away:
    | {
        /** As words; of numbers without hours undefined. */
        readonly hours: readonly { readonly number: string; readonly words: string | undefined }[]
        /** For any number that is not named. */
        readonly otherHours: string | undefined
        /** With `{opens}` where the time of opening goes. */
        readonly text: string
      }
    | undefined
  /** What is later than so long says so, ms. */
  readonly lateAfterMs: number
}

/** A page is not worth a longer wait. */
const patienceMs = 4_000
/** Those whose texts come here, as reconciliation saw them (flows/our-numbers.ts). */
const oursStates: ReadonlySet<string> = new Set(['ours', 'wrong-method', 'unlisted'])

export async function gatherFacts(context: Context): Promise<GuideFacts> {
  const { given } = context
  const config = await loadInboxConfig({ ...given, profile: await readProfile(given) })
  const { teams, hours = new Map<string, WeeklyHours>() } = config
  const names = await teamNames(context, config)
  const nameOf = (id: string | undefined) => (id === undefined ? undefined : (names.get(id) ?? `team ${id}`))
  const named = [...teams.keys(), ...hours.keys()].filter((number) => number !== '*')
  const numbers = [...new Set([...named, ...(await numbersInStore(context))])].sort()
  return {
    numbers: numbers.map((number) => ({ number, team: nameOf(teams.get(number) ?? teams.get('*')) })),
    otherTeam: nameOf(teams.get('*')),
    relayBots: config.relayBots,
    reopens: [...(config.reopen?.values() ?? [])].some((withinMs) => withinMs > 0),
    away: awayFacts(numbers, config),
    lateAfterMs: config.holdMs,
  }
}

function awayFacts(numbers: readonly string[], { hours, awayText }: InboxConfig): GuideFacts['away'] {
  const wordsOf = (number: string) => {
    const found = hoursOf(hours, number)
    if (found === undefined) return undefined
    return found.zone === undefined ? `${describeHours(found)}, in the workspace’s time zone` : describeHours(found)
  }
  const all = numbers.map((number) => ({ number, words: wordsOf(number) }))
  const otherHours = wordsOf('*')
  const isUsed = otherHours !== undefined || all.some(({ words }) => words !== undefined)
  return isUsed ? { hours: all, otherHours, text: awayText } : undefined
}

async function numbersInStore({ io, clock, look }: Context): Promise<readonly string[]> {
  try {
    const opened = await look()
    try {
      return ours(await opened.survey({ since: clock.now(), now: clock.now() }))
    } finally {
      await opened.close()
    }
  } catch (error) {
    io.err(`! Numbers are those of SMS_BRIDGE_TEAMS alone: ${describeError(error)}`)
    return []
  }
}

function ours({ numbers, texted }: Survey): string[] {
  const known = new Set(numbers.map(({ number }) => number))
  return [
    ...numbers.filter(({ state }) => oursStates.has(state)).map(({ number }) => number),
    ...texted.filter((number) => !known.has(number)),
  ]
}

/** By id; empty when Intercom cannot be asked. */
async function teamNames(
  { io, clock }: Context,
  { teams, intercom }: InboxConfig,
): Promise<ReadonlyMap<string, string>> {
  if (teams.size === 0) return new Map()
  if (intercom === undefined) {
    io.err('! Teams are named by their ids: INTERCOM_ACCESS_TOKEN is not set.')
    return new Map()
  }
  const waiting = new AbortController()
  const patience = new AbortController()
  void clock.sleep(patienceMs, waiting.signal).then(() => patience.abort())
  try {
    const { workspace } = await connectIntercom(intercom, clock)
    const names = new Map((await workspace.listTeams(callUnder(patience.signal))).map(({ id, name }) => [id, name]))
    const unknown = [...new Set(teams.values())].filter((id) => !names.has(id))
    if (unknown.length > 0) io.err(`! The workspace has no team ${unknown.join(', ')}: correct SMS_BRIDGE_TEAMS.`)
    return names
  } catch (error) {
    io.err(`! Teams are named by their ids: ${describeError(error)}`)
    return new Map()
  } finally {
    waiting.abort()
  }
}
