// What Twilio's settings were before we changed them, kept beside the profile until they are restored.
import { chmod, mkdir, open, readFile, rename, rm } from 'node:fs/promises'
import { basename, dirname, join } from 'node:path'
import { z } from 'zod'
import { describeError, UserError } from '../../errors.js'
import type { WebhookChange } from './webhooks.js'

export type UndoEntry = WebhookChange & {
  readonly accountSid: string
  /** ISO 8601. */
  readonly savedAt: string
}

const webhook = z.object({
  url: z.string(),
  method: z.string(),
  fallbackUrl: z.string(),
  fallbackMethod: z.string(),
  applicationSid: z.string().exactOptional(),
})

const shape = z.object({
  schema_version: z.literal(1),
  entries: z.array(
    z.object({
      accountSid: z.string(),
      savedAt: z.string(),
      resource: z.object({ kind: z.enum(['number', 'short-code', 'service']), sid: z.string() }),
      label: z.string(),
      before: webhook,
      after: webhook,
    }),
  ),
})

/** `undo.json` beside `profile.json`, `staging.undo.json` beside `profiles/staging.json`. */
export function undoPath(profile: string): string {
  const name = basename(profile, '.json')
  return join(dirname(profile), name === 'profile' ? 'undo.json' : `${name}.undo.json`)
}

/** None when there is no file. Throws UserError when it is not what we wrote: what was before is then unknown. */
export async function readUndo(path: string): Promise<readonly UndoEntry[]> {
  let text: string
  try {
    text = await readFile(path, 'utf8')
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return [] // fs promises reject with nothing else
    throw new UserError(`${path} cannot be read: ${describeError(error)}`, { cause: error })
  }
  const read = shape.safeParse(parsed(text))
  if (read.success) return read.data.entries
  throw new UserError(
    `${path} is not as it was written, and it says what Twilio's settings were before: mend it, or move it away to begin anew`,
  )
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}

/** Wholly or not at all, on disk when it resolves, for nobody else to read; without entries the file goes. */
export async function writeUndo(path: string, entries: readonly UndoEntry[]): Promise<void> {
  if (entries.length === 0) return rm(path, { force: true })
  await mkdir(dirname(path), { recursive: true, mode: 0o700 })
  const draft = `${path}.new`
  await rm(draft, { force: true })
  const file = await open(draft, 'wx', 0o600)
  try {
    await file.writeFile(`${JSON.stringify({ schema_version: 1, entries }, null, 2)}\n`)
    await file.sync()
  } finally {
    await file.close()
  }
  await chmod(draft, 0o600)
  await rename(draft, path)
}

/**
 * Adds what is about to be changed. Of a resource that was changed before, the first state stays: that is what undo
 * restores.
 */
export function withChanges(
  entries: readonly UndoEntry[],
  changes: readonly WebhookChange[],
  { accountSid, savedAt }: Pick<UndoEntry, 'accountSid' | 'savedAt'>,
): UndoEntry[] {
  const kept = new Map(entries.map((entry) => [entry.resource.sid, entry]))
  for (const { resource, label, before, after } of changes) {
    const earlier = kept.get(resource.sid)
    kept.set(
      resource.sid,
      earlier === undefined
        ? { accountSid, savedAt, resource, label, before, after }
        : { ...earlier, before: { ...before, ...earlier.before }, after },
    )
  }
  return [...kept.values()]
}
