/** Reads a shared secret from a file. Errors do not show it. */
import { CodedError } from '../base/coded-error.js';
import { isUtf16 } from '../base/copied-text.js';
import type { Logger } from '../base/logger.js';
import { isReadableByOthers, type ReadOptions, readSmallFile } from '../base/small-file.js';

/** bytes; a friend request carries 921, and upstream ends the secret with a zero byte. */
const MAX_SECRET_SIZE = 920;
/** bytes; a longer file is the wrong one. */
const MAX_FILE_SIZE = 64 * 1024;

export class SecretFileError extends CodedError<'bad-secret'> {}

/** Returns the error of a secret as the end of a sentence; undefined if it is valid. */
export function errorOfSecret(secret: Buffer): string | undefined {
  if (secret.length === 0) return 'is empty: use another one';
  if (secret.length > MAX_SECRET_SIZE) {
    return `has ${secret.length} bytes: shorten it to ${MAX_SECRET_SIZE} or less`;
  }
  return secret.includes(0) ? 'contains a zero byte: use text' : undefined;
}

/** A mark that editors add; it is no part of the secret. */
const UTF8_MARK = Buffer.from([0xef, 0xbb, 0xbf]);

/** @throws FileError, SecretFileError */
export function readSecretFile(path: string, log: Logger, options?: ReadOptions): Buffer {
  const secret = withoutNewline(readPrivateFile(path, { log, what: 'the secret' }, options));
  const error = errorOfSecret(secret);
  if (error !== undefined) throw new SecretFileError('bad-secret', `the secret in ${path} ${error}`);
  // Not an error: clients may use the secret with all of its lines.
  if (/\n./s.test(secret.toString('latin1').trimEnd()))
    log.warn(`the secret in ${path} has more than one line, and all of them are part of it: keep one`);
  return secret;
}

/**
 * Reads a file that only its owner should read, and warns if others can. The mark of UTF-8 is left out.
 * @param context.what is in the file
 * @throws FileError, SecretFileError
 */
export function readPrivateFile(
  path: string,
  { log, what }: { readonly log: Logger; readonly what: string },
  options?: ReadOptions,
): Buffer {
  const bytes = readSmallFile(path, MAX_FILE_SIZE, options);
  if (isReadableByOthers(path)) log.warn(`other users can read ${what}: run chmod 600 ${path}`);
  if (isUtf16(bytes)) throw new SecretFileError('bad-secret', `${path} is in UTF-16: save the file as UTF-8`);
  return bytes.indexOf(UTF8_MARK) === 0 ? bytes.subarray(UTF8_MARK.length) : bytes;
}

/** Editors and `echo` end a file with a newline that is not part of the secret. */
function withoutNewline(bytes: Buffer): Buffer {
  if (bytes.at(-1) !== 0x0a) return bytes;
  return bytes.subarray(0, bytes.at(-2) === 0x0d ? -2 : -1);
}
