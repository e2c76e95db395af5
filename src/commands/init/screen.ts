// What init says: talk to stderr, the plan to stdout, or nothing but JSON at the end.
import type { Io, Spinner } from '../../cli/io.js'

export interface Screen {
  /** `2/6 Intercom` */
  step(number: number, title: string): void
  ok(text: string): void
  warn(text: string): void
  bad(text: string): void
  say(text: string): void
  /** A line of the plan. */
  plan(text: string): void
  spin(text: string): Promise<Spinner>
}

const steps = 6

export async function createScreen(io: Io, { json }: { readonly json: boolean }): Promise<Screen> {
  const { bold, green, yellow, red } = await io.colour('err')
  // With --json the talk stays: it is on stderr. The plan is in the JSON.
  return {
    step: (number, title) => io.err(`\n${bold(`${number}/${steps} ${title}`)}`),
    ok: (text) => io.err(`  ${green('✓')} ${text}`),
    warn: (text) => io.err(`  ${yellow('!')} ${text}`),
    bad: (text) => io.err(`  ${red('✗')} ${text}`),
    say: (text) => io.err(`  ${text}`),
    plan: (text) => (json ? io.err(text) : io.out(text)),
    spin: (text) => io.spin(text),
  }
}
