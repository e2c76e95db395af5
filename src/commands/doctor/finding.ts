// What a check found, as data: the screen, the JSON and the bundle say the same.
import type { SettingName } from '../../config/schema.js'
import type { WebhookChange } from '../setup/webhooks.js'
import type { Stage } from './stage.js'

/** skipped: it could not or need not be looked at, for the reason given. */
export type State = 'ok' | 'warning' | 'failed' | 'skipped'

/** Who can mend it: this program, once it is told to; whoever is at this machine; … */
export type Who = 'program' | 'machine' | 'web' | 'twilio' | 'intercom'

/** What the program can change, in data, so that it can be shown before it is done. */
export type Repair =
  | {
      readonly kind: 'webhooks'
      readonly changes: readonly WebhookChange[]
      /** Every number of a Messaging Service that is changed: its settings are theirs. */
      readonly moves: readonly string[]
      /** Somebody else gets these texts now: only when it is asked for by its id. */
      readonly foreign: boolean
    }
  | { readonly kind: 'private-profile'; readonly mode: number }
  | { readonly kind: 'attributes'; readonly names: readonly string[] }
  | { readonly kind: 'setting'; readonly name: SettingName; readonly from: string; readonly to: string }

export interface Finding {
  /** `webhook:+15550100100`; stable, for scripts. */
  readonly id: string
  readonly state: State
  /** What was seen. */
  readonly what: string
  /** Why it matters; '' when nothing is wrong. */
  readonly why: string
  /** What to do; '' when nothing is to be done. */
  readonly fix: string
  readonly who: Who | undefined
  readonly repair: Repair | undefined
}

/** One question, which may find several things; each is told of under an id of its own. */
export interface Check {
  readonly id: string
  /** It holds up everything else while it runs: it comes last. */
  readonly last?: true
  readonly run: (stage: Stage, signal: AbortSignal) => Promise<readonly Finding[]>
}

/** It cannot be looked at until something else is mended. */
export class Unmet extends Error {
  override readonly name = 'Unmet'
}

export function ok(id: string, what: string): Finding {
  return { id, state: 'ok', what, why: '', fix: '', who: undefined, repair: undefined }
}

export function skipped(id: string, reason: string, repair?: Repair): Finding {
  return { ...ok(id, reason), state: 'skipped', repair }
}

export interface Trouble {
  readonly what: string
  readonly why: string
  readonly fix: string
  readonly who: Exclude<Who, 'program'>
  /** The program can do it: then that is the advice. */
  readonly repair?: Repair | undefined
}

export const failed = (id: string, trouble: Trouble) => wrong(id, 'failed', trouble)
export const warning = (id: string, trouble: Trouble) => wrong(id, 'warning', trouble)

function wrong(id: string, state: 'failed' | 'warning', { what, why, fix, who, repair }: Trouble): Finding {
  return repair === undefined
    ? { id, state, what, why, fix, who, repair }
    : { id, state, what, why, fix: `sms-bridge doctor --fix ${id}`, who: 'program', repair }
}

export type Verdict = 'ok' | 'warnings' | 'failed'

export function verdictOf(findings: readonly Finding[]): Verdict {
  if (findings.some(({ state }) => state === 'failed')) return 'failed'
  return findings.some(({ state }) => state === 'warning') ? 'warnings' : 'ok'
}
