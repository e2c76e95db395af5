import pg from 'pg'
import { UserError } from '../../errors.js'
import { migrationFrom, readVersion } from '../migrations.js'
import { mustMigrate } from '../schema-version.js'

const oldestServer = 13

export interface Address {
  readonly config: pg.ClientConfig
  /** Without credentials, for people. */
  readonly name: string
  /** From `?schema=`; made when it does not exist. */
  readonly schema: string | undefined
}

export function addressOf(text: string): Address {
  if (!URL.canParse(text))
    throw new UserError('The store address is not a URL. Write SMS_BRIDGE_STORE=postgres://user@host/database')
  const url = new URL(text)
  const schema = url.searchParams.get('schema') ?? undefined
  if (schema !== undefined && !/^[a-z_][a-z0-9_]{0,50}$/.test(schema)) {
    throw new UserError(`The schema "${schema}" must be lower-case letters, digits and underscores.`)
  }
  url.searchParams.delete('schema')
  if (schema !== undefined) {
    const options = url.searchParams.get('options')
    url.searchParams.set('options', [options, `-c search_path=${schema}`].filter(Boolean).join(' '))
  }
  return {
    name: `postgres://${url.host}${url.pathname}`,
    schema,
    config: {
      connectionString: url.href,
      application_name: 'sms-bridge',
      connectionTimeoutMillis: 10_000,
      keepAlive: true,
      // A process that hangs in mid-transaction must not hold its lanes for ever.
      idle_in_transaction_session_timeout: 60_000,
      query_timeout: 60_000,
      types: { getTypeParser },
    },
  }
}

// All our bigints are ids, times and counts, far below 2^53.
const numbers: ReadonlySet<number> = new Set([pg.types.builtins.INT8, pg.types.builtins.NUMERIC])

function getTypeParser(...[oid, format]: Parameters<typeof pg.types.getTypeParser>) {
  return numbers.has(oid) ? Number : pg.types.getTypeParser(oid, format)
}

/** Makes or migrates the tables; answers the schema they are in. */
export async function prepareSchema({ config, name, schema }: Address, now: number): Promise<string> {
  const client = new pg.Client(config)
  client.on('error', () => {}) // whoever awaits a query of it is told
  try {
    await client.connect()
    const { rows } = await client.query<{ server: number }>(
      `select current_setting('server_version_num')::int / 10000 as server`,
    )
    const server = rows[0]?.server ?? 0
    if (server < oldestServer) {
      throw new UserError(`The store ${name} is PostgreSQL ${server}; ${oldestServer} is the oldest that works.`)
    }
    if (schema !== undefined) await makeSchema(client, schema)
    const current = await currentSchema(client, name)
    if (mustMigrate(await versionOf(client), name)) await migrate(client, name, now)
    return current
  } finally {
    await client.end()
  }
}

/** Only where there is none: on a standby, and for a user who may not, even `if not exists` is refused. */
async function makeSchema(client: pg.Client, schema: string): Promise<void> {
  const { rows } = await client.query('select 1 from pg_namespace where nspname = $1', [schema])
  if (rows.length > 0) return
  await client.query('begin')
  // `if not exists` alone fails in one of two processes that make it at the same moment.
  await client.query(`select pg_advisory_xact_lock(hashtext('sms-bridge ' || $1))`, [schema])
  await client.query(`create schema if not exists ${pg.escapeIdentifier(schema)}`)
  await client.query('commit')
}

async function currentSchema(client: pg.Client, name: string): Promise<string> {
  const { rows } = await client.query<{ schema: string | null }>('select current_schema() as schema')
  const schema = rows[0]?.schema
  if (schema) return schema
  throw new UserError(
    `The store ${name} has no schema to work in. Name one: add ?schema=sms_bridge to SMS_BRIDGE_STORE.`,
  )
}

export async function versionOf(client: pg.Client): Promise<number> {
  const { rows } = await client.query(
    `select 1 from information_schema.tables where table_schema = current_schema() and table_name = 'meta'`,
  )
  if (rows.length === 0) return 0
  const version = await client.query<{ value: number }>(readVersion)
  return version.rows[0]?.value ?? 0
}

async function migrate(client: pg.Client, name: string, now: number): Promise<void> {
  await client.query('begin')
  // Two processes starting at once: the second waits, then finds the work done.
  await client.query(`select pg_advisory_xact_lock(hashtext('sms-bridge ' || current_schema()))`)
  const version = await versionOf(client)
  if (mustMigrate(version, name)) await client.query(migrationFrom(version, 'postgres', now))
  await client.query('commit')
}
