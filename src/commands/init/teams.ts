// Step 4: the team of each number.
import { UserError } from '../../errors.js'
import type { IntercomWorkspace, Team } from '../../intercom/workspace.js'
import type { AccountNumber } from '../../twilio/numbers.js'
import { isRefused } from '../setup/vendors.js'
import { comesHere, compareNumber } from '../setup/webhooks.js'
import { keepPairs, pairsOf } from './pairs.js'
import { type Session, settle } from './session.js'

const nobody = ''
const toNobody = 'nobody: conversations stay unassigned'

export async function teamsStep(
  session: Session,
  numbers: readonly AccountNumber[],
  workspace: IntercomWorkspace,
): Promise<void> {
  const { screen, answers, ask, call } = session
  screen.step(4, 'Teams, threads and hours')
  const teams = await workspace.listTeams(call).catch((error: unknown) => {
    if (isRefused(error)) return undefined
    throw error
  })
  const given = answers.find('teams')
  if (given !== undefined && (given.origin !== 'profile' || ask === undefined)) {
    const text = await settle(session, 'teams', '')
    expectKnown(pairsOf(text), teams)
  } else if (ask !== undefined && teams !== undefined && teams.length > 0) {
    await keepPairs(answers, 'teams', await askTeams(session, { ask, numbers, teams }))
  }
  const chosen = pairsOf(answers.find('teams')?.text)
  for (const { number } of numbers) {
    const id = chosen.get(number) ?? chosen.get('*')
    const name = teams?.find((team) => team.id === id)?.name
    screen.say(`${number} → ${id === undefined ? toNobody : `${name ?? 'team'} (${id})`}`)
  }
}

async function askTeams(
  { answers }: Session,
  {
    ask,
    numbers,
    teams,
  }: {
    readonly ask: NonNullable<Session['ask']>
    readonly numbers: readonly AccountNumber[]
    readonly teams: readonly Team[]
  },
): Promise<ReadonlyMap<string, string>> {
  const before = answers.find('teams')
  const pairs = pairsOf(before?.text)
  const nameOf = (id: string) => `${teams.find((team) => team.id === id)?.name ?? 'team'} (${id})`
  const other = pairs.get('*')
  const choices = [
    ...teams.map(({ id }) => ({ value: id, name: nameOf(id) })),
    { value: nobody, name: other === undefined ? toNobody : `as any other number: ${nameOf(other)}` },
  ]
  const publicUrl = answers.find('publicUrl')?.text
  for (const one of numbers) {
    const { number } = one
    const wasAsked = before !== undefined || (publicUrl !== undefined && comesHere(compareNumber(one, publicUrl)))
    const preset = pairs.get(number) ?? (wasAsked ? nobody : teams[0]?.id)
    const team = await ask.select(`Which team gets the texts to ${number}?`, choices, preset)
    if (team === nobody) pairs.delete(number)
    else pairs.set(number, team)
  }
  return pairs
}

function expectKnown(pairs: ReadonlyMap<string, string>, teams: readonly Team[] | undefined): void {
  if (teams === undefined) return
  const unknown = [...pairs.values()].filter((id) => teams.every((team) => team.id !== id))
  if (unknown.length === 0) return
  const known = teams.map(({ id, name }) => `${id} (${name})`).join(', ') || 'none'
  throw new UserError(
    `The workspace has no team ${unknown.join(', ')}; its teams are ${known}: correct SMS_BRIDGE_TEAMS`,
  )
}
