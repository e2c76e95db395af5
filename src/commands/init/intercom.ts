// Step 2: the Intercom workspace, its app's secrets, and what the app may do.
import { UserError } from '../../errors.js'
import type { Permission } from '../../intercom/workspace.js'
import { wantedAttributes } from '../setup/attributes.js'
import { connectIntercom, findWorkspace, type Intercom, type Region, type Workspace } from '../setup/vendors.js'
import { oauthStep } from './oauth.js'
import { enter, type Session, settle } from './session.js'

export interface IntercomStep {
  readonly workspace: Workspace
  readonly intercom: Intercom
  readonly clientSecret: string
  readonly missing: readonly Permission[]
  /** Contact attributes that the bridge fills and the workspace has not. */
  readonly attributes: readonly string[]
}

const mostTries = 3

export async function intercomStep(session: Session): Promise<IntercomStep> {
  const { screen, answers, context, call } = session
  screen.step(2, 'Intercom')
  if (answers.find('intercomAccessToken') === undefined && session.ask !== undefined) {
    screen.say('In the Developer Hub (https://app.intercom.com/a/apps/_/developer-hub) make an app of your own,')
    screen.say(
      'or open it. The access token is under Configure › Authentication, the client secret under Basic Information.',
    )
  }
  const { workspace, accessToken } = await tokenStep(session)
  const clientSecret = await settle(session, 'intercomClientSecret', 'Client secret (webhooks are signed with it)')
  screen.ok(`workspace "${workspace.name}" (${workspace.appId}), region ${workspace.region}`)
  const before = answers.find('intercomRegion')?.text ?? 'us'
  if (before !== workspace.region) {
    screen.warn(`the region is ${workspace.region}, not ${before}`)
    await answers.save('intercomRegion', workspace.region)
  }
  const intercom = await connectIntercom({ accessToken, baseUrl: workspace.baseUrl }, context.clock)
  const missing = await intercom.workspace.missingPermissions(call)
  for (const { box, why, needed } of missing) {
    screen[needed ? 'bad' : 'warn'](`the app lacks "${box}", ${why}: tick it in the Developer Hub › Authentication`)
  }
  if (missing.length === 0) screen.ok('every permission that the bridge uses')
  const there = await intercom.client.contactAttributes(call)
  return { workspace, intercom, clientSecret, missing, attributes: wantedAttributes.filter((name) => !there.has(name)) }
}

async function tokenStep(session: Session): Promise<{ workspace: Workspace; accessToken: string }> {
  const { ask, answers, screen, context, call } = session
  if (answers.find('intercomAccessToken') === undefined) await byOAuth(session)
  for (let tries = 1; ; tries += 1) {
    const accessToken = await settle(session, 'intercomAccessToken', 'Access token')
    const region = regionOf(answers.find('intercomRegion')?.text)
    const baseUrl = answers.find('intercomApiBaseUrl')?.text
    const asked = { accessToken, region, ...(baseUrl !== undefined && { baseUrl }) }
    const workspace = await findWorkspace(asked, { clock: context.clock, call })
    if (workspace !== undefined) return { workspace, accessToken }
    if (ask === undefined || answers.find('intercomAccessToken')?.origin !== 'profile' || tries === mostTries) {
      throw new UserError(
        'Intercom refuses the access token in every region: copy it from the Developer Hub › Authentication, and set INTERCOM_ACCESS_TOKEN',
        { exitCode: 7 },
      )
    }
    screen.bad('Intercom refuses this access token, in every region')
    await answers.save('intercomAccessToken', await enter({ ask }, 'intercomAccessToken', 'Access token'))
  }
}

/** Only for those who want it: pasting a token is quicker. */
async function byOAuth(session: Session): Promise<void> {
  const { ask, options } = session
  let clientId = options.oauthClientId
  if (clientId === undefined) {
    const how = await ask?.select('How does the bridge sign in to Intercom?', [
      { value: 'token', name: 'With an access token of my own app: paste it' },
      { value: 'oauth', name: 'With OAuth: needs the public URL, and a browser' },
    ])
    if (how !== 'oauth') return
    clientId = (await ask?.text('Client ID (Basic Information)')) ?? ''
  }
  await oauthStep(session, clientId.trim())
}

function regionOf(text: string | undefined): Region {
  return text === 'eu' || text === 'au' ? text : 'us'
}
