import type { TwinClock } from '../clock.js'

/** Runs work that must end within `ms`, or when the twin stops: then its signal is aborted. */
export async function withDeadline<T>(
  limits: { readonly clock: TwinClock; readonly ms: number; readonly stopped: AbortSignal },
  work: (signal: AbortSignal) => Promise<T>,
): Promise<T> {
  const late = new AbortController()
  const ended = new AbortController()
  const abort = () => late.abort()
  void limits.clock.sleep(limits.ms, ended.signal).then(abort)
  limits.stopped.addEventListener('abort', abort, { once: true })
  try {
    return await work(late.signal)
  } finally {
    ended.abort()
    limits.stopped.removeEventListener('abort', abort)
  }
}
