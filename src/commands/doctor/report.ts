// `doctor --json`: names are a contract, new ones may come. Times are epoch milliseconds; null is none.
import type { Finding } from './finding.js'
import { verdictOf } from './finding.js'
import type { Fixed } from './fix.js'

export function toJson(findings: readonly Finding[], { now, fixed }: { now: number; fixed: readonly Fixed[] }) {
  const count = (state: Finding['state']) => findings.filter((finding) => finding.state === state).length
  return {
    schema_version: 1,
    verdict: verdictOf(findings),
    at: now,
    summary: { failed: count('failed'), warning: count('warning'), ok: count('ok'), skipped: count('skipped') },
    checks: findings.map(({ id, state, what, why, fix, who, repair }) => ({
      id,
      state,
      what,
      why: why === '' ? null : why,
      fix: fix === '' ? null : fix,
      who: who ?? null,
      fixable: repair !== undefined,
    })),
    fixed: fixed.map(({ ids, changes }) => ({ ids, changes })),
  }
}
