/** The only file that imports sodium-native; what the Tox protocol needs of it, under the specification's names. */
import { CodedError, messageOf } from '../../base/coded-error.js';

export const PUBLIC_KEY_SIZE = 32;
export const SECRET_KEY_SIZE = 32;
export const SHARED_KEY_SIZE = 32;
export const NONCE_SIZE = 24;
/** What a box is longer than its content. */
export const MAC_SIZE = 16;

/** The native part is not there, or is not for this machine. */
export class NativePartError extends CodedError<'no-native-part'> {}

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
} = await load();

/** Loads machine code, which a package for another machine, or a copy from one, does not have for this. */
async function load(): Promise<typeof import('sodium-native')> {
  try {
    return (await import('sodium-native')).default;
  } catch (error) {
    throw new NativePartError('no-native-part', complaint(error), { cause: error });
  }
}

function complaint(error: unknown): string {
  // Only glibc tells its version there, so that musl is told from it.
  const { glibcVersionRuntime } = (process.report.getReport() as { header: { glibcVersionRuntime?: string } }).header;
  const isOtherLibrary = process.platform === 'linux' && glibcVersionRuntime === undefined;
  const here = `${process.platform}-${process.arch}${isOtherLibrary ? ' without glibc' : ''}`;
  const [reason = ''] = messageOf(error).split('\n');
  return `the native part sodium-native does not load on this machine (${here}): it exists for linux with glibc, darwin and win32, each on x64 and arm64; where this is one of them, install tuntox anew, on this machine (${reason})`;
}
