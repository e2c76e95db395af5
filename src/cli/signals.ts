import { type ExitCode, exitCodes } from './exit-codes.js'
import type { Io } from './io.js'

export interface Signals {
  /** Resolves with 130 on the first signal, or on the second once a command has taken the first over. */
  readonly ended: Promise<ExitCode>
  /** From now on the first signal aborts the returned one instead of ending the program. */
  takeOver(): AbortSignal
  release(): void
}

export function listenForSignals(io: Pick<Io, 'onSignal'>): Signals {
  const stopping = new AbortController()
  let takenOver = false
  let release = () => {}
  const ended = new Promise<ExitCode>((resolve) => {
    release = io.onSignal(() => {
      if (takenOver && !stopping.signal.aborted) stopping.abort()
      else resolve(exitCodes.interrupted)
    })
  })
  const takeOver = () => {
    takenOver = true
    return stopping.signal
  }
  return { ended, takeOver, release }
}
