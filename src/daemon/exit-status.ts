/** The exit statuses of `tuntoxd`. `Usage` includes wrong settings: a restart does not help. `ClosedPipe` is what a shell reports for SIGPIPE. */
export const ExitStatus = { Ok: 0, Failed: 1, Usage: 2, ClosedPipe: 141 } as const;
