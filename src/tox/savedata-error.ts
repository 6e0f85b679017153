import { CodedError } from '../base/coded-error.js';

/**
 * Why bytes are not a usable `tox_save`:
 * - `encrypted`: written with a password
 * - `not-a-tox-save`: something else altogether, or nothing
 * - `corrupt`: a `tox_save` that was cut off or damaged
 */
export type SavedataFault = 'encrypted' | 'not-a-tox-save' | 'corrupt';

/** The message says what is wrong inside the bytes; whoever knows the file adds its path and what to do. */
export class SavedataError extends CodedError<SavedataFault> {}
