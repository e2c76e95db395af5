// Every check, whatever becomes of the others, each with a deadline of its own.
import { describeError } from '../../errors.js'
import { checks as everyCheck } from './checks.js'
import { type Check, type Finding, failed, skipped, Unmet } from './finding.js'
import type { Stage } from './stage.js'

export interface RunParts {
  /** How long each may take, ms. */
  readonly deadlineMs: number
  readonly checks?: readonly Check[]
}

/** In the order of the table, whichever ended first. */
export async function runChecks(
  stage: Stage,
  { deadlineMs, checks = everyCheck }: RunParts,
): Promise<readonly Finding[]> {
  const found = new Map<Check, readonly Finding[]>()
  const run = async (check: Check) => void found.set(check, await runOne(check, stage, deadlineMs))
  await Promise.all(checks.filter(({ last }) => last === undefined).map(run))
  for (const check of checks) if (check.last) await run(check)
  return checks.flatMap((check) => found.get(check) ?? [])
}

async function runOne(check: Check, stage: Stage, deadlineMs: number): Promise<readonly Finding[]> {
  const over = new AbortController()
  let timer: NodeJS.Timeout | undefined
  const late = new Promise<readonly Finding[]>((resolve) => {
    timer = setTimeout(() => resolve([withoutAnswer(check, deadlineMs)]), deadlineMs)
  })
  const { signal } = stage.call
  try {
    return await Promise.race([check.run(stage, AbortSignal.any([signal, over.signal])), late])
  } catch (error) {
    return [notLookedAt(check, error)]
  } finally {
    clearTimeout(timer)
    over.abort()
  }
}

function notLookedAt({ id }: Check, error: unknown): Finding {
  if (error instanceof Unmet) return skipped(id, error.message)
  return failed(id, {
    what: `could not be looked at: ${describeError(error)}`,
    why: 'whether this is right is unknown',
    fix: 'mend what the words name, then type sms-bridge doctor again',
    who: 'machine',
  })
}

function withoutAnswer({ id }: Check, deadlineMs: number): Finding {
  return failed(id, {
    what: `no answer within ${deadlineMs / 1000}s`,
    why: 'whether this is right is unknown; what is so slow may fail customers too',
    fix: 'look whether this machine reaches the internet, then type sms-bridge doctor again, with --timeout 60s for example',
    who: 'machine',
  })
}
