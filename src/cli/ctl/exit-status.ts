/** Exit statuses of tuntoxctl. */
export const ExitStatus = {
  Ok: 0,
  Failed: 1,
  Usage: 2,
  NotRunning: 3,
  Permission: 4,
  /** Not found, or ambiguous. */
  NotFound: 5,
  /** The daemon runs, and something needs its owner. */
  Degraded: 6,
  Timeout: 7,
  /** What a shell reports of a program that Ctrl-C ended. */
  Interrupted: 130,
  /** Nobody reads the output: what a shell reports of a program that SIGPIPE ended. */
  NobodyReads: 141,
  /** What a shell reports of a program that SIGTERM ended. */
  Terminated: 143,
} as const;

export type ExitStatus = (typeof ExitStatus)[keyof typeof ExitStatus];
