/** The exit statuses of `tuntox`. */
export const ExitStatus = {
  Ok: 0,
  Failed: 1,
  Usage: 2,
  /** The server was not found, or the connection to it was lost. */
  NoServer: 3,
  /** The server does not allow the target. */
  NotAllowed: 4,
  /** The server could not reach the target. */
  TargetUnreachable: 5,
  /** No node of the Tox network answered. */
  NoNetwork: 6,
  /** The server was found, but there was no connection or no answer in time. */
  Timeout: 7,
  /** The server does not admit this client. */
  NotAdmitted: 8,
  /** The proxy is unusable. */
  Proxy: 9,
  /** The reader closed the output: what a shell reports for SIGPIPE. */
  ClosedPipe: 141,
} as const;

/** The statuses of errors that a script can handle; all others are Failed. */
const STATUS_OF_CODE: Readonly<Record<string, number>> = {
  proxy: ExitStatus.Proxy,
  'no-network': ExitStatus.NoNetwork,
  'not-found': ExitStatus.NoServer,
  'share-ended': ExitStatus.NoServer,
  'not-admitted': ExitStatus.NotAdmitted,
  'no-connection': ExitStatus.Timeout,
  'connection-lost': ExitStatus.NoServer,
  'answer-lost': ExitStatus.NoServer,
  'agent-ended': ExitStatus.NoServer,
  'peer-offline': ExitStatus.NoServer,
  'shutting-down': ExitStatus.NoServer,
  'peer-shutting-down': ExitStatus.NoServer,
  'no-answer': ExitStatus.Timeout,
  'not-allowed': ExitStatus.NotAllowed,
  'connection-refused': ExitStatus.TargetUnreachable,
  unreachable: ExitStatus.TargetUnreachable,
  timeout: ExitStatus.TargetUnreachable,
  'name-not-found': ExitStatus.TargetUnreachable,
  'closed-pipe': ExitStatus.ClosedPipe,
};

export const statusOf = (code: string): number => STATUS_OF_CODE[code] ?? ExitStatus.Failed;
