// Step 6: every change at both vendors, old → new; a question; then apply, read back and compare.
import { UserError } from '../../errors.js'
import type { AccountNumber } from '../../twilio/numbers.js'
import { settingNames } from '../../twilio/webhook-settings.js'
import { applyChanges } from '../setup/apply.js'
import { createAttributes } from '../setup/attributes.js'
import { undoPath } from '../setup/undo-file.js'
import { callUnder } from '../setup/vendors.js'
import {
  type Comparison,
  changedSettings,
  compareNumber,
  mergeChanges,
  shownUrl,
  type WebhookChange,
} from '../setup/webhooks.js'
import type { IntercomStep } from './intercom.js'
import type { Session } from './session.js'
import type { TwilioStep } from './twilio.js'

export interface Plan {
  readonly changes: readonly WebhookChange[]
  /** Numbers of somebody else's that stay as they are. */
  readonly left: readonly AccountNumber[]
  readonly attributes: readonly string[]
}

export interface Applied {
  readonly webhooks: boolean
  readonly attributes: readonly string[]
  readonly failures: readonly string[]
}

/** A number whose texts go to somebody else is named and asked about. */
export async function makePlan(
  session: Session,
  numbers: readonly AccountNumber[],
  { publicUrl, attributes }: { readonly publicUrl: string; readonly attributes: readonly string[] },
): Promise<Plan> {
  const { options, ask, screen } = session
  const changes: WebhookChange[] = []
  const left: AccountNumber[] = []
  const refused: string[] = []
  // A service is taken over with all of its numbers, or left alone: asked about once.
  const answered = new Map<string, boolean>()
  for (const number of numbers) {
    const comparison = compareNumber(number, publicUrl)
    if (comparison.state === 'foreign' && !options.replaceForeign) {
      const { decider, fact } = deciderOf(number, comparison, numbers)
      if (!answered.has(decider)) {
        screen.warn(fact)
        if (ask === undefined) refused.push(fact)
        const wants = await ask?.confirm('Whoever that is gets no texts any more. Take it over?', false)
        answered.set(decider, wants === true)
      }
      if (answered.get(decider) !== true) {
        left.push(number)
        continue
      }
    }
    changes.push(...comparison.changes)
  }
  if (refused.length > 0 && !options.dryRun) {
    throw new UserError(
      `Somebody else gets the texts of ${refused.join('; ')}.\nNothing was changed. To take them over: --replace-foreign; or leave them out of --numbers`,
    )
  }
  return { changes: mergeChanges(changes), left, attributes }
}

/** Whose settings would be changed, and for which of the chosen numbers. */
function deciderOf(number: AccountNumber, { via, detail }: Comparison, numbers: readonly AccountNumber[]) {
  const decider = via === 'service' ? (number.service?.sid ?? number.sid) : number.sid
  const sharing = numbers.filter((one) => one.via === 'service' && one.service?.sid === decider)
  const named = sharing.length === 0 ? [number] : sharing
  return { decider, fact: `${named.map((one) => one.number).join(', ')}: ${detail}` }
}

export function showPlan({ screen }: Session, plan: Plan, all: readonly AccountNumber[]): void {
  const { changes, attributes } = plan
  if (changes.length === 0) screen.plan('Nothing to change at Twilio.')
  else screen.plan('Will change at Twilio (what was before is kept for sms-bridge init --undo):')
  for (const change of changes) {
    screen.plan(`  ${change.label}${alsoIn(change, all)}`)
    for (const { name, from, to } of linesOf(change)) screen.plan(`    ${name.padEnd(18)} ${from} → ${to}`)
  }
  if (attributes.length > 0) screen.plan(`Will create in Intercom: contact attributes ${attributes.join(', ')}`)
}

/** Every number of a service is moved with it. */
function alsoIn({ resource }: WebhookChange, all: readonly AccountNumber[]): string {
  if (resource.kind !== 'service') return ''
  const numbers = all.filter(({ service }) => service?.sid === resource.sid).map(({ number }) => number)
  return ` (${resource.sid}), for all of its numbers: ${numbers.join(', ')}`
}

export function linesOf({ resource, before, after }: WebhookChange) {
  const shown = (text: string | undefined) => (text ? shownUrl(text) : '(none)')
  return changedSettings(before, after).map((key) => ({
    name: settingNames[resource.kind][key] ?? key,
    from: shown(before[key]),
    to: shown(after[key]),
  }))
}

export interface ApplyStep {
  readonly plan: Plan
  readonly twilio: TwilioStep
  readonly intercom: IntercomStep
}

/** Undefined when the person said no. */
export async function applyPlan(session: Session, step: ApplyStep): Promise<Applied | undefined> {
  const { options, ask, screen, answers, context, stopping } = session
  const { plan, twilio, intercom } = step
  if (plan.changes.length === 0 && plan.attributes.length === 0) return { webhooks: true, attributes: [], failures: [] }
  if (!options.yes && !(ask !== undefined && (await ask.confirm('Apply?', false)))) return undefined
  await applyChanges(plan.changes, {
    twilio: twilio.twilio,
    accountSid: twilio.accountSid,
    undoPath: undoPath(answers.profile),
    now: context.clock.now(),
    // Ctrl-C ends the applying, and what undoes it must still go through.
    call: callUnder(new AbortController().signal),
    stopping,
    onApplied: ({ label }) => screen.ok(`${label}: written, read back, the same`),
    onUndone: ({ label }) => screen.warn(`${label}: put back as it was`),
  })
  const { created, failures } = await createAttributes(intercom.intercom, plan.attributes, session.call)
  if (created.length > 0) screen.ok(`Intercom: contact attributes ${created.join(', ')}`)
  for (const failure of failures) screen.warn(failure)
  return { webhooks: true, attributes: created, failures }
}
