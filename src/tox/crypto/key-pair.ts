/** Curve25519 key pairs (spec: "Key generation"). A secret key never appears in a log, a JSON text or an inspection. */
import { inspect } from 'node:util';
import { ownedCopy } from '../../base/bytes.js';
import type { Random } from '../../base/random.js';
import { PUBLIC_KEY_SIZE, PublicKey } from './keys.js';
import { crypto_scalarmult_base, SECRET_KEY_SIZE, sodium_memcmp, sodium_memzero } from './sodium.js';

export class SecretKey {
  readonly bytes: Buffer;

  /** @param bytes 32 bytes, copied */
  constructor(bytes: Buffer) {
    if (bytes.length !== SECRET_KEY_SIZE) throw new RangeError('SecretKey: 32 bytes expected');
    this.bytes = ownedCopy(bytes);
  }

  publicKey(): PublicKey {
    const out = Buffer.allocUnsafe(PUBLIC_KEY_SIZE);
    crypto_scalarmult_base(out, this.bytes);
    return new PublicKey(out);
  }

  /** Overwrites the key with zeros; it must not be used afterwards. */
  wipe(): void {
    sodium_memzero(this.bytes);
  }

  toJSON(): string {
    return '[secret key]';
  }

  toString(): string {
    return '[secret key]';
  }

  [inspect.custom](): string {
    return '[secret key]';
  }
}

export interface KeyPair {
  readonly publicKey: PublicKey;
  readonly secretKey: SecretKey;
}

export function generateKeyPair(random: Random): KeyPair {
  const secretKey = new SecretKey(random.bytes(SECRET_KEY_SIZE));
  return { publicKey: secretKey.publicKey(), secretKey };
}

/** Compares in constant time; buffers of different lengths are unequal. */
export function equalsInConstantTime(a: Buffer, b: Buffer): boolean {
  return a.length === b.length && sodium_memcmp(a, b);
}
