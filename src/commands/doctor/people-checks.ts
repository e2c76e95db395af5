// Who is in the workspace: teams and teammates that settings name, and contacts that could be told twice.
import { settings } from '../../config/schema.js'
import { isRefused } from '../setup/vendors.js'
import { type Finding, failed, ok, skipped, Unmet, warning } from './finding.js'
import type { Stage } from './stage.js'

export async function checkTeams(stage: Stage): Promise<readonly Finding[]> {
  const id = 'teams'
  const { teams = new Map<string, string>(), intercomAdminId } = (await stage.settings()).values
  if (teams.size === 0 && intercomAdminId === undefined) return [ok(id, 'none is set: conversations stay unassigned')]
  const { workspace } = await stage.intercom()
  try {
    const wanted = [...new Set(teams.values())]
    const known = new Map((await workspace.listTeams(stage.call)).map((team) => [team.id, team.name]))
    const admins = intercomAdminId === undefined ? [] : await workspace.listAdmins(stage.call)
    const gone = wanted.filter((team) => !known.has(team))
    const noAdmin = intercomAdminId !== undefined && admins.every((admin) => admin.id !== intercomAdminId)
    if (gone.length === 0 && !noAdmin) return [ok(id, wanted.map((team) => known.get(team) ?? team).join(', '))]
    const faults = [
      ...gone.map((team) => `there is no team ${team}, which ${settings.teams.env} names`),
      ...(noAdmin ? [`there is no teammate ${intercomAdminId}, whom ${settings.intercomAdminId.env} names`] : []),
    ]
    const there = [...known].map(([team, name]) => `${team} ${name}`).join(', ')
    return [
      failed(id, {
        what: faults.join('; '),
        why: 'new conversations are assigned to nobody, and may be seen by nobody',
        fix: `name one that is there${there === '' ? '' : ` (${there})`}: sms-bridge config set ${gone.length > 0 ? settings.teams.env : settings.intercomAdminId.env}`,
        who: 'machine',
      }),
    ]
  } catch (error) {
    if (isRefused(error)) throw new Unmet('teams and teammates may not be read: see intercom-permissions')
    throw error
  }
}

/** As many as one page of a search holds. */
const looked = 50

/** Intercom e-mails what an agent writes to a contact that has an address and is not there (intercom.md §3.2). */
export async function checkDoubleReplies(stage: Stage): Promise<readonly Finding[]> {
  const id = 'double-replies'
  const { client } = await stage.intercom()
  const store = await stage.look().catch(() => {
    throw new Unmet('which contacts are ours is in the store: see store')
  })
  const ids = await store.recentContacts(looked)
  if (ids.length === 0) return [skipped(id, 'no customer has texted yet')]
  let withEmail: number
  try {
    withEmail = (await client.searchContactsById(ids, stage.call)).filter(({ email }) => email !== undefined).length
  } catch (error) {
    if (isRefused(error)) throw new Unmet('contacts may not be searched: see intercom-permissions')
    throw error
  }
  const among = `of the customers who texted last (${ids.length})`
  if (withEmail === 0) return [ok(id, `none ${among} has an e-mail address`)]
  return [
    warning(id, {
      what: `${withEmail} ${among} ${withEmail === 1 ? 'has' : 'have'} an e-mail address`,
      why: 'Intercom may e-mail them what an agent writes, besides the text that the bridge sends: a reply comes twice',
      fix: 'no API tells or changes that: look at the workspace’s e-mail notifications for conversations, and tell agents',
      who: 'intercom',
    }),
  ]
}
