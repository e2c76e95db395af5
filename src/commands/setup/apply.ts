// Changes at Twilio: written down first, applied, read back and compared; undone when interrupted half-way.
import { DeliveryError, describeError, UserError } from '../../errors.js'
import type { Call } from '../../transport.js'
import type { WebhookSettings, WebhookWriter } from '../../twilio/webhook-settings.js'
import { readUndo, type UndoEntry, withChanges, writeUndo } from './undo-file.js'
import { changedSettings, type WebhookChange } from './webhooks.js'

export type Twilio = Pick<WebhookWriter, 'readWebhook' | 'writeWebhook'>

export interface ApplyParts {
  readonly twilio: Twilio
  readonly accountSid: string
  /** Where the values of before are kept. */
  readonly undoPath: string
  /** Epoch ms. */
  readonly now: number
  /** Not aborted by the interruption it reacts to: an undo must still go through. */
  readonly call: Call
  /** Aborted by Ctrl-C. */
  readonly stopping: AbortSignal
  readonly onApplied?: (change: WebhookChange) => void
  readonly onUndone?: (change: WebhookChange) => void
}

/** What a change writes: the settings that differ, no others. */
function partOf(from: WebhookSettings, to: WebhookSettings): Partial<WebhookSettings> {
  return Object.fromEntries(changedSettings(from, to).map((key) => [key, to[key] ?? '']))
}

export async function applyChange(twilio: Twilio, change: WebhookChange, call: Call): Promise<void> {
  const { resource, before, after } = change
  await twilio.writeWebhook(resource, partOf(before, after), call)
}

/** Undefined when Twilio says what we wrote; else what it says instead. */
export async function readBack(
  twilio: Twilio,
  { resource, after }: WebhookChange,
  call: Call,
): Promise<string | undefined> {
  const now = await twilio.readWebhook(resource, call)
  const wrong = changedSettings(now, after)
  return wrong.length === 0 ? undefined : wrong.map((key) => `${key} is ${JSON.stringify(now[key] ?? '')}`).join(', ')
}

/** Puts back what was. */
export async function undoChange(
  twilio: Twilio,
  { resource, before, after }: WebhookChange,
  call: Call,
): Promise<void> {
  const reverse = { resource, label: '', before: after, after: before }
  await applyChange(twilio, reverse, call)
  const wrong = await readBack(twilio, reverse, call)
  if (wrong !== undefined) throw new Error(`Twilio took the old values and tells others: ${wrong}`)
}

export class HalfApplied extends UserError {
  override readonly name = 'HalfApplied'
}

/**
 * All of them or none: what fails or is interrupted half-way is undone. Throws HalfApplied when that fails too, with
 * what to type.
 */
export async function applyChanges(changes: readonly WebhookChange[], parts: ApplyParts): Promise<void> {
  const { twilio, undoPath, call, stopping, onApplied } = parts
  const earlier = await readUndo(undoPath)
  await expectUnchanged(changes, parts)
  stopping.throwIfAborted()
  const savedAt = new Date(parts.now).toISOString()
  await writeUndo(undoPath, withChanges(earlier, changes, { accountSid: parts.accountSid, savedAt }))
  const begun: WebhookChange[] = []
  try {
    for (const change of changes) {
      stopping.throwIfAborted()
      begun.push(change)
      await applyChange(twilio, change, call).catch((error: unknown) => {
        // Provably not done: nothing to undo.
        if (error instanceof DeliveryError && error.outcome !== 'ambiguous') begun.pop()
        throw error
      })
      const wrong = await readBack(twilio, change, call)
      if (wrong !== undefined)
        throw new Error(`Twilio took the change of ${change.label} and tells otherwise: ${wrong}`)
      onApplied?.(change)
    }
    // After the last write as well: whoever presses Ctrl-C now does not want it.
    stopping.throwIfAborted()
  } catch (error) {
    await rollBack(begun, earlier, parts, error)
    throw error
  }
}

/** Somebody else may have changed it since it was shown. */
async function expectUnchanged(changes: readonly WebhookChange[], { twilio, call }: ApplyParts): Promise<void> {
  for (const { resource, label, before } of changes) {
    const moved = changedSettings(await twilio.readWebhook(resource, call), before)
    if (moved.length === 0) continue
    throw new UserError(
      `${label} was changed by somebody else meanwhile (${moved.join(', ')}). Nothing was changed: type sms-bridge init again`,
    )
  }
}

async function rollBack(
  begun: readonly WebhookChange[],
  earlier: readonly UndoEntry[],
  { twilio, undoPath, call, onUndone }: ApplyParts,
  why: unknown,
): Promise<void> {
  const failed: string[] = []
  for (const change of begun.toReversed()) {
    try {
      await undoChange(twilio, change, call)
      onUndone?.(change)
    } catch (error) {
      failed.push(`${change.label}: ${describeError(error)}`)
    }
  }
  if (failed.length === 0) return writeUndo(undoPath, earlier)
  throw new HalfApplied(
    `The changes at Twilio stopped half-way (${describeError(why)}), and could not all be undone:\n  ${failed.join('\n  ')}\nTo restore what was before: sms-bridge init --undo`,
    { exitCode: 5, cause: why },
  )
}

export interface Undone {
  readonly restored: readonly UndoEntry[]
  /** Somebody has set something else since: left alone. */
  readonly changedSince: readonly UndoEntry[]
  readonly failed: readonly { readonly entry: UndoEntry; readonly error: string }[]
}

/** Restores exactly what was, and reads it back; what could not be restored stays in the file. */
export async function undoChanges(
  entries: readonly UndoEntry[],
  parts: Omit<ApplyParts, 'accountSid' | 'now' | 'onApplied' | 'onUndone'> & { readonly evenIfChanged: boolean },
): Promise<Undone> {
  const { twilio, undoPath, call, stopping, evenIfChanged } = parts
  const restored: UndoEntry[] = []
  const changedSince: UndoEntry[] = []
  const failed: { entry: UndoEntry; error: string }[] = []
  for (const entry of entries) {
    if (stopping.aborted) break
    try {
      const now = await twilio.readWebhook(entry.resource, call)
      const isOurs = changedSettings(now, entry.after).length === 0
      const isOld = changedSettings(now, entry.before).length === 0
      if (!isOurs && !isOld && !evenIfChanged) {
        changedSince.push(entry)
        continue
      }
      if (!isOld) await undoChange(twilio, { ...entry, after: now }, call)
      restored.push(entry)
      const left = (await readUndo(undoPath)).filter(({ resource }) => resource.sid !== entry.resource.sid)
      await writeUndo(undoPath, left)
    } catch (error) {
      failed.push({ entry, error: describeError(error) })
    }
  }
  return { restored, changedSince, failed }
}
