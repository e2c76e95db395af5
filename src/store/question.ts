// Questions in plain SQL, asked without Kysely: building statements at run time means loading 260 files, which takes
// longer than everything else `status` does. A question reads, is the same text on both engines wherever it can be,
// and is held by the tests that run on both.
import type { Dialect, Tx } from './statement.js'

export type Asker = Pick<Tx, 'dialect' | 'query'>

interface Prepared {
  readonly text: string
  /** Names of arguments, in the order in which the text wants them. */
  readonly names: readonly string[]
}

function prepare(sql: string, dialect: Dialect): Prepared {
  const names: string[] = []
  const text = sql.replace(/:([a-z]\w*)/gi, (_, name: string) => {
    if (dialect === 'sqlite') {
      names.push(name)
      return '?'
    }
    if (!names.includes(name)) names.push(name)
    return `$${names.indexOf(name) + 1}`
  })
  return { text, names }
}

/** `:name` stands for the argument of that name. Rows are what the text selects. */
export function question<Args extends object, Row>(
  sql: string | Readonly<Record<Dialect, string>>,
): (tx: Asker, args: Args) => Promise<Row[]> {
  const prepared: Partial<Record<Dialect, Prepared>> = {}
  return async (tx, args) => {
    const { dialect } = tx
    const ready = prepared[dialect] ?? prepare(typeof sql === 'string' ? sql : sql[dialect], dialect)
    prepared[dialect] = ready
    const values = args as Readonly<Record<string, unknown>> // read by name only
    const parameters = ready.names.map((name) => {
      const value = values[name]
      return dialect === 'sqlite' && Array.isArray(value) ? JSON.stringify(value) : value
    })
    return (await tx.query(ready.text, parameters)) as Row[] // the question's own columns
  }
}
