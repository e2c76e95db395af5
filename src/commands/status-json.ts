// `status --json`: names are a contract, new ones may come. Times are epoch milliseconds; null is none.
import type { Survey } from '../store/survey.js'
import { explainCode, explainFault } from './advice.js'
import { type Canary, canaryIn } from './status-canary.js'
import { type Direction, goals, sumSheets, type View } from './status-screen.js'
import { reconciled } from './status-verdict.js'

export function toJson({ survey, verdict, complaints, now, number }: View) {
  const { queue, hops, lastAt } = survey
  const missing = (vendor: 'twilio' | 'intercom') =>
    number === undefined ? (reconciled(survey, vendor)?.missing ?? null) : null
  return {
    schema_version: 1,
    verdict,
    at: now,
    number: number ?? null,
    from_day: survey.fromDay,
    complaints,
    inbound: { ...sumSheets(survey, 'inbound-sms'), missing: missing('twilio') },
    outbound: { ...sumSheets(survey, 'agent-reply'), missing: missing('intercom') },
    automatic: { away_texts: sumSheets(survey, 'away-text'), reply_notes: sumSheets(survey, 'reply-note') },
    days: survey.sheets.filter(({ kind }) => kind in directions).map(sheet),
    unbalanced: survey.wrongSheets.map(sheet),
    hops: {
      inbound: hop(hops.inbound, goals.inbound),
      reply_handed_over: hop(hops.handedOver, goals.reply),
      reply_on_handset: hop(hops.arrived, goals.reply),
    },
    last_events: {
      inbound_at: lastAt['inbound-sms'] ?? null,
      agent_reply_at: lastAt['agent-reply'] ?? null,
      receipt_at: lastAt.receipt ?? null,
      reconciled_twilio_at: reconciled(survey, 'twilio')?.at ?? null,
      reconciled_intercom_at: reconciled(survey, 'intercom')?.at ?? null,
    },
    waiting: queue.ready,
    oldest_waiting_at: queue.oldestAt ?? null,
    retrying: queue.retrying,
    next_retry_at: queue.nextRetryAt ?? null,
    lanes_held: queue.lanesHeld,
    parked: survey.deadLetters.reduce((sum, { count }) => sum + count, 0),
    dead_letters: survey.deadLetters.map(deadLetters),
    conflicts: survey.conflicts,
    failures: survey.failures.map(({ errorCode, count }) => ({
      error_code: errorCode ?? null,
      title: (errorCode === undefined ? undefined : explainCode(String(errorCode))?.title) ?? null,
      count,
    })),
    pauses: survey.pauses.map(({ shore, reason, pausedAt, until }) => ({ shore, reason, paused_at: pausedAt, until })),
    limits: survey.limits,
    numbers: survey.numbers.map(({ checkedAt, detail, ...rest }) => ({
      ...rest,
      detail: detail ?? null,
      checked_at: checkedAt,
    })),
    canary: canary(canaryIn(survey)),
    opt_outs: { total: survey.optOuts.all, recent: survey.optOuts.recent },
    processes: survey.processes.map(({ id, startedAt, lastBeatAt, leaseUntil }) => ({
      id,
      running: leaseUntil > now,
      started_at: startedAt,
      last_heartbeat_at: lastBeatAt,
      lease_until: leaseUntil,
    })),
    stopped_at: survey.marks['serve-stopped']?.at ?? null,
  }
}

const directions: Readonly<Record<Direction, string>> = { 'inbound-sms': 'in', 'agent-reply': 'out' }

function sheet({ fault, kind, ...counts }: Survey['sheets'][number]) {
  const direction = { ...directions, 'reply-lookup': 'lookup', 'reply-note': 'note', 'away-text': 'away' }[kind]
  const balanced = fault === undefined
  return { ...counts, direction, balanced, ...(balanced ? {} : { held: fault.held, ids: fault.ids }) }
}

function canary(found: Canary | undefined) {
  if (found === undefined) return null
  const { at, verdict, hops, failedStep, cause, number, everyMs, stopped } = found
  return { at, verdict, ...hops, failed_step: failedStep, cause, number, every_ms: everyMs, stopped }
}

function hop({ count, p50Ms, p95Ms }: Survey['hops']['inbound'], goalMs: number) {
  return { count, p50_ms: p50Ms ?? null, p95_ms: p95Ms ?? null, goal_ms: goalMs }
}

function deadLetters({ reason, count, oldestAt, returning, nextRetryAt, fault }: Survey['deadLetters'][number]) {
  const { title, fixer, nextStep } = explainFault(reason, fault)
  return {
    reason,
    count,
    oldest_at: oldestAt,
    returning,
    next_retry_at: nextRetryAt ?? null,
    title,
    fixer,
    next_step: nextStep,
  }
}
