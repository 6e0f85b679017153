/** The Tox ID that people exchange (spec: "Tox ID"): `public key (32) || nospam (4) || checksum (2)`, 76 hex digits. */
import { ownedCopy } from '../../base/bytes.js';
import { PublicKey } from './keys.js';

export const NOSPAM_SIZE = 4;
export const TOX_ID_SIZE = 38;

/** What is wrong with a text that should be a Tox ID. */
export type ToxIdFault = 'length' | 'digits' | 'checksum' | 'key';

export class ToxId {
  readonly publicKey: PublicKey;
  /** Four opaque bytes, in the order in which the ID shows them. */
  readonly nospam: Buffer;

  constructor(publicKey: PublicKey, nospam: Buffer) {
    if (nospam.length !== NOSPAM_SIZE) throw new RangeError('ToxId: a nospam has 4 bytes');
    this.publicKey = publicKey;
    this.nospam = ownedCopy(nospam);
  }

  /** From 76 hex digits of either case, or what is wrong with them. */
  static parse(text: string): ToxId | ToxIdFault {
    if (text.length !== TOX_ID_SIZE * 2) return 'length';
    if (!/^[0-9a-fA-F]*$/.test(text)) return 'digits';
    const bytes = Buffer.from(text, 'hex');
    const id = new ToxId(new PublicKey(bytes.subarray(0, 32)), bytes.subarray(32, 36));
    if (!checksum(bytes.subarray(0, 36)).equals(bytes.subarray(36))) return 'checksum';
    return id.publicKey.isValid ? id : 'key';
  }

  toBytes(): Buffer {
    const body = Buffer.concat([this.publicKey.bytes, this.nospam]);
    return Buffer.concat([body, checksum(body)]);
  }

  /** 76 upper-case hex digits. */
  toString(): string {
    return this.toBytes().toString('hex').toUpperCase();
  }
}

/** Two bytes: the even and the odd bytes of the body, each XORed together. */
function checksum(body: Buffer): Buffer {
  const sum = Buffer.alloc(2);
  body.forEach((byte, at) => {
    sum[at % 2] = (sum[at % 2] as number) ^ byte;
  });
  return sum;
}
