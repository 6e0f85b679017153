/** The functions of sodium-native that the Tox protocol needs: the only file that imports it. */
import { createRequire } from 'node:module';
import { CodedError, messageOf } from '../../base/coded-error.js';

export const SECRET_KEY_SIZE = 32;
export const SHARED_KEY_SIZE = 32;
export const NONCE_SIZE = 24;
/** Bytes by which a box is longer than its content. */
export const MAC_SIZE = 16;

/** The native part of sodium-native is missing, or is not for this machine. */
class NativePartError extends CodedError<'no-native-part'> {}

export const {
  crypto_auth,
  crypto_auth_verify,
  crypto_hash_sha512,
  crypto_scalarmult,
  crypto_scalarmult_base,
  crypto_secretbox_easy,
  crypto_secretbox_open_easy,
  sodium_memcmp,
  sodium_memzero,
} = load();

/** Loads machine code, which is missing if the package was made for, or copied from, another machine. */
function load(): typeof import('sodium-native') {
  try {
    // The bundle contains it (packaging/bundle.js).
    return createRequire(import.meta.url)('sodium-native');
  } catch (error) {
    throw new NativePartError('no-native-part', explain(error), { cause: error });
  }
}

function explain(error: unknown): string {
  // Only glibc reports its version there, which distinguishes it from musl.
  const { glibcVersionRuntime } = (process.report.getReport() as { header: { glibcVersionRuntime?: string } }).header;
  const isOtherLibrary = process.platform === 'linux' && glibcVersionRuntime === undefined;
  const here = `${process.platform}-${process.arch}${isOtherLibrary ? ' without glibc' : ''}`;
  const [reason = ''] = messageOf(error).split('\n');
  return `the native part sodium-native does not load on this machine (${here}): it exists for linux with glibc, darwin and win32, each on x64 and arm64; if this machine is one of them, install tuntox again on it (${reason})`;
}
