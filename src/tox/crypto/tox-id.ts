/** The Tox ID that people exchange (spec: "Tox ID"): `public key (32) || nospam (4) || checksum (2)`, 76 hex digits. */
import { ownedCopy } from '../../base/bytes.js';
import { PublicKey } from './keys.js';

export const NOSPAM_SIZE = 4;
export const TOX_ID_SIZE = 38;

/** Why a text is no Tox ID. */
type ToxIdError = 'length' | 'digits' | 'checksum' | 'key';

export class ToxId {
  readonly publicKey: PublicKey;
  /** Four opaque bytes, in the order of the ID. */
  readonly nospam: Buffer;

  constructor(publicKey: PublicKey, nospam: Buffer) {
    if (nospam.length !== NOSPAM_SIZE) throw new RangeError('ToxId: a nospam has 4 bytes');
    this.publicKey = publicKey;
    this.nospam = ownedCopy(nospam);
  }

  /** Reads 76 hex digits of either case, or returns what is wrong with them. */
  static parse(text: string): ToxId | ToxIdError {
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

/** Returns two bytes: the XOR of all even bytes of the body, and of all odd ones. */
function checksum(body: Buffer): Buffer {
  const sum = Buffer.alloc(2);
  body.forEach((byte, at) => {
    sum[at % 2] = (sum[at % 2] as number) ^ byte;
  });
  return sum;
}
