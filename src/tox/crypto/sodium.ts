/** The only file that imports sodium-native; what the Tox protocol needs of it, under the specification's names. */
import sodium from 'sodium-native';

export const PUBLIC_KEY_SIZE = 32;
export const SECRET_KEY_SIZE = 32;
export const SHARED_KEY_SIZE = 32;
export const NONCE_SIZE = 24;
/** What a box is longer than its content. */
export const MAC_SIZE = 16;

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
} = sodium;
