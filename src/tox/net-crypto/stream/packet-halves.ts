/** Received halves of packets (tox/packet/net-crypto) that wait for their other half. */
import { isPartOfMore, ownedCopy } from '../../../base/bytes.js';
import { decodePart, EXTENDED_CRYPTO_DATA_SIZE, type Part } from '../../packet/net-crypto.js';

/** Halves that are stored, 380 KB at most with their packets; the two halves are sent one after the other. */
const MAX_PARTS = 256;

export class PacketHalves {
  /** By the number of the packet. */
  readonly #parts = new Map<number, Part>();

  /** @returns the data of the packet with that number, once both halves have arrived */
  join(number: number, data: Buffer): Buffer | undefined {
    const part = decodePart(data);
    if (part === undefined) return undefined;
    const other = this.#parts.get(number);
    this.#parts.delete(number);
    if (other === undefined || other.isLast === part.isLast) {
      const [oldest] = this.#parts.keys();
      if (this.#parts.size >= MAX_PARTS && oldest !== undefined) this.#parts.delete(oldest);
      // Data from a relay is part of a larger read of its socket.
      const bytes = isPartOfMore(part.bytes) ? ownedCopy(part.bytes) : part.bytes;
      this.#parts.set(number, { ...part, bytes });
      return undefined;
    }
    if (other.bytes.length + part.bytes.length > EXTENDED_CRYPTO_DATA_SIZE) return undefined;
    return Buffer.concat(part.isLast ? [other.bytes, part.bytes] : [part.bytes, other.bytes]);
  }
}
