/** Exit statuses, the same numbers as tuntoxctl's where both have the case. */
export const ExitStatus = {
  Ok: 0,
  Failed: 1,
  Usage: 2,
  /** The server lets us in but does not allow the target. */
  NotAllowed: 4,
  /** The server could not reach the target. */
  TargetUnreachable: 5,
  /** Nobody reads the output: what a shell reports of a program that SIGPIPE ended. */
  NobodyReads: 141,
} as const;

/** What a shell reports of a process that a signal ended. */
export const SIGNAL_STATUS_BASE = 128;
