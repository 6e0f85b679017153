/** A command: what it looks like, and what it does. */
import type { Clock } from '../../base/clock.js';
import type { Output } from '../output.js';
import type { Description } from './description.js';
import type { Dialogue } from './dialogue.js';
import type { Given } from './given.js';
import type { Session } from './session.js';

export interface Command extends Description {
  /** @returns the exit status; 0 when nothing. @throws CtlError, ControlError */
  run(context: Context): Promise<number | undefined>;
}

/** What a command works with. */
export interface Context {
  readonly clock: Clock;
  readonly given: Given;
  readonly out: Output;
  readonly isJson: boolean;
  readonly dialogue: Dialogue;
  readonly session: Session;
  /** Aborted by Ctrl-C, and when nobody reads the output any more. */
  readonly signal: AbortSignal;
  /** Resolves when all output is with the system. @throws OutputError, also where nobody could ever read it */
  written(): Promise<void>;
  /** Says something beside the output. */
  note(text: string): void;
}

/** Prints a result: as it is for programs, or as `human` puts it. */
export function show<T>({ isJson, out }: Context, result: T, human: (result: T, out: Output) => void): void {
  if (isJson) out.json(result);
  else human(result, out);
}
