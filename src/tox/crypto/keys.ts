/** Curve25519 keys (spec: "Key generation"). A secret key never appears in a log, a JSON text or an inspection. */
import { inspect } from 'node:util';
import { ownedCopy } from '../../base/bytes.js';
import type { Random } from '../../base/random.js';
import { crypto_scalarmult_base, PUBLIC_KEY_SIZE, SECRET_KEY_SIZE, sodium_memcmp, sodium_memzero } from './sodium.js';

export class PublicKey {
  readonly bytes: Buffer;
  /** The first 32 bits as a signed number, which V8 keeps in the object itself. Most keys differ by it. */
  readonly head: number;
  #hex: string | undefined;

  /** @param bytes 32 bytes, copied */
  constructor(bytes: Buffer) {
    if (bytes.length !== PUBLIC_KEY_SIZE) throw new RangeError('PublicKey: 32 bytes expected');
    this.bytes = ownedCopy(bytes);
    this.head = bytes.readInt32BE();
  }

  /** Reads 64 hex digits of either case; returns undefined for other texts. */
  static parse(text: string): PublicKey | undefined {
    return /^[0-9a-fA-F]{64}$/.test(text) ? new PublicKey(Buffer.from(text, 'hex')) : undefined;
  }

  /** 64 upper-case hex digits; also used as a key of maps. */
  get hex(): string {
    this.#hex ??= this.bytes.toString('hex').toUpperCase();
    return this.#hex;
  }

  /** The first 8 hex digits, for people and logs. */
  get short(): string {
    return this.hex.slice(0, 8);
  }

  equals(other: PublicKey): boolean {
    return this.head === other.head && this.bytes.equals(other.bytes);
  }

  /** Whether the top bit is clear, as c-toxcore requires of a friend's key (public_key_valid). */
  get isValid(): boolean {
    return (this.bytes[31] as number) < 128;
  }

  toString(): string {
    return this.hex;
  }

  [inspect.custom](): string {
    return this.hex;
  }
}

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
