/** The person at the keyboard made a mistake: one line, with what to type next. */
export class UserError extends Error {
  override readonly name: string = 'UserError'
  readonly exitCode: number
  constructor(message: string, options: { exitCode?: number; cause?: unknown } = {}) {
    super(message, { cause: options.cause })
    this.exitCode = options.exitCode ?? 2
  }
}

/** The store's disk or server fails, whatever it was asked: nothing else is wrong. One line, with what to do. */
export class StoreError extends UserError {
  override readonly name = 'StoreError'
  constructor(message: string, options: { cause?: unknown } = {}) {
    // As for a bridge that is down: neither the command line nor the settings are wrong.
    super(message, { ...options, exitCode: 4 })
  }
}

/** Settings that are missing or malformed: all faults at once, never a value that is secret. */
export class ConfigError extends UserError {
  override readonly name = 'ConfigError'
  readonly faults: readonly string[]
  constructor(faults: readonly string[]) {
    super(faults.join('\n'))
    this.faults = faults
  }
}

/**
 * What is known about a call that failed. Permanent: the vendor refused it, trying again changes nothing.
 * Transient: it was certainly not done and may work later. Ambiguous: it may have been done.
 */
export type Outcome = 'permanent' | 'transient' | 'ambiguous'

export interface DeliveryErrorFacts {
  readonly outcome: Outcome
  /** Whose fault it is: the shore the call went to, or undefined for our own rules. */
  readonly shore?: string
  /** The vendor's own code, e.g. `21610` or `not_found`. */
  readonly code?: string
  /** HTTP status. */
  readonly status?: number
  /** The earliest time to try again, counted from now. */
  readonly retryAfterMs?: number
  /** The whole shore is unreachable or refuses our credentials: pause it rather than this delivery. */
  readonly pausesShore?: boolean
  /** Nothing was wrong with this delivery, it only has to wait: no attempt is spent. */
  readonly deferred?: boolean
  /** It may have been done, and nothing the vendor shows can tell: only a person can decide. */
  readonly unprovable?: boolean
  readonly cause?: unknown
}

/** A delivery could not be made. The message never holds bodies or secrets. */
export class DeliveryError extends Error {
  override readonly name = 'DeliveryError'
  readonly outcome: Outcome
  readonly shore: string | undefined
  readonly code: string | undefined
  readonly status: number | undefined
  readonly retryAfterMs: number | undefined
  readonly pausesShore: boolean
  readonly deferred: boolean
  readonly unprovable: boolean
  constructor(message: string, facts: DeliveryErrorFacts) {
    super(message, { cause: facts.cause })
    this.outcome = facts.outcome
    this.shore = facts.shore
    this.code = facts.code
    this.status = facts.status
    this.retryAfterMs = facts.retryAfterMs
    this.pausesShore = facts.pausesShore ?? false
    this.deferred = facts.deferred ?? false
    this.unprovable = facts.unprovable ?? false
  }
}

/** It may have happened, and the vendor cannot show whether: sending again might double it, not sending might lose it. */
export function unprovable(message: string): DeliveryError {
  return new DeliveryError(message, { outcome: 'ambiguous', code: 'unprovable', unprovable: true })
}

/** A signed webhook that is not what the vendor's documentation says: answered 400, never stored. */
export class BadWebhook extends Error {
  override readonly name = 'BadWebhook'
  /** Which field is missing or malformed. */
  readonly field: string
  constructor(field: string, problem: string) {
    super(`${field}: ${problem}`)
    this.field = field
  }
}

/** One line for a log or a person, whatever was thrown. */
export function describeError(error: unknown): string {
  // A refused connection to a name with several addresses has no message of its own.
  if (error instanceof AggregateError && error.message === '') return error.errors.map(describeError).join('; ')
  return error instanceof Error ? error.message : String(error)
}
