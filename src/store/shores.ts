import { sql } from 'kysely'
import type { Shore } from '../delivery.js'
import { allPauses } from './questions.js'
import { larger, statement, type Tx } from './statement.js'
import type { ShorePause } from './store.js'

const pause = statement((db, args: { shore: Shore; reason: string; until: number; now: number }, dialect) =>
  db
    .insertInto('shores')
    .values({ shore: args.shore, reason: args.reason, paused_at: args.now, until: args.until, failures: 1 })
    .onConflict((oc) =>
      oc.column('shore').doUpdateSet({
        reason: sql`excluded.reason`,
        until: larger(dialect, sql<number>`shores.until`, sql`excluded.until`),
        // When a shore goes down, everything under way fails at once: that is one failure, not one each.
        failures: sql`shores.failures + case when shores.until <= excluded.paused_at then 1 else 0 end`,
      }),
    ),
)

const resume = statement((db, args: { shore: Shore }) =>
  db.deleteFrom('shores').where('shore', '=', args.shore).returning('shore'),
)

export async function pauseShore(tx: Tx, shore: Shore, reason: string, until: number, now: number): Promise<void> {
  await pause(tx, { shore, reason, until, now })
}

export async function resumeShore(tx: Tx, shore: Shore): Promise<boolean> {
  const resumed = (await resume(tx, { shore })).length > 0
  if (resumed) await tx.announce()
  return resumed
}

export async function pauses(tx: Tx): Promise<readonly ShorePause[]> {
  return (await allPauses(tx, {})).map(({ paused_at: pausedAt, ...rest }) => ({ ...rest, pausedAt }))
}
