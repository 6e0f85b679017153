/** Errors of a file of state that could not be read, or of a change that could not be saved, as errors of the control protocol. */
import { ControlError, type ControlErrorCode } from '../../control/control-error.js';
import { WhitelistError } from '../../engine/access/whitelist.js';
import { JsonFileError } from '../../engine/state/json-file.js';
import { reasonOf, StateFileError } from '../../engine/state/state-file-error.js';

const RESTART = { hint: 'then restart the daemon' } as const;

const WHITELIST_CODES = {
  'bad-target': 'bad-params',
  full: 'failed',
  exists: 'exists',
  'alias-taken': 'exists',
  'not-listed': 'not-found',
} as const satisfies Readonly<Record<WhitelistError['code'], ControlErrorCode>>;

/**
 * Waits for a change to be saved.
 * @param disconnecting the client that the change disconnects, as a person would type it: clients kick needs no disk
 * @throws ControlError `not-saved` when the disk refused it; then nothing has changed
 */
export async function saved<Value>(change: Promise<Value>, disconnecting?: string): Promise<Value> {
  try {
    return await change;
  } catch (error) {
    throw asControlError(error, disconnecting);
  }
}

/**
 * A list that could not be read must not look empty.
 * @param error why its file cannot be used
 * @throws ControlError
 */
export function checkRead(error: string | undefined): void {
  if (error !== undefined) throw new ControlError('failed', error, RESTART);
}

/** Returns any other error unchanged: it is a bug, and is logged. */
export function asControlError(error: unknown, disconnecting?: string): unknown {
  if (error instanceof StateFileError) {
    const todo = error.code === 'disk-full' ? 'free some space' : 'make the directory writable';
    const meanwhile =
      disconnecting === undefined
        ? ''
        : `; until then, this works without the disk: tuntoxctl clients kick ${disconnecting} --for 1h`;
    const hint = `${todo}, then try again; tuntoxctl config show names the state directory${meanwhile}`;
    return new ControlError(
      'not-saved',
      `the change could not be saved (${reasonOf(error.cause)}), so nothing has changed`,
      {
        hint,
        cause: error,
      },
    );
  }
  if (error instanceof JsonFileError) {
    const hint = error.code === 'not-writable' ? {} : RESTART;
    return new ControlError('failed', error.message, { ...hint, cause: error });
  }
  if (error instanceof WhitelistError) {
    return new ControlError(WHITELIST_CODES[error.code], error.message, { cause: error });
  }
  return error;
}
