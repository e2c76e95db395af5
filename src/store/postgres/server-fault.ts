// What PostgreSQL says of itself rather than of a statement, in words for whoever runs the bridge.
import pg from 'pg'
import { describeError, StoreError } from '../../errors.js'

const remedies: readonly (readonly [code: RegExp, remedy: string])[] = [
  [/^53100$/, 'Free some space on its disk: what was answered is kept, and a running bridge then goes on by itself.'],
  [/^53300$/, 'Raise its max_connections, or run fewer processes: each may use up to 11 connections.'],
  [/^25006$/, 'It takes no writes, as a standby does: point SMS_BRIDGE_STORE at the primary.'],
  [/^42501$/, 'Grant the user of SMS_BRIDGE_STORE all rights on the schema and its tables.'],
  [
    /^XX00[12]$/,
    "It is damaged: stop every serve, restore the newest backup with PostgreSQL's tools, and type sms-bridge restore " +
      '--tables-restored',
  ],
]

/** Ended by a server that stops, starts or crashed. */
const lostCode = /^(08|57P)/
const whenLost = 'Start PostgreSQL if it is down: a running bridge goes on by itself as soon as it answers.'

/** PostgreSQL's own code, when it was PostgreSQL that answered. */
export function codeOf(error: unknown): string | undefined {
  return error instanceof pg.DatabaseError ? error.code : undefined
}

const broken = /^(Connection terminated|timeout exceeded|Client has encountered)/
/** It may be there and hang: asking once more would only make everybody wait longer. */
const unanswered = /^Query read timeout/

/** The session is gone, or none could be had. */
export function isLost(error: unknown): boolean {
  if (error instanceof AggregateError) return true
  const code = codeOf(error)
  if (code !== undefined) return lostCode.test(code)
  return error instanceof Error && ('syscall' in error || broken.test(error.message))
}

/** One line: what, which server, what to do; any other failure as it was. */
export function explainFault(name: string, error: unknown): unknown {
  const code = codeOf(error) ?? ''
  const silent = isLost(error) || unanswered.test(describeError(error))
  const remedy = silent ? whenLost : remedies.find(([pattern]) => pattern.test(code))?.[1]
  if (remedy === undefined) return error
  return new StoreError(`Trouble with the store ${name}: ${describeError(error)}. ${remedy}`, { cause: error })
}
