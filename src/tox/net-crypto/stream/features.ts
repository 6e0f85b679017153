/**
 * What peers of our kind can do beyond c-toxcore. They announce it in a data packet with an id that c-toxcore drops unread (3; its
 * net_crypto knows 1, 2 and 16 to 254).
 *
 *     3 || features of the sender (bits 0 to 6) and whether it has received our feature packet (bit 7)
 *
 * The packet may be lost, so it accompanies the first request packets until the peer reports that it has received one.
 */
import { CryptoKind } from '../../packet/kind.js';
import { EXTENDED_CRYPTO_DATA_SIZE, MAX_CRYPTO_DATA_SIZE } from '../../packet/net-crypto.js';

/** The sender reads request packets that state where their lists end (id 4). */
const LIST_END = 0x01;
/** The sender reads halves of packets (id 5). */
const PARTS = 0x02;
/** The sender takes packets of up to 1,472 bytes. */
const EXTENDED_SIZE = 0x04;
/** The sender reads request packets that state when the last packet arrived (id 6). */
const TIMES = 0x08;
const OURS = LIST_END | PARTS | EXTENDED_SIZE | TIMES;
const HAS_OURS = 0x80;

/** Packets sent to a peer that never answers, such as c-toxcore. */
const COPIES = 8;

export class Features {
  #theirs: number | undefined;
  #left = COPIES;

  /** Whether the peer is of our kind. */
  get isOurKind(): boolean {
    return this.#theirs !== undefined;
  }

  get hasListEnd(): boolean {
    return ((this.#theirs ?? 0) & LIST_END) !== 0;
  }

  get hasParts(): boolean {
    return ((this.#theirs ?? 0) & PARTS) !== 0;
  }

  /** Most bytes of data that the peer takes in a packet. */
  get maxData(): number {
    return ((this.#theirs ?? 0) & EXTENDED_SIZE) === 0 ? MAX_CRYPTO_DATA_SIZE : EXTENDED_CRYPTO_DATA_SIZE;
  }

  get hasTimes(): boolean {
    return ((this.#theirs ?? 0) & TIMES) !== 0;
  }

  /** Returns the packet to send now, if one is due. */
  next(): Buffer | undefined {
    if (this.#left === 0) return undefined;
    this.#left -= 1;
    return Buffer.from([CryptoKind.Features, OURS | (this.isOurKind ? HAS_OURS : 0)]);
  }

  /** @returns whether the peer should be answered at once */
  receive(data: Buffer): boolean {
    const flags = data[1] ?? 0;
    const isFirst = !this.isOurKind;
    this.#theirs = flags & ~HAS_OURS;
    if ((flags & HAS_OURS) === 0) {
      this.#left = Math.max(this.#left, 1);
      return true;
    }
    // One more after the first packet received: it may be the only one that reports it.
    this.#left = isFirst ? 1 : 0;
    return false;
  }
}
