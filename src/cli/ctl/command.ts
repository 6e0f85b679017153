/** What a command does, and what it works with. */
import type { Clock } from '../../base/clock.js';
import { ControlError } from '../../control/control-error.js';
import type { Output } from '../output.js';
import type { Description, ParsedArguments } from './arguments.js';
import { CtlError } from './ctl-error.js';
import type { Dialogue } from './dialogue.js';
import type { Session } from './session.js';

export interface Command extends Description {
  /** @returns the exit status; undefined means 0. @throws CtlError, ControlError */
  run(context: Context): Promise<number | undefined>;
}

export interface Context {
  readonly clock: Clock;
  readonly given: ParsedArguments;
  readonly out: Output;
  readonly isJson: boolean;
  readonly dialogue: Dialogue;
  readonly session: Session;
  readonly environment: Readonly<Record<string, string | undefined>>;
  /** Aborted by Ctrl-C, and when the reader of the output closes it. */
  readonly signal: AbortSignal;
  /** Resolves when the system has all output. @throws OutputError, also when the output is /dev/null */
  written(): Promise<void>;
  /** Writes a line to standard error. */
  note(text: string): void;
}

/** Prints a result: as JSON for programs, or as `human` formats it. */
export function show<T>({ isJson, out }: Context, result: T, human: (result: T, out: Output) => void): void {
  if (isJson) out.json(result);
  else human(result, out);
}

export const YES = { name: '--yes', short: 'y', about: 'do not ask for confirmation' } as const;

/**
 * Makes a request that the daemon may refuse until it is confirmed, and asks the person at the terminal then.
 * @throws CtlError, ControlError: also when there is no terminal
 */
export async function withConfirmation<T>(context: Context, request: (confirmed: boolean) => Promise<T>): Promise<T> {
  const { given, dialogue, isJson } = context;
  try {
    return await request(given.has(YES.name));
  } catch (error) {
    if (!(error instanceof ControlError) || error.code !== 'needs-confirmation') throw error;
    const hint = `to do it anyway, add --yes${error.hint === undefined ? '' : `; ${error.hint}`}`;
    if (!dialogue.isPossible || isJson) throw new CtlError('failed', error.message, { hint, cause: error });
    context.note(error.message);
    if (error.hint !== undefined) context.note(error.hint);
    if (!(await dialogue.confirm('Continue?'))) {
      throw new CtlError('failed', 'cancelled: nothing has changed', { cause: error });
    }
    return request(true);
  }
}
