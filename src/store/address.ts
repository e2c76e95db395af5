// Where a store is, and what to say when it cannot be opened.
import { existsSync } from 'node:fs'
import { resolve } from 'node:path'
import { describeError, UserError } from '../errors.js'

interface Openers<Opened> {
  readonly postgres: () => Promise<Opened>
  readonly sqlite: (file: string) => Promise<Opened>
}

/** Opens what the address names. Throws a UserError that says how to mend it when that fails. */
export function openAt<Opened>(url: string, create: boolean, open: Openers<Opened>): Promise<Opened> {
  if (/^postgres(ql)?:\/\//.test(url)) {
    return orUserError(nameOf(url), 'Start PostgreSQL, or correct SMS_BRIDGE_STORE.', open.postgres)
  }
  const path = /^sqlite:(?<path>.+)$/.exec(url)?.groups?.path
  if (path === undefined) {
    const scheme = /^[a-z][a-z0-9+.-]*:/i.exec(url)?.[0] ?? 'nothing before the colon'
    throw new UserError(
      `The store must be sqlite:PATH or postgres://…, not ${scheme}. Set SMS_BRIDGE_STORE=sqlite:./sms-bridge.sqlite, for example.`,
    )
  }
  const file = resolve(path)
  if (!create && !existsSync(file)) {
    // The same exit code as for a bridge that is down.
    throw new UserError(`There is no store at ${file} yet. Start the bridge once: sms-bridge serve`, { exitCode: 4 })
  }
  return orUserError(
    `sqlite:${file}`,
    'Correct the path or its permissions, or set SMS_BRIDGE_STORE=sqlite:PATH to another file.',
    () => open.sqlite(file),
  )
}

async function orUserError<Opened>(name: string, remedy: string, open: () => Promise<Opened>): Promise<Opened> {
  try {
    return await open()
  } catch (cause) {
    if (cause instanceof UserError) throw cause
    throw new UserError(`Cannot open the store ${name}: ${describeError(cause).replace(/\.$/, '')}. ${remedy}`, {
      cause,
    })
  }
}

/** Without user, password and parameters. */
function nameOf(url: string): string {
  if (!URL.canParse(url)) return 'postgres://…'
  const { host, pathname } = new URL(url)
  return `postgres://${host}${pathname}`
}
