// Statements are built once with Kysely, compiled once per dialect and then run as text: building one costs up to a
// millisecond, running a compiled one costs a look-up. Kysely never talks to a database here; engines do.
import {
  type Compilable,
  DummyDriver,
  Kysely,
  PostgresAdapter,
  PostgresIntrospector,
  PostgresQueryCompiler,
  type RawBuilder,
  SqliteAdapter,
  SqliteIntrospector,
  SqliteQueryCompiler,
  sql,
} from 'kysely'
import type { Schema } from './schema.js'

export type Dialect = 'sqlite' | 'postgres'

/** What an operation may do with its engine. */
export interface Tx {
  readonly dialect: Dialect
  query(text: string, parameters: readonly unknown[]): Promise<unknown[]>
  /** Tells other processes, once this is committed, that work may be due. */
  announce(): Promise<void>
}

const builders: Readonly<Record<Dialect, Kysely<Schema>>> = {
  sqlite: new Kysely({
    dialect: {
      createAdapter: () => new SqliteAdapter(),
      createDriver: () => new DummyDriver(),
      createIntrospector: (db) => new SqliteIntrospector(db),
      createQueryCompiler: () => new SqliteQueryCompiler(),
    },
  }),
  postgres: new Kysely({
    dialect: {
      createAdapter: () => new PostgresAdapter(),
      createDriver: () => new DummyDriver(),
      createIntrospector: (db) => new PostgresIntrospector(db),
      createQueryCompiler: () => new PostgresQueryCompiler(),
    },
  }),
}

/** Stands where a value will be; Kysely takes it for the value itself. */
class Hole {
  constructor(
    readonly name: string,
    readonly row: number,
  ) {}
}

type Build<Args, Row> = (db: Kysely<Schema>, args: Args, dialect: Dialect) => Compilable<Row>
type Values = Readonly<Record<string, unknown>>

interface Compiled {
  readonly text: string
  readonly parameters: readonly unknown[]
}

function compile<Args, Row>(build: Build<Args, Row>, args: Args, dialect: Dialect): Compiled {
  const { sql: text, parameters } = build(builders[dialect], args, dialect).compile()
  return { text, parameters }
}

function holes(row: number): Values {
  return new Proxy({}, { get: (_, name) => new Hole(String(name), row) })
}

function fill(compiled: Compiled, rows: readonly Values[], dialect: Dialect): unknown[] {
  return compiled.parameters.map((parameter) => {
    const value = parameter instanceof Hole ? rows[parameter.row]?.[parameter.name] : parameter
    return dialect === 'sqlite' && Array.isArray(value) ? JSON.stringify(value) : value
  })
}

/** A statement with named arguments. Arguments may only be used as values, never looked at. */
export function statement<Args extends object, Row>(build: Build<Args, Row>): (tx: Tx, args: Args) => Promise<Row[]> {
  const compiled: Partial<Record<Dialect, Compiled>> = {}
  return async (tx, args) => {
    const { dialect } = tx
    const ready = compiled[dialect] ?? compile(build, holes(0) as Args, dialect) // every property of it is a hole
    compiled[dialect] = ready
    const values = [args as Values] // read by name only
    return (await tx.query(ready.text, fill(ready, values, dialect))) as Row[] // the statement's own columns
  }
}

// PostgreSQL is a round trip away, so the fewer statements the better; SQLite is a call away and inserts one row at a
// time twice as fast as many (18 and 31 µs a row, measured).
const largestChunk: Readonly<Record<Dialect, number>> = { sqlite: 1, postgres: 64 }

/** A statement over many rows with these columns, run in chunks of few sizes, so that few texts exist. */
export function manyRows<Input extends object, Row>(
  columns: readonly (keyof Input & string)[],
  build: Build<readonly Input[], Row>,
): (tx: Tx, rows: readonly Input[]) => Promise<Row[]> {
  const compiled = new Map<string, Compiled>()
  return async (tx, rows) => {
    const found: Row[] = []
    for (let start = 0; start < rows.length; ) {
      const size = Math.min(largestChunk[tx.dialect], 2 ** Math.floor(Math.log2(rows.length - start)))
      const key = `${tx.dialect} ${size}`
      let chunk = compiled.get(key)
      if (chunk === undefined) {
        const template = Array.from({ length: size }, (_, row) =>
          Object.fromEntries(columns.map((name) => [name, new Hole(name, row)])),
        )
        chunk = compile(build, template as unknown as Input[], tx.dialect) // each column holds a hole
        compiled.set(key, chunk)
      }
      const values = rows.slice(start, start + size) as Values[] // read by name only
      found.push(...((await tx.query(chunk.text, fill(chunk, values, tx.dialect))) as Row[])) // the statement's own columns
      start += size
    }
    return found
  }
}

/** `column in (…)` for a list of any length under one text. */
export function isAmong(dialect: Dialect, column: string, list: readonly unknown[]): RawBuilder<boolean> {
  return dialect === 'sqlite'
    ? sql`${sql.ref(column)} in (select value from json_each(${list}))`
    : sql`${sql.ref(column)} = any(${list})`
}

/** The larger of two values that are not null. */
export function larger<T>(dialect: Dialect, a: RawBuilder<T>, b: RawBuilder<T>): RawBuilder<T> {
  return dialect === 'sqlite' ? sql`max(${a}, ${b})` : sql`greatest(${a}, ${b})`
}

/** The smaller of two values that are not null. */
export function smaller<T>(dialect: Dialect, a: RawBuilder<T>, b: RawBuilder<T>): RawBuilder<T> {
  return dialect === 'sqlite' ? sql`min(${a}, ${b})` : sql`least(${a}, ${b})`
}

// PostgreSQL guesses the type of a lone parameter in a select list, `case` or `coalesce`; these say what it is.
export const text = <T extends string | null>(value: T): RawBuilder<T> => sql`cast(${value} as text)`
export const bigint = <T extends number | null>(value: T): RawBuilder<T> => sql`cast(${value} as bigint)`
export const real = (value: number): RawBuilder<number> => sql`cast(${value} as double precision)`

/** A literal, where a partial index must be recognised. */
export const literal = <T extends string>(value: T): RawBuilder<T> => sql.lit(value)
