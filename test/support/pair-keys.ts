/**
 * The shared keys of a simulation of thousands of nodes, never for real use: two nodes share what their public keys make when
 * they are added bit by bit, which anybody can compute, in place of the Curve25519 product, which costs 50 µs. All else is as it
 * is: each pair has a key of its own, everything is sealed with it, and what is damaged or for others does not open.
 */
import { open } from '../../src/tox/crypto/box.js';
import type { KeyPair } from '../../src/tox/crypto/key-pair.js';
import type { PublicKey } from '../../src/tox/crypto/keys.js';
import { SharedKeyCache } from '../../src/tox/crypto/shared-key-cache.js';

export class PairKeys extends SharedKeyCache {
  readonly #ownKey: PublicKey;

  constructor({ publicKey, secretKey }: KeyPair) {
    super(secretKey, 1);
    this.#ownKey = publicKey;
  }

  override get(publicKey: PublicKey): Buffer {
    const key = Buffer.allocUnsafe(32);
    for (let at = 0; at < 32; at += 1) key[at] = (publicKey.bytes[at] as number) ^ (this.#ownKey.bytes[at] as number);
    return key;
  }

  override open(
    publicKey: PublicKey,
    nonce: Buffer,
    sealed: Buffer,
    mayTry: (isKnown: boolean) => boolean,
  ): Buffer | undefined {
    if (!publicKey.isValid) return undefined;
    const plain = open(this.get(publicKey), nonce, sealed);
    return plain !== undefined && mayTry(true) ? plain : undefined;
  }
}
