// The Intercom app: whose token it is, where the workspace lives, and what the app may do.

import { find } from '../../config/load.js'
import { settings } from '../../config/schema.js'
import { wantedAttributes } from '../setup/attributes.js'
import { isRefused } from '../setup/vendors.js'
import { type Finding, failed, ok, Unmet, warning } from './finding.js'
import type { Stage } from './stage.js'
import { unreachable } from './twilio-checks.js'

export async function checkIntercom(stage: Stage): Promise<readonly Finding[]> {
  const id = 'intercom-credentials'
  try {
    const workspace = await stage.workspace()
    if (workspace !== undefined) return [ok(id, `accepted: workspace "${workspace.name}" (${workspace.appId})`)]
    return [
      failed(id, {
        what: 'Intercom refuses the access token, in every region',
        why: 'no text reaches the inbox, and no reply is found there',
        fix: 'copy the access token from the Developer Hub › Configure › Authentication, and set INTERCOM_ACCESS_TOKEN',
        who: 'machine',
      }),
    ]
  } catch (error) {
    if (error instanceof Unmet) throw error
    return [unreachable(id, 'Intercom', error)]
  }
}

export async function checkRegion(stage: Stage): Promise<readonly Finding[]> {
  const id = 'intercom-region'
  await stage.intercom()
  const workspace = await stage.workspace()
  const { values } = await stage.settings()
  if (workspace === undefined || values.intercomRegion === undefined) throw new Unmet('INTERCOM_REGION: see settings')
  if (values.intercomRegion === workspace.region) return [ok(id, workspace.region)]
  const { env } = settings.intercomRegion
  const origin = find(await stage.sources(), 'intercomRegion')?.origin
  const [from, to] = [values.intercomRegion, workspace.region]
  return [
    failed(id, {
      what: `the workspace lives in ${to}, and ${env} says ${from}`,
      why: 'calls to another region are refused like a wrong token',
      fix: `export ${env}=${to}`,
      who: 'machine',
      // What the environment says goes first, and is not ours to change.
      ...(origin !== 'env' && { repair: { kind: 'setting', name: 'intercomRegion', from, to } }),
    }),
  ]
}

export async function checkIntercomPermissions(stage: Stage): Promise<readonly Finding[]> {
  const id = 'intercom-permissions'
  const { workspace } = await stage.intercom()
  const missing = await workspace.missingPermissions(stage.call)
  if (missing.length === 0) return [ok(id, 'every one that the bridge uses')]
  const trouble = {
    what: `the app lacks ${missing.map(({ box }) => `"${box}"`).join(', ')}`,
    why: `it is there ${missing.map(({ why }) => why).join('; ')}`,
    fix: 'Developer Hub › Configure › Authentication: tick it, and save',
    who: 'intercom',
  } as const
  return [missing.some(({ needed }) => needed) ? failed(id, trouble) : warning(id, trouble)]
}

export async function checkAttributes(stage: Stage): Promise<readonly Finding[]> {
  const id = 'intercom-attributes'
  const { client } = await stage.intercom()
  let there: ReadonlySet<string>
  try {
    there = await client.contactAttributes(stage.call)
  } catch (error) {
    if (isRefused(error)) throw new Unmet('attributes may not be read: see intercom-permissions')
    throw error
  }
  const names = wantedAttributes.filter((name) => !there.has(name))
  if (names.length === 0) return [ok(id, wantedAttributes.join(', '))]
  return [
    warning(id, {
      what: `contacts have no text attribute ${names.join(', ')}`,
      why: 'agents do not see where the carrier says the customer is',
      fix: 'Settings › Data › People: create them as text',
      who: 'intercom',
      repair: { kind: 'attributes', names },
    }),
  ]
}
