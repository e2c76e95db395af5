// What the program can mend: shown as old → new, asked about, and applied by the same code as init.
import { closeProfile, writeSetting } from '../../config/profile.js'
import { settings } from '../../config/schema.js'
import { UserError } from '../../errors.js'
import { settingNames } from '../../twilio/webhook-settings.js'
import { applyChanges } from '../setup/apply.js'
import { createAttributes } from '../setup/attributes.js'
import { undoPath } from '../setup/undo-file.js'
import { callUnder } from '../setup/vendors.js'
import { changedSettings, mergeChanges, shownUrl, type WebhookChange } from '../setup/webhooks.js'
import type { Finding, Repair } from './finding.js'
import type { Stage } from './stage.js'

export interface Fixable extends Finding {
  readonly repair: Repair
}

export interface Change {
  /** `+15550100100`, `Messaging Service "Support"`, a file. */
  readonly at: string
  readonly name: string
  readonly from: string
  readonly to: string
}

/** What one repair did, and which checks it was for. */
export interface Fixed {
  readonly ids: readonly string[]
  readonly changes: readonly Change[]
}

export interface Selection {
  readonly chosen: readonly Fixable[]
  /** Somebody else’s that are taken over only when named. */
  readonly left: readonly Fixable[]
}

const isFixable = (finding: Finding): finding is Fixable => finding.repair !== undefined

/** What is wrong and fixable; or that one. Throws UserError for an id that is not there or not for the program to mend. */
export function select(findings: readonly Finding[], id: string | undefined): Selection {
  const fixable = findings.filter(isFixable)
  if (id === undefined) {
    const wrong = fixable.filter(({ state }) => state === 'failed' || state === 'warning')
    const isForeign = ({ repair }: Fixable) => repair.kind === 'webhooks' && repair.foreign
    return { chosen: wrong.filter((one) => !isForeign(one)), left: wrong.filter(isForeign) }
  }
  const known = findings.find((finding) => finding.id === id)
  if (known !== undefined && isFixable(known)) return { chosen: [known], left: [] }
  if (known?.state === 'ok') return { chosen: [], left: [] }
  const problem =
    known === undefined
      ? `There is no check ${id}`
      : `${id} cannot be mended by this program: ${known.fix || known.what}`
  const list =
    fixable.length === 0 ? 'Nothing can be mended by it now' : `It can mend ${fixable.map((one) => one.id).join(', ')}`
  const all = known === undefined ? `\nChecks: ${findings.map((one) => one.id).join(', ')}` : ''
  throw new UserError(`${problem}. ${list}${all}`)
}

/** Numbers of one Messaging Service share its settings: those are changed once. */
export function planOf(chosen: readonly Fixable[], stage: Pick<Stage, 'places'>): readonly Fixed[] {
  const webhooks = chosen.filter(({ repair }) => repair.kind === 'webhooks')
  const moved = movedBy(chosen)
  const changes = webhookChanges(chosen).flatMap((change) => linesOf(change, moved.get(change.resource.sid) ?? []))
  const others = chosen.filter(({ repair }) => repair.kind !== 'webhooks')
  return [
    ...(webhooks.length === 0 ? [] : [{ ids: webhooks.map(({ id }) => id), changes }]),
    ...others.map(({ id, repair }) => ({ ids: [id], changes: plainLines(repair, stage) })),
  ]
}

function webhookChanges(chosen: readonly Fixable[]): WebhookChange[] {
  return mergeChanges(chosen.flatMap(({ repair }) => (repair.kind === 'webhooks' ? repair.changes : [])))
}

/** Numbers of each Messaging Service that is changed, by its SID. */
function movedBy(chosen: readonly Fixable[]): ReadonlyMap<string, readonly string[]> {
  const entries = chosen.flatMap(({ repair }) =>
    repair.kind === 'webhooks' ? repair.changes.map(({ resource }) => [resource.sid, repair.moves] as const) : [],
  )
  return new Map(entries)
}

function linesOf({ resource, label, before, after }: WebhookChange, moves: readonly string[]): Change[] {
  const shown = (text: string | undefined) => (text ? shownUrl(text) : '(none)')
  const at = resource.kind === 'service' ? `${label}, for all of its numbers (${moves.join(', ')})` : label
  return changedSettings(before, after).map((key) => ({
    at,
    name: settingNames[resource.kind][key] ?? key,
    from: shown(before[key]),
    to: shown(after[key]),
  }))
}

function plainLines(repair: Repair, { places }: Pick<Stage, 'places'>): Change[] {
  switch (repair.kind) {
    case 'webhooks':
      return []
    case 'private-profile':
      return [{ at: places.profile, name: 'mode', from: repair.mode.toString(8).padStart(4, '0'), to: '0600' }]
    case 'attributes':
      return repair.names.map((name) => ({
        at: 'Intercom',
        name: `contact attribute ${name}`,
        from: '(none)',
        to: 'text',
      }))
    case 'setting':
      return [{ at: places.profile, name: settings[repair.name].env, from: repair.from, to: repair.to }]
  }
}

/** Everything at Twilio or nothing of it, read back; what was is kept for `init --undo`. */
export async function applyFixes(chosen: readonly Fixable[], stage: Stage, stopping: AbortSignal): Promise<void> {
  const changes = webhookChanges(chosen)
  // Ctrl-C ends the applying, and what undoes it must still go through.
  const call = callUnder(new AbortController().signal)
  if (changes.length > 0) {
    await applyChanges(changes, {
      twilio: await stage.twilio(),
      accountSid: await stage.need('twilioAccountSid'),
      undoPath: undoPath(stage.places.profile),
      now: stage.now,
      call,
      stopping,
    })
  }
  for (const { repair } of chosen) {
    stopping.throwIfAborted()
    if (repair.kind === 'private-profile') await closeProfile(stage.places)
    if (repair.kind === 'setting') await writeSetting(stage.places, repair.name, repair.to)
    if (repair.kind !== 'attributes') continue
    const { failures } = await createAttributes(await stage.intercom(), repair.names, call)
    if (failures.length > 0) throw new UserError(`Intercom: ${failures.join('; ')}`)
  }
}
