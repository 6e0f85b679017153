/** Public keys (spec: "Key generation"). This file loads no machine code: parsers and short-lived clients need nothing else of crypto. */
import { inspect } from 'node:util';
import { ownedCopy } from '../../base/bytes.js';
import { shortKey } from '../../base/short-key.js';

export const PUBLIC_KEY_SIZE = 32;

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
    return shortKey(this.hex);
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
