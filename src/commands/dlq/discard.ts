import type { Context } from '../../cli/context.js'
import { type ExitCode, exitCodes } from '../../cli/exit-codes.js'
import type { DeliveryId } from '../../delivery.js'
import { UserError } from '../../errors.js'
import { actorOf } from '../actor.js'
import { plural } from '../words.js'
import { allOf, type FilterOptions, isNarrow, nothingMatches, toDetail, toFilter } from './filter.js'
import { deliveryName } from './names.js'

export interface DiscardOptions {
  readonly filter: FilterOptions
  readonly all: boolean
  /** Why, in the words of whoever does it. */
  readonly because: string
  readonly dryRun: boolean
  readonly yes: boolean
  readonly json: boolean
}

/** So many are changed in one transaction. */
const mostTogether = 100
const mostNamed = 100

/** Takes dead letters out of the queue. They are kept for 30 days. */
export async function discard(context: Context, options: DiscardOptions): Promise<ExitCode> {
  const { io, env, clock } = context
  const because = options.because.trim()
  if (because === '') throw new UserError('Say why: type --because "the customer was called instead"')
  if (!options.all && !isNarrow(options.filter)) {
    throw new UserError('Say which dead letters: type a filter such as --id d_17 or --reason 21211, or --all')
  }
  const store = await context.store()
  try {
    const filter = await toFilter(context, options.filter)
    const ids = (await allOf(store, filter)).map(({ id }) => id)
    if (ids.length === 0) {
      if (options.json) io.out(JSON.stringify({ schema_version: 1, discarded: 0, ids: [], skipped: [] }, null, 2))
      io.err(nothingMatches)
      return exitCodes.nothingMatched
    }
    const what = plural(ids.length, 'dead letter')
    if (options.dryRun) {
      if (options.json)
        io.out(JSON.stringify({ schema_version: 1, dry_run: true, ids: ids.map(deliveryName) }, null, 2))
      else io.out(`Would discard ${what}: ${named(ids)}. Nothing was changed.`)
      return exitCodes.ok
    }
    const question = `Discard ${what}? They are never delivered, unless you replay them by --id within 30 days.`
    if (!options.yes && !(await io.confirm(question, '--yes'))) {
      io.err('Nothing was changed.')
      return exitCodes.ok
    }
    const by = actorOf(env)
    const detail = {
      filter: toDetail(filter),
      because,
      items: ids.length,
      ids: ids.slice(0, mostNamed).map(deliveryName),
    }
    const audit = await store.writeAudit({ actor: by, action: 'dlq.discard', detail }, clock.now())
    const { notesOfDiscarded } = await import('../../shores.js')
    const done = new Set<DeliveryId>()
    for (let start = 0; start < ids.length; start += mostTogether) {
      const slice = ids.slice(start, start + mostTogether)
      const also = await notesOfDiscarded(store, slice, because)
      for (const id of await store.discardDeadLetters(slice, { because, by }, clock.now(), also)) done.add(id)
    }
    await store.completeAudit(audit, { discarded: done.size })
    const skipped = ids.filter((id) => !done.has(id))
    if (options.json) {
      const names = { ids: [...done].map(deliveryName), skipped: skipped.map(deliveryName) }
      io.out(JSON.stringify({ schema_version: 1, discarded: done.size, ...names }, null, 2))
    } else io.out(`${plural(done.size, 'dead letter')} discarded.`)
    if (skipped.length > 0) io.err(`Passed over, since they are not parked any more: ${named(skipped)}`)
    if (done.size > 0 && !options.json) io.err('Take one back within 30 days: sms-bridge dlq replay --id d_…')
    return skipped.length > 0 ? exitCodes.partlyFailed : exitCodes.ok
  } finally {
    await store.close()
  }
}

function named(ids: readonly DeliveryId[]): string {
  const more = ids.length > mostNamed ? ` and ${ids.length - mostNamed} more` : ''
  return `${ids.slice(0, mostNamed).map(deliveryName).join(', ')}${more}`
}
