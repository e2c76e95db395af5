import type { Context } from '../cli/context.js'
import { type ExitCode, exitCodes } from '../cli/exit-codes.js'
import { describeError, UserError } from '../errors.js'
import { type Backup, backUp, fileOf, noteBackup, putBack, readBackup, readPresent } from '../store/backup.js'
import type { Store } from '../store/store.js'

export interface BackupOptions {
  readonly force: boolean
  readonly json: boolean
}

/** Copies the store into one file, while `serve` runs or not. */
export async function backup(context: Context, file: string, { force, json }: BackupOptions): Promise<ExitCode> {
  const { io, clock } = context
  const url = await context.storeAddress()
  const store = fileOf(url)
  if (store === undefined) throw new UserError(pgDump(url, file))
  const now = clock.now()
  const made = await backUp(store, file, { now, overwrite: force })
  const fault = await noteBackup(store, made, now).then(() => undefined, describeError)
  if (json) io.out(JSON.stringify({ schema_version: 1, store, ...factsOf(made) }, null, 2))
  else {
    io.out(made.path)
    io.err(`${counted(made.deliveries)}, ${sizeOf(made.bytes)}. The copy was read back and is whole.`)
    io.err('It holds customers’ numbers and messages: keep it where only you can read it.')
  }
  if (fault !== undefined) io.err(`! The copy is good, but doctor will not know of it: ${fault}`)
  return exitCodes.ok
}

export interface RestoreOptions {
  readonly yes: boolean
  /** The bridge has not run since the backup was taken: nothing was done that it does not know of. */
  readonly moved: boolean
  /** PostgreSQL's own tools have put the tables back; what is left is to be done. */
  readonly tablesRestored: boolean
  readonly json: boolean
}

/** Puts a backup in the place of the store, so that nothing it has forgotten is done twice. */
export async function restore(context: Context, file: string | undefined, options: RestoreOptions): Promise<ExitCode> {
  const url = await context.storeAddress()
  const store = fileOf(url)
  if (options.tablesRestored) {
    if (store !== undefined) throw new UserError('--tables-restored is for PostgreSQL: type sms-bridge restore FILE')
    return restoreTables(context, options)
  }
  if (store === undefined) throw new UserError(pgRestore(url, file ?? 'FILE'))
  if (file === undefined) throw new UserError('Name the backup to restore: sms-bridge restore FILE')
  return restoreFile(context, { store, file, ...options })
}

async function restoreFile(
  context: Context,
  { store, file, yes, moved, json }: RestoreOptions & { readonly store: string; readonly file: string },
): Promise<ExitCode> {
  const { io, clock } = context
  const found = await readBackup(file, clock.now())
  const present = await readPresent(store, clock.now())
  if (present !== undefined && present !== 'unreadable' && present.leases > 0) throw stillServed()
  const taken = new Date(found.copiedAt ?? found.newestAt ?? 0).toISOString()
  io.err(
    `${found.path}: ${counted(found.deliveries)}, ${found.copiedAt === undefined ? 'last used' : 'taken'} ${taken}`,
  )
  if (present === 'unreadable') io.err(`! ${store} cannot be read, so nobody can tell whether a serve still uses it`)
  const question = present === undefined ? `Restore it to ${store}?` : `Put it in the place of ${store}?`
  if (!yes && !(await io.confirm(question, '--yes'))) return leave(context)
  let parked = 0
  const kept = await putBack(found, store, {
    now: clock.now(),
    readable: present !== 'unreadable',
    prepare: async (restored) => {
      // The file itself is the newest backup of what is restored; what it says of earlier ones is older.
      await restored.setMark('backup', found.copiedAt ?? found.newestAt ?? clock.now())
      if (!moved) parked = await moveOn(restored, clock.now())
    },
  })
  if (json) io.out(JSON.stringify(restoredJson({ store, found, kept, parked }), null, 2))
  else {
    io.out(store)
    if (kept !== undefined) io.err(`The store that was there is kept at ${kept}`)
  }
  if (!moved) for (const line of whatIsMissing(taken, parked)) io.err(line)
  return exitCodes.ok
}

async function restoreTables(context: Context, { yes, json }: RestoreOptions): Promise<ExitCode> {
  const { io, clock } = context
  const store = await context.store()
  try {
    if ((await store.summarize(clock.now(), clock.now())).instances.length > 0) throw stillServed()
    const question = 'Were the tables of this database put back to an earlier state, and has no serve run since?'
    if (!yes && !(await io.confirm(question, '--yes'))) return leave(context)
    const latestAt = await store.latestTime()
    const parked = await moveOn(store, clock.now())
    if (json) io.out(JSON.stringify({ schema_version: 1, parked }, null, 2))
    for (const line of whatIsMissing(new Date(latestAt ?? 0).toISOString(), parked)) io.err(line)
    return exitCodes.ok
  } finally {
    await store.close()
  }
}

function leave({ io }: Context): ExitCode {
  io.err('Nothing was changed.')
  return exitCodes.ok
}

/** What is not in the store may have been delivered all the same, and nobody gets it twice. */
async function moveOn(store: Store, now: number): Promise<number> {
  for (const mark of ['reconcile:twilio', 'reconcile:intercom']) await store.setMark(mark, now)
  return (await store.takeUpRestored(now)).parked
}

function whatIsMissing(taken: string, parked: number): readonly string[] {
  const waiting =
    parked === 0
      ? []
      : [
          `- ${parked === 1 ? '1 delivery was' : `${parked} deliveries were`} under way then and may have arrived since: parked, reason "restored".`,
          '  See in Intercom and Twilio which arrived, then: sms-bridge dlq list',
        ]
  return [
    `What the bridge did after ${taken} is not in this store:`,
    ...waiting,
    '- Texts and replies since then are not fetched by themselves: most were delivered, and would be a second time.',
    '  To see what that would be: sms-bridge reconcile --since 24h --dry-run (up to 7d; without --dry-run it is delivered)',
    '- Conversations that began since then are not known: replies in them are not texted. When the customer texts again,',
    '  a new conversation begins.',
    'Start the bridge: sms-bridge serve, or sudo systemctl start sms-bridge',
  ]
}

function stillServed(): UserError {
  return new UserError(
    'A serve is running on this store: stop it first (Ctrl-C, or sudo systemctl stop sms-bridge). ' +
      'One that was killed counts as running for 15 seconds.',
  )
}

interface Done {
  readonly store: string
  readonly found: Backup
  readonly kept: string | undefined
  readonly parked: number
}

function restoredJson({ store, found, kept, parked }: Done) {
  return { schema_version: 1, store, ...factsOf(found), kept: kept ?? null, parked }
}

function factsOf({ path, bytes, deliveries, newestAt, copiedAt, schemaVersion }: Backup) {
  return {
    file: path,
    bytes,
    deliveries,
    newest_at: newestAt ?? null,
    taken_at: copiedAt ?? null,
    store_version: schemaVersion,
  }
}

function counted(deliveries: number): string {
  return deliveries === 1 ? '1 delivery' : `${deliveries.toLocaleString('en-US')} deliveries`
}

function sizeOf(bytes: number): string {
  const units = ['bytes', 'KiB', 'MiB', 'GiB', 'TiB']
  const power = Math.min(Math.floor(Math.log2(Math.max(1, bytes)) / 10), units.length - 1)
  return `${(bytes / 1024 ** power).toFixed(power === 0 ? 0 : 1)} ${units[power]}`
}

function pgDump(url: string, file: string): string {
  const { address, schema } = pgAddress(url)
  return `This store is PostgreSQL, which brings its own tool: pg_dump --format=custom${schema} --file=${file} ${address}`
}

function pgRestore(url: string, file: string): string {
  const { address } = pgAddress(url)
  return [
    'This store is PostgreSQL, which brings its own tool. Stop every serve, then type:',
    `  pg_restore --clean --if-exists --dbname=${address} ${file}`,
    '  sms-bridge restore --tables-restored',
    'The second keeps the bridge from delivering again what was delivered after the dump was taken.',
  ].join('\n')
}

/** As PostgreSQL's tools take it, without its password: they ask, or read PGPASSWORD or ~/.pgpass. */
function pgAddress(text: string): { readonly address: string; readonly schema: string } {
  const url = new URL(text)
  const schema = url.searchParams.get('schema')
  url.searchParams.delete('schema')
  url.password = ''
  return { address: `'${url.href.replaceAll("'", '%27')}'`, schema: schema === null ? '' : ` --schema=${schema}` }
}
