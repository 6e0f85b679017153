/** Reads the shared secret from wherever it was given. What is wrong with it is said without showing it. */
import type { Logger } from '../../base/logger.js';
import type { SecretSource } from '../../config/classic-settings.js';
import { faultOfSecret, readSecretFile } from '../../config/secret-file.js';
import { UsageError } from './usage-error.js';

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
      return secretOf(source.text, (fault) => `the secret after -s ${fault}`);
    case 'environment':
      return secretOf(
        source.text,
        (fault) => `the secret in TUNTOX_SHARED_SECRET ${fault}; to use none, unset the variable`,
      );
    case 'file':
      return readSecretFile(source.path, log, { mayWait: true });
  }
}

function secretOf(text: string, message: (fault: string) => string): Buffer {
  const secret = Buffer.from(text);
  const fault = faultOfSecret(secret);
  if (fault !== undefined) throw new UsageError(message(fault));
  return secret;
}
