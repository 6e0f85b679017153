/**
 * What catches what nobody caught: an exception in a callback of Node's, or a promise that was rejected and that nobody waited
 * for. The state of the program is doubtful then, so it ends, and says why: in one line, in the log where there is one.
 */
import type { Logger } from '../../base/logger.js';
import { adviceFor, describeFault, faultText } from '../../base/program-fault.js';

/** What we need of the process; a test passes its own. */
export interface EndingProcess {
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly stderr: { write(text: string): unknown };
  on(event: 'uncaughtException', listener: (error: unknown) => void): unknown;
  exit(status: number): unknown;
}

const FAILED = 1;
let log: Logger | undefined;

/** From now on the last words go into the log. */
export function tellFaultsTo(logger: Logger): void {
  log = logger;
}

/** To be called before anything else. Node hands rejections that nobody handled on as exceptions that nobody caught. */
export function endOnFault(process: EndingProcess, command: string): void {
  process.on('uncaughtException', (error) => {
    try {
      if (log === undefined) process.stderr.write(`${command}: ${faultText(error, process.env)}\n`);
      else tell(log, error);
    } finally {
      process.exit(FAILED);
    }
  });
}

function tell(log: Logger, error: unknown): void {
  log.error(`${describeFault(error)}: ${adviceFor(error)}`);
  if (error instanceof Error && error.stack !== undefined) log.debug(error.stack);
}
