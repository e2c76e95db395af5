// The latest result of a repeated test, where `status` finds it.
import type { Context } from '../../cli/context.js'
import { describeError, UserError } from '../../errors.js'
import { failedStep, type Report, toJson } from './report.js'

export async function writeCanary(context: Context, report: Report, everyMs: number): Promise<void> {
  const failed = failedStep(report)
  const value = {
    ok: report.verdict === 'pass',
    slow: report.verdict === 'slow',
    hops: toJson(report).hops,
    failedStep: failed?.name ?? null,
    cause: failed?.cause?.text ?? failed?.seen ?? null,
    number: report.number ?? null,
    everyMs,
  }
  try {
    const store = await context.store()
    try {
      await store.setMark('canary', context.clock.now(), value)
    } finally {
      await store.close()
    }
  } catch (error) {
    if (!(error instanceof UserError)) throw error
    context.io.err(`sms-bridge status will not show this: ${describeError(error)}`)
  }
}
