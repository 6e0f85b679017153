/** The end of a command whose work is done. */
import { ifStillRunning } from '../../base/clock.js';

/** What we need of the process; a test passes its own. */
export interface EndedProcess {
  exitCode?: number | string | null | undefined;
  exit(status: number): unknown;
}

/** ms that a reader of standard error gets for our last words. */
const LAST_WORDS = 2_000;

/** What was written and is still under way keeps the process alive: for ever, where its reader hangs. */
export function endWith(process: EndedProcess, status: number, later = ifStillRunning): void {
  process.exitCode = status;
  later(LAST_WORDS, () => process.exit(status));
}
