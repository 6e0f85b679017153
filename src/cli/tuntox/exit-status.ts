/** Exit statuses, the same numbers as tuntoxctl's where both have the case. */
export const ExitStatus = {
  Ok: 0,
  Failed: 1,
  Usage: 2,
  /** The Tox network does not know the server, or the connection to it was lost. */
  NoServer: 3,
  /** The server lets us in but does not allow the target. */
  NotAllowed: 4,
  /** The server could not reach the target. */
  TargetUnreachable: 5,
  /** No node of the Tox network answered. */
  NoNetwork: 6,
  /** The server was found, and yet there was no connection in time, or no answer through it. */
  Timeout: 7,
  /** The server is there and does not let us in. */
  NotLetIn: 8,
  /** The proxy is of no use. */
  Proxy: 9,
  /** Nobody reads the output: what a shell reports of a program that SIGPIPE ended. */
  NobodyReads: 141,
} as const;

/** What a shell reports of a process that a signal ended. */
export const SIGNAL_STATUS_BASE = 128;

/** By the code of an error, where scripts can do something about it; the rest has failed. */
const STATUS_OF_CODE: Readonly<Record<string, number>> = {
  proxy: ExitStatus.Proxy,
  'no-network': ExitStatus.NoNetwork,
  'not-found': ExitStatus.NoServer,
  'not-let-in': ExitStatus.NotLetIn,
  'no-connection': ExitStatus.Timeout,
  'peer-gone': ExitStatus.NoServer,
  'peer-away': ExitStatus.NoServer,
  'shutting-down': ExitStatus.NoServer,
  'peer-shutting-down': ExitStatus.NoServer,
  'no-answer': ExitStatus.Timeout,
  'not-allowed': ExitStatus.NotAllowed,
  'connection-refused': ExitStatus.TargetUnreachable,
  unreachable: ExitStatus.TargetUnreachable,
  timeout: ExitStatus.TargetUnreachable,
  'name-not-found': ExitStatus.TargetUnreachable,
  'nobody-reads': ExitStatus.NobodyReads,
};

export const statusOf = (code: string): number => STATUS_OF_CODE[code] ?? ExitStatus.Failed;
