// Whether the serve that runs goes by the settings that are written down now: it reads them when it starts.
import { fingerprinted, fingerprintsMark, fingerprintsOf } from '../../config/fingerprints.js'
import { settings } from '../../config/schema.js'
import { running } from '../status-verdict.js'
import { list } from '../words.js'
import { type Finding, ok, skipped, warning } from './finding.js'
import type { Stage } from './stage.js'

export async function checkServeSettings(stage: Stage): Promise<readonly Finding[]> {
  const id = 'serve-settings'
  const survey = await stage.survey()
  if (running(survey, stage.now).length === 0) return [skipped(id, 'no serve is running: see serve')]
  const noted = survey.marks[fingerprintsMark]?.value
  if (typeof noted !== 'object' || noted === null) {
    return [skipped(id, 'the serve that runs did not note its settings: it is of an older version')]
  }
  const before = noted as Readonly<Record<string, string | undefined>> // what serve wrote
  const now: Readonly<Record<string, string | undefined>> = fingerprintsOf(await stage.sources())
  const changed = fingerprinted.filter((name) => before[name] !== now[name]).map((name) => settings[name].env)
  if (changed.length === 0) return [ok(id, 'the serve that runs goes by the settings as they are here')]
  return [
    warning(id, {
      what: `the serve that runs was started with other ${list(changed)}`,
      why: 'it goes by those it was started with, whatever is shown here',
      fix: 'start it anew (systemctl restart sms-bridge), or run doctor with the settings that serve has',
      who: 'machine',
    }),
  ]
}
