// How old the newest copy of the store is, by what `backup` and `restore` noted in it.
import { ago } from '../words.js'
import { type Finding, ok, skipped, warning } from './finding.js'
import { dayMs, type Stage } from './stage.js'

/** What is lost with the disk beyond that is more than reconciliation fetches again. */
const oldMs = 7 * dayMs

export async function checkBackup(stage: Stage): Promise<readonly Finding[]> {
  const id = 'backup'
  const { marks, lastAt } = await stage.survey()
  if (!(await stage.context.storeAddress()).startsWith('sqlite:'))
    return [
      skipped(id, 'PostgreSQL is copied by its own tools, which note nothing here: sms-bridge backup FILE prints how'),
    ]
  const at = marks.backup?.at
  if (at === undefined && Object.keys(lastAt).length === 0)
    return [skipped(id, 'never backed up, and nothing has come lately that could be lost')]
  if (at !== undefined && stage.now - at <= oldMs) return [ok(id, `the newest is of ${ago(stage.now - at)}`)]
  return [
    warning(id, {
      what: at === undefined ? 'never backed up' : `the newest backup is older than 7 days: ${ago(stage.now - at)}`,
      why: 'with the disk go the texts, what waits, and which conversation belongs to whom',
      fix: 'sms-bridge backup FILE, best every day and onto another disk; serve need not stop',
      who: 'machine',
    }),
  ]
}
