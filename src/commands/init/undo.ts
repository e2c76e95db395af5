// `init --undo`: Twilio's settings exactly as they were before.
import { type ExitCode, exitCodes } from '../../cli/exit-codes.js'
import { UserError } from '../../errors.js'
import { undoChanges } from '../setup/apply.js'
import { readUndo, type UndoEntry, undoPath } from '../setup/undo-file.js'
import { callUnder } from '../setup/vendors.js'
import { linesOf } from './review.js'
import type { Session } from './session.js'
import { twilioStep } from './twilio.js'

export async function undo(session: Session): Promise<ExitCode> {
  const { answers, options, screen, ask, stopping, context } = session
  const path = undoPath(answers.profile)
  const entries = await readUndo(path)
  if (entries.length === 0) {
    screen.say('Nothing to restore: init has changed nothing at Twilio, or it was restored already.')
    if (options.json) context.io.out(JSON.stringify({ schema_version: 1, restored: [], left: [], failed: [] }))
    return exitCodes.nothingMatched
  }
  const { twilio, accountSid } = await twilioStep(session)
  const foreign = entries.find((entry) => entry.accountSid !== accountSid)
  if (foreign !== undefined) {
    throw new UserError(
      `${path} is of the account ${foreign.accountSid}, not of ${accountSid}: set its TWILIO_ACCOUNT_SID`,
    )
  }
  screen.plan('Will restore at Twilio:')
  for (const entry of entries) {
    screen.plan(`  ${entry.label}`)
    const reverse = { ...entry, before: entry.after, after: entry.before }
    for (const { name, from, to } of linesOf(reverse)) screen.plan(`    ${name.padEnd(18)} ${from} → ${to}`)
  }
  if (options.dryRun) return exitCodes.ok
  if (!options.yes && ask === undefined)
    throw new UserError('Restore? Nobody can answer here: type sms-bridge init --undo --yes')
  if (!options.yes && !(await ask?.confirm('Restore?', false))) return exitCodes.ok
  const { restored, changedSince, failed } = await undoChanges(entries, {
    twilio,
    undoPath: path,
    call: callUnder(new AbortController().signal),
    stopping,
    evenIfChanged: options.replaceForeign,
  })
  for (const { label } of restored) screen.ok(`${label}: restored, read back, the same`)
  for (const { label } of changedSince) {
    screen.warn(
      `${label}: somebody has changed it since, so it was left alone; to restore it all the same: --replace-foreign`,
    )
  }
  for (const { entry, error } of failed) screen.bad(`${entry.label}: ${error}`)
  if (options.json) {
    const names = (list: readonly UndoEntry[]) => list.map(({ resource, label }) => ({ sid: resource.sid, label }))
    const failures = failed.map(({ entry, error }) => ({ sid: entry.resource.sid, label: entry.label, error }))
    const result = { schema_version: 1, restored: names(restored), left: names(changedSince), failed: failures }
    context.io.out(JSON.stringify(result, null, 2))
  }
  if (stopping.aborted) return exitCodes.interrupted
  return failed.length + changedSince.length > 0 ? exitCodes.partlyFailed : exitCodes.ok
}
