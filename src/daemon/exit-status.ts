/** Of `tuntoxd`. `Usage` is for wrong settings too: to start it again would not help. */
export const ExitStatus = { Ok: 0, Failed: 1, Usage: 2 } as const;
