// Step 4: the team of each number.
import { UserError } from '../../errors.js'
import type { IntercomWorkspace, Team } from '../../intercom/workspace.js'
import type { AccountNumber } from '../../twilio/numbers.js'
import { isRefused } from '../setup/vendors.js'
import { type Session, settle } from './session.js'

const nobody = ''

export async function teamsStep(
  session: Session,
  numbers: readonly AccountNumber[],
  workspace: IntercomWorkspace,
): Promise<void> {
  const { screen, answers, ask, call } = session
  screen.step(4, 'Teams')
  const teams = await workspace.listTeams(call).catch((error: unknown) => {
    if (isRefused(error)) return undefined
    throw error
  })
  const given = answers.find('teams')
  if (given !== undefined && given.origin !== 'profile') {
    const text = await settle(session, 'teams', '')
    expectKnown(pairsOf(text), teams)
  } else if (ask !== undefined && teams !== undefined && teams.length > 0) {
    const pairs = await askTeams({ ask }, { numbers, teams, before: pairsOf(given?.text ?? '') })
    const text = [...pairs].map((pair) => pair.join('=')).join(',')
    if (text !== '' && text !== given?.text) await answers.save('teams', text)
  }
  const chosen = pairsOf(answers.find('teams')?.text ?? '')
  for (const { number } of numbers) {
    const id = chosen.get(number) ?? chosen.get('*')
    const name = teams?.find((team) => team.id === id)?.name
    screen.say(
      `${number} → ${id === undefined ? 'nobody: conversations stay unassigned' : `${name ?? 'team'} (${id})`}`,
    )
  }
}

async function askTeams(
  { ask }: { readonly ask: NonNullable<Session['ask']> },
  {
    numbers,
    teams,
    before,
  }: {
    readonly numbers: readonly AccountNumber[]
    readonly teams: readonly Team[]
    readonly before: ReadonlyMap<string, string>
  },
): Promise<ReadonlyMap<string, string>> {
  const pairs = new Map(before)
  const choices = [
    ...teams.map(({ id, name }) => ({ value: id, name: `${name} (${id})` })),
    { value: nobody, name: 'nobody: conversations stay unassigned' },
  ]
  for (const { number } of numbers) {
    const team = await ask.select(`Which team gets the texts to ${number}?`, choices, pairs.get(number) ?? teams[0]?.id)
    if (team === nobody) pairs.delete(number)
    else pairs.set(number, team)
  }
  return pairs
}

function pairsOf(text: string): Map<string, string> {
  const pairs = text
    .split(',')
    .map((pair) => pair.split('=').map((one) => one.trim()))
    .filter(([number, team]) => number && team)
  return new Map(pairs.map(([number = '', team = '']) => [number, team]))
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
