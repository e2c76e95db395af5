// The settings, and the file they are kept in.
import { profileExists } from '../../config/profile.js'
import { describeError } from '../../errors.js'
import { plural } from '../words.js'
import { type Finding, failed, ok } from './finding.js'
import type { Stage } from './stage.js'

export async function checkSettings(stage: Stage): Promise<readonly Finding[]> {
  const id = 'settings'
  const { faults } = await stage.settings()
  if (faults.length === 0) return [ok(id, 'all there and well-formed')]
  const missing = faults.filter((fault) => / is missing: /.test(fault)).length
  return [
    failed(id, {
      what: [`${plural(faults.length, 'setting')} missing or malformed`, ...faults.map((fault) => `- ${fault}`)].join(
        '\n',
      ),
      why: 'serve does not start without them, and what they name cannot be looked at',
      fix: missing > 0 ? 'sms-bridge init asks for all that is missing' : 'sms-bridge config set NAME VALUE',
      who: 'machine',
    }),
  ]
}

export async function checkProfile(stage: Stage): Promise<readonly Finding[]> {
  const id = 'profile'
  const { places } = stage
  if (!(await profileExists(places).catch(() => true))) {
    if (places.from === 'default') return [ok(id, 'none: settings come from the environment')]
    return [
      failed(id, {
        what: `there is no profile ${places.name}: ${places.profile} does not exist`,
        why: 'every command that is given this profile refuses to start',
        fix: `sms-bridge --profile ${places.name} init`,
        who: 'machine',
      }),
    ]
  }
  const why = 'no command starts with it'
  try {
    const { mode = 0, faults, isOpen } = await stage.profile()
    if (faults.length === 0) return [ok(id, places.profile)]
    const onlyOpen = isOpen && faults.length === 1
    return [
      failed(id, {
        what: faults.join('; '),
        why: isOpen ? `other users of this machine can read its secrets; ${why}` : why,
        fix: `correct ${places.profile}`,
        who: 'machine',
        ...(onlyOpen && { repair: { kind: 'private-profile', mode: mode & 0o777 } }),
      }),
    ]
  } catch (error) {
    return [failed(id, { what: describeError(error), why, fix: `mend or remove ${places.profile}`, who: 'machine' })]
  }
}
