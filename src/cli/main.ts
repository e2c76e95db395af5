import { readFileSync } from 'node:fs'
import { type Clock, systemClock } from '../clock.js'
import { ConfigError, UserError } from '../errors.js'
import { exitCodes } from './exit-codes.js'
import type { Environment, Io } from './io.js'
import { runProgram } from './program.js'
import { listenForSignals } from './signals.js'

/** Runs one command line and resolves with its exit code; whatever goes wrong becomes words on stderr. */
export async function main(
  argv: readonly string[],
  io: Io,
  env: Environment,
  clock: Clock = systemClock,
): Promise<number> {
  const signals = listenForSignals(io)
  const command = runProgram(argv, {
    version: readVersion(),
    io,
    context: async (flags) => {
      const { createContext } = await import('./context.js')
      return createContext({ io, env, clock, flags, stopSignal: signals.takeOver })
    },
  }).catch((error: unknown) => report(error, io))
  try {
    return await Promise.race([command, signals.ended])
  } finally {
    signals.release()
  }
}

async function report(error: unknown, io: Io): Promise<number> {
  // Ctrl-C at a question reaches us as an error of the prompt's, not as a signal.
  if (error instanceof Error && error.name === 'ExitPromptError') return exitCodes.interrupted
  const label = (await io.colour('err')).red('error:')
  if (error instanceof ConfigError && error.faults.length > 1) {
    io.err(`${label} ${error.faults.length} settings are missing or wrong`)
    for (const fault of error.faults) io.err(`  ${fault}`)
    return error.exitCode
  }
  if (error instanceof UserError) {
    io.err(`${label} ${error.message}`)
    return error.exitCode
  }
  io.err(`${label} ${error instanceof Error ? (error.stack ?? error.message) : String(error)}`)
  return exitCodes.unexpected
}

function readVersion(): string {
  const text = readFileSync(new URL('../../package.json', import.meta.url), 'utf8')
  return (JSON.parse(text) as { version: string }).version // our own package.json
}
