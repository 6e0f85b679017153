/** Exits when the work of a command is done. */
import { ifStillRunning } from '../../base/clock.js';

/** The part of the process that is used. */
export interface ExitingProcess {
  exitCode?: number | string | null | undefined;
  exit(status: number): unknown;
}

/** ms for writing what standard error has not taken yet. */
const FLUSH_TIMEOUT = 2_000;

/** Sets the exit status. Output that is not written yet keeps the process alive: without a timeout forever, if its reader hangs. */
export function exitWith(process: ExitingProcess, status: number, later = ifStillRunning): void {
  process.exitCode = status;
  later(FLUSH_TIMEOUT, () => process.exit(status));
}
