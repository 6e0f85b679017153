/** What a change of kept state ends with when it cannot be done, as its caller sees it. */
import { ControlError, type ControlFault } from '../../control/control-error.js';
import { WhitelistError } from '../../engine/access/whitelist.js';
import { JsonFileError } from '../../engine/state/json-file.js';
import { reasonOf, StateFileError } from '../../engine/state/state-file-error.js';

const WHITELIST_CODES = {
  'bad-target': 'bad-params',
  full: 'failed',
  exists: 'exists',
  'alias-taken': 'exists',
  'not-listed': 'not-found',
} as const satisfies Readonly<Record<WhitelistError['code'], ControlFault>>;

/**
 * @param shuttingOut whom the change is to shut out, as one would type it: there is a way without the disk
 * @throws ControlError `not-saved` when the disk did not take it; nothing has changed then
 */
export async function saved<Value>(change: Promise<Value>, shuttingOut?: string): Promise<Value> {
  try {
    return await change;
  } catch (error) {
    throw asControlError(error, shuttingOut);
  }
}

/** What is left as it is gets into the log, as a fault of ours. */
export function asControlError(error: unknown, shuttingOut?: string): unknown {
  if (error instanceof StateFileError) {
    const hint = error.code === 'disk-full' ? 'free some space, and do it again' : 'make it writable, and do it again';
    const reason = reasonOf(error.cause);
    const meanwhile =
      shuttingOut === undefined
        ? ''
        : `; until then, tuntoxctl clients kick ${shuttingOut} --for 1h keeps it out without the disk`;
    return new ControlError('not-saved', `it could not be saved (${reason}), so nothing has changed`, {
      hint: `${hint}: the state directory is shown by tuntoxctl config show${meanwhile}`,
      cause: error,
    });
  }
  if (error instanceof JsonFileError) {
    return new ControlError('failed', error.message, { hint: 'then restart the daemon', cause: error });
  }
  if (error instanceof WhitelistError) {
    return new ControlError(WHITELIST_CODES[error.code], error.message, { cause: error });
  }
  return error;
}
