// `doctor --bundle`: what somebody who helps needs to see, and nothing else.
import { open } from 'node:fs/promises'
import { resolve } from 'node:path'
import { find } from '../../config/load.js'
import { type SettingName, settings } from '../../config/schema.js'
import { shown } from '../../config/shown.js'
import { describeError, UserError } from '../../errors.js'
import { toJson as statusJson } from '../status-json.js'
import { judge } from '../status-verdict.js'
import type { Finding } from './finding.js'
import { createRedact, redactAll } from './redact.js'
import { toJson } from './report.js'
import type { Stage } from './stage.js'

export interface Bundle {
  /** A file that is not there yet; undefined: one named for the time, in this folder. */
  readonly path: string | undefined
  readonly version: string
  readonly findings: readonly Finding[]
}

const names = Object.keys(settings) as SettingName[] // the table's own keys

/** The path it was written to. Throws UserError when there is a file already. */
export async function writeBundle(stage: Stage, { path, version, findings }: Bundle): Promise<string> {
  const stamp = new Date(stage.now).toISOString().replace(/[-:]|\.\d+/g, '')
  const file = resolve(path ?? `sms-bridge-doctor-${stamp}.json`)
  const content = await contentOf(stage, version, findings)
  const text = `${JSON.stringify(content, null, 2)}\n`
  try {
    const handle = await open(file, 'wx', 0o600)
    try {
      await handle.writeFile(text)
    } finally {
      await handle.close()
    }
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EEXIST') {
      throw new UserError(`${file} is there already: name another file, as --bundle report.json`, { cause: error })
    }
    throw new UserError(`${file} cannot be written: ${describeError(error)}`, { cause: error })
  }
  return file
}

async function contentOf(stage: Stage, version: string, findings: readonly Finding[]): Promise<unknown> {
  const sources = await stage.sources().catch(() => ({ ...stage.context.given, profile: {} }))
  const survey = await stage.survey().catch(() => undefined)
  const { values } = await stage.settings().catch(() => ({ values: {} as { teams?: ReadonlyMap<string, string> } }))
  const found = names.flatMap((name) => {
    const one = find(sources, name)
    return one === undefined ? [] : [{ name, ...one }]
  })
  const secrets = found
    .filter(({ name }) => 'secret' in settings[name])
    .flatMap(({ text }) => [text, ...text.split(',')])
    .concat(found.flatMap(({ text }) => passwordIn(text)))
  const numbers = [...(values.teams?.keys() ?? []), ...(survey?.numbers ?? []).map(({ number }) => number)]
  const redact = createRedact(
    secrets.map((text) => text.trim()),
    [...numbers, ...(survey?.texted ?? [])],
  )
  return redactAll(
    {
      schema_version: 1,
      version,
      node: process.version,
      platform: `${process.platform} ${process.arch}`,
      settings: found.map(({ name, text, origin }) => ({
        name: settings[name].env,
        value: shown(name, text),
        from: origin,
      })),
      doctor: toJson(findings, { now: stage.now, fixed: [] }),
      status:
        survey === undefined
          ? null
          : statusJson({ survey, now: stage.now, number: undefined, ...judge(survey, stage.now) }),
    },
    redact,
  )
}

/** Of a store's address. */
function passwordIn(text: string): string[] {
  if (!URL.canParse(text)) return []
  const { password } = new URL(text)
  return password === '' ? [] : [password, decodeURIComponent(password)]
}
