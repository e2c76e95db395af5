// Copies of the store for people: taken, looked at, put back.
import { existsSync, mkdirSync, renameSync, rmSync } from 'node:fs'
import { dirname, resolve } from 'node:path'
import { describeError, UserError } from '../errors.js'
import { schemaVersion } from './migrations.js'
import { openStore } from './open.js'
import type { Inspection } from './sqlite/copy.js'
import type { Store } from './store.js'

/** A copy that can be restored. */
export interface Backup extends Inspection {
  readonly path: string
}

/** The file of `sqlite:PATH`; undefined for PostgreSQL, which brings its own tools. */
export function fileOf(url: string): string | undefined {
  const path = /^sqlite:(.+)$/.exec(url)?.[1]
  return path === undefined ? undefined : resolve(path)
}

/** Copies a store that may be in use, and reads the copy back. Throws UserError. */
export async function backUp(
  store: string,
  file: string,
  { now, overwrite }: { readonly now: number; readonly overwrite: boolean },
): Promise<Backup> {
  const target = resolve(file)
  if (!existsSync(store)) {
    throw new UserError(`There is no store at ${store} yet. Start the bridge once: sms-bridge serve`, { exitCode: 4 })
  }
  if (target === store) throw new UserError(`${target} is the store itself: name another file`)
  if (existsSync(target) && !overwrite) {
    throw new UserError(`${target} is there already: name another file, or type --force to replace it`)
  }
  const { runApart } = await import('./sqlite/run-apart.js')
  const unfinished = `${target}.unfinished`
  rmSync(unfinished, { force: true })
  try {
    await orUserError(`Cannot copy ${store} to ${target}`, async () => {
      await runApart('copyTo', store, unfinished)
      await runApart('stampCopy', unfinished, now)
    })
    const inspection = await orUserError(`The copy of ${store} cannot be read back`, () =>
      runApart('inspect', unfinished, now),
    )
    renameSync(unfinished, target)
    return { path: target, ...inspection }
  } finally {
    rmSync(unfinished, { force: true })
  }
}

/**
 * Writes down in the store when it was copied, for `doctor`. One of an older version stays as it is: bringing it to this
 * one is no business of whoever copies it.
 */
export async function noteBackup(store: string, { schemaVersion: version }: Backup, at: number): Promise<void> {
  if (version !== schemaVersion) return
  const open = await openStore(`sqlite:${store}`, { now: at, create: false })
  try {
    await open.setMark('backup', at)
  } finally {
    await open.close()
  }
}

/** Looks through a file that somebody wants to restore. Throws UserError when that cannot be done with it. */
export async function readBackup(file: string, now: number): Promise<Backup> {
  const path = resolve(file)
  if (!existsSync(path)) throw new UserError(`There is no file ${path}`)
  const { runApart } = await import('./sqlite/run-apart.js')
  const inspection = await orUserError(`${path} cannot be restored`, () => runApart('inspect', path, now))
  if (inspection.schemaVersion > schemaVersion) {
    throw new UserError(
      `${path} is of a newer sms-bridge (schema version ${inspection.schemaVersion}, this one knows ${schemaVersion} at most). ` +
        'Upgrade first: npm install -g sms-bridge@latest',
    )
  }
  return { path, ...inspection }
}

/** What is at the store's place now: undefined when nothing is, `unreadable` when it cannot be told. */
export async function readPresent(store: string, now: number): Promise<Inspection | 'unreadable' | undefined> {
  if (!existsSync(store)) return undefined
  const { runApart } = await import('./sqlite/run-apart.js')
  return runApart('inspect', store, now).catch(() => 'unreadable' as const)
}

/**
 * Puts a copy of a backup at the store's place, prepared by `prepare`; answers where the present one is kept,
 * undefined when there was none. Nothing has changed when this throws.
 */
export async function putBack(
  backup: Backup,
  store: string,
  {
    now,
    readable,
    prepare,
  }: {
    readonly now: number
    /** Whether the present one is whole. */
    readonly readable: boolean
    readonly prepare: (restored: Store) => Promise<void>
  },
): Promise<string | undefined> {
  const [{ freeName }, { runApart }] = await Promise.all([import('./sqlite/copy.js'), import('./sqlite/run-apart.js')])
  const fresh = `${store}.restoring`
  const clean = () => {
    for (const suffix of ['', '-wal', '-shm']) rmSync(fresh + suffix, { force: true })
  }
  mkdirSync(dirname(store), { recursive: true, mode: 0o700 })
  clean()
  try {
    await orUserError(`Cannot copy ${backup.path} to ${fresh}`, () => runApart('copyTo', backup.path, fresh))
    const restored = await openStore(`sqlite:${fresh}`, { now, keepsOld: false })
    try {
      await prepare(restored)
    } finally {
      await restored.close()
    }
    const present = existsSync(store)
    const kept = freeName(`${store}.${stampOf(now)}`)
    await runApart('putInPlace', fresh, store, { kept, readable })
    return present ? kept : undefined
  } finally {
    clean()
  }
}

/** For a file's name: `2026-11-30T120000Z`. */
function stampOf(now: number): string {
  return new Date(now).toISOString().replace(/\.\d+/, '').replaceAll(':', '')
}

async function orUserError<T>(what: string, action: () => Promise<T>): Promise<T> {
  try {
    return await action()
  } catch (cause) {
    if (cause instanceof UserError) throw cause
    throw new UserError(`${what}: ${describeError(cause)}`, { cause })
  }
}
