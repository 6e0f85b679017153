/**
 * Of `tuntoxd`. `Usage` is for wrong settings too: to start it again would not help. `NobodyReads` is what a shell reports of a
 * program that SIGPIPE ended.
 */
export const ExitStatus = { Ok: 0, Failed: 1, Usage: 2, NobodyReads: 141 } as const;
