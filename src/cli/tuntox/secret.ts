/** Reads the shared secret from wherever it was given. What is wrong with it is said without showing it. */
import { statSync } from 'node:fs';
import { CodedError } from '../../base/coded-error.js';
import type { Logger } from '../../base/logger.js';
import type { SecretSource } from '../../config/classic-settings.js';
import { readSmallFile } from '../../config/small-file.js';
import { UsageError } from './usage-error.js';

/** A friend request carries 921 bytes, and upstream ends the secret with a zero byte. */
const MAX_SECRET_SIZE = 920;
/** A file that is longer is the wrong one. */
const MAX_FILE_SIZE = 64 * 1024;
const READABLE_BY_OTHERS = 0o044;

export class SecretFileError extends CodedError<'bad-secret'> {}

/**
 * @returns undefined when no secret was given
 * @throws UsageError, or FileError and SecretFileError when it comes from a file
 */
export function readSecret(source: SecretSource, log: Logger): Buffer | undefined {
  switch (source.from) {
    case 'nowhere':
      return undefined;
    case 'flag':
      log.warn('other users of this machine can see the secret after -s: use --secret-file or TUNTOX_SHARED_SECRET');
      return secretOf(Buffer.from(source.text), (fault) => new UsageError(`the secret after -s ${fault}`));
    case 'environment':
      return secretOf(
        Buffer.from(source.text),
        (fault) => new UsageError(`the secret in TUNTOX_SHARED_SECRET ${fault}; to use none, unset the variable`),
      );
    case 'file':
      return secretOf(
        withoutNewline(readSecretFile(source.path, log)),
        (fault) => new SecretFileError('bad-secret', `the secret in ${source.path} ${fault}`),
      );
  }
}

function secretOf(secret: Buffer, error: (fault: string) => Error): Buffer {
  if (secret.length === 0) throw error('is empty: write one');
  if (secret.length > MAX_SECRET_SIZE) {
    throw error(`has ${secret.length} bytes: shorten it to ${MAX_SECRET_SIZE} or less`);
  }
  if (secret.includes(0)) throw error('contains a zero byte: use text');
  return secret;
}

function readSecretFile(path: string, log: Logger): Buffer {
  const bytes = readSmallFile(path, MAX_FILE_SIZE);
  if ((statSync(path).mode & READABLE_BY_OTHERS) !== 0)
    log.warn(`other users can read the secret: run chmod 600 ${path}`);
  return bytes;
}

/** Editors and `echo` end a file with a newline that is not part of the secret. */
function withoutNewline(bytes: Buffer): Buffer {
  if (bytes.at(-1) !== 0x0a) return bytes;
  return bytes.subarray(0, bytes.at(-2) === 0x0d ? -2 : -1);
}
