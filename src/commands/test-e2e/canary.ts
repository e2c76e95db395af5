// The latest result of a repeated test, where `status` finds it.
import type { Context } from '../../cli/context.js'
import { describeError, UserError } from '../../errors.js'
import type { CanaryMark } from '../status-canary.js'
import { failedStep, type Report, toJson } from './report.js'

/** Stopped: no other result is to be expected. */
export async function writeCanary(
  context: Context,
  report: Report,
  { everyMs, stopped }: { readonly everyMs: number; readonly stopped: boolean },
): Promise<void> {
  if (report.verdict === 'interrupted') return
  const failed = failedStep(report)
  const value: CanaryMark = {
    verdict: report.verdict,
    hops: toJson(report).hops,
    failedStep: failed?.name ?? null,
    cause: failed?.cause?.text ?? failed?.seen ?? null,
    number: report.number ?? null,
    everyMs,
    stopped,
  }
  try {
    const store = await context.store()
    try {
      await store.setMark('canary', report.startedAt + report.ms, value)
    } finally {
      await store.close()
    }
  } catch (error) {
    if (!(error instanceof UserError)) throw error
    context.io.err(`sms-bridge status will not show this: ${describeError(error)}`)
  }
}
