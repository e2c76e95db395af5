/** The written contract of exit codes; scripts rely on it. */
export const exitCodes = {
  ok: 0,
  unexpected: 1,
  /** Wrong usage or configuration. */
  usage: 2,
  degraded: 3,
  down: 4,
  partlyFailed: 5,
  nothingMatched: 6,
  credentialsRefused: 7,
  relayNotReachable: 8,
  interrupted: 130,
} as const

export type ExitCode = (typeof exitCodes)[keyof typeof exitCodes]
